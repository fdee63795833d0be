"""Which parameters of a module could be input weights, recurrent weights and biases of gates, by their shapes.

Dimension legend: n input size, d hidden size, G gates.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rnn_harness.candidates._pieces import Piece, PieceTable
from rnn_harness.errors import UsageError


@dataclass(frozen=True)
class Slot:
    """One gate's place in a parameter."""

    parameter: str
    block: int
    of: int
    turned: bool = False
    square: bool = False


@dataclass(frozen=True)
class Layout:
    """Slots in the order in which the module lists them. `joined`: input and recurrent weights side by side."""

    inputs: tuple[Slot, ...]
    recurrent: tuple[Slot, ...]
    joined: tuple[Slot, ...]
    biases: tuple[Slot, ...]

    @property
    def gates(self) -> int:
        """G."""
        return len(self.inputs) + len(self.joined)


def read(shapes: Mapping[str, tuple[int, ...]], n: int, d: int) -> Layout:
    """Sort parameters by what their shapes allow. Raises UsageError for one that fits nowhere."""
    groups: dict[str, list[Slot]] = {"x": [], "h": [], "xh": [], "b": []}
    for name, shape in shapes.items():
        kind = _kind(shape, n, d)
        if kind is None:
            raise UsageError(
                f"parameter {name} has shape {shape}, which is no weight or bias of gates for input size {n} and "
                f"hidden size {d}; this cell is none that is known"
            )
        role, count, turned = kind
        square = role == "h" and shape == (d, d)
        groups[role] += [Slot(name, block, count, turned, square) for block in range(count)]
    return Layout(*(tuple(groups[role]) for role in ("x", "h", "xh", "b")))


def _kind(shape: tuple[int, ...], n: int, d: int) -> tuple[str, int, bool] | None:
    if len(shape) == 1:
        return ("b", shape[0] // d, False) if shape[0] % d == 0 else None
    if len(shape) != 2:
        return None
    for role, width in (("xh", n + d), ("x", n), ("h", d)):
        for turned, (rows, columns) in ((False, shape), (True, shape[::-1])):
            if columns == width and rows % d == 0 and rows // d <= 4:
                return role, rows // d, turned
    return None


@dataclass(frozen=True)
class Reading:
    """One way to name the slots. `absent`: reference parameters that the module does not have, and that are zero."""

    table: PieceTable
    absent: tuple[str, ...]
    order: str
    recurrent_first: bool
    biases: int


def readings(layout: Layout, gates: str, after: bool) -> Iterator[Reading]:
    """Every assignment of `gates` (letters of the reference; empty for a plain RNN) to the slots."""
    letters = tuple(gates) or ("",)
    for order in itertools.permutations(letters):
        turns = (False, True) if any(slot.square for slot in layout.recurrent) else (False,)
        sides = (False, True) if layout.joined else (False,)
        for turned, recurrent_first in itertools.product(turns, sides):
            weights = list(_weights(layout, order, turned, recurrent_first))
            for biases, absent in _biases(layout, order, after):
                count = len(layout.biases) // len(order)
                yield Reading(PieceTable((*weights, *biases)), absent, "".join(order), recurrent_first, count)


def _weights(layout: Layout, order: tuple[str, ...], turned: bool, recurrent_first: bool) -> Iterator[Piece]:
    for gate, slot in zip(order, layout.inputs, strict=False):
        yield Piece(slot.parameter, f"W_x{gate}", slot.block, slot.of, slot.turned)
    for gate, slot in zip(order, layout.recurrent, strict=False):
        yield Piece(slot.parameter, f"W_h{gate}", slot.block, slot.of, slot.turned != (turned and slot.square))
    for gate, slot in zip(order, layout.joined, strict=False):
        pair = (f"W_h{gate}", f"W_x{gate}") if recurrent_first else (f"W_x{gate}", f"W_h{gate}")
        for name, other in (pair, pair[::-1]):
            yield Piece(slot.parameter, name, slot.block, slot.of, slot.turned, other)


def _named(gate: str, inner: bool, after: bool) -> str:
    if inner and after and gate == "g":
        return "b_hg"
    return f"b_{gate}" if gate else "b"


def _biases(layout: Layout, order: tuple[str, ...], after: bool) -> Iterator[tuple[tuple[Piece, ...], tuple[str, ...]]]:
    """(pieces, absent names) for no bias, one bias a gate, or two."""
    count, slots = len(order), layout.biases
    if not slots:
        yield (), ()
    elif len(slots) == count:
        for inner in (False, True) if after else (False,):
            named = [_named(gate, inner, after) for gate in order]
            missing = ("b_g" if inner else "b_hg",) if after else ()
            yield tuple(Piece(s.parameter, name, s.block, s.of) for s, name in zip(slots, named, strict=True)), missing
    elif len(slots) == 2 * count:
        halves = (slots[:count], slots[count:]), (slots[::2], slots[1::2])
        for (first, second), swapped in itertools.product(halves, (False, True) if after else (False,)):
            pieces = []
            for own, inner in ((first, swapped), (second, not swapped)):
                pieces += [
                    Piece(s.parameter, _named(gate, inner, after), s.block, s.of)
                    for s, gate in zip(own, order, strict=True)
                ]
            yield tuple(pieces), ()
