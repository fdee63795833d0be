"""The documents' LaTeX, read into a surface tree."""

from __future__ import annotations

from rnn_harness.specs.notation.errors import NotationError
from rnn_harness.specs.notation.parse import parse
from rnn_harness.specs.notation.syntax import (
    Binary,
    Bracket,
    Call,
    Chain,
    Derivative,
    Name,
    Negative,
    Number,
    Total,
    Tree,
    Tuple,
    names,
)

__all__ = [
    "Binary",
    "Bracket",
    "Call",
    "Chain",
    "Derivative",
    "Name",
    "Negative",
    "NotationError",
    "Number",
    "Total",
    "Tree",
    "Tuple",
    "names",
    "parse",
]
