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
    """What a driver needs of its parameters' map."""

    def pack(self, parameters: Mapping[str, Array]) -> dict[str, Array]: ...

    def gradients(
        self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]
    ) -> dict[str, list[Array]]: ...


@dataclass(frozen=True)
class Table:
    """Rows by the kernel's parameter name: the reference parameters stacked in it, from the top."""

    rows: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, text: Mapping[str, str]) -> Table:
        """Read rows such as ``"W_xr; W_xz; W_xg"``. Raises ValueError that shows a row that is none."""
        rows = {}
        for name, blocks in text.items():
            parts = tuple(part.strip() for part in blocks.split(";"))
            if not all(_NAME.fullmatch(part) for part in parts):
                raise ValueError(f"{name}: {blocks!r} is no row; expected reference parameters divided by ';'")
            rows[name] = parts
        return cls(rows)

    @classmethod
    def identity(cls, names: tuple[str, ...]) -> Table:
        """The kernel uses the reference's own names."""
        return cls({name: (name,) for name in names})

    def pack(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """The kernel's parameters. KeyError names a reference parameter that is missing."""
        gradient_parts = {name: iter(exact_parts(parameters[name], count)) for name, count in self._counts.items()}
        return {
            own: np.concatenate([next(gradient_parts[name]) for name in blocks]) for own, blocks in self.rows.items()
        }

    def unpack(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """The reference's parameters: shares of one are added."""
        found: dict[str, Array] = {}
        for name, part in self._parts(packed, shapes):
            found[name] = found[name] + part if name in found else part
        return found

    def gradients(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, list[Array]]:
        """The gradients of every share, by reference parameter; each must be that of the sum."""
        found: dict[str, list[Array]] = {}
        for name, part in self._parts(packed, shapes):
            found.setdefault(name, []).append(part)
        return found

    @property
    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for blocks in self.rows.values():
            for name in blocks:
                counts[name] = counts.get(name, 0) + 1
        return counts

    def _parts(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> list[tuple[str, Array]]:
        parts = []
        for own, blocks in self.rows.items():
            start = 0
            for name in blocks:
                stop = start + shapes[name][0]
                parts.append((name, packed[own][start:stop]))
                start = stop
        return parts


def exact_parts(value: Array, count: int) -> list[Array]:
    """`value` as a sum of `count` arrays that differ and that add up to it exactly, in any format that holds it.

    The first takes the leading bit of every number, the last what is left, so that no share is zero in general.
    """
    gradient_parts = []
    for _ in range(count - 1):
        leading = np.where(value == 0, 0, np.copysign(2.0 ** np.floor(np.log2(np.abs(value) + (value == 0))), value))
        gradient_parts.append(leading.astype(value.dtype))
        value = value - gradient_parts[-1]
    return [*gradient_parts, value]
