"""What parameters could be, by their shapes: input weights, recurrent weights, both side by side, or vectors of gates.

Dimension legend: n input size, d hidden size, G gates.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.parameter_blocks import ParameterBlock, StorageForm

MOST_GATES, MOST_VECTORS, MOST_LAYOUTS = 4, 12, 32


@dataclass(frozen=True)
class GateBlock:
    """One gate's place in a parameter. `kind`: ``x``, ``h`` or ``b``. `square`: it may be transposed unseen."""

    parameter: str
    kind: str
    block: int
    of: int
    side: str = ""
    square: bool = False

    def piece(self, name: str, flipped: bool = False) -> ParameterBlock:
        """The slot with a name of the reference."""
        return ParameterBlock(self.parameter, name, self.block, self.of, self.side, flipped)


@dataclass(frozen=True)
class Layout:
    """Slots in the order in which the module lists them."""

    gate_blocks: tuple[GateBlock, ...]
    forms: tuple[tuple[str, StorageForm], ...]
    recurrent_first: bool = False

    @property
    def gates(self) -> int:
        """G."""
        return sum(gate_block.kind == "x" for gate_block in self.gate_blocks)

    @property
    def interleaved(self) -> bool:
        """Whether every unit's gates lie together, rather than every gate's units."""
        return any(form.interleaved for _, form in self.forms)


@dataclass(frozen=True)
class _Kind:
    kind: str
    count: int
    form: StorageForm
    square: bool = False


def layouts(shapes: Mapping[str, tuple[int, ...]], n: int, d: int) -> list[Layout]:
    """Every way to take the parameters by their shapes alone, likely ones first.

    Raises UsageError for a parameter that fits nowhere.
    """
    choices = []
    for name, shape in shapes.items():
        kinds = list(_kinds(shape, n, d))
        if not kinds:
            raise UsageError(
                f"parameter {name} has shape {shape}, which is no weight or bias of gates for input size {n} and "
                f"hidden size {d}; this cell is none that is known"
            )
        choices.append(kinds)
    found = []
    for chosen in itertools.islice(itertools.product(*choices), 4 * MOST_LAYOUTS):
        found += [one for one in _sides(dict(zip(shapes, chosen, strict=True))) if 1 <= one.gates <= MOST_GATES]
    whole = [one for one in found if any(gate_block.kind == "h" for gate_block in one.gate_blocks)][:MOST_LAYOUTS]
    return [*whole, *(one for layout in whole for one in _interleaved(layout))][:MOST_LAYOUTS]


def _interleaved(layout: Layout) -> Iterator[Layout]:
    """The same with every unit's gates together, where all gates of every parameter stand in one block."""
    counts = {gate_block.parameter: gate_block.of for gate_block in layout.gate_blocks}
    if layout.gates > 1 and set(counts.values()) == {layout.gates} and not any(one.lead for _, one in layout.forms):
        yield replace(layout, forms=tuple((k, replace(one, interleaved=layout.gates)) for k, one in layout.forms))


def fits(shape: tuple[int, ...], n: int, d: int) -> bool:
    """Whether a parameter of that shape could be weights or biases of gates, and not merely have a size that fits."""
    return any(one.kind != "b" or one.form.lead < 2 for one in _kinds(shape, n, d))


def _sides(chosen: Mapping[str, _Kind]) -> Iterator[Layout]:
    joined = any(one.kind == "xh" for one in chosen.values())
    forms = tuple((name, one.form) for name, one in chosen.items())
    gate_blocks: list[GateBlock] = []
    for name, one in chosen.items():
        for block in range(one.count):
            if one.kind == "xh":
                gate_blocks += [GateBlock(name, side, block, one.count, side) for side in "xh"]
            else:
                gate_blocks.append(GateBlock(name, one.kind, block, one.count, square=one.square))
    for first in (False, True) if joined else (False,):
        yield Layout(tuple(gate_blocks), forms, first)


def _kinds(shape: tuple[int, ...], n: int, d: int) -> Iterator[_Kind]:
    """What a parameter of that shape could be; matrices before vectors."""
    if len(shape) == 2:
        yield from _matrices(shape, n, d, 0)
    if len(shape) == 3:
        lead = shape[0]
        for one in _matrices(shape[1:], n, d, lead):
            if one.count * lead <= MOST_GATES:
                yield _Kind(one.kind, one.count * lead, one.form, one.square)
    lengths = {1: (0, False), 2: (shape[0], False)}
    if len(shape) > 1 and shape[-1] == 1:
        lengths[2] = (0, True)
    if len(shape) in lengths:
        size = 1
        for axis in shape:
            size *= axis
        lead, tail = lengths[len(shape)]
        rows = size // max(lead, 1)
        if rows % d == 0 and 1 <= size // d <= MOST_VECTORS:
            yield _Kind("b", size // d, StorageForm(lead, tail, vector=True))


def _matrices(shape: tuple[int, ...], n: int, d: int, lead: int) -> Iterator[_Kind]:
    for kind, width in (("xh", n + d), ("x", n), ("h", d)):
        for turned, (rows, columns) in ((False, shape), (True, shape[::-1])):
            if columns == width and rows % d == 0 and 1 <= rows // d <= MOST_GATES:
                square = shape == (d, d)
                if square and turned:
                    continue  # a block that is transposed is found out by running it
                yield _Kind(kind, rows // d, StorageForm(lead, turned=turned), square and kind in ("x", "h"))
