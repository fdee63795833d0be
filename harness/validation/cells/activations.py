"""Functions that cells apply, by their usual names, as numbers and as they are written in a spec.

`ARGUMENT` stands for the argument in what is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array

ARGUMENT = "@"


@dataclass(frozen=True)
class Activation:
    """`apply` entry by entry; `written` in the notation of specs; `wording` for sentences."""

    apply: Callable[[Array], Array]
    written: str
    wording: str


def _sigmoid(a: Array) -> Array:
    # By tanh, which does not overflow: what is told from these numbers needs no relative accuracy near zero.
    found: Array = 0.5 + 0.5 * np.tanh(0.5 * a)
    return found


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
GATES = ("sigmoid", "hard sigmoid", "hard sigmoid 0.2")
"""Activations that a gate may have, usual ones first."""
OTHERS = ("tanh", "sigmoid", "relu", "hard tanh")
"""Activations that a candidate, a state or an output may have; any other is a mistake."""
