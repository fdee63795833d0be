"""A parameter map by pieces: which part of a target's parameter is which parameter of the reference, turned or not.

Dimension legend: n input size, d hidden size, G gates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.kernels.packing import exact_parts


@dataclass(frozen=True)
class StorageForm:
    """How a parameter lies in memory, against the plain form: a matrix (G d, width), or a vector (G d).

    `lead`: it has a first axis of that length, over which the rows are divided (0: it has none). `tail`: it has a last
    axis of length one. `turned`: rows and columns are exchanged. `vector`: its plain form is a vector. `interleaved`:
    every unit's rows, so many, lie together, one of each gate (0: every gate's rows lie together).
    """

    lead: int = 0
    tail: bool = False
    turned: bool = False
    vector: bool = False
    interleaved: int = 0

    def plain(self, value: Array) -> Array:
        """The plain form of a parameter."""
        if self.interleaved:
            rows = replace(self, interleaved=0).plain(value)
            return rows.reshape(-1, self.interleaved, *rows.shape[1:]).swapaxes(0, 1).reshape(rows.shape)
        if self.vector:
            return value.reshape(-1)
        if self.lead:
            blocks = value.swapaxes(1, 2) if self.turned else value
            return blocks.reshape(-1, blocks.shape[2])
        return value.T if self.turned else value

    def stored(self, plain: Array) -> Array:
        """The parameter whose plain form that is."""
        if self.interleaved:
            rows = plain.reshape(self.interleaved, -1, *plain.shape[1:]).swapaxes(0, 1).reshape(plain.shape)
            return replace(self, interleaved=0).stored(rows)
        if self.vector:
            shape = (self.lead, -1) if self.lead else (-1,)
            return plain.reshape((*shape, 1) if self.tail else shape)
        if self.lead:
            blocks = plain.reshape(self.lead, -1, plain.shape[1])
            return np.ascontiguousarray(blocks.swapaxes(1, 2) if self.turned else blocks)
        return np.ascontiguousarray(plain.T if self.turned else plain)


@dataclass(frozen=True)
class ParameterBlock:
    """`name` of the reference is block number `block` of `of` in the plain form of the target's `parameter`.

    `side`: ``x`` or ``h`` where input and recurrent weights stand side by side, and it is that one. `flipped`: the
    block itself is transposed.
    """

    parameter: str
    name: str
    block: int
    of: int
    side: str = ""
    flipped: bool = False


@dataclass(frozen=True)
class BlockMap:
    """All pieces of a target with the forms of its parameters. `recurrent_first`: weights stand on [h, x]."""

    pieces: tuple[ParameterBlock, ...]
    forms: tuple[tuple[str, StorageForm], ...]
    recurrent_first: bool = False

    def _place(self, piece: ParameterBlock, rows: int, wide: tuple[int, int]) -> tuple[slice, ...]:
        """Where a piece stands in the plain form. `wide`: columns of the inputs and of the states."""
        found = slice(piece.block * rows, (piece.block + 1) * rows)
        if not piece.side:
            return (found,)
        n, d = wide
        first = d if self.recurrent_first else n
        start, size = (0, first) if (piece.side == "h") == self.recurrent_first else (first, n + d - first)
        return found, slice(start, start + size)

    def pack(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """The target's parameters."""
        forms, wide = dict(self.forms), _wide({name: np.shape(value) for name, value in parameters.items()})
        counts: dict[str, int] = {}
        for piece in self.pieces:
            counts[piece.name] = counts.get(piece.name, 0) + 1
        gradient_parts = {
            name: iter(exact_parts(np.asarray(parameters[name]), count)) for name, count in counts.items()
        }
        found: dict[str, Array] = {}
        for piece in self.pieces:
            value = next(gradient_parts[piece.name])
            if piece.parameter not in found:
                height = (piece.of * len(value),)
                columns = () if value.ndim == 1 else (sum(wide) if piece.side else value.shape[1],)
                found[piece.parameter] = np.zeros(height + columns, value.dtype)
            place = self._place(piece, len(value), wide)
            found[piece.parameter][place] = value.T if piece.flipped else value
        return {name: forms[name].stored(value) for name, value in found.items()}

    def gradients(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, list[Array]]:
        """The gradients of every share, by reference parameter."""
        forms, wide = dict(self.forms), _wide(shapes)
        found: dict[str, list[Array]] = {}
        for piece in self.pieces:
            plain = forms[piece.parameter].plain(packed[piece.parameter])
            part = plain[self._place(piece, shapes[piece.name][0], wide)]
            found.setdefault(piece.name, []).append(part.T if piece.flipped else part)
        return found

    def unpack(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """The reference's parameters: shares of one are added."""
        return {name: sum(parts[1:], parts[0]) for name, parts in self.gradients(packed, shapes).items()}


def _wide(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, int]:
    """(n, d) of the reference's parameters."""
    n = next((shape[1] for name, shape in shapes.items() if name.startswith("W_x")), 0)
    return n, next((shape[1] for name, shape in shapes.items() if name.startswith("W_h")), 0)
