"""Properties of the further arguments of a torch module: states left out, defaults given, lengths, masks, resets."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.errors import NotRun
from rnn_harness.validation.cells.reset_names import RESET_NAMES
from rnn_harness.validation.consistency.consistency_property import (
    Draw,
    Property,
    Violation,
    differs,
    largest_gap,
    needs_states,
    relative_gap,
    replaced_states,
)
from rnn_harness.validation.consistency.driven_cell import CellArguments, CellRun, DrivenCell
from rnn_harness.validation.consistency.optional_arguments import forward_parameters, optional_arguments, run_with


def _states_left_out(draw: Draw) -> Violation | None:
    """Give one of two states and leave out the other, which must then be zero if both are zero when left out."""
    cell = draw.cell
    if cell.convention.states != 2 or cell.convention.packed or cell.convention.state_first:
        raise NotRun("it takes no two states as arguments of their own")
    names = [parameter.name for parameter in forward_parameters(cell)[1:3]]
    if len(names) < 2 or any(p.default is inspect.Parameter.empty for p in forward_parameters(cell)[1:3]):
        raise NotRun("its states cannot be left out")
    arguments = draw.arguments(steps=3 if cell.convention.sequence else 1)
    first, second = arguments.states
    zero = torch.zeros_like(first)
    without = run_with(cell, replaced_states(arguments, []), {})
    from_zero = cell.run(replaced_states(arguments, [zero, zero]))
    if differs(draw, without, from_zero, arguments):
        raise NotRun("without states it does not start from zeros, so nothing is known of one state alone")
    ways = (
        (0, run_with(cell, replaced_states(arguments, [first]), {}), [first, zero], [first, first]),
        (1, run_with(cell, replaced_states(arguments, []), {names[1]: second}), [zero, second], [second, second]),
    )
    for given, computed, states, copied in ways:
        if not differs(draw, computed, cell.run(replaced_states(arguments, states)), arguments):
            continue
        given_name, missing_name = names[given], names[1 - given]
        if not differs(draw, computed, cell.run(replaced_states(arguments, copied)), arguments):
            words = f"{missing_name} is taken from {given_name}"
        elif not differs(draw, computed, from_zero, arguments):
            words = f"{given_name} is dropped"
        else:
            words = "it is something else"
        sentence = f"with {given_name} given and {missing_name} left out, {missing_name} should be zero, but {words}"
        return Violation("forward: initial state", sentence)
    return None


def _defaults_given(draw: Draw) -> Violation | None:
    """Give every optional argument its own default: nothing may change."""
    cell, arguments = draw.cell, draw.arguments(steps=3)
    defaults = [p for p in optional_arguments(cell) if isinstance(p.default, bool | int | float | str | None)]
    if not defaults:
        raise NotRun("it takes nothing but its input and its states")
    expected = cell.run(arguments)
    for parameter in defaults:
        if differs(draw, run_with(cell, arguments, {parameter.name: parameter.default}), expected, arguments):
            sentence = f"{parameter.name} = {parameter.default!r}, which is its default, changes what it gives"
            return Violation("forward: optional arguments", sentence)
    return None


def _reset(draw: Draw) -> Violation | None:
    """Reset some rows: the state that is given must not matter there, and the other rows must stay."""
    cell = draw.cell
    needs_states(cell)
    if cell.capabilities.make_restarting is not None:
        return _violation_of_restarts(draw, cell.capabilities.make_restarting)
    name = next((p.name for p in optional_arguments(cell) if p.name.lower() in RESET_NAMES), None)
    if name is None:
        raise NotRun("it takes no argument that resets its state")
    arguments = draw.arguments(steps=3 if cell.convention.sequence else 1)
    usual = cell.run(arguments)
    reaches_others = False
    for form in _reset_forms(arguments, cell):
        with contextlib.suppress(Exception):  # a form that it need not take
            zeros = torch.zeros_like(form)
            if differs(draw, run_with(cell, arguments, {name: zeros}), usual, arguments):
                if _is_turned_around(draw, arguments, usual, name, zeros):
                    sentence = (
                        f"{name} is turned around: it forgets the state that is given where it is 0, not where it is 1"
                    )
                    return Violation("forward: reset of the state", sentence)
                continue
            computed = run_with(cell, arguments, {name: form})
            if not differs(draw, computed, usual, arguments):
                continue
            # In a shape that it does not expect, a reset may reach any row: the next one is tried.
            reaches_others = differs(draw, computed.rows(slice(1, None, 2)), usual.rows(slice(1, None, 2)), arguments)
            if not reaches_others:
                violation = _violation_of_reset(draw, arguments, name, form)
                return violation or _violation_between_steps(draw, arguments, name, form)
    if reaches_others:
        sentence = f"where {name} is 1 for some rows, the other rows change, too"
        return Violation("forward: reset of the state", sentence)
    raise NotRun(f"no way of giving {name} is known in which it matters, and zero changes nothing")


def _violation_of_restarts(draw: Draw, make: Callable[[int, int], nn.Module]) -> Violation | None:
    """Reset every row before every step: the state that is given must not matter."""
    cell = draw.cell
    arguments = draw.arguments(steps=3 if cell.convention.sequence else 1)
    changed = replaced_states(arguments, [state + 0.5 for state in arguments.states])
    if not differs(draw, cell.run(changed), cell.run(arguments), arguments):
        raise NotRun("the state that is given does not matter without a reset either")
    restarting = replace(cell, module=make(cell.input_size, cell.hidden_size))
    if not differs(draw, restarting.run(changed), restarting.run(arguments), arguments):
        return None
    sentence = "where the reset is 1 the state that is given must not matter, but it still reaches the new state"
    return Violation("forward: reset of the state", sentence)


def _is_turned_around(draw: Draw, arguments: CellArguments, usual: CellRun, name: str, zeros: Tensor) -> bool:
    """Whether ones change nothing, and with zeros no state that is given reaches anything, though it does without."""
    cell = draw.cell
    ones = torch.ones_like(zeros)
    if differs(draw, run_with(cell, arguments, {name: ones}), usual, arguments):
        return False
    changed = replaced_states(arguments, [state + 0.5 for state in arguments.states])
    runs = [run_with(cell, each, {name: zeros}) for each in (arguments, changed)]
    return (
        runs[0].tensors != () and largest_gap(runs[1], runs[0]) == 0.0 and largest_gap(cell.run(changed), usual) > 0.0
    )


def _reset_forms(arguments: CellArguments, cell: DrivenCell) -> Iterator[Tensor]:
    """Yield arguments that reset rows 0 and 2, in every shape and dtype that they may have."""
    rows = arguments.inputs.shape[1]
    chosen = torch.arange(rows) % 2 == 0
    if cell.convention.sequence:
        first_step = torch.zeros(len(arguments.inputs), rows, dtype=torch.bool)
        first_step[0] = chosen
        chosen = first_step.T if cell.convention.batch_first else first_step
    for dtype in (arguments.inputs.dtype, torch.bool):
        yield chosen.unsqueeze(-1).to(dtype)
        yield chosen.to(dtype)


def _violation_of_reset(draw: Draw, arguments: CellArguments, name: str, form: Tensor) -> Violation | None:
    """Change the states that are given, all of them and one unit alone, and look at the rows that are reset."""
    cell = draw.cell
    computed = _later_steps(run_with(cell, arguments, {name: form}), cell)
    changed = replaced_states(arguments, [state + 0.5 for state in arguments.states])
    others = _later_steps(run_with(cell, changed, {name: form}), cell)
    if largest_gap(others.rows(slice(0, None, 2)), computed.rows(slice(0, None, 2))) <= STRUCTURAL[cell.arithmetic]:
        return None
    first_unit = replaced_states(arguments, [state.clone() for state in arguments.states])
    for state in first_unit.states:
        state[:, 0] += 0.5
    single = _later_steps(run_with(cell, first_unit, {name: form}), cell).rows(slice(0, None, 2))
    is_by_unit = all(
        a.shape[-1] == cell.hidden_size and relative_gap(a[..., 1:], b[..., 1:]) <= STRUCTURAL[cell.arithmetic]
        for a, b in zip(single.tensors, computed.rows(slice(0, None, 2)).tensors, strict=True)
    )
    where = ", unit by unit: the reset does not reach the interpolation" if is_by_unit else ""
    sentence = f"where {name} is 1 the state that is given must not matter, but it still reaches the new state{where}"
    return Violation("forward: reset of the state", sentence)


def _violation_between_steps(draw: Draw, arguments: CellArguments, name: str, form: Tensor) -> Violation | None:
    """Reset rows of a layer at its second step, and change what came before: nothing behind it may change in them.

    A flag of the first step alone says nothing of one inside of a sequence, where an episode usually ends.
    """
    cell = draw.cell
    if not cell.convention.sequence or cell.convention.reading:
        return None
    later = form.roll(1, 1 if cell.convention.batch_first else 0)
    changed = replaced_states(arguments.copied(), [state + 0.5 for state in arguments.states])
    changed.inputs[0] += 0.5
    runs = [run_with(cell, each, {name: later}) for each in (arguments, changed)]
    # From the third step on: a reset may come before the step or after it.
    behind = [CellRun(tuple(value[2:] for value in run.outputs), run.finals).rows(slice(0, None, 2)) for run in runs]
    if largest_gap(behind[1], behind[0]) <= STRUCTURAL[cell.arithmetic]:
        return None
    sentence = f"where {name} is 1 at a later step than the first, what came before must not matter, but it still does"
    return Violation("forward: reset of the state", sentence)


def _later_steps(run: CellRun, cell: DrivenCell) -> CellRun:
    """Leave out the outputs of a layer's first step: a reset may come before the step or after it."""
    return CellRun(tuple(value[1:] for value in run.outputs), run.finals) if cell.convention.sequence else run


ARGUMENT_PROPERTIES = (
    Property("states-left-out", _states_left_out, for_identified=True),
    Property("defaults-given", _defaults_given, for_identified=True),
    Property("reset", _reset, for_identified=True),
)
