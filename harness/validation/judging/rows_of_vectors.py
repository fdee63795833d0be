"""What a step of one vector gives for several rows at once: where its states come back turned over, that is told."""

from __future__ import annotations

from dataclasses import replace

import torch

from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.identification.probe import Probe

TURNED_ROWS = (
    "it is judged one vector at a time: given rows, x (B, n) and h (B, d), it gives a state (d, B), transposed, which "
    "is not judged"
)


def note_on_rows(probe: Probe) -> tuple[str, ...]:
    """Say that a step of one vector takes rows as well, and gives their states transposed; nothing of any other.

    That is no mistake of a step that is meant for one vector, and one of a step that is meant for rows.

    Args:
        probe: Runs of the target.
    """
    vector = probe.convention
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
