"""A function of inputs, targets and a state that gives a loss, the gradients of its parameters and the last state."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from rnn_harness.array_types import Array

_TOKENS, _TARGETS = (0, 2, 1, 2), (2, 1, 0, 1)
USUAL_STEPS = len(_TOKENS)
_SCALE = 0.3
"""How large weights and states are drawn: no activation is saturated, and few gradients are clipped."""
COMPUTES_A_LOSS = "computes a loss"
"""What code gives that has its loss inside."""


@dataclass(frozen=True)
class LossNumbers:
    """What a loss is called with.

    Attributes:
        parameters: All of its parameters, by name; of a network whose input is no token, that input too.
        tokens: The tokens of the steps.
        targets: The token that is right at each step; what is no class of tokens is drawn from it.
        states: The states before the first step.
    """

    parameters: Mapping[str, Array]
    tokens: tuple[int, ...]
    targets: tuple[int, ...]
    states: tuple[Array, ...]

    def with_parameter(self, name: str, value: Array) -> LossNumbers:
        """Return the same with another value of one parameter.

        Args:
            name: The parameter.
            value: What stands in its place.
        """
        return replace(self, parameters={**self.parameters, name: value})

    def steps(self, first: int, end: int, states: tuple[Array, ...]) -> LossNumbers:
        """Return some of the steps.

        Args:
            first: The first of them, from 0.
            end: The step after the last.
            states: The states before the first of them.
        """
        return replace(self, tokens=self.tokens[first:end], targets=self.targets[first:end], states=states)


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
        steps: The number of steps that it is run over, where it takes no other or cuts its gradients; 0 for any.
    """

    @property
    def steps(self) -> int:
        """The number of steps that it is run over, where it takes no other or cuts its gradients; 0 for any."""

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

    def run(self, numbers: LossNumbers) -> LossValues:
        """Call it on copies of everything.

        Args:
            numbers: What it is called with.

        Returns:
            The loss, the gradients, and the states after the last step where they come back.

        Raises:
            ValueError: No number came back that is a loss or outputs, or no gradient.
        """


def drawn_numbers(loss: LossFunction, seed: int) -> LossNumbers:
    """Draw parameters and states for a loss, with tokens and targets that any vocabulary of three has.

    Args:
        loss: What says which arrays, of which shapes, are wanted.
        seed: Where the numbers start.
    """
    rng = np.random.default_rng(seed)
    parameters = {name: _SCALE * rng.standard_normal(value.shape) for name, value in loss.parameters.items()}
    states = tuple(_SCALE * rng.standard_normal(shape) for shape in loss.state_shapes)
    steps = loss.steps or USUAL_STEPS
    tokens, targets = (tuple(itertools.islice(itertools.cycle(given), steps)) for given in (_TOKENS, _TARGETS))
    return LossNumbers(parameters, tokens, targets, states)
