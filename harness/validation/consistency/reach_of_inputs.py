"""Which output steps an input step reaches: it says in which order a layer reads, and how its outputs lie in time."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import torch
from torch import Tensor

ReachedSteps = tuple[frozenset[int], ...]
"""For each input step, the output steps whose numbers it changes in its own row."""


class ReadingOrder(Enum):
    """How outputs follow inputs in time.

    Attributes:
        FORWARD: An output depends on the inputs up to its step.
        BACKWARD: An output depends on the inputs from its step on.
        BOTH: Every output depends on every input.
        ONE_LATE: An output depends on the inputs before its step, and not on its own.
        REVERSED: Read forward, but the output of the last step comes first.
        BACKWARD_REVERSED: Read backward, and the outputs come in the order in which they were computed.
        OTHER: None of these.
    """

    FORWARD = "forward in time"
    BACKWARD = "backward in time"
    BOTH = "in both directions"
    ONE_LATE = "forward in time, one step late"
    REVERSED = "forward in time, outputs reversed"
    BACKWARD_REVERSED = "backward in time, outputs not turned back"
    OTHER = "in no order that is known"


_REACHED: dict[ReadingOrder, Callable[[int, int], range]] = {
    ReadingOrder.FORWARD: lambda t, last: range(t, last + 1),
    ReadingOrder.BACKWARD: lambda t, _last: range(t + 1),
    ReadingOrder.BOTH: lambda _t, last: range(last + 1),
    ReadingOrder.ONE_LATE: lambda t, last: range(t + 1, last + 1),
    ReadingOrder.REVERSED: lambda t, last: range(last - t + 1),
    ReadingOrder.BACKWARD_REVERSED: lambda t, last: range(last - t, last + 1),
}
"""The output steps that an input step reaches, from its number and that of the last step."""


def reading_order(reached: ReachedSteps) -> ReadingOrder:
    """Name the order that every input step's reached steps show; some of them may be missing, as after a reset.

    Args:
        reached: For each input step, the output steps that it reaches.
    """
    last = len(reached) - 1
    for order, expected in _REACHED.items():
        if all(steps == frozenset(expected(t, last)) for t, steps in enumerate(reached)):
            return order
    if all(t in steps and min(steps) == t for t, steps in enumerate(reached)):
        return ReadingOrder.FORWARD
    if all(t in steps and max(steps) == t for t, steps in enumerate(reached)):
        return ReadingOrder.BACKWARD
    return ReadingOrder.OTHER


def changed_places(before: Tensor, after: Tensor, threshold: float = 0.0) -> frozenset[tuple[int, ...]]:
    """Return the places, without the last axis, where numbers changed .

    Args:
        before: An array (.., .., d).
        after: An array of that shape.
        threshold: The largest change, relative to the largest number, that does not count.
    """
    changed = ~((after - before).abs() <= threshold * before.abs().max()).all(dim=-1)
    return frozenset(tuple(int(i) for i in place) for place in torch.nonzero(changed))
