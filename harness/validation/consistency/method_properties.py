"""A layer that offers its recurrence twice, as a forward over a sequence and as a method: both give the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from rnn_harness.arithmetic.assumptions import CONDITION_MARGIN, STRUCTURAL
from rnn_harness.errors import NotRun, first_line
from rnn_harness.validation.consistency.consistency_property import (
    STEPS,
    Draw,
    Note,
    Property,
    Violation,
    condition_gap,
    relative_gap,
)
from rnn_harness.validation.consistency.driven_cell import CellArguments, CellRun, DrivenCell
from rnn_harness.validation.consistency.offered_methods import (
    OfferedMethod,
    OfferedRun,
    UncalledMethod,
    is_called_by_forward,
    offered_methods,
)
from rnn_harness.validation.consistency.reach_of_inputs import ReadingOrder
from rnn_harness.validation.consistency.time_properties import order_of

_TOLERANCE = STRUCTURAL["float32"]
"""A scan in the logarithm adds small numbers below its logarithms: what float32 rounds is no other recurrence."""
_NEIGHBOURS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.MultiheadAttention)
"""Layers that look at several steps at once, which a method for one step holds elsewhere."""


def _step_method(draw: Draw) -> Violation | Note | None:
    """Run every method for one step over the sequence: it must give what forward gives from the same states."""
    cell = draw.cell
    if not cell.convention.sequence:
        raise NotRun("it is called step by step in any case")
    if draw.cell.capabilities.has_further_inputs:
        raise NotRun("it takes further inputs beside x, which are given as fixed numbers or side by side with x")
    methods = list(offered_methods(cell))
    if not methods:
        raise NotRun("it offers no method for one step beside its forward")
    if any(isinstance(part, _NEIGHBOURS) for part in cell.module.modules()):
        raise NotRun("it looks at several steps at once, so a state is not all that a step needs")
    if cell.convention.reading or order_of(cell, draw.seed) is not ReadingOrder.FORWARD:
        raise NotRun("it does not read forward in time, as a method for one step does")
    reasons, is_compared, note = [], False, None
    for method in methods:
        try:
            violation = _compared(draw, method)
        except NotRun as error:
            reasons.append(f"{method.name}: {first_line(error)}")
            continue
        if isinstance(violation, Violation):
            return violation
        is_compared, note = True, note or violation
    if not is_compared:
        raise NotRun("; ".join(reasons))
    return note


def _compared(draw: Draw, method: OfferedMethod | UncalledMethod) -> Violation | Note | None:
    """Compare one method with forward. Raises NotRun where they need not be the same."""
    if isinstance(method, UncalledMethod):
        raise NotRun(method.reason)
    cell, takes = draw.cell, method.cell.convention.states
    if takes == 0 or cell.convention.states not in (0, takes):
        raise NotRun(f"it takes {takes} states, and forward {cell.convention.states}")
    arguments = _finite_arguments(draw, method)
    expected = cell.run(arguments)
    orders = [arguments.states] if takes == 1 else [arguments.states, arguments.states[::-1]]
    runs = [method.run(replace(arguments, states=_given(arguments, states, takes, draw))) for states in orders]
    differences = [_difference(draw, run, expected, arguments) for run in runs]
    if not all(differences):
        return None
    _refuse_other_computation(draw, method, runs[0], expected, arguments)
    if takes == 1 and _continues(draw, method, expected, arguments):
        return Note(
            f"{method.name} gives what forward gives from forward's first state on, but forward does not start from "
            f"{'the state that is given as it is' if cell.convention.states else 'zeros'}"
        )
    sentence = f"{method.name}, called step by step from the same state, does not give what forward gives"
    return Violation("forward: single steps", f"{sentence}: {differences[0]}")


def _given(arguments: CellArguments, states: tuple[Tensor, ...], takes: int, draw: Draw) -> tuple[Tensor, ...]:
    """The states for a method: those of forward, or zeros where forward takes none."""
    rows = arguments.inputs.shape[1]
    zero = torch.zeros(rows, draw.cell.hidden_size, dtype=arguments.inputs.dtype)
    return states or (zero,) * takes


def _finite_arguments(draw: Draw, method: OfferedMethod) -> CellArguments:
    """Draw arguments with which both are finite. Raises NotRun if one of them is not, or gives another number twice.

    A state that a layer takes the logarithm of must be positive.
    """
    usual = draw.arguments()
    for arguments in (usual, replace(usual, states=tuple(state.abs() for state in usual.states))):
        states = _given(arguments, arguments.states, method.cell.convention.states, draw)
        of_method = replace(arguments, states=states)
        try:
            first, second, expected = method.run(of_method), method.run(of_method), draw.cell.run(arguments)
        except Exception as error:  # a method that is called in a wrong way may raise anything
            raise NotRun(f"it cannot be called with an input and states: {first_line(error)}") from None
        tensors = (*first.outputs, *first.finals)
        if not all(map(torch.equal, tensors, (*second.outputs, *second.finals))):
            continue
        if all(bool(torch.isfinite(value).all()) for value in (*tensors, *expected.tensors)):
            return arguments
    raise NotRun("it, or forward, gives NaN or no number twice")


def _difference(draw: Draw, run: OfferedRun, expected: CellRun, arguments: CellArguments) -> str:
    """Say what differs; empty if nothing does. Raises NotRun if nothing has the same shape."""
    outputs = [value for value in run.outputs if value.shape == expected.outputs[0].shape]
    finals: list[tuple[Tensor, ...]] = []
    if len(expected.finals) == len(run.finals) and all(
        a.shape == b.shape for a, b in zip(run.finals, expected.finals, strict=True)
    ):
        finals = [run.finals, run.finals[::-1]]
    if not outputs and not finals:
        shapes = ", ".join(str(tuple(value.shape)) for value in (*run.outputs, *run.finals))
        raise NotRun(f"over {STEPS} steps it gives {shapes}, and forward {tuple(expected.outputs[0].shape)}")
    if finals and all(
        any(_is_far(draw, a, b, arguments) for a, b in zip(order, expected.finals, strict=True)) for order in finals
    ):
        return "the last state is another one"
    if outputs and all(_is_far(draw, value, expected.outputs[0], arguments) for value in outputs):
        steps = (_first_step(value, expected.outputs[0]) for value in outputs)
        return f"from step {max(steps) + 1} of {STEPS} on the outputs are others"
    return ""


def _is_far(draw: Draw, computed: Tensor, expected: Tensor, arguments: CellArguments) -> bool:
    """Whether two results differ by more than another order of computing and small constants explain."""
    gap = relative_gap(computed, expected)
    return gap > _TOLERANCE and gap > CONDITION_MARGIN * condition_gap(draw, arguments)


def _first_step(computed: Tensor, expected: Tensor) -> int:
    """The first step at which outputs differ, from 0."""
    return next(i for i in range(len(expected)) if relative_gap(computed[i], expected[i]) > _TOLERANCE)


def _refuse_other_computation(
    draw: Draw, method: OfferedMethod, run: OfferedRun, expected: CellRun, arguments: CellArguments
) -> None:
    """Raise NotRun where forward computes something before, behind or beside the recurrence that the method does not.

    A method may be a part of forward: the step of inputs that are projected already, or states before an output layer.
    """
    states = _given(arguments, arguments.states, method.cell.convention.states, draw)
    of_method = replace(arguments, states=states)
    missing, further = [], []
    for name, value in draw.cell.parameters.items():
        changed = value + 0.25
        in_forward = _is_changed(draw.cell.run(arguments, {**draw.cell.parameters, name: changed}).tensors, expected)
        key = name if name in method.cell.parameters else f"module.{name}"
        moved = replace(method, cell=replace(method.cell, parameters={**method.cell.parameters, key: changed}))
        results = moved.run(of_method)
        in_method = not all(map(torch.equal, (*results.outputs, *results.finals), (*run.outputs, *run.finals)))
        missing += [name] if in_forward and not in_method else []
        further += [name] if in_method and not in_forward else []
    missing = [name for name in missing if not _is_bias_left_out(name, draw.cell, missing)]
    if missing or further:
        words = [f"forward computes with {', '.join(missing)} and it does not"] if missing else []
        words += [f"it computes with {', '.join(further)} and forward does not"] if further else []
        raise NotRun(f"it is not the same computation: {'; '.join(words)}")
    if is_called_by_forward(draw.cell, method.name, arguments):
        raise NotRun("forward calls it, and computes something before it or behind it")
    if any(_is_function_of_states(value, expected.outputs[0], arguments.inputs) for value in run.outputs):
        raise NotRun("the outputs of forward are a function of the states that it gives")


def _is_bias_left_out(name: str, cell: DrivenCell, missing: list[str]) -> bool:
    """Whether it is the bias of a layer whose weight the method computes with: that is no other computation."""
    owner, _, own_name = name.rpartition(".")
    weight = f"{owner}.weight"
    return bool(owner) and own_name == "bias" and weight in cell.parameters and weight not in missing


def _is_changed(tensors: tuple[Tensor, ...], expected: CellRun) -> bool:
    """Whether a run gives other numbers."""
    return not all(map(torch.equal, tensors, expected.tensors))


def _is_function_of_states(states: Tensor, outputs: Tensor, inputs: Tensor) -> bool:
    """Whether outputs are an activation of the states, the states and the inputs added up, or the states normalised."""
    if states.shape != outputs.shape:
        return False
    residuals = [outputs - inputs] if inputs.shape == outputs.shape else []
    return any(_is_monotone(states, values) or _has_same_direction(states, values) for values in (outputs, *residuals))


def _is_monotone(states: Tensor, outputs: Tensor) -> bool:
    """Whether outputs grow, or fall, wherever states do."""
    ordered = outputs.flatten()[states.flatten().argsort()].diff()
    slack = STRUCTURAL["float64"] * float(outputs.abs().max())
    return bool((ordered >= -slack).all() or (ordered <= slack).all())


def _has_same_direction(states: Tensor, outputs: Tensor) -> bool:
    """Whether the units of each step and row are those of the states times a number, with their mean or without."""
    pairs = ((states, outputs), tuple(value - value.mean(-1, keepdim=True) for value in (states, outputs)))
    return any(
        relative_gap(nn.functional.normalize(a, dim=-1), nn.functional.normalize(b, dim=-1)) <= _TOLERANCE
        for a, b in pairs
    )


def _continues(draw: Draw, method: OfferedMethod, expected: CellRun, arguments: CellArguments) -> bool:
    """Whether the method gives the next output of forward from every output of forward, taken as the state."""
    outputs = expected.outputs[0]
    if outputs.shape[-1] != draw.cell.hidden_size:
        return False
    for step, results in enumerate(_steps_from_outputs(method, outputs, arguments), start=1):
        if all(_is_far(draw, value[0], outputs[step], arguments) for value in results):
            return False
    return True


def _steps_from_outputs(
    method: OfferedMethod, outputs: Tensor, arguments: CellArguments
) -> Iterator[tuple[Tensor, ...]]:
    """Yield what the method gives for each step but the first, from the output of the step before."""
    for step in range(1, len(outputs)):
        yield method.run(CellArguments(arguments.inputs[step : step + 1], (outputs[step - 1],))).outputs


METHOD_PROPERTIES = (Property("step-method", _step_method, for_identified=True),)
