"""Every print stands where the spec says it does, character for character."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnn_harness.specs import Entry, Example, library

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("RNN_HARNESS_DOCUMENTS") or ROOT.parent / "shared" / "documents")
DOCUMENTS = ("000", "001", "002", "003", "004")
ENTRIES = [entry for spec in library().specs for entry in spec.entries if entry.document in DOCUMENTS]
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"not run: the documents are not at {FOLDER}; RNN_HARNESS_DOCUMENTS names their folder"
)


def lines_of(document: str) -> list[str]:
    (path,) = FOLDER.glob(f"{document}_*.txt")
    return path.read_text(encoding="utf-8").split("\n")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.id} stands at {entry.document}:{entry.line}")
def test_print_stands_at_its_line(entry: Entry) -> None:
    lines = lines_of(entry.document)
    for start in (entry.line, *entry.also):
        first, *others = entry.printed.strip("\n").split("\n")
        assert first in lines[start - 1], f"{entry.document}:{start} reads {lines[start - 1]!r}"
        where = start
        for part in others:
            where = next(n for n in range(where + 1, len(lines) + 1) if part in lines[n - 1])


@pytest.mark.parametrize(
    "example", [entry for entry in ENTRIES if isinstance(entry, Example) and entry.given], ids=lambda entry: entry.id
)
def test_given_numbers_stand_in_the_lines_named(example: Example) -> None:
    lines = lines_of(example.document)
    near = "".join("".join(lines[n - 1 : n + 1]) for n in example.given_lines).replace(" ", "")
    for symbol, value in example.given.items():
        assert value.replace(" ", "") in near, f"{symbol} = {value} is not in lines {example.given_lines}"
