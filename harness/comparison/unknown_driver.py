"""An unknown cell through time: no equation names its states, so they have numbers."""

from __future__ import annotations

from rnn_harness.comparison.tied_cell import TiedCell
from rnn_harness.kernels.packing import Table
from rnn_harness.validation.consistency.driven_cell import numbered_states
from rnn_harness.validation.loading.driver import TargetDriver


def unknown_driver(tied: TiedCell) -> TargetDriver:
    """Return what drives an unknown cell by its own parameter names, and by states called ``state``, or with numbers.

    The output of a single step is its first state. A layer has to give back its states: what its last output is to
    them, nobody knows.

    Args:
        tied: The target, whose equations are not known.
    """
    convention = tied.probe.convention
    names = numbered_states(convention)
    absent = () if convention.states else tuple(f"states.{name}" for name in names)
    output = "" if convention.sequence else names[0]
    return TargetDriver(tied.target.make_module, convention, Table({}), names, tied.target.capabilities, absent, output)
