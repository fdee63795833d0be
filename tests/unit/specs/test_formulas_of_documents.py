"""Every formula that a document sets off is read, but for the one that lost a parenthesis and the few that are none."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rnn_harness.specs.notation import NotationError, parse

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("RNN_HARNESS_DOCUMENTS") or ROOT.parent / "shared" / "documents")
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"not run: the documents are not at {FOLDER}; RNN_HARNESS_DOCUMENTS names their folder"
)

NO_FORMULAS = {"000:97": "an arrow diagram with labels on its arrows"}
UNBALANCED = {"003:852": 154}


def formulas() -> list[tuple[str, str]]:
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            found += [(f"{path.name[:3]}:{number}", text) for text in re.findall(r"\$\$(.*?)\$\$", line)]
    return found


def test_formula_is_read_or_refused_for_a_known_reason() -> None:
    refused: dict[str, NotationError] = {}
    count = 0
    for place, text in formulas():
        count += 1
        try:
            parse(text)
        except NotationError as error:
            refused[place] = error
    assert count > 80
    assert set(refused) == set(NO_FORMULAS) | set(UNBALANCED), refused
    for place, column in UNBALANCED.items():
        assert (refused[place].category, refused[place].column) == ("unbalanced", column)
