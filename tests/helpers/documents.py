"""The lecture documents, for the tests that read them; where they are not at hand these are not run, and say so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("RNN_HARNESS_DOCUMENTS") or ROOT.parent / "shared" / "documents")
DOCUMENTS = ("000", "001", "002", "003", "004")
PATHS = {number: path for number in DOCUMENTS for path in sorted(FOLDER.glob(f"{number}_*.txt"))[:1]}
MISSING = [number for number in DOCUMENTS if number not in PATHS]
WITH_DOCUMENTS = pytest.mark.skipif(
    bool(MISSING),
    reason=f"not run: {FOLDER} has no document {', '.join(MISSING)}; RNN_HARNESS_DOCUMENTS names their folder",
)
"""Marks a test that reads all documents."""


def lines_of(document: str) -> list[str]:
    """Return the lines of a document.

    Args:
        document: Its number.
    """
    return PATHS[document].read_text(encoding="utf-8").split("\n")
