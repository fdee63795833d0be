"""Choose how a cell written by hand is called: the first forward after which its backward gives every gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from rnn_harness.validation.loading.adapters.handwritten.backward_search import backward_ways
from rnn_harness.validation.loading.adapters.handwritten.backward_way import BackwardWay
from rnn_harness.validation.loading.adapters.handwritten.call_errors import Failure, FailureLog, Stage
from rnn_harness.validation.loading.adapters.handwritten.call_trial import CallTrial, try_call
from rnn_harness.validation.loading.adapters.handwritten.cell_source import CellSource
from rnn_harness.validation.loading.adapters.handwritten.forward_search import forward_ways
from rnn_harness.validation.loading.adapters.handwritten.forward_way import ForwardWay
from rnn_harness.validation.loading.adapters.handwritten.trial_numbers import TrialNumbers

MAX_FORWARD_WAYS = 6
"""Ways of calling forward after which backward is tried."""


@dataclass(frozen=True)
class CellWays:
    """How a cell is called.

    Attributes:
        forward: How forward is called.
        backward: How backward is called; None if there is none, or none that gives every gradient.
        no_gradients_reason: Why there are no gradients; None if there are.
    """

    forward: ForwardWay
    backward: BackwardWay | None
    no_gradients_reason: str | None = None


def find_ways(source: CellSource, numbers: TrialNumbers, log: FailureLog, *, lenient: bool = False) -> CellWays | None:
    """Find how a cell is called.

    Args:
        source: The cell.
        numbers: What it is tried with.
        log: Where the ways that fail are noted.
        lenient: As in `forward_ways`.

    Returns:
        The first way of calling forward after which backward gives every gradient, right or wrong; without such a
        one, the first way of calling forward alone; None if forward cannot be called.
    """
    first: ForwardWay | None = None
    for number, way in enumerate(_with_fewer_results(forward_ways(source, numbers, log, lenient=lenient))):
        first = first or way
        if source.backward_function is None:
            return CellWays(way, None, f"{source.name} has no backward")
        if number == MAX_FORWARD_WAYS:
            break
        backward = _best_backward(try_call(source, way, numbers), log)
        if backward is not None:
            return CellWays(way, backward)
    if first is None:
        return None
    failure = log.furthest()
    return CellWays(first, None, _reason(source, failure))


def _with_fewer_results(ways: Iterator[ForwardWay]) -> Iterator[ForwardWay]:
    """The ways, and those of a sequence without their final states: a backward may take no gradient of those."""
    for way in ways:
        yield way
        if way.is_sequence and way.finals:
            yield replace(way, finals=())


def _best_backward(trial: CallTrial, log: FailureLog) -> BackwardWay | None:
    """The first backward whose gradients are all right; else the first that gives all; None if none does."""
    complete: BackwardWay | None = None
    for way in backward_ways(trial, log):
        assert way.places is not None, "a way that was tried has places"
        if way.places.is_right:
            return way
        if way.places.is_complete:
            better = complete is None or complete.places is None or len(way.places.right) > len(complete.places.right)
            complete = way if better else complete
    return complete


def _reason(source: CellSource, failure: Failure | None) -> str:
    """Why a cell with a backward has no gradients that can be judged."""
    if failure is None or failure.stage < Stage.BACKWARD_RAISED:
        return f"no way of calling {source.backward_name} is known"
    verb = "raised" if failure.stage == Stage.BACKWARD_RAISED else "gave too little"
    return f"its {source.backward_name} {verb}. What went furthest: {failure}"
