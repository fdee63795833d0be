"""A function of inputs, targets and a state that gives a loss, the gradients of its parameters and the last state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rnn_harness.array_types import Array

_TOKENS, _TARGETS = (0, 2, 1, 2), (2, 1, 0, 1)
_SCALE = 0.3
COMPUTES_A_LOSS = "computes a loss"
"""What code gives that has its loss inside."""
"""How large weights and states are drawn: no activation is saturated, and few gradients are clipped."""


@dataclass(frozen=True)
class LossValues:
    """What one call gives.

    Attributes:
        loss: The number itself, usually a sum or a mean over the steps.
        gradients: The gradients, by the names of the parameters that have one.
        states: The states that come back, in the order in which they go in; empty where none do.
    """

    loss: float
    gradients: Mapping[str, Array]
    states: tuple[Array, ...]


class LossFunction(Protocol):
    """A loss over a sequence of tokens, with its gradients.

    Attributes:
        text: Its name and arguments.
        parameters: The arrays that it computes with, by name.
        state_shapes: The shape of each state.
        adds_up: Whether the losses of pieces must give that of all steps, as a sum, a mean or that of the last step.
        result: What its gradients are the slopes of, in a word.
        gives: What it gives, as a sentence goes on behind its name.
    """

    @property
    def result(self) -> str:
        """What its gradients are the slopes of, in a word."""

    @property
    def gives(self) -> str:
        """What it gives, as a sentence goes on behind its name."""

    @property
    def text(self) -> str:
        """Its name and arguments."""

    @property
    def parameters(self) -> Mapping[str, Array]:
        """The arrays that it computes with, by name."""

    @property
    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each state."""

    @property
    def adds_up(self) -> bool:
        """Whether the losses of pieces must give that of all steps, as a sum, a mean or that of the last step."""

    def run(
        self,
        parameters: Mapping[str, Array],
        inputs: tuple[int, ...],
        targets: tuple[int, ...],
        states: tuple[Array, ...],
    ) -> LossValues:
        """Call it on copies of everything.

        Args:
            parameters: All of its parameters, by name.
            inputs: The tokens of the steps.
            targets: The token that is right at each step.
            states: The states before the first step.
        """


def drawn_numbers(
    loss: LossFunction, seed: int
) -> tuple[dict[str, Array], tuple[int, ...], tuple[int, ...], tuple[Array, ...]]:
    """Draw parameters and states for a loss, with tokens and targets that any vocabulary of three has.

    Args:
        loss: What says which arrays, of which shapes, are wanted.
        seed: Where the numbers start.

    Returns:
        The parameters by name, the tokens, the targets and the states, as `LossFunction.run` takes them.
    """
    rng = np.random.default_rng(seed)
    parameters = {name: _SCALE * rng.standard_normal(value.shape) for name, value in loss.parameters.items()}
    states = tuple(_SCALE * rng.standard_normal(shape) for shape in loss.state_shapes)
    return parameters, _TOKENS, _TARGETS, states
