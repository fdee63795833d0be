"""The ways to cut a target's parameters into slots, each of the shape of a piece of a spec."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rnn_harness.array_types import Array
from rnn_harness.specs.dimensions import Dimension, Shape
from rnn_harness.validation.cells.parameter_blocks import StorageForm
from rnn_harness.validation.spec_search.spec_pieces import SpecPiece

MOST_STACKED, MOST_JOINED, MOST_LAYOUTS, MOST_SUMMED = 8, 3, 48, 3
"""Slots that are stacked, and joined, in one parameter; layouts of a target; biases that are added up."""
MOST_WITH_INTERLEAVED = 3 * MOST_LAYOUTS
"""Layouts with those whose rows lie together by units, which are tried last."""
MOST_CHOICES = 4096
"""Choices of one reading for each parameter that are looked at."""

_NOTHING, _ONE = Dimension(), Dimension((), 1)


@dataclass(frozen=True)
class Slot:
    """A block of a target's parameter.

    Attributes:
        parameter: The target's parameter.
        form: How it is stored.
        block: The number of the block along the rows of the plain form, from 0.
        of: The number of blocks.
        shape: The shape of the block: (results, operands), (d,) or ().
        start: Where it begins along the columns of the plain form.
        width: The columns of the plain form.
        axes: The number of axes of a scalar, each of length one; of scalars side by side in one vector, that axis.
    """

    parameter: str
    form: StorageForm
    block: int
    of: int
    shape: Shape
    start: Dimension = _NOTHING
    width: Dimension = _NOTHING
    axes: int = 0

    def plain(self, value: Array) -> Array:
        """Bring the whole parameter from its stored form into its plain form.

        Args:
            value: The parameter as the target stores it.
        """
        return value if not self.shape else self.form.plain(value)

    def stored(self, plain: Array) -> Array:
        """Bring the whole parameter from its plain form into its stored form.

        Args:
            plain: What `plain` gives.
        """
        return plain.reshape((self.of,) * self.axes) if not self.shape else self.form.stored(plain)

    def view(self, plain: Array, sizes: Mapping[str, int]) -> Array:
        """Return the slot as a view of the plain form of its parameter.

        Args:
            plain: The plain form of the whole parameter.
            sizes: The named sizes.
        """
        if not self.shape:
            return plain.reshape(-1)[self.block : self.block + 1].reshape(())
        height = self.shape[0].size(sizes)
        rows = plain[self.block * height : (self.block + 1) * height]
        start = self.start.size(sizes)
        if len(self.shape) == 1:
            return rows[:, start] if self.is_column else rows
        return rows[:, start : start + self.shape[1].size(sizes)]

    def plain_shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Return the shape of the plain form of its parameter.

        Args:
            sizes: The named sizes, n and d.
        """
        if not self.shape:
            return (self.of,) if self.of > 1 else ()
        rows = self.of * self.shape[0].size(sizes)
        is_vector = len(self.shape) == 1 and not self.is_column
        return (rows,) if is_vector else (rows, self.width.size(sizes))

    def in_numbers(self, sizes: Mapping[str, int]) -> tuple[object, ...]:
        """Return what tells it from other slots at some sizes.

        Args:
            sizes: The named sizes, n and d.
        """
        lengths = tuple(axis.size(sizes) for axis in (*self.shape, self.start, self.width))
        return self.parameter, self.form, self.block, self.of, len(self.shape), lengths

    @property
    def is_column(self) -> bool:
        """Whether it is a bias that stands as a column beside matrices, and multiplies a one."""
        return len(self.shape) == 1 and self.width != _NOTHING


Layout = tuple[Slot, ...]
"""A way to cut all parameters of a target."""


def spec_layouts(
    shapes: Mapping[str, tuple[int, ...]], pieces: Sequence[SpecPiece], sizes: Mapping[str, int]
) -> list[Layout]:
    """List the ways to cut a target's parameters into as many slots of each shape as a spec has pieces.

    Args:
        shapes: The shapes of the target's parameters, by name.
        pieces: The pieces of the spec.
        sizes: The named sizes.

    Returns:
        At most `MOST_WITH_INTERLEAVED`; none where the counts by shape rule the spec out.
    """
    return list(_layouts(tuple(shapes.items()), tuple(pieces), tuple(sizes.items())))


@functools.lru_cache(maxsize=256)  # the rewrites of a spec have its pieces, and a target is tried as each of them
def _layouts(
    shapes: tuple[tuple[str, tuple[int, ...]], ...], pieces: tuple[SpecPiece, ...], sized: tuple[tuple[str, int], ...]
) -> tuple[Layout, ...]:
    """List the ways to cut parameters of given shapes into the slots of a spec."""
    sizes = dict(sized)
    wanted = Counter(piece.size(sizes) for piece in pieces)
    choices = []
    for name, shape in shapes:
        readings = _possible(_readings(name, shape, pieces, sizes), wanted, sizes)
        if not readings:
            return ()
        choices.append(readings)
    layouts: dict[tuple[object, ...], Layout] = {}
    for layout in _fitting_layouts(choices, wanted, sizes):
        # Lengths of two names that are equal here are one way to cut.
        layouts.setdefault(tuple(slot.in_numbers(sizes) for slot in layout), layout)
        if len(layouts) == MOST_LAYOUTS:
            break
    kinds = (_every_slot, _is_matrix)
    interleaved = [other for kind in kinds for layout in layouts.values() for other in _interleaved(layout, kind)]
    return (*layouts.values(), *interleaved)[:MOST_WITH_INTERLEAVED]


def _possible(
    readings: Iterator[tuple[Slot, ...]], wanted: Counter[tuple[int, ...]], sizes: Mapping[str, int]
) -> list[tuple[Slot, ...]]:
    """List the readings of one parameter, each once, that cut it into no more slots than the spec has pieces."""
    possible: dict[tuple[object, ...], tuple[Slot, ...]] = {}
    for reading in readings:
        if not _too_many(_counts(reading, sizes), wanted):
            possible.setdefault(tuple(slot.in_numbers(sizes) for slot in reading), reading)
    return list(possible.values())


def _counts(slots: Layout, sizes: Mapping[str, int]) -> Counter[tuple[int, ...]]:
    """Count slots by their shape in numbers."""
    return Counter(tuple(axis.size(sizes) for axis in slot.shape) for slot in slots)


def _too_many(counts: Counter[tuple[int, ...]], wanted: Counter[tuple[int, ...]]) -> bool:
    """Say whether there are more slots of some shape than the spec has pieces; biases may be added up."""
    return any(count > wanted[shape] * (MOST_SUMMED if len(shape) == 1 else 1) for shape, count in counts.items())


def _has_all_matrices(counts: Counter[tuple[int, ...]], wanted: Counter[tuple[int, ...]]) -> bool:
    """Say whether there is a slot for every matrix of the spec."""
    return all(counts[shape] >= count for shape, count in wanted.items() if len(shape) == 2)


def _fitting_layouts(
    choices: Sequence[Sequence[Layout]], wanted: Counter[tuple[int, ...]], sizes: Mapping[str, int]
) -> Iterator[Layout]:
    """Yield the choices of one reading for each parameter in which the slots are as many as the spec's pieces.

    They come in the order of itertools.product, the first `MOST_CHOICES` of it; what cannot fit is left out as soon as
    the first parameters show it.

    Args:
        choices: The readings of every parameter.
        wanted: The pieces of the spec by shape.
        sizes: The named sizes.
    """
    counted = [[(reading, _counts(reading, sizes)) for reading in readings] for readings in choices]
    behind = [math.prod(map(len, choices[place:])) for place in range(len(choices) + 1)]
    most = [Counter[tuple[int, ...]]()]  # of the parameters from a place on, the last one first
    for readings in reversed(counted):
        most.append(most[-1] + functools.reduce(operator.or_, (counts for _, counts in readings)))
    seen = 0

    def chosen_from(place: int, layout: Layout, counts: Counter[tuple[int, ...]]) -> Iterator[Layout]:
        nonlocal seen
        if place == len(counted):
            seen += 1
            yield layout
            return
        for reading, added in counted[place]:
            total = counts + added
            if seen >= MOST_CHOICES:
                return
            if _too_many(total, wanted) or not _has_all_matrices(total + most[len(counted) - place - 1], wanted):
                seen += behind[place + 1]
            else:
                yield from chosen_from(place + 1, (*layout, *reading), total)

    yield from chosen_from(0, (), Counter())


def _every_slot(_slot: Slot) -> bool:
    """Say of every slot that its rows may lie together by units."""
    return True


def _is_matrix(slot: Slot) -> bool:
    """Say whether a slot is a matrix: kernels keep the rows of one unit together, and their biases by gates."""
    return len(slot.shape) == 2


def _interleaved(layout: Layout, kind: Callable[[Slot], bool]) -> Iterator[Layout]:
    """Yield the layout with the rows of one unit together in all stacked parameters of a kind."""
    stacked = [slot for slot in layout if slot.of > 1 and slot.shape]
    chosen = {slot for slot in stacked if kind(slot)}
    if not chosen or any(slot.form.lead for slot in chosen) or (kind is _is_matrix and len(chosen) == len(stacked)):
        return
    yield tuple(
        replace(slot, form=replace(slot.form, interleaved=slot.of)) if slot in chosen else slot for slot in layout
    )


def _readings(
    name: str, shape: tuple[int, ...], pieces: Sequence[SpecPiece], sizes: Mapping[str, int]
) -> Iterator[tuple[Slot, ...]]:
    """Yield what one parameter of that shape may be cut into."""
    if len(shape) in (2, 3):
        lead, matrix = (shape[0], shape[1:]) if len(shape) == 3 else (0, shape)
        ways = (False, True) if matrix[0] != matrix[1] else (False,)
        # Rows or columns of length one are no blocks, but the kernel of a convolution over one step.
        is_kernel = len(shape) == 3 and 1 in matrix and 1 not in sizes.values()
        for turned in () if is_kernel else ways:
            rows, columns = matrix[::-1] if turned else matrix
            form = StorageForm(lead, turned=turned)
            yield from _matrix_readings(name, form, (rows * max(lead, 1), columns), pieces, sizes)
    if len(shape) == 3 and (is_kernel or shape[2] > 1) and shape[2] <= MOST_JOINED:
        matrix = (shape[0], shape[1] * shape[2])
        yield from _matrix_readings(name, StorageForm(taps=shape[2]), matrix, pieces, sizes)
    size = 1
    for length in shape:
        size *= length
    vectors = dict.fromkeys(piece.shape for piece in pieces if len(piece.shape) == 1)
    for vector in vectors:
        length = vector[0].size(sizes)
        vector_form = _vector_form(shape, length)
        if vector_form is not None and size % length == 0 and size // length <= 2 * MOST_STACKED:
            count = size // length
            yield tuple(Slot(name, vector_form, block, count, vector) for block in range(count))
    numbers = sum(not piece.shape for piece in pieces)
    if size == 1 and numbers:
        yield (Slot(name, StorageForm(), 0, 1, (), axes=len(shape)),)
    elif len(shape) == 1 and size <= numbers:
        yield tuple(Slot(name, StorageForm(), block, size, (), axes=1) for block in range(size))


def _vector_form(shape: tuple[int, ...], length: int) -> StorageForm | None:
    """Return the form of vectors in a parameter of that shape, or None: (G, 1, d) is added to (G, B, d) as it is."""
    if len(shape) in (1, 2):
        tail = len(shape) == 2 and shape[1] == 1
        return StorageForm(shape[0] if len(shape) == 2 and not tail else 0, tail, vector=True)
    axes = [size for size in shape if size > 1]
    if len(shape) != 3 or len(axes) == 3 or axes[-1:] != [length]:
        return None
    ones = tuple(place for place, size in enumerate(shape) if size == 1)
    return StorageForm(axes[0] if len(axes) == 2 else 0, vector=True, ones=ones)


def _matrix_readings(
    name: str, form: StorageForm, shape: tuple[int, int], pieces: Sequence[SpecPiece], sizes: Mapping[str, int]
) -> Iterator[tuple[Slot, ...]]:
    """Yield the ways to cut a matrix: its rows into blocks, its columns into the operands that it multiplies."""
    matrices = [piece.shape for piece in pieces if len(piece.shape) == 2]
    for results in dict.fromkeys(matrix[0] for matrix in matrices):
        height = results.size(sizes)
        if shape[0] % height or not 1 <= shape[0] // height <= MOST_STACKED:
            continue
        count = shape[0] // height
        widths = list(dict.fromkeys(matrix[1] for matrix in matrices if matrix[0] == results))
        for parts in range(1, MOST_JOINED + 1):
            for operands in itertools.product(widths, repeat=parts):
                width = sum(operands, Dimension())
                has_bias = width.size(sizes) + 1 == shape[1]
                if width.size(sizes) != shape[1] and not has_bias:
                    continue
                starts = [sum(operands[:i], Dimension()) for i in range(parts)]
                whole = width + _ONE if has_bias else width
                columns: list[tuple[Shape, Dimension]] = [
                    ((results, operand), start) for operand, start in zip(operands, starts, strict=True)
                ]
                behind = [*columns, ((results,), width)]
                # The one that a bias multiplies may stand behind the operands, or before them, as in [1, u].
                before = [((results,), _NOTHING), *((part, start + _ONE) for part, start in columns)]
                for arranged in (behind, before) if has_bias else (columns,):
                    yield tuple(
                        Slot(name, form, block, count, part, start, whole)
                        for block in range(count)
                        for part, start in arranged
                    )
