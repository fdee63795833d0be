"""Properties of a layer that runs over time: pieces, the last state, and which output follows which input."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.errors import NotRun
from rnn_harness.validation.cells.declared_layout import declared_layout
from rnn_harness.validation.consistency.consistency_property import (
    STEPS,
    Draw,
    Note,
    Property,
    Violation,
    differs,
    needs_states,
    relative_gap,
    replaced_states,
)
from rnn_harness.validation.consistency.counted_steps import refuse_counted_steps
from rnn_harness.validation.consistency.driven_cell import CellArguments, CellRun, DrivenCell
from rnn_harness.validation.consistency.input_window import WIDEST, without_inputs_before_ends
from rnn_harness.validation.consistency.optional_arguments import forward_parameters
from rnn_harness.validation.consistency.overwritten_outputs import outputs_apart
from rnn_harness.validation.consistency.reach_of_inputs import ReachedSteps, ReadingOrder, changed_places, reading_order
from rnn_harness.validation.loading.forward_signature import STATE_NAME
from rnn_harness.validation.loading.joined_states import CellOfOneState

PIECES = ((1, 2, 3), (4, 2), (1,) * STEPS)
"""The lengths of the pieces into which a sequence is split, one row for each way."""
_ALL = slice(None)
_NEIGHBOURS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.MultiheadAttention)
"""Layers that look at several steps at once, so that a state is not all that the next step needs."""


def needs_sequence(cell: DrivenCell) -> None:
    """Refuse a cell that is called once a step.

    Args:
        cell: The cell that a property is asked of.

    Raises:
        NotRun: It takes no sequence.
    """
    if not cell.convention.sequence:
        raise NotRun("it is called step by step in any case")


@functools.lru_cache(maxsize=8)
def order_of(cell: DrivenCell, seed: int) -> ReadingOrder:
    """Find in which order a layer reads its inputs.

    Args:
        cell: A layer that takes a sequence.
        seed: Where its inputs and states start.
    """
    return reading_order(reached_steps(cell, seed))


def reached_steps(cell: DrivenCell, seed: int, units: slice = _ALL) -> ReachedSteps:
    """Find the output steps that each input step reaches in its own row.

    Args:
        cell: A layer that takes a sequence.
        seed: Where its inputs and states start.
        units: Which units of the outputs are looked at.

    Returns:
        For each input step, the output steps whose numbers change with it.
    """
    arguments, row = cell.arguments(STEPS, 3, seed), 1
    before = cell.run(arguments).outputs[0][..., units]
    reached = []
    for step in range(STEPS):
        after = cell.run(arguments.shifted(step, row)).outputs[0][..., units]
        places = changed_places(before, after)
        reached.append(frozenset(place[0] for place in places if place[1] == row))
    return tuple(reached)


def _order_of_steps(draw: Draw) -> Violation | None:
    """Change one input after the other: earlier outputs must stay, the output of its own step must not."""
    needs_sequence(draw.cell)
    order = order_of(draw.cell, draw.seed)
    sentences = {
        ReadingOrder.ONE_LATE: "the outputs are one step late: the output of a step does not depend on its own input",
        ReadingOrder.REVERSED: "the outputs run backwards in time: the output of the last step comes first",
        ReadingOrder.BACKWARD_REVERSED: "it reads backwards in time, and its outputs are not turned back",
    }
    if order in (ReadingOrder.OTHER, ReadingOrder.BOTH):
        return _turned_half(draw) or (_unread_end(draw) if order is ReadingOrder.OTHER else None)
    if order not in sentences:
        return None
    # ONNX turns the outputs of its reverse direction back; Keras, for one, does not.
    turns_back = draw.cell.is_torch or draw.cell.capabilities.library == "ONNX"
    if order is ReadingOrder.BACKWARD_REVERSED and not turns_back:
        raise NotRun("it reads backwards and gives its outputs in that order, as its library defines it")
    return Violation("layout: order of the outputs", sentences[order])


def _turned_half(draw: Draw) -> Violation | None:
    """Name the half of the outputs that lies in the wrong order in time, where the other half is of one direction."""
    units = draw.cell.run(draw.arguments()).outputs[0].shape[-1]
    if units % 2:
        return None
    halves = {"first": slice(0, units // 2), "second": slice(units // 2, units)}
    orders = {name: reading_order(reached_steps(draw.cell, draw.seed, half)) for name, half in halves.items()}
    if not {ReadingOrder.FORWARD, ReadingOrder.BACKWARD} & {*orders.values()}:
        return None
    for name, order in orders.items():
        if order in (ReadingOrder.REVERSED, ReadingOrder.BACKWARD_REVERSED):
            read = "backward" if order is ReadingOrder.BACKWARD_REVERSED else "forward"
            sentence = (
                f"the {name} half of the outputs is not in the order of the other half: it reads {read} in time, and "
                "the output of a step stands at another one"
            )
            return Violation("layout: order of the outputs", sentence)
    return None


def _unread_end(draw: Draw) -> Violation | None:
    """Name the first or the last step if it is the only one whose input reaches neither an output nor a state.

    A step in between may be skipped on purpose; a sequence has no step at its ends that is not read.
    """
    cell, arguments = draw.cell, draw.arguments()
    before = cell.run(arguments).tensors
    unread = [
        step for step in range(STEPS) if all(map(torch.equal, before, cell.run(arguments.shifted(step, row=0)).tensors))
    ]
    if unread not in ([0], [STEPS - 1]):
        return None
    which = "first" if unread == [0] else "last"
    return Violation("forward: steps that are read", f"the input of the {which} step reaches no output and no state")


def _declared_layout(draw: Draw) -> Violation | None:
    """Compare the axis that is driven as the batch with the one that it declares to be the batch."""
    cell = draw.cell
    needs_sequence(cell)
    axes = cell.convention.axes_of_input
    names = [argument.name for argument in cell.convention.handed_over if argument.role == "input"]
    if not cell.is_torch or axes not in ("TBn", "BTn"):
        raise NotRun("it is no torch module that takes (T, B, n) or (B, T, n)")
    name = next((name for name in names if name), "") or next((p.name for p in forward_parameters(cell)), "")
    declared = declared_layout(cell.module, name)
    if declared is None:
        raise NotRun("it does not say which axis of its input is the batch")
    if declared.batch_axis == axes.index("B"):
        return None
    if ReadingOrder.FORWARD is not order_of(cell, draw.seed):
        raise NotRun("it does not read forward in time")
    along, batch = ("first", "second") if axes == "TBn" else ("second", "first")
    sentence = (
        f"batch and time are exchanged: it says {declared.words}, but it runs along the {along} axis of {name}, and "
        f"the {batch} one is the batch"
    )
    return Violation("layout: batch and time", sentence)


def _split_sequence(draw: Draw) -> Violation | None:
    """Run a sequence at once, and in pieces with the states carried over: every number must be the same."""
    cell = draw.cell
    needs_sequence(cell)
    needs_states(cell)
    arguments = draw.arguments()
    complete = cell.run(arguments)
    if len(complete.finals) != cell.convention.states:
        raise NotRun("the states that come back are not those that go in")
    if any(isinstance(part, _NEIGHBOURS) for part in cell.module.modules()):
        raise NotRun("it looks at several steps at once, so a state is not all that a piece needs")
    if cell.capabilities.has_further_inputs:
        raise NotRun("it takes further inputs beside x, so it may keep what it saw last besides its states")
    order = order_of(cell, draw.seed)
    if order not in (ReadingOrder.FORWARD, ReadingOrder.BACKWARD):
        raise NotRun(f"it reads {order.value}: no state is reached between its steps")
    for lengths in PIECES:
        pieces = in_pieces(cell, arguments, lengths, order is ReadingOrder.BACKWARD)
        if differs(draw, pieces, complete, arguments):
            _refuse_window(draw, lengths, order)
            refuse_counted_steps(draw, functools.partial(in_pieces, draw.cell))
            text = " + ".join(map(str, lengths)) if len(set(lengths)) > 1 else "single steps"
            return Violation(
                "forward: states over time",
                f"{STEPS} steps in one call differ from {text} with the state carried over: the state that comes back "
                "is not the one that the next step needs, or the one that goes in is not used as it is, or steps are "
                "counted from the start of a call",
            )
    return None


def _refuse_window(draw: Draw, lengths: tuple[int, ...], order: ReadingOrder) -> None:
    """Refuse a layer whose steps read earlier inputs, too.

    Raises:
        NotRun: It does: in pieces and at once it gives the same where these inputs are zero.
    """
    if order is not ReadingOrder.FORWARD or not _keeps_last_input(draw):
        return
    for width in range(2, WIDEST + 1):
        arguments = without_inputs_before_ends(draw.arguments(), lengths, width - 1)
        if not differs(draw, in_pieces(draw.cell, arguments, lengths), draw.cell.run(arguments), arguments):
            raise NotRun(
                f"every step reads the inputs of {width} steps, and zeros before the first one of a call: the states "
                "that come back are not all that the next piece needs, which begins with zeros"
            )


def _keeps_last_input(draw: Draw) -> bool:
    """Whether the states that come back depend on the last input: where they leave it out, zeros would hide that."""
    arguments = draw.arguments()
    rows = range(arguments.inputs.shape[1])
    changed = arguments
    for row in rows:
        changed = changed.shifted(STEPS - 1, row)
    finals, others = draw.cell.run(arguments).finals, draw.cell.run(changed).finals
    return any(not torch.equal(final, other) for final, other in zip(finals, others, strict=True))


def in_pieces(cell: DrivenCell, arguments: CellArguments, lengths: tuple[int, ...], backward: bool = False) -> CellRun:
    """Run a sequence in pieces, each from the states that the piece before it ended in.

    Args:
        cell: The layer.
        arguments: The whole sequence.
        lengths: The lengths of the pieces, in time.
        backward: Whether the last piece comes first.
    """
    ends = list(itertools.accumulate(lengths))
    pieces = [slice(end - length, end) for length, end in zip(lengths, ends, strict=True)]
    states, outputs = arguments.states, []
    for piece in reversed(pieces) if backward else pieces:
        run = cell.run(arguments.steps(piece, states))
        states = run.finals
        outputs.append(run.outputs[0])
    return CellRun((torch.cat(outputs[::-1] if backward else outputs),), tuple(states))


def _last_state(draw: Draw) -> Violation | None:
    """Compare the states that come back with the outputs: one that is an output must be that of the last step."""
    cell = draw.cell
    needs_sequence(cell)
    arguments = draw.arguments()
    run = cell.run(arguments)
    if not run.finals:
        raise NotRun("no state comes back")
    if _carries_nothing_on(draw, run):
        return Violation(
            "forward: states over time",
            "the states come back as they were given, and the input of a step reaches the output of no later one: what "
            "a step computes of its state is not carried on to the next",
        )
    order = order_of(cell, draw.seed)
    if order not in (ReadingOrder.FORWARD, ReadingOrder.BACKWARD):
        raise NotRun(f"it reads {order.value}")
    last = STEPS - 1 if order is ReadingOrder.FORWARD else 0
    for index, final in enumerate(run.finals):
        steps = [step for step, output in enumerate(run.outputs[0]) if is_equal(final, output, cell.arithmetic)]
        if steps and last not in steps:
            return Violation(
                "forward: final state",
                f"the {cell.state_name(index)} that comes back is that of step {steps[0] + 1} of {STEPS}, not that of "
                f"{'the last step' if last else 'the first step, which is read last'}",
            )
        if steps:
            return None
    raise NotRun("its outputs are no states, so its last state is none of them")


def _carries_nothing_on(draw: Draw, run: CellRun) -> bool:
    """Whether every state comes back as it was given, though the outputs depend on it, and every step is alone."""
    cell, arguments = draw.cell, draw.arguments()
    given = arguments.states[: cell.convention.states]
    if not given or len(run.finals) != len(given) or not all(map(torch.equal, run.finals, given)):
        return False
    names = [argument.name for argument in cell.convention.handed_over if "state" in argument.role]
    if any(names) and not _is_named_like_a_state(cell):
        return False  # something that it looks at, and does not change
    others = cell.run(replaced_states(arguments, [state + 0.5 for state in arguments.states]))
    is_used = any(not torch.equal(a, b) for a, b in zip(others.outputs, run.outputs, strict=True))
    return is_used and all(steps == {step} for step, steps in enumerate(reached_steps(cell, draw.seed)))


def is_equal(first: Tensor, second: Tensor, dtype: str) -> bool:
    """Say whether two arrays have the same shape and, up to rounding, the same numbers.

    Args:
        first: An array.
        second: An array, which gives the scale.
        dtype: The format whose rounding is allowed.
    """
    return first.shape == second.shape and relative_gap(first, second) <= STRUCTURAL[dtype]


def _state_used(draw: Draw) -> Violation | Note | None:
    """Change the states that are given: something that comes back must change."""
    cell = draw.cell
    needs_states(cell)
    arguments = draw.arguments(steps=2)
    run = cell.run(arguments)
    other = replaced_states(arguments, [state + 0.5 for state in arguments.states])
    if all(torch.equal(a, b) for a, b in zip(cell.run(other).tensors, run.tensors, strict=True)):
        sentence = "the state that is given is not used: any other gives the same"
        if _can_do_without_states(cell, arguments) and not _is_named_like_a_state(cell):
            return Note(sentence)
        return Violation("forward: initial state", sentence)
    every_result = cell.every_result(arguments)
    silent = [
        name
        for name, changed in _changed_alone(cell, arguments)
        if all(map(torch.equal, cell.run(changed).tensors, run.tensors))
        and all(map(torch.equal, cell.every_result(changed), every_result))
    ]
    # A cell may give what it does not read again: its output, or a gate for whoever looks.
    notes = [f"{' and '.join(silent)} that is given has no influence on anything that comes back"] if silent else []
    unmoved = _unmoved_states(cell, arguments)
    notes += [f"{' and '.join(unmoved)} comes back as it was given"] if unmoved else []
    return Note("; ".join(notes)) if notes else None


def _changed_alone(cell: DrivenCell, arguments: CellArguments) -> Iterator[tuple[str, CellArguments]]:
    """Yield arguments of which one state alone is another one; of states that are joined, one after another."""
    if isinstance(cell.module, CellOfOneState):
        (joined,) = arguments.states
        for name, numbers in _parts_of_joined(cell.module):
            changed = joined.clone()
            changed[..., numbers] += 0.5
            yield name, replaced_states(arguments, [changed])
        return
    for index, state in enumerate(arguments.states if len(arguments.states) > 1 else ()):
        states = [*arguments.states[:index], state + 0.5, *arguments.states[index + 1 :]]
        yield f"the {cell.state_name(index)}", replaced_states(arguments, states)


def _unmoved_states(cell: DrivenCell, arguments: CellArguments) -> list[str]:
    """Name those of several joined states that a step gives back as they went in: a step that forgets to move them."""
    if not isinstance(cell.module, CellOfOneState):
        return []
    (given,), moved = arguments.states, cell.run(arguments).outputs[0][-1]
    parts = list(_parts_of_joined(cell.module))
    unmoved = [name for name, numbers in parts if torch.equal(moved[..., numbers], given[..., numbers])]
    return unmoved if len(unmoved) < len(parts) else []


def _parts_of_joined(module: CellOfOneState) -> Iterator[tuple[str, slice]]:
    """Yield the name of each of several joined states, and where its numbers are."""
    end = 0
    for number, width in enumerate(module.joined.widths, 1):
        yield f"state {number} of {len(module.joined.widths)}", slice(end, end + width)
        end += width


def _is_named_like_a_state(cell: DrivenCell) -> bool:
    """Whether the argument that is given as a state is called one: then whoever hands it over relies on it."""
    given = (argument for argument in cell.convention.handed_over if "state" in argument.role)
    return any(STATE_NAME.match(argument.name) for argument in given)


def _can_do_without_states(cell: DrivenCell, arguments: CellArguments) -> bool:
    """Whether a cell also runs without the states that it ignores: they are an argument that it need not take."""
    stateless = replace(cell, convention=replace(cell.convention, states=0))
    try:
        stateless.run(replaced_states(arguments, []))
    except Exception:  # it wants its states
        return False
    return True


TIME_PROPERTIES = (
    Property("order-of-steps", _order_of_steps),
    Property("declared-layout", _declared_layout, for_identified=True),
    Property("split-sequence", _split_sequence),
    Property("last-state", _last_state),
    Property("state-used", _state_used),
    Property("outputs-apart", outputs_apart),
)
