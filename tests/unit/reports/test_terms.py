"""Every term on the page has a definition: headings of tables are plain English, or show what they mean."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rnn_harness.reports.page
from rnn_harness.records.matrix import PROPERTIES
from rnn_harness.reports.page.check_matrix import CHECK_GROUPS
from rnn_harness.reports.page.defined_terms import defined_heading
from rnn_harness.reports.page.glossary import GLOSSARY, HEADINGS, definition_of
from rnn_harness.reports.page.kill_matrix import COLUMNS
from rnn_harness.reports.summary import WITNESSES

TEMPLATES = sorted(Path(rnn_harness.reports.page.__file__).parent.glob("*.j2"))
PLAIN = [
    "cell",
    "implementation",
    "package",
    "format",
    "device",
    "dtype",
    "time",
    "interval",
    "95 % interval",
    "peak memory",
    "count",
    "compared with",
    "parameters",
    "loss",
    "seconds",
    "agrees",
    "outcome",
    "what it is",
    "at fault",
    "difference",
    "it computes",
    "verdict",
    "where",
    "what is claimed",
    "number or proof",
    "topic",
    "positions",
    "resolution",
    "evidence",
    "what is printed",
    "what is right",
    "how it is decided",
    "reproduce",
    "place",
    "equation",
    "forward",
    "gradients",
    "forward pass",
    "precision",
    "training",
    "trained weights",
    "parts of a model",
]
"""Headings that somebody who knows torch understands."""
WITH_COMMAS = ("conditions, counterexample, source", "as printed, and the reading")


def headings() -> set[str]:
    """Return the headings of all tables of the page."""
    lists = re.findall(r"heads\(\[(.*?)\]", "".join(path.read_text(encoding="utf-8") for path in TEMPLATES))
    written = {name.removeprefix("*") for text in lists for name in re.findall(r'"([^"]+)"', text)}
    return written | set(CHECK_GROUPS.values()) | set(COLUMNS) | set(WITNESSES) | set(PROPERTIES.values())


def test_every_heading_of_a_table_is_plain_english_or_defined() -> None:
    assert len(headings()) > 80
    assert [name for name in sorted(headings()) if name not in (*PLAIN, *WITH_COMMAS) and not definition_of(name)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_term_that_a_template_defines_is_in_the_glossary(path: Path) -> None:
    terms = re.findall(r'term\("([^"]+)"', path.read_text(encoding="utf-8"))
    assert [term for term in terms if term not in GLOSSARY] == []


def test_no_definition_is_of_a_heading_that_there_is_not() -> None:
    assert [name for name in HEADINGS if name not in headings()] == []


def test_a_heading_shows_its_definition_and_is_escaped() -> None:
    assert defined_heading("half-life") == f'<abbr title="{GLOSSARY["half-life"]}">half-life</abbr>'
    assert defined_heading("<cell>") == "&lt;cell&gt;"
