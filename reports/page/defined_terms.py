"""Terms that show their definitions: in a sentence of the page where they stand first, and as headings of tables."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from rnn_harness.reports.page.glossary import GLOSSARY, SHOWN_INITIALISATIONS, definition_of

_OF_SENTENCES: dict[str, str] = {
    **SHOWN_INITIALISATIONS,
    "reference": GLOSSARY["reference"],
    "gradient horizon": GLOSSARY["gradient horizon"],
    "mutants": GLOSSARY["mutant"],
    "kernels": GLOSSARY["kernel"],
}
"""What is defined in sentences, by the words that stand there."""
_NAME = re.compile(rf"\b({'|'.join(map(re.escape, _OF_SENTENCES))})(?=[:;,. )]|$)")


def with_definitions(text: str) -> Markup:
    """Return a text whose terms and names of initialisations, such as ``chrono``, show their definitions.

    Args:
        text: A sentence, or a name alone.
    """
    parts, end, shown = [], 0, set[str]()
    for match in _NAME.finditer(text):
        name = match.group(1)
        if name in shown:
            continue
        shown.add(name)
        parts.append(escape(text[end : match.start()]))
        parts.append(Markup('<abbr title="{}">{}</abbr>').format(_OF_SENTENCES[name], name))
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def defined_heading(text: str) -> Markup:
    """Return a heading of a table, which shows its definition unless it is plain English.

    Args:
        text: The heading.
    """
    definition = definition_of(text)
    return Markup('<abbr title="{}">{}</abbr>').format(definition, text) if definition else escape(text)
