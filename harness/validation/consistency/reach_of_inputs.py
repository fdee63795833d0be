"""Which output steps an input step reaches: it says in which order a layer reads, and how its outputs lie in time."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import torch
from torch import Tensor

from rnn_harness.arithmetic.assumptions import STRUCTURAL

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
    """Name the order that every input step's reached steps show."""
    last = len(reached) - 1
    for order, expected in _REACHED.items():
        if all(steps == frozenset(expected(t, last)) for t, steps in enumerate(reached)):
            return order
    return ReadingOrder.OTHER


def changed_places(before: Tensor, after: Tensor, dtype: str) -> frozenset[tuple[int, ...]]:
    """Return the places, without the last axis, where numbers changed by more than rounding.

    Args:
        before: An array (.., .., d).
        after: An array of that shape.
        dtype: The dtype that both were computed in.
    """
    scale = float(before.abs().max())
    # The square: a change that fades over a few steps is still far above it, and rounding is far below.
    threshold = STRUCTURAL[dtype] ** 2 * scale
    changed = ~((after - before).abs() <= threshold).all(dim=-1)
    return frozenset(tuple(int(i) for i in place) for place in torch.nonzero(changed))
