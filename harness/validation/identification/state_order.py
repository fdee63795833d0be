"""States that come back in another order than they go in: a way of calling, or a mistake."""

from __future__ import annotations

from dataclasses import replace

from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.identify import identify
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.loading.target import Target

SENTENCE = "its states come back in another order than they go in, so they are exchanged at every step"


def with_exchanged_states(target: Target, probe: Probe) -> tuple[Identification, ...]:
    """Find every cell that a target equals if the states that come back are exchanged.

    Args:
        target: The target, which equals no cell as it is.
        probe: Runs of the target.

    Returns:
        The cells; none where the target does not take two states.
    """
    if probe.convention.states != 2:
        return ()
    convention = replace(probe.convention, exchanged=not probe.convention.exchanged)
    return identify(target, replace(probe, convention=convention, _responses={}))


def is_the_callers_affair(probe: Probe) -> bool:
    """Say whether whoever calls the target names each state, in the arguments and in the results.

    Then another order is a way of calling; where one object goes in and one comes back, it is a mistake.

    Args:
        probe: Runs of the target.
    """
    return not probe.convention.packed and not probe.convention.merging
