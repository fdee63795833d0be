"""How a kernel's own parameters are put together out of the reference's: one declarative table a kernel.

A row ``"weight_ih_l0": "W_xr; W_xz; W_xg"`` stacks blocks on top of each other. A reference parameter that stands in
several rows is the *sum* of them: torch's two biases of one gate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rnn_harness.array_types import Array

_NAME = re.compile(r"[A-Za-z_][\w.]*")


class ParameterMap(Protocol):
    """The map between a kernel's parameters and the reference's, as a driver needs it."""

    @property
    def most_parts(self) -> int:
        """As how many numbers, which add up to it, the kernel holds one parameter of the reference at most."""

    def pack(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Give the kernel's parameters, by its names.

        Args:
            parameters: By the reference's names.
        """

    def gradients(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, list[Array]]:
        """Give the gradients by the reference's names, one for every place that a parameter has in the kernel.

        Args:
            packed: The gradients by the kernel's names.
            shapes: The shapes of the reference's parameters.
        """


@dataclass(frozen=True)
class Table:
    """A map in which every parameter of the kernel is a stack of parameters of the reference.

    Attributes:
        rows: By the kernel's parameter name, the reference parameters stacked in it, from the top.
    """

    rows: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, text: Mapping[str, str]) -> Table:
        """Read rows such as ``"W_xr; W_xz; W_xg"``.

        Args:
            text: By the kernel's parameter name, reference parameters divided by ``;``.

        Raises:
            ValueError: A row holds something else; the message shows it.
        """
        rows = {}
        for name, blocks in text.items():
            parts = tuple(part.strip() for part in blocks.split(";"))
            if not all(_NAME.fullmatch(part) for part in parts):
                raise ValueError(f"{name}: {blocks!r} is no row; expected reference parameters divided by ';'")
            rows[name] = parts
        return cls(rows)

    @classmethod
    def identity(cls, names: tuple[str, ...]) -> Table:
        """Give the map of a kernel that uses the reference's own names.

        Args:
            names: The reference's parameters.
        """
        return cls({name: (name,) for name in names})

    @property
    def most_parts(self) -> int:
        """The largest number of places of one reference parameter."""
        return max(self._counts.values(), default=1)

    def pack(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Give the kernel's parameters, by its names.

        Args:
            parameters: By the reference's names.

        Raises:
            KeyError: A reference parameter is missing; it is named.
        """
        parts = {name: iter(exact_parts(parameters[name], count)) for name, count in self._counts.items()}
        return {packed: _stacked([next(parts[name]) for name in blocks]) for packed, blocks in self.rows.items()}

    def unpack(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """Give the reference's parameters; one that stands in several places is their sum.

        Args:
            packed: The kernel's parameters, by its names.
            shapes: The shapes of the reference's parameters.
        """
        total: dict[str, Array] = {}
        for name, part in self._parts(packed, shapes):
            total[name] = total[name] + part if name in total else part
        return total

    def gradients(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, list[Array]]:
        """Give the gradients for every place of a parameter; each must be that of the sum.

        Args:
            packed: The gradients by the kernel's names.
            shapes: The shapes of the reference's parameters.
        """
        by_parameter: dict[str, list[Array]] = {}
        for name, part in self._parts(packed, shapes):
            by_parameter.setdefault(name, []).append(part)
        return by_parameter

    @property
    def _counts(self) -> dict[str, int]:
        """Count the places of every reference parameter."""
        counts: dict[str, int] = {}
        for blocks in self.rows.values():
            for name in blocks:
                counts[name] = counts.get(name, 0) + 1
        return counts

    def _parts(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> list[tuple[str, Array]]:
        """Cut the kernel's arrays into (reference parameter, block) pairs, in the order of the rows."""
        parts = []
        for packed_name, blocks in self.rows.items():
            if len(blocks) == 1:  # a scalar has no axis along which it could be cut
                parts.append((blocks[0], packed[packed_name]))
                continue
            start = 0
            for name in blocks:
                stop = start + shapes[name][0]
                parts.append((name, packed[packed_name][start:stop]))
                start = stop
        return parts


def _stacked(parts: list[Array]) -> Array:
    """Stack blocks along their first axis; a single one, which may be a scalar, stays as it is."""
    return parts[0].copy() if len(parts) == 1 else np.concatenate(parts)


def exact_parts(value: Array, count: int) -> list[Array]:
    """Write an array as a sum of arrays that differ and that add up to it exactly, in any format that holds it.

    Each part but the last takes the leading bit of every number, the last part takes the remainder, so that no part
    is zero in general.

    Args:
        value: Numbers of any shape.
        count: How many parts.
    """
    parts = []
    for _ in range(count - 1):
        # Not by a logarithm: just below a power of two it is rounded to that power, and the remainder changes its sign.
        mantissa, exponent = np.frexp(value)
        parts.append(np.ldexp(np.sign(mantissa) / 2, exponent).astype(value.dtype))
        value = value - parts[-1]
    return [*parts, value]
