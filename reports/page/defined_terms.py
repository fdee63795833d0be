"""Initialisations in a sentence of the page, each with its definition where it stands first."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from rnn_harness.reports.page.glossary import GLOSSARY, INITIALISATIONS

_NAME = re.compile(rf"\b({'|'.join(map(re.escape, INITIALISATIONS))})(?=[:;,. ]|$)")


def with_definitions(text: str) -> Markup:
    """Return a text whose names of initialisations, such as ``chrono``, show their definitions.

    Args:
        text: A sentence, or a name alone. ``keep`` and ``torch`` are words too, so they count before a colon or alone.
    """
    parts, end, shown = [], 0, set[str]()
    for match in _NAME.finditer(text):
        name = match.group(1)
        is_word = name in ("keep", "torch") and text != name and text[match.end() : match.end() + 1] != ":"
        if name in shown or is_word:
            continue
        shown.add(name)
        parts.append(escape(text[end : match.start()]))
        parts.append(Markup('<abbr title="{}">{}</abbr>').format(GLOSSARY[name], name))
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])
