"""The templates of the pages, read and compiled once in a process."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from rnn_harness.reports.page.again import measured_again
from rnn_harness.reports.page.check_matrix import CHECK_GROUPS
from rnn_harness.reports.page.defined_terms import defined_heading, with_definitions
from rnn_harness.reports.page.document_statements import PrintedEntry
from rnn_harness.reports.page.glossary import shown_initialisation
from rnn_harness.reports.page.places import places_text
from rnn_harness.specs import document_title

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def page_template(name: str) -> Template:
    """Return a template; what it writes is escaped, except for formulas and plots, which are made here.

    Args:
        name: The name of its file in this folder.
    """
    return _environment().get_template(name)


@functools.cache
def _environment() -> Environment:
    """Return the environment of all templates, which keeps those that it has compiled."""
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("rnn_harness.reports.page", ".")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["print_formula"] = _print_formula
    environment.filters["reading_formula"] = _reading_formula
    environment.filters["formula"] = _formula
    environment.filters["group_title"] = lambda group: CHECK_GROUPS.get(group, group)
    environment.filters["document_title"] = document_title
    environment.filters["places"] = places_text
    environment.filters["defined"] = with_definitions
    environment.filters["initialisation"] = shown_initialisation
    environment.filters["heading"] = defined_heading
    environment.filters["again"] = measured_again
    environment.filters["time"] = _format_time
    return environment


def _formula(latex: str, is_formula: bool = True) -> str:
    """Return a formula as MathML; as text where it is none, or cannot be read (a print that is wrong)."""
    from latex2mathml.converter import convert
    from markupsafe import Markup, escape

    if not is_formula:
        return Markup(f"<pre>{escape(latex)}</pre>")
    try:
        return Markup(f'<div class="formula">{convert(latex)}</div>')
    except Exception:  # the prints of documents may hold anything
        return Markup(f"<code>{escape(latex)}</code>")


def _print_formula(entry: PrintedEntry) -> str:
    """Return the print of an entry for the page."""
    return _formula(entry.printed, entry.is_formula)


def _reading_formula(entry: PrintedEntry) -> str:
    """Return what is computed in the place of the print, for the page."""
    return _formula(entry.reading, entry.is_formula)


def _format_time(seconds: float) -> str:
    """Write a time with three digits in the unit that suits it."""
    unit, factor = next(
        (scale for scale in (("s", 1.0), ("ms", 1000.0)) if seconds * scale[1] >= 1), ("µs", 1_000_000.0)
    )
    return f"{seconds * factor:.3g} {unit}"
