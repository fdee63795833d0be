"""What shows only where the time between steps is another than 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.errors import UsageError
from rnn_harness.validation.identification.probe import STEPS, Probe, close


def needs_other_time_steps(probe: Probe) -> bool:
    """Say whether parameters that have no influence at time steps of 1 have one at others.

    A cell that discounts its memory by the time between steps, as T-LSTMs do, is another one where that is 1: an LSTM
    that adds and subtracts what its further parameters give, and so rounds by them.

    Args:
        probe: Runs of the target.
    """
    arguments = [argument for argument in probe.convention.arguments if argument.role == "dt" and argument.axes]
    if not arguments or not probe.ignored:
        return False
    varied = tuple(replace(argument, is_varied=argument in arguments) for argument in probe.convention.arguments)
    varied_probe = replace(probe, convention=replace(probe.convention, arguments=varied))
    others = {name: np.sin(1.0 + np.arange(probe.parameters[name].size)) for name in probe.ignored}
    changed = {name: value.reshape(probe.parameters[name].shape) for name, value in others.items()}
    try:
        first = varied_probe.respond(probe.parameters, STEPS)
        second = varied_probe.respond({**probe.parameters, **changed}, STEPS)
    except UsageError:  # it takes no other time steps
        return False
    return not all(close(a, b, SCREEN_SINGLE) for a, b in zip(first.arrays, second.arrays, strict=True))
