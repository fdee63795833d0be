"""What a step of one vector gives for several rows at once: where they come back turned over or mixed, that is told."""

from __future__ import annotations

from dataclasses import replace

import torch

from rnn_harness.attributes import attribute
from rnn_harness.errors import UsageError
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.state_form import result_leaves
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.loading.adapters.handwritten.handwritten_cell import HandwrittenCell
from rnn_harness.validation.loading.parameter_exchange import own_call

TURNED_ROWS = (
    "it is judged one vector at a time: given rows, x (B, n) and h (B, d), it gives a state (d, B), transposed, which "
    "is not judged"
)
MIXED_ROWS = (
    "it is judged one vector at a time: given rows, x (B, n) and h (B, d), it mixes them, as means over the "
    "first axis do"
)


def note_on_rows(probe: Probe) -> tuple[str, ...]:
    """Say that a step of one vector takes rows as well, and gives them transposed, or mixed; nothing of any other.

    That is no mistake of a step that is meant for one vector, and one of a step that is meant for rows.

    Args:
        probe: Runs of the target.
    """
    vector, step = probe.convention, attribute(probe.module, "function", HandwrittenCell)
    if step is not None and not vector.sequence:
        states_of_rows = probe.states[: vector.states]
        return (MIXED_ROWS,) if step.mixes_rows(probe.parameters, probe.inputs[0], states_of_rows) else ()
    if vector.sequence or vector.axes_of_input != "n" or not vector.states:
        return ()
    of_rows = replace(vector, input_axes="Bn", state_axes="Bd")
    x, *states = (torch.as_tensor(values) for values in (probe.inputs[0], *probe.states[: vector.states]))
    try:
        with torch.no_grad():
            results = call_target(of_rows.results, probe.module, x, states)
    except (Exception, SystemExit):  # most steps of one vector take no rows
        return ()
    rows, d = states[0].shape
    is_turned = bool(results) and rows != d and all(tuple(result.shape) == (d, rows) for result in results)
    return (TURNED_ROWS,) if is_turned else ()


_CHILDREN = 3


def refuse_states_that_are_added_up(probe: Probe, name: str) -> None:
    """Refuse a step that adds up its states over their first axis, as a tree's node does with those of its children.

    Args:
        probe: Runs of a target that seems to mix the rows of a batch.
        name: What it is called.

    Raises:
        UsageError: For one vector and several states it gives one state, so their first axis is none of rows.
    """
    batch = probe.convention
    if batch.sequence or batch.axes_of_input != "Bn" or not batch.states:
        return
    d = probe.sizes[1]
    x = torch.as_tensor(probe.inputs[0, :1]).repeat(_CHILDREN, 1)
    states = [torch.as_tensor(state[:1]).repeat(_CHILDREN, 1) for state in probe.states[: batch.states]]
    positional, keywords = batch.positional_and_keyword(x, states)
    vectors = [
        value[0] if isinstance(value, torch.Tensor) and value.shape == x.shape else value for value in positional
    ]
    try:
        with torch.no_grad():
            result = call_target(own_call(probe.module), *vectors, **keywords)
            results = [leaf.tensor for leaf in result_leaves(result)]
    except (Exception, SystemExit):  # most steps of rows take no vector
        return
    if results and all(result.numel() == d for result in results):
        raise UsageError(
            f"cannot drive {name}: for one input of {x.shape[1]} numbers and states "
            f"({_CHILDREN}, {d}) it gives one state of {d} numbers, so the first axis of its states is not the batch: "
            "it adds up the states of several children, as a tree does. Write a module whose forward(x, h, c) calls it "
            "for one child in each row, and name that"
        )
