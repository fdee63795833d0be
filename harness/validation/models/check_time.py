"""Which steps of the input does each step of the output depend on?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

from rnn_harness.validation.models.layout import arrival_order, row_reading
from rnn_harness.validation.models.statement import WiringStatement, agrees, listed, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

CHECK = "time"
FEWEST_STEPS = 4
Pattern = Callable[[int, int, int], bool]
"""Whether step ``t`` of the output depends on step ``s`` of the input, of so many steps in all."""
_PATTERNS: Mapping[str, Pattern] = {
    "on that step and those before it": lambda t, s, _steps: s <= t,
    "on the steps before it alone": lambda t, s, _steps: s < t,
    "on that step and those after it": lambda t, s, _steps: s >= t,
    "on all steps": lambda _t, _s, _steps: True,
}
_TURNED = "on the first steps and on as many of the last"
_MISALIGNED: Mapping[str, Pattern] = {_TURNED: lambda t, s, steps: s <= t or s >= steps - 1 - t}


def check_time(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """See which steps of an output with an axis of time change with each step of the input.

    Args:
        model: The model; where time is not known, rows are mixed, or steps are few, nothing is yielded.
    """
    time_axis = _time_axis(model) if len(model.arguments.grid) == 2 else None
    if time_axis is None or row_reading(model, 1 - time_axis).kind != "apart":
        return
    sequence = model.arguments.sequence
    steps, rows = sequence.shape[time_axis], sequence.shape[1 - time_axis]
    if steps < FEWEST_STEPS:
        return
    for index, output in enumerate(model.baseline.outputs):
        axes = [axis for axis in range(output.dim()) if output.shape[axis] == steps]
        if len(axes) != 1 or rows == steps:
            continue
        depends = _dependence(model, index, axes[0], time_axis, steps)
        name = f"output {index}" if len(model.baseline.outputs) > 1 else "the output"
        if _fits(depends, _MISALIGNED[_TURNED], steps):
            sentence = (
                f"the outputs of the reverse direction are not turned back: step t of {name} depends {_TURNED}, so "
                "that states of different steps are put together"
            )
            yield refuted(CHECK, sentence)
            continue
        words = next((words for words, pattern in _PATTERNS.items() if _fits(depends, pattern, steps)), "")
        turned = next(
            (
                order
                for table in _tables_by_feature(model, index, axes[0], time_axis, steps)
                if (order := _rotated_order(table))
            ),
            None,
        )
        if turned is not None:
            sentence = (
                f"some features of {name} take in the steps in the order {listed([str(step) for step in turned])}: "
                "it is a direction of time that begins at the wrong step"
            )
            yield refuted(CHECK, sentence)
            continue
        if words:
            yield agrees(CHECK, f"each step of {name} depends {words}")


def _time_axis(model: ModelUnderTest) -> int | None:
    """The axis of the sequence that is time: to its recurrent parts, or where none is seen, what is no batch."""
    if model.called_parts:
        return arrival_order(model).time_axis
    apart = [row_reading(model, axis).kind == "apart" for axis in (0, 1)]
    return apart.index(False) if apart.count(True) == 1 else None


def _tables_by_feature(
    model: ModelUnderTest, index: int, axis: int, time_axis: int, steps: int
) -> Iterator[list[list[bool]]]:
    """Yield the tables [t][s] of the features of an output that differ, where it has an axis of features."""
    output = model.baseline.outputs[index]
    if output.dim() < 3 or axis == output.dim() - 1:
        return
    masks = {
        place: influence.exactly[index].movedim(axis, 0).reshape(steps, -1, output.shape[-1]).any(1)
        for place, influence in model.influences.items()
    }
    tables: dict[tuple[tuple[bool, ...], ...], None] = {}
    for feature in range(output.shape[-1]):
        table = [[False] * steps for _ in range(steps)]
        for place, mask in masks.items():
            for t in mask[:, feature].nonzero().flatten().tolist():
                table[t][place[time_axis]] = True
        tables[tuple(map(tuple, table))] = None
    yield from (list(map(list, table)) for table in tables)


def _rotated_order(table: list[list[bool]]) -> list[int] | None:
    """The order in which steps are read, where it is that of the sequence or its reverse, begun at another step.

    The outputs of a recurrence see one step, two steps and so on: what each sees more than the one before it is the
    step that was read.
    """
    seen = sorted(({s for s, depends in enumerate(row) if depends} for row in table), key=len)
    steps = len(table)
    if [len(places) for places in seen] != list(range(1, steps + 1)):
        return None
    if any(not before < after for before, after in itertools.pairwise(seen)):
        return None
    order = [*seen[0], *(next(iter(after - before)) for before, after in itertools.pairwise(seen))]
    for direction in (list(range(steps)), list(range(steps))[::-1]):
        turn = direction.index(order[0])
        if turn and order == direction[turn:] + direction[:turn]:
            return order
    return None


def _dependence(model: ModelUnderTest, index: int, axis: int, time_axis: int, steps: int) -> list[list[bool]]:
    """Whether step t of an output depends on step s of the input, as a table [t][s]."""
    table = [[False] * steps for _ in range(steps)]
    for place, influence in model.influences.items():
        mask = influence.exactly[index].movedim(axis, 0).reshape(steps, -1).any(1)
        for t in mask.nonzero().flatten().tolist():
            table[t][place[time_axis]] = True
    return table


def _fits(depends: list[list[bool]], pattern: Pattern, steps: int) -> bool:
    """Whether a table is that of a pattern."""
    return all(depends[t][s] == pattern(t, s, steps) for t in range(steps) for s in range(steps))
