"""Functions that cells apply, by their usual names: on arrays, in the notation of specs, and in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array

ARGUMENT = "@"
"""What stands for the argument in `Activation.written`."""


@dataclass(frozen=True)
class Activation:
    """A function that a cell applies entry by entry.

    Attributes:
        apply: The function, from an array to one of the same shape.
        written: The function in the notation of specs, with `ARGUMENT` for its argument.
        wording: Its name in sentences.
    """

    apply: Callable[[Array], Array]
    written: str
    wording: str


def _sigmoid(a: Array) -> Array:
    # tanh does not overflow, and identification needs no relative accuracy near zero.
    value: Array = 0.5 + 0.5 * np.tanh(0.5 * a)
    return value


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(np.tanh, r"\tanh(@)", "tanh"),
    "sigmoid": Activation(_sigmoid, r"\sigma(@)", "sigmoid"),
    "relu": Activation(lambda a: np.maximum(a, 0), r"\operatorname{relu}(@)", "ReLU"),
    "identity": Activation(lambda a: a, "(@)", "identity"),
    "hard sigmoid": Activation(
        lambda a: np.clip(a / 6 + 0.5, 0, 1),
        r"(\operatorname{relu}((@) / 6 + 0.5) - \operatorname{relu}((@) / 6 - 0.5))",
        "hard sigmoid (a/6 + 1/2)",
    ),
    "hard sigmoid 0.2": Activation(
        lambda a: np.clip(0.2 * a + 0.5, 0, 1),
        r"(\operatorname{relu}(0.2 (@) + 0.5) - \operatorname{relu}(0.2 (@) - 0.5))",
        "hard sigmoid (a/5 + 1/2)",
    ),
    "hard tanh": Activation(
        lambda a: np.clip(a, -1, 1), r"(\operatorname{relu}((@) + 1) - \operatorname{relu}((@) - 1) - 1)", "hard tanh"
    ),
}
GATE_ACTIVATIONS = ("sigmoid", "hard sigmoid", "hard sigmoid 0.2")
"""Activations that a gate may have, usual ones first."""
STATE_ACTIVATIONS = ("tanh", "sigmoid", "relu", "hard tanh")
"""Activations that a candidate, a state or an output may have; any further one is a fault."""
