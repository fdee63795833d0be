"""Which axis of the sequence is time and which the batch: to the recurrent parts, and to what comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rnn_harness.validation.models.part_calls import part_calls
from rnn_harness.validation.models.run_model import ModelRun
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

Order = Literal["steps first", "rows first", "scrambled", "unknown"]
"""How the axes of the sequence arrive at the first recurrent part."""


@dataclass(frozen=True)
class InputOrder:
    """How the sequence arrives at the first recurrent part that it reaches.

    Attributes:
        order: Which axis is which; ``scrambled`` where a number arrives at another step and row; ``unknown`` where one
            number arrives at many places, or there is one axis alone.
        part: The name of the part.
        example: Of what is scrambled: a place in the sequence, and the step and row as which it arrives.
    """

    order: Order
    part: str = ""
    example: tuple[tuple[int, ...], tuple[int, int]] | None = None

    @property
    def time_axis(self) -> int | None:
        """The axis of the sequence that is time to the part."""
        return {"steps first": 0, "rows first": 1}.get(self.order)


def arrival_order(model: ModelUnderTest) -> InputOrder:
    """See as which step and row each number of the sequence arrives at the first recurrent part that it reaches.

    Args:
        model: The model, whose sequence has a grid of one or two axes (steps, rows, or both in either order).

    Returns:
        ``unknown`` where numbers arrive at several places, or at no recurrent part.
    """
    name, arrivals = _arrivals(model)
    if not name:
        return InputOrder("unknown")
    if len(model.arguments.grid) == 1:
        is_time = all((place[0], 0) in places and _is_single(places, 0) for place, places in arrivals.items())
        is_rows = all([(0, place[0])] == places for place, places in arrivals.items())
        return InputOrder("rows first" if is_rows else "steps first" if is_time else "unknown", name)
    sequence = model.arguments.sequence
    for order, time_axis in _ORDERS:
        steps = sequence.shape[time_axis]
        # What a cell is called with later on may be predictions, which depend on everything.
        early = {place: [arrival for arrival in places if arrival[0] < steps] for place, places in arrivals.items()}
        if all(places == [(place[time_axis], place[1 - time_axis])] for place, places in early.items()):
            return InputOrder(order, name)
    if any(len(places) != 1 for places in arrivals.values()):
        return InputOrder("unknown", name)
    strangers = ((place, places[0]) for place, places in arrivals.items() if places[0] not in (place, place[::-1]))
    example = next(strangers, None)
    return InputOrder("unknown", name) if example is None else InputOrder("scrambled", name, example)


_ORDERS: tuple[tuple[Order, int], ...] = (("steps first", 0), ("rows first", 1))


def axis_of_rows(model: ModelUnderTest) -> int | None:
    """See which axis of the sequence the first recurrent part that it reaches has for its rows.

    Convolutions in front of the part spread a step over several, so that the order of the steps cannot be seen.

    Args:
        model: The model, whose sequence has a grid of two axes.

    Returns:
        The axis; None where a number arrives in other rows too, or nowhere.
    """
    _, arrivals = _arrivals(model)
    fitting = [
        axis
        for axis in (0, 1)
        if arrivals and all(places and _is_single(places, place[axis]) for place, places in arrivals.items())
    ]
    return fitting[0] if len(fitting) == 1 else None


def _is_single(places: list[tuple[int, int]], row: int) -> bool:
    """Whether all places are in one row."""
    return all(place[1] == row for place in places)


def _arrivals(model: ModelUnderTest) -> tuple[str, dict[tuple[int, ...], list[tuple[int, int]]]]:
    """Name the part that is reached first, and list the steps and rows that change for each place."""
    for part in model.called_parts:
        before = _inputs_of(model, model.baseline, part.name)
        arrivals: dict[tuple[int, ...], list[tuple[int, int]]] = {}
        for place, influence in model.influences.items():
            after = _inputs_of(model, influence.run, part.name)
            if after is None or before is None or after.shape != before.shape:
                return "", {}
            changed = (after != before).any(-1).nonzero().tolist()
            arrivals[place] = [(step, row) for step, row in changed]
        if any(arrivals.values()):
            return part.name, arrivals
    return "", {}


def _inputs_of(model: ModelUnderTest, run: ModelRun, name: str) -> Tensor | None:
    """The inputs (T, B, n) of a part: of the first call of a layer, of all calls of a cell."""
    import torch

    part = model.part(name)
    assert part is not None, "its name is one of the parts' names"
    calls = part_calls(run, part)
    if not calls:
        return None
    if part.is_layer:
        if len(calls) > 1 and all(call.steps == 1 for call in calls):
            return _joined([call.inputs for call in calls])
        return calls[0].inputs
    return torch.cat([call.inputs for call in calls]) if len({call.inputs.shape for call in calls}) == 1 else None


def _joined(inputs: list[Tensor]) -> Tensor | None:
    """Join the single steps of several calls."""
    import torch

    return torch.cat(inputs) if len({step.shape for step in inputs}) == 1 else None


@dataclass(frozen=True)
class RowReading:
    """How the outputs depend on the rows of the sequence, if one of its axes is the batch.

    Attributes:
        kind: ``apart``, where no row changes another row's outputs; ``mixed``, where one does; ``summed``, where an
            output has no axis of rows and depends on all of them, as a loss does; ``silent``, where it depends on some
            of them alone; ``none``, where nothing depends on the sequence.
        output: The place in what the model gives of the output that is not apart.
        row: The row in which a number was changed.
        changed_row: Another row, whose output changed.
        silent_rows: The rows without influence.
    """

    kind: Literal["apart", "mixed", "summed", "silent", "none"]
    output: int = 0
    row: int = 0
    changed_row: int = 0
    silent_rows: tuple[int, ...] = ()


def row_reading(model: ModelUnderTest, axis: int) -> RowReading:
    """Say how the outputs depend on the rows of the sequence, if one axis of it is the batch.

    Args:
        model: The model; one number of its sequence after the other is changed.
        axis: The axis, a place in the grid.
    """
    rows = model.arguments.sequence.shape[model.arguments.grid[axis]]
    readings = [_reading(model, axis, rows, index) for index in range(len(model.baseline.outputs))]
    kinds = ("mixed", "silent", "apart", "summed")
    return next((r for kind in kinds for r in readings if r.kind == kind), RowReading("none"))


def _reading(model: ModelUnderTest, axis: int, rows: int, index: int) -> RowReading:
    """How one output depends on the rows."""
    marks = [(place[axis], influence.clearly[index]) for place, influence in model.influences.items()]
    influential = {place[axis] for place, influence in model.influences.items() if influence.exactly[index].any()}
    if not influential:
        return RowReading("none", index)
    shape = marks[0][1].shape
    axes = [k for k, size in enumerate(shape) if size % rows == 0]
    if not axes:
        silent = tuple(sorted(set(range(rows)) - influential))
        return RowReading("silent" if silent else "summed", index, silent_rows=silent)
    if any(_is_apart(marks, k, shape[k], rows, mode) for k in axes for mode in _MODES):
        return RowReading("apart", index)
    return _example(index, marks, axes, shape, rows)


_MODES = ("outer", "inner")
"""Where an axis is rows times something else: whether rows are what changes slowest."""


def _is_apart(marks: list[tuple[int, Tensor]], axis: int, size: int, rows: int, mode: str) -> bool:
    """Whether a change in a row stays within that row of one axis of an output."""
    return all(other == row for row, mask in marks for other in _rows_hit(mask, axis, size, rows, mode))


def _rows_hit(mask: Tensor, axis: int, size: int, rows: int, mode: str) -> Iterator[int]:
    """Yield the rows in which an output changed."""
    other_axes = [k for k in range(mask.dim()) if k != axis]
    hit = mask.movedim(axis, 0).reshape(size, -1).any(1) if other_axes else mask
    for place in hit.nonzero().flatten().tolist():
        yield place // (size // rows) if mode == "outer" else place % rows


def _example(
    index: int, marks: list[tuple[int, Tensor]], axes: list[int], shape: tuple[int, ...], rows: int
) -> RowReading:
    """Name a row whose change reaches another one, along the axis that is most likely the batch."""
    axis = next((k for k in axes if shape[k] == rows), axes[0])
    for row, mask in marks:
        for other in _rows_hit(mask, axis, shape[axis], rows, "outer"):
            if other != row:
                return RowReading("mixed", index, row, other)
    return RowReading("mixed", index)
