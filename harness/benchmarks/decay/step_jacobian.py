"""The steps of a cell over a sequence, and the product of adjoints with the Jacobian of each step.

Adjoints are the rows of a matrix (r, s), with s the size of the whole state: d, or 2 d for (h, c). `pull_back`
multiplies them by ``d s_t / d s_{t-1}``. It is written for products of a million Jacobians: what does not depend on the
adjoints is computed once per segment.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from rnn_harness.array_types import Array


class CellSteps(Protocol):
    """A cell with its parameters, run over segments of a sequence.

    Attributes:
        hidden_size: The size d of h.
        state_size: The size s of the whole state.
    """

    hidden_size: int
    state_size: int

    def run(self, inputs: Array, state: Array) -> None:
        """Run over a segment and keep what `pull_back` needs.

        Args:
            inputs: The segment's inputs (S, n).
            state: The state before it (s,).
        """

    def last_state(self, inputs: Array, state: Array) -> Array:
        """Return the state after a segment, and keep nothing for `pull_back`.

        Args:
            inputs: The segment's inputs (S, n).
            state: The state before it (s,).

        Returns:
            A new array (s,).
        """

    def pull_back(self, t: int, adjoints: Array) -> Array:
        """Multiply adjoints by the Jacobian of one step.

        Args:
            t: The step's place in the segment of the last `run`.
            adjoints: The adjoints (r, s) of the state after the step.

        Returns:
            The adjoints (r, s) of the state before it.
        """


def logistic_of_negative(negative: Array) -> None:
    """Replace -a by 1 / (1 + exp(-a)), in place; where exp overflows the result is 0, as it should be.

    Args:
        negative: -a, of any shape.
    """
    np.exp(negative, out=negative)
    negative += 1
    np.reciprocal(negative, out=negative)
