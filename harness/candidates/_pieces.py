"""A parameter map by pieces: which part of a target's parameter is which parameter of the reference, turned or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.kernels._table import shares_of

Array = NDArray[Any]


@dataclass(frozen=True)
class Piece:
    """`name` of the reference stands in the target's `parameter` as its block number `block` of `of` along `axis`.

    `inner`: where it lies along the other axis, as (what it lies in, ``x`` or ``h``, and the order of the two), empty
    if it fills it. `turned`: transposed.
    """

    parameter: str
    name: str
    block: int
    of: int
    turned: bool = False
    beside: str = ""


@dataclass(frozen=True)
class PieceTable:
    """All pieces of a target, with the offered names; as a `Table` for a kernel's driver."""

    pieces: tuple[Piece, ...]

    def _place(self, piece: Piece, shapes: Mapping[str, tuple[int, ...]]) -> tuple[slice, slice]:
        """Rows and columns of a piece in the target's parameter, written (gates, inputs)."""
        rows = shapes[piece.name][0]
        first = slice(piece.block * rows, (piece.block + 1) * rows)
        if len(shapes[piece.name]) == 1:
            return first, slice(None)
        columns = shapes[piece.name][1]
        start = 0
        if piece.beside:
            other = next(p for p in self.pieces if p.parameter == piece.parameter and p.name == piece.beside)
            before = self.pieces.index(other) < self.pieces.index(piece)
            start = shapes[piece.beside][1] if before else 0
        return first, slice(start, start + columns)

    def pack(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """The target's parameters."""
        shapes = {name: np.shape(value) for name, value in parameters.items()}
        counts: dict[str, int] = {}
        for piece in self.pieces:
            counts[piece.name] = counts.get(piece.name, 0) + 1
        shares = {name: iter(shares_of(np.asarray(parameters[name]), count)) for name, count in counts.items()}
        found: dict[str, Array] = {}
        for piece in self.pieces:
            value = next(shares[piece.name])
            rows, columns = self._place(piece, shapes)
            if piece.parameter not in found:
                found[piece.parameter] = np.zeros(self._shape(piece.parameter, shapes), value.dtype)
            if value.ndim == 1:
                found[piece.parameter][rows] = value
            else:
                found[piece.parameter][rows, columns] = value
        turned = {piece.parameter for piece in self.pieces if piece.turned}
        return {name: np.ascontiguousarray(value.T) if name in turned else value for name, value in found.items()}

    def _shape(self, parameter: str, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
        own = [piece for piece in self.pieces if piece.parameter == parameter]
        rows = own[0].of * shapes[own[0].name][0]
        if len(shapes[own[0].name]) == 1:
            return (rows,)
        columns = sum(shapes[name][1] for name in {own[0].name, own[0].beside} - {""})
        return rows, columns

    def gradients(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, list[Array]]:
        """The gradients of every share, by reference parameter."""
        found: dict[str, list[Array]] = {}
        for piece in self.pieces:
            whole = packed[piece.parameter].T if piece.turned else packed[piece.parameter]
            rows, columns = self._place(piece, shapes)
            part = whole[rows] if whole.ndim == 1 else whole[rows, columns]
            found.setdefault(piece.name, []).append(part)
        return found

    def unpack(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """The reference's parameters: shares of one are added."""
        return {name: sum(parts[1:], parts[0]) for name, parts in self.gradients(packed, shapes).items()}
