"""Is the candidate a function of its arguments at all? Asked before anything is identified."""

from __future__ import annotations

from dataclasses import replace

from rnn_harness.errors import UsageError
from rnn_harness.records.validation import Diagnosis
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.judging.rows_of_vectors import refuse_states_that_are_added_up

ANY_CELL = "a recurrent cell"
"""What a candidate is compared with before it is known what it is."""
_ABOVE_ZERO = 0.1


def diagnose_no_function(probe: Probe, name: str) -> Diagnosis | None:
    """Say why a candidate is no function of its arguments.

    What gives NaN for ordinary numbers, writes into its arguments or its earlier results, gives other numbers the
    second time, or mixes the rows of a batch cannot be compared with any equations.

    Args:
        probe: The candidate's runs on generic numbers.
        name: What the candidate is called.

    Returns:
        The diagnosis; None if nothing speaks against it.

    Raises:
        UsageError: What seems to be rows are the children of a tree's node, or its states must be positive.
    """
    if probe.gives_nan():
        _refuse_positive_states(probe, name)
        difference = "it gives NaN for finite parameters, inputs and states of ordinary size"
        return Diagnosis(spec=ANY_CELL, part="forward: outputs", difference=difference)
    if probe.hands_old_states_on():
        difference = "the state that comes back is the one that went in: the new one is given as the output alone"
        return Diagnosis(spec=ANY_CELL, part="forward: new state", difference=difference)
    if arguments := probe.writes_into():
        difference = f"it writes into the {arguments} that it is given, so whoever kept it has other numbers afterwards"
        return Diagnosis(spec=ANY_CELL, part="behaviour: intact", difference=difference)
    if words := probe.replaces_entries():
        difference = (
            f"it replaces entries of {words}, which it is given, so whoever kept it has another state afterwards"
        )
        return Diagnosis(spec=ANY_CELL, part="behaviour: intact", difference=difference)
    if probe.overwrites():
        difference = "what it gave back is overwritten by its next call: it returns memory that it goes on using"
        return Diagnosis(spec=ANY_CELL, part="behaviour: intact", difference=difference)
    if not probe.equal(probe.complete(), probe.complete()):
        difference = "the same call twice gives other numbers: it keeps a state between calls, or draws random ones"
        return Diagnosis(spec=ANY_CELL, part="behaviour: determinism", difference=difference)
    if not probe.rows_are_apart():
        refuse_states_that_are_added_up(probe, name)
        difference = (
            "a row's state depends on the other rows of the batch: the rows of a batch are mixed (or the first axis of "
            "its state is something else, layers say: what is judged here is one layer, with state (B, d))"
        )
        return Diagnosis(spec=ANY_CELL, part="behaviour: position", difference=difference)
    return None


def _refuse_positive_states(probe: Probe, name: str) -> None:
    """Raise UsageError where NaN comes from negative states alone: a scan in log space takes their logarithm."""
    positive = tuple(abs(state) + _ABOVE_ZERO for state in probe.states)
    if not probe.convention.states or replace(probe, states=positive, _responses={}).gives_nan():
        return
    raise UsageError(
        f"cannot drive {name}: it gives NaN for states with negative numbers and none for "
        "positive ones, as what takes the logarithm of its state does, and states of both signs are tried. Write a "
        "function or a module of x alone that gives it a state of ones, and name that"
    )
