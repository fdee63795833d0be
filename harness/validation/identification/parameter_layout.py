"""What parameters could be, by their shapes: input weights, recurrent weights, both side by side, or vectors of gates.

Shapes are those of `rnn_harness.validation.cells.parameter_blocks`: n is the input size, d the hidden size.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.cell_model import BlockKind
from rnn_harness.validation.cells.parameter_blocks import ParameterBlock, StorageForm

MAX_GATES, MAX_VECTORS, MAX_LAYOUTS = 4, 12, 32


@dataclass(frozen=True)
class GateBlock:
    """The place of one gate in a parameter.

    Attributes:
        parameter: The target's parameter.
        kind: ``x`` input weights, ``h`` recurrent weights, ``b`` a vector.
        block: The number of the block in the plain form, from 0.
        of: The number of blocks that the plain form has.
        side: ``x`` or ``h`` where input and recurrent weights stand side by side, else empty.
        square: Whether its shape does not show if it is transposed.
    """

    parameter: str
    kind: BlockKind
    block: int
    of: int
    side: str = ""
    square: bool = False

    def with_role(self, name: str, flipped: bool = False) -> ParameterBlock:
        """Say which parameter of the reference the block is.

        Args:
            name: The reference's name.
            flipped: Whether the block is transposed, or subtracted.
        """
        return ParameterBlock(self.parameter, name, self.block, self.of, self.side, flipped)


@dataclass(frozen=True)
class Layout:
    """A way to divide a target's parameters into blocks.

    Attributes:
        gate_blocks: The blocks, in the order in which the module lists its parameters.
        forms: The storage form of each parameter, by its name.
        recurrent_first: Whether weights that stand side by side multiply [h, x], and not [x, h].
    """

    gate_blocks: tuple[GateBlock, ...]
    forms: tuple[tuple[str, StorageForm], ...]
    recurrent_first: bool = False

    @functools.cached_property
    def block_names(self) -> tuple[str, ...]:
        """What says which numbers each block holds: layouts that cut a parameter alike have it in common."""
        forms = dict(self.forms)
        return tuple(
            f"{block} of {forms[block.parameter]} {self.recurrent_first if block.side else ''}"
            for block in self.gate_blocks
        )

    @functools.cached_property
    def parameters(self) -> str:
        """The names of the parameters that are cut, as one text."""
        return " ".join(sorted(name for name, _ in self.forms))

    @property
    def gates(self) -> int:
        """The number of gates, the candidate included."""
        return sum(block.kind == "x" for block in self.gate_blocks)

    @property
    def has_plausible_vectors(self) -> bool:
        """Whether there are as many vectors as biases: one or two for each gate, and peepholes for all but one."""
        biases = (0, self.gates, self.gates + 1, 2 * self.gates)
        counts = {count + peepholes for count in biases for peepholes in (0, self.gates - 1)}
        return sum(block.kind == "b" for block in self.gate_blocks) in counts

    @property
    def interleaved(self) -> bool:
        """Whether the rows of one unit lie together, and not the rows of one gate."""
        return any(form.interleaved for _, form in self.forms)


@dataclass(frozen=True)
class _ShapeReading:
    """What one parameter could be; `count` blocks of a kind, ``xh`` for input and recurrent weights side by side."""

    kind: BlockKind | Literal["xh"]
    count: int
    form: StorageForm
    square: bool = False


def possible_layouts(shapes: Mapping[str, tuple[int, ...]], n: int, d: int) -> list[Layout]:
    """List the ways to divide parameters into blocks, by their shapes alone, likely ones first.

    Args:
        shapes: The shapes of the target's parameters, by name.
        n: The input size.
        d: The hidden size.

    Returns:
        At most `MAX_LAYOUTS` layouts; none where no recurrent weight is among the parameters.

    Raises:
        UsageError: A parameter can be no weight and no bias of gates.
    """
    choices = []
    for name, shape in shapes.items():
        readings = list(_shape_readings(shape, n, d))
        if not readings:
            raise UsageError(
                f"parameter {name} has shape {shape}, which is no weight or bias of gates for input size {n} and "
                f"hidden size {d}; this cell is none that is known"
            )
        choices.append(readings)
    layouts = []
    for chosen in itertools.islice(itertools.product(*choices), 4 * MAX_LAYOUTS):
        divided = _divide(dict(zip(shapes, chosen, strict=True)))
        layouts += [layout for layout in divided if 1 <= layout.gates <= MAX_GATES]
    recurrent = [layout for layout in layouts if any(block.kind == "h" for block in layout.gate_blocks)][:MAX_LAYOUTS]
    interleaved = (form for layout in recurrent for form in _interleaved(layout))
    return [*recurrent, *interleaved][:MAX_LAYOUTS]


def _interleaved(layout: Layout) -> Iterator[Layout]:
    """The layout with the rows of one unit together, where every parameter has one block for each gate."""
    counts = {block.parameter: block.of for block in layout.gate_blocks}
    stacked = layout.gates > 1 and set(counts.values()) == {layout.gates}
    if stacked and not any(form.lead for _, form in layout.forms):
        forms = tuple((name, replace(form, interleaved=layout.gates)) for name, form in layout.forms)
        yield replace(layout, forms=forms)


def fits_gates(shape: tuple[int, ...], n: int, d: int) -> bool:
    """Say whether a parameter of that shape could be weights or biases of gates, and not only has a size that fits.

    Args:
        shape: The parameter's shape.
        n: The input size.
        d: The hidden size.
    """
    return any(reading.kind != "b" or reading.form.lead < 2 for reading in _shape_readings(shape, n, d))


def _divide(chosen: Mapping[str, _ShapeReading]) -> Iterator[Layout]:
    """The layouts of parameters whose readings are chosen: both orders of weights that stand side by side."""
    forms = tuple((name, reading.form) for name, reading in chosen.items())
    blocks: list[GateBlock] = []
    joined = False
    for name, reading in chosen.items():
        for block in range(reading.count):
            if reading.kind == "xh":
                joined = True
                blocks.append(GateBlock(name, "x", block, reading.count, "x"))
                blocks.append(GateBlock(name, "h", block, reading.count, "h"))
            else:
                blocks.append(GateBlock(name, reading.kind, block, reading.count, square=reading.square))
    for recurrent_first in (False, True) if joined else (False,):
        yield Layout(tuple(blocks), forms, recurrent_first)


def _shape_readings(shape: tuple[int, ...], n: int, d: int) -> Iterator[_ShapeReading]:
    """What a parameter of that shape could be; matrices before vectors."""
    if len(shape) == 2:
        yield from _matrices(shape, n, d, 0)
    if len(shape) == 3:
        lead = shape[0]
        for reading in _matrices(shape[1:], n, d, lead):
            if reading.count * lead <= MAX_GATES:
                yield replace(reading, count=reading.count * lead)
    vector_forms = {1: (0, False), 2: (shape[0] if shape else 0, False)}
    if len(shape) > 1 and shape[-1] == 1:
        vector_forms[2] = (0, True)
    if len(shape) in vector_forms:
        size = math.prod(shape)
        lead, tail = vector_forms[len(shape)]
        rows = size // max(lead, 1)
        if rows % d == 0 and 1 <= size // d <= MAX_VECTORS:
            yield _ShapeReading("b", size // d, StorageForm(lead, tail, vector=True))
    if len(shape) == 3 and 1 in shape:
        yield from _vectors_of_three_axes(shape, d)


def _vectors_of_three_axes(shape: tuple[int, ...], d: int) -> Iterator[_ShapeReading]:
    """Biases that are stored to be added to (G, B, d) or (B, G, d) as they are."""
    ones = tuple(place for place, length in enumerate(shape) if length == 1)
    axes = [length for length in shape if length > 1]
    gates = axes[0] if len(axes) == 2 else 0
    size = math.prod(shape)
    if axes[-1:] == [d] and 1 <= size // d <= MAX_VECTORS and (not gates or gates * d == size):
        yield _ShapeReading("b", size // d, StorageForm(gates, vector=True, ones=ones))


def _matrices(shape: tuple[int, ...], n: int, d: int, lead: int) -> Iterator[_ShapeReading]:
    kinds: tuple[tuple[BlockKind | Literal["xh"], int], ...] = (("xh", n + d), ("x", n), ("h", d))
    for kind, width in kinds:
        for turned, (rows, columns) in ((False, shape), (True, shape[::-1])):
            if columns == width and rows % d == 0 and 1 <= rows // d <= MAX_GATES:
                square = shape == (d, d)
                if square and turned:
                    continue  # whether a square block is transposed shows when it runs
                yield _ShapeReading(kind, rows // d, StorageForm(lead, turned=turned), square and kind in ("x", "h"))
