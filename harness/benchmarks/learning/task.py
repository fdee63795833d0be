"""What a task is: sequences to be drawn, what is asked for, and the losses to compare with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from rnn_harness.array_types import Array

HIDDEN_SIZES: Mapping[str, int] = MappingProxyType({"rnn": 34, "gru": 19, "lstm": 16})
"""Hidden sizes of nearly the same number of parameters, 1,300 with two inputs."""


class Batch(NamedTuple):
    """Sequences with their targets.

    Attributes:
        inputs: (T, B, n).
        targets: (B,) or (B, k) at the end; or at every step (T, B), -1 where none is asked for, or (T, B, k).
    """

    inputs: Array
    targets: Array


@dataclass(frozen=True)
class Task:
    """A task, with the least loss of a model without a memory.

    Attributes:
        name: The name by which it is chosen and reported.
        title: What it asks for.
        steps: The number T of time steps.
        input_size: The input size n.
        output_size: The number k of outputs.
        target: A ``number`` or a ``class`` at the end, ``numbers`` or ``classes`` at every step. The loss of numbers is
            the mean squared error, that of classes the cross entropy.
        chance: The least loss that a model without a memory can reach, which sees the current input alone; with
            windows, one that sees the current window alone.
        solved: The loss below which it counts as solved.
        draw: Draws a batch of a number of sequences.
        needs_future: Whether it is tried with both directions of time too.
        window: The steps that the gradient goes back through at most, if not 0; it is then tried with the state carried
            from window to window, and without.
        best: A loss that no model goes below; 0 where none is known.
        hidden_sizes: The hidden size of each family.
        layers: The number of layers.
    """

    name: str
    title: str
    steps: int
    input_size: int
    output_size: int
    target: Literal["number", "numbers", "class", "classes"]
    chance: float
    solved: float
    draw: Callable[[np.random.Generator, int], Batch] = field(repr=False)
    needs_future: bool = False
    window: int = 0
    best: float = 0.0
    hidden_sizes: Mapping[str, int] = field(default_factory=lambda: HIDDEN_SIZES, repr=False)
    layers: int = 1

    @property
    def asks_every_step(self) -> bool:
        """Whether something is asked for at every step."""
        return self.target in ("numbers", "classes")

    @property
    def asks_numbers(self) -> bool:
        """Whether numbers are asked for, and not classes."""
        return self.target in ("number", "numbers")
