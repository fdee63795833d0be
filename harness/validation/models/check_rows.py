"""Are the rows of a batch apart, and is the batch the axis that the model says it is?"""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.validation.cells.declared_layout import declared_layout
from rnn_harness.validation.models.layout import InputOrder, RowReading, arrival_order, axis_of_rows, row_reading
from rnn_harness.validation.models.statement import WiringStatement, agrees, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

CHECK = "rows"


def check_rows(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Change one number of the sequence after the other and see which rows and steps of the outputs change.

    Args:
        model: The model, whose sequence has an axis of rows, an axis of steps, or both.
    """
    arrival = arrival_order(model)
    if len(model.arguments.grid) == 1:
        yield _single_axis(model, arrival)
        return
    readings = (row_reading(model, 0), row_reading(model, 1))
    if all(reading.kind == "none" for reading in readings):
        yield not_run(CHECK, "no number of the input has an influence on the outputs")
    elif arrival.time_axis is not None:
        yield _known_axes(model, arrival, readings[1 - arrival.time_axis], readings[arrival.time_axis])
    else:
        yield _unknown_axes(model, arrival, readings)


def _known_axes(model: ModelUnderTest, arrival: InputOrder, batch: RowReading, time: RowReading) -> WiringStatement:
    """Decide where it is known which axis is time to the recurrent parts."""
    assert arrival.time_axis is not None, "it is known which axis is time"
    if batch.kind == "apart":
        return _against_declaration(model, arrival, 1 - arrival.time_axis)
    steps = model.arguments.sequence.shape[arrival.time_axis]
    if batch.kind == "summed":
        shapes = [output.shape for output in model.baseline.outputs]
        if any(steps in shape[:2] for shape in shapes) and time.kind != "summed":
            sentence = (
                f"the outputs keep the steps and put the rows of the batch together ({arrival.part} takes the "
                f"{model.arguments.axis_word(arrival.time_axis)} axis for time)"
            )
            return refuted(CHECK, sentence, arrival.part)
        return not_run(CHECK, "the outputs put all rows of the batch together, as a loss does")
    if time.kind == "apart":
        axis = model.arguments.axis_word(arrival.time_axis)
        return not_run(CHECK, f"{arrival.part} runs along the {axis} axis, which the outputs keep apart")
    return refuted(CHECK, _mixed(model, batch, arrival), arrival.part)


def _unknown_axes(
    model: ModelUnderTest, arrival: InputOrder, readings: tuple[RowReading, RowReading]
) -> WiringStatement:
    """Decide where it is not known which axis is time to the recurrent parts."""
    apart = [axis for axis, reading in enumerate(readings) if reading.kind == "apart"]
    has_features = model.arguments.sequence.dim() > len(model.arguments.grid) or model.arguments.vocabulary > 0
    if len(apart) == 1:
        return agrees(
            CHECK, f"the {model.arguments.axis_word(apart[0])} axis of the input is the batch: no row changes another"
        )
    if apart:
        return not_run(CHECK, "no number of the input has an influence on those at other places: which axis is time?")
    is_mixed = all(reading.kind in ("mixed", "silent") for reading in readings)
    rows_axis = axis_of_rows(model) if is_mixed and has_features else None
    if rows_axis is not None and readings[rows_axis].kind == "silent":
        known = InputOrder("steps first" if rows_axis == 1 else "rows first", arrival.part)
        return refuted(CHECK, _mixed(model, readings[rows_axis], known), arrival.part)
    if arrival.order == "scrambled" and has_features and is_mixed:
        return refuted(CHECK, _scrambled(arrival, readings[0]), arrival.part)
    return not_run(CHECK, "which axis of the input is the batch cannot be seen")


def _single_axis(model: ModelUnderTest, arrival: InputOrder) -> WiringStatement:
    """Decide about a sequence with one axis: steps of one sequence, or the rows of one step."""
    reading = row_reading(model, 0)
    name = model.arguments.of_role("sequence")[0].name
    if arrival.order == "steps first":
        return agrees(CHECK, f"{name} is one sequence without a batch: its first axis is time")
    if reading.kind == "apart":
        return agrees(CHECK, f"{name} is one step: its first axis is the batch, and no row changes another")
    if arrival.order == "rows first" and reading.kind == "mixed":
        return refuted(CHECK, _mixed(model, reading, arrival), arrival.part)
    if arrival.order == "rows first" and reading.kind == "silent":
        return _no_recurrence(model, arrival, name)
    return not_run(CHECK, f"whether the axis of {name} is time or the batch cannot be seen")


def _no_recurrence(model: ModelUnderTest, arrival: InputOrder, name: str) -> WiringStatement:
    """Decide about numbers that go in as rows of one step, of which some have no influence at all."""
    rows = model.arguments.sequence.shape[0]
    if model.arguments.of_role("state") or model.arguments.vocabulary:
        return not_run(CHECK, f"some rows of {name} have no influence on the outputs")
    sentence = (
        f"batch and time are exchanged: the {rows} steps of {name} go into {arrival.part} as {rows} rows of one step, "
        "so that none is carried to the next, and some of them have no influence on the output"
    )
    return refuted(CHECK, sentence, arrival.part)


def _against_declaration(model: ModelUnderTest, arrival: InputOrder, batch_axis: int) -> WiringStatement:
    """Compare what was seen with what the model says about the axes of its input."""
    argument = model.arguments.of_role("sequence")[0].name
    declared = declared_layout(model.module, argument)
    time, batch = (model.arguments.axis_word(axis) for axis in (1 - batch_axis, batch_axis))
    axes = f"the {time} axis of {argument} is time, its {batch} the batch"
    if declared is None or declared.batch_axis == batch_axis:
        return agrees(CHECK, f"{axes}; no row changes another")
    part = model.part(arrival.part)
    option = f" ({arrival.part} has batch_first={part.batch_first})" if part is not None and part.is_layer else ""
    sentence = (
        f"batch and time are exchanged: it says {declared.words}, but {axes}{option}: another number in row 0 of the "
        f"batch that it declares changes the outputs of row 1"
    )
    return refuted(CHECK, sentence, arrival.part)


def _mixed(model: ModelUnderTest, reading: RowReading, arrival: InputOrder) -> str:
    """Say which row changes which."""
    place = ""
    if arrival.time_axis is not None and arrival.part and len(model.arguments.grid) > 1:
        axis = model.arguments.axis_word(arrival.time_axis)
        place = f" ({arrival.part} takes the {axis} axis for time)"
    if reading.kind == "silent":
        shown = ", ".join(str(row) for row in reading.silent_rows[:3])
        return (
            f"batch and time are mixed: of the batch some rows alone reach the output{place}, rows {shown}... have no "
            "influence on it: a row is taken where a step is meant"
        )
    rows = f"row {reading.row} of the batch changes the output of row {reading.changed_row}"
    return f"batch and time are mixed{place}: {rows}"


def _scrambled(arrival: InputOrder, reading: RowReading) -> str:
    """Say where a number arrives that arrives at the wrong place."""
    assert arrival.example is not None, "an order that is scrambled has an example"
    (row, step), (arrived_step, arrived_row) = arrival.example
    is_mixed = reading.kind == "mixed"
    changed = f"; row {reading.row} changes the output of row {reading.changed_row}" if is_mixed else ""
    return (
        f"batch and time are mixed: what stands at [{row}, {step}] of the input arrives at {arrival.part} as step "
        f"{arrived_step} of row {arrived_row}, so that neither axis is the batch{changed} (a view or reshape in the "
        "place of a transpose)"
    )
