"""What a step of one vector gives for several rows at once: where they come back turned over or mixed, that is told."""

from __future__ import annotations

from dataclasses import replace

import torch

from rnn_harness.attributes import attribute
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.loading.adapters.handwritten.handwritten_cell import HandwrittenCell

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
