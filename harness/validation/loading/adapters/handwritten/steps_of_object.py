"""An object that is called once a step and keeps its states itself, as one that is called for a sequence."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import member
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments

NOTE = "it is called once a step, and keeps its states itself"
_ROWS = 2


class StepsOfObject:
    """An object whose forward is called for one step after the other.

    Attributes:
        cell: The object, as it is before the first step.
    """

    def __init__(self, cell: Any, forward_name: str, backward_name: str) -> None:
        """Wrap the object.

        Args:
            cell: The object.
            forward_name: Its method that computes a step.
            backward_name: Its method that goes back over the step that was taken last; empty if there is none.
        """
        self.cell, self._forward_name, self._backward_name = cell, forward_name, backward_name

    def forward(self, xs: Array) -> Array:
        """Return the outputs (T, B, d) of all steps.

        Args:
            xs: The inputs (T, B, n).
        """
        return _stacked([member(self.cell, self._forward_name)(x) for x in xs])


class DifferentiableSteps(StepsOfObject):
    """One whose backward is called for one step after the other, the last one first."""

    def backward(self, d_outputs: Array) -> Array:
        """Return the gradients (T, B, n) of the inputs.

        Args:
            d_outputs: The gradients (T, B, d) of the outputs.
        """
        return _stacked([member(self.cell, self._backward_name)(step) for step in d_outputs[::-1]][::-1])


def _stacked(steps: Sequence[Any]) -> Array:
    """The first array that every step gave, over time."""
    return np.stack([step[0] if isinstance(step, tuple | list) else step for step in steps])


def steps_of_object(cell: Any, forward_name: str, backward_name: str, input_size: int) -> StepsOfObject | None:
    """Return an object as one that is called for a sequence; None where it keeps no state between two steps.

    Args:
        cell: The object, with its weights.
        forward_name: Its method that computes a step.
        backward_name: Its method that goes back over a step; empty if there is none.
        input_size: n.
    """
    if len(required_arguments(member(cell, forward_name))) != 1:
        return None
    wrapper = DifferentiableSteps if backward_name else StepsOfObject
    x = np.random.default_rng(5).standard_normal((1, _ROWS, input_size))
    tried = wrapper(copy.deepcopy(cell), forward_name, backward_name)
    try:
        with np.errstate(all="ignore"):
            outputs = tried.forward(np.concatenate([x, x]))
    except Exception:  # a method that is called in a wrong way may raise anything
        return None
    if outputs.ndim != 3 or outputs.shape[1] != _ROWS or np.array_equal(outputs[0], outputs[1]):
        return None
    return wrapper(cell, forward_name, backward_name)
