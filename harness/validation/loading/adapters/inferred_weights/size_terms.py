"""The length of an axis as a term in the input size and the hidden size: what was found at one size holds at all."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

from rnn_harness.validation.cells.capabilities import CellSizes

INFERENCE_SIZES = CellSizes(11, 7)
"""The sizes at which shapes are inferred: every term below has a length of its own there."""
STEPS, ROWS = 5, 6
"""T and B of the calls: no term has these lengths."""


class SizeTerm(NamedTuple):
    """The length ``inputs n + units d + constant``.

    Attributes:
        inputs: How many times the input size.
        units: How many times the hidden size.
        constant: What is added.
    """

    inputs: int
    units: int
    constant: int

    def length(self, sizes: CellSizes) -> int:
        """Return the length at the given sizes.

        Args:
            sizes: The input size and the hidden size.
        """
        return self.inputs * sizes.input_size + self.units * sizes.hidden_size + self.constant


@dataclass(frozen=True)
class Shape:
    """The shape of a parameter, which holds at every size.

    Attributes:
        terms: A term for each axis.
    """

    terms: tuple[SizeTerm, ...]

    def lengths(self, sizes: CellSizes) -> tuple[int, ...]:
        """Return the shape.

        Args:
            sizes: The input size and the hidden size.
        """
        return tuple(term.length(sizes) for term in self.terms)


_TERMS = (
    *(SizeTerm(0, 0, constant) for constant in (1, 2, 3, 4)),
    *(SizeTerm(*term) for term in itertools.product((0, 1), range(9), (0, 1)) if any(term[:2])),
)
_BY_LENGTH = {term.length(INFERENCE_SIZES): term for term in _TERMS}


def term_of(length: int) -> SizeTerm | None:
    """Return the term of a length at `INFERENCE_SIZES`; None if it is none, such as a number of rows or steps.

    Args:
        length: The length of an axis.
    """
    return _BY_LENGTH.get(length)


def lengths_of(*terms: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the lengths of terms at `INFERENCE_SIZES`.

    Args:
        terms: As in `SizeTerm`.
    """
    return tuple(SizeTerm(*term).length(INFERENCE_SIZES) for term in terms)
