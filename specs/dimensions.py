"""Symbolic sizes: what the documents call n, d, k, and sums of them such as ``d+n`` or ``2d``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TERM = re.compile(r"(?P<factor>\d+)?(?P<symbol>[A-Za-z]+)?")
LARGEST_FACTOR = 2**13
"""The largest number in a size: a square matrix of that size takes half a gigabyte."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """A size: a whole number plus whole multiples of named sizes, for example ``2d + n``.

    Attributes:
        terms: the named sizes with their factors, sorted by name.
        constant: the whole number that is added.
    """

    terms: tuple[tuple[str, int], ...] = ()
    constant: int = 0

    @classmethod
    def parse(cls, text: str) -> Dimension:
        """Read a size from text.

        Args:
            text: for example ``"d"``, ``"2d+n"`` or ``"4"``.

        Raises:
            ValueError: that shows the text; a number in it may be too large for the numbers of a case to be drawn.
        """
        total = cls()
        for part in text.replace(" ", "").split("+"):
            match = _TERM.fullmatch(part)
            if not part or match is None:
                raise ValueError(f"{text!r} is not a size: expected for example 'd', '2d+n' or '4'")
            digits = match["factor"] or "1"
            if len(digits) > len(str(LARGEST_FACTOR)) or int(digits) > LARGEST_FACTOR:
                raise ValueError(f"{text[:40]!r} is too large a size: expected numbers up to {LARGEST_FACTOR}")
            factor = int(digits)
            total += cls(((match["symbol"], factor),)) if match["symbol"] else cls((), factor)
        return total

    def __add__(self, addend: Dimension) -> Dimension:
        factors = dict(self.terms)
        for symbol, factor in addend.terms:
            factors[symbol] = factors.get(symbol, 0) + factor
        return Dimension(tuple(sorted(factors.items())), self.constant + addend.constant)

    def size(self, sizes: Mapping[str, int]) -> int:
        """Compute the number for the values of the named sizes.

        Args:
            sizes: for example ``{"n": 3, "d": 4}``.

        Raises:
            KeyError: that names a size without a value.
        """
        return self.constant + sum(factor * sizes[symbol] for symbol, factor in self.terms)

    def with_sizes(self, known: Mapping[str, Dimension]) -> Dimension:
        """Put sizes in the place of names.

        Args:
            known: What some names stand for; other names stay.
        """
        total = Dimension((), self.constant)
        for symbol, factor in self.terms:
            size = known.get(symbol, Dimension(((symbol, 1),)))
            terms = tuple((name, factor * number) for name, number in size.terms)
            total += Dimension(terms, factor * size.constant)
        return total

    @property
    def symbols(self) -> frozenset[str]:
        """The named sizes that occur in this one."""
        return frozenset(symbol for symbol, _ in self.terms)

    def __str__(self) -> str:
        parts = [symbol if factor == 1 else f"{factor}{symbol}" for symbol, factor in self.terms]
        if self.constant or not parts:
            parts.append(str(self.constant))
        return "+".join(parts)


Shape = tuple[Dimension, ...]
"""``()`` a scalar, ``(d,)`` a vector (row or column: the product decides), ``(d, n)`` a matrix."""


def parse_shape(text: str) -> Shape:
    """Read a shape as a spec file writes it.

    Args:
        text: sizes with blanks between them, for example ``"d d+n"``; ``""`` for a scalar.

    Raises:
        ValueError: for a text that is no size, or for more than two axes.
    """
    shape = tuple(Dimension.parse(part) for part in text.split())
    if len(shape) > 2:
        raise ValueError(f"{text!r} has {len(shape)} axes: expected a scalar, a vector or a matrix")
    return shape


def show_shape(shape: Shape) -> str:
    """Write a shape for the reader: ``d×n``, ``d`` or ``scalar``.

    Args:
        shape: the sizes; empty for a scalar.
    """
    return "×".join(str(size) for size in shape) or "scalar"
