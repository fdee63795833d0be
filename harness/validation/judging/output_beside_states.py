"""What a step gives besides its states: no equation of a cell says what it is, so that it is told and not judged."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_harness.validation.identification.probe import Probe, close

ANOTHER_STATE = "what it gives besides its states is its cell state, not its hidden state"
NO_STATE = "what it gives besides its states equals none of them, and is not judged"


def note_on_output(probe: Probe, states: Sequence[str]) -> tuple[str, ...]:
    """Say what a step gives besides its states, unless it is the hidden state once more.

    Args:
        probe: Runs of the target.
        states: The names of its states in its order, ``h`` among them.
    """
    response = probe.complete()
    if response.shown is None or len(response.outputs) != len(states):
        return ()
    equal = [
        name
        for name, values in zip(states, response.outputs, strict=True)
        if values.shape == response.shown.shape and close(values, response.shown, probe.tolerance, equal_nan=True)
    ]
    if "h" in equal:
        return ()
    return (ANOTHER_STATE if equal else NO_STATE,)
