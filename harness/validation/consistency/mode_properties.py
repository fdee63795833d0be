"""Properties of calls: the same one twice, arguments that stay as they are, training, and formats."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from rnn_harness.arithmetic.assumptions import CONDITION_MARGIN, CONDITION_STEP, STRUCTURAL, UNIT_ROUNDOFF
from rnn_harness.errors import NotRun
from rnn_harness.validation.consistency.consistency_property import (
    Draw,
    Note,
    Property,
    Violation,
    condition_gap,
    largest_gap,
)
from rnn_harness.validation.consistency.driven_cell import CellArguments, DrivenCell, of_size
from rnn_harness.validation.consistency.gradient_properties import compare_with_quotients

STEPS, ROWS = 4, 3


def _same_call(draw: Draw) -> Violation | None:
    """Make a call before and after one with other numbers: both must give the same, bit for bit."""
    arguments = draw.arguments(STEPS)
    first = draw.cell.run(arguments)
    draw.cell.run(draw.cell.arguments(STEPS, ROWS, draw.seed + 70))
    if any(not _equal(a, b) for a, b in zip(draw.cell.run(arguments).tensors, first.tensors, strict=True)):
        return Violation("behaviour: state between calls", "another call in between changes what it gives")
    return None


def _equal(first: Tensor, second: Tensor) -> bool:
    return first.shape == second.shape and bool(((first == second) | (first.isnan() & second.isnan())).all())


def _intact(draw: Draw) -> Violation | None:
    """Compare arguments and parameters after a call and its backward with those before."""
    written = _written_into(draw.cell, draw.arguments(STEPS))
    if written:
        return Violation("behaviour: intact", f"it writes into {written} that it is given")
    return None


def _written_into(cell: DrivenCell, arguments: CellArguments) -> str:
    """Name what a call writes into; empty if it leaves everything as it was."""
    copied = arguments.copied()
    parameters = {name: value.clone() for name, value in cell.parameters.items()}
    with torch.no_grad():
        cell.connected_run(copied, parameters)
    if not torch.equal(copied.inputs, arguments.inputs):
        return "the inputs"
    for k, (state, before) in enumerate(zip(copied.states, arguments.states, strict=True)):
        if not torch.equal(state, before):
            return f"the {cell.state_name(k)}"
    return ", ".join(name for name, value in parameters.items() if not torch.equal(value, cell.parameters[name]))


def _training(draw: Draw) -> Violation | Note | None:
    """Run it in training: it leaves its weights alone, and its gradients are slopes for the random numbers it drew."""
    cell, arguments = draw.cell, draw.arguments(STEPS)
    if not cell.is_torch:
        raise NotRun("its library has no such mode that the adapter sets")
    with torch.random.fork_rng(devices=[]):
        training = replace(cell.in_training(), random_seed=1)
        if written := _written_into(training, arguments):
            return Violation("behaviour: training", f"in training it writes into {written}: it is changed for good")
        first, second = training.run(arguments), training.run(arguments)
        if largest_gap(second, first) > STRUCTURAL[cell.arithmetic]:
            raise NotRun("in training the same call with the same random numbers gives others: it keeps a state")
        is_random = largest_gap(replace(training, random_seed=2).run(arguments), first) > STRUCTURAL[cell.arithmetic]
        differs = is_random or largest_gap(first, cell.run(arguments)) > STRUCTURAL[cell.arithmetic]
        if not differs:
            return None
        violation = None
        if cell.capabilities.no_gradients_reason is None:
            violation = compare_with_quotients(training, arguments, draw.seed, "in training")
    if violation is not None:
        return violation
    if is_random:
        return Note("in training it is random, and its gradients are right for the random numbers that it drew")
    return Note("in training it computes something else than in evaluation")


def _formats(draw: Draw) -> Violation | Note | None:
    """Run it in float32 on the same numbers as in float64."""
    cell = draw.cell
    dtypes = cell.capabilities.dtypes
    if cell.arithmetic != "float64" or "float32" not in dtypes:
        raise NotRun("it computes in one format alone")
    arguments = draw.arguments(STEPS)
    wide = cell.run(arguments)
    if foreign := {str(value.dtype) for value in wide.tensors} - {"torch.float64"}:
        return Note(f"float64 goes in, {', '.join(sorted(foreign))} comes out")
    narrow_cell = replace(
        of_size(replace(cell, dtype="float32"), cell.input_size, cell.hidden_size), arithmetic="float32"
    )
    parameters = {name: value.float() for name, value in cell.parameters.items()}
    narrow_arguments = CellArguments(arguments.inputs.float(), tuple(state.float() for state in arguments.states))
    narrow = narrow_cell.run(narrow_arguments, parameters)
    roundings = float(UNIT_ROUNDOFF["float32"]) / CONDITION_STEP["float64"]
    if largest_gap(narrow, wide) > max(
        STRUCTURAL["float32"], CONDITION_MARGIN * roundings * condition_gap(draw, arguments)
    ):
        return Violation("forward: formats", "float32 gives other numbers than float64, by more than rounding explains")
    return None


MODE_PROPERTIES = (
    Property("same-call-twice", _same_call, in_every_dtype=True, draws=1),
    Property("arguments-intact", _intact, draws=1),
    Property("training", _training, for_identified=True),
    Property("formats", _formats),
)
