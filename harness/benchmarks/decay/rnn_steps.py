"""The steps of a simple RNN, with the product of adjoints and Jacobian."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.step_jacobian import logistic_of_negative
from rnn_harness.references.rnn import RNN


class RNNSteps:
    """A simple RNN over segments of a sequence; see `CellSteps`."""

    def __init__(self, cell: RNN, parameters: Mapping[str, Array]) -> None:
        """Take the weights of a cell, with the signs that its activation needs.

        Args:
            cell: The cell; its activation is tanh or the sigmoid.
            parameters: W_x (d, n), W_h (d, d) and, where there is one, b (d,).
        """
        self._is_tanh = cell.activation == "tanh"
        # A sigmoid's argument has its sign turned, here and in the other cells: exp takes it as it is.
        sign = 1.0 if self._is_tanh else -1.0
        self._input_weights, self._recurrent = parameters["W_x"].T * sign, parameters["W_h"]
        self._signed_recurrent, self._bias = self._recurrent * sign, parameters.get("b", 0.0) * sign
        self.hidden_size = self.state_size = len(self._recurrent)
        self._slopes = np.empty(0)

    def _states(self, inputs: Array, state: Array) -> Array:
        a: Array = inputs @ self._input_weights + self._bias
        with np.errstate(over="ignore"):
            for row in a:
                row += self._signed_recurrent.dot(state)
                if self._is_tanh:
                    np.tanh(row, out=row)
                else:
                    logistic_of_negative(row)
                state = row
        return a

    def run(self, inputs: Array, state: Array) -> None:
        """Run over a segment (S, n) from a state (d,) and keep the activation's slopes."""
        a = self._states(inputs, state)
        self._slopes = 1 - a * a if self._is_tanh else a * (1 - a)

    def last_state(self, inputs: Array, state: Array) -> Array:
        """Return the state (d,) after a segment (S, n)."""
        last: Array = self._states(inputs, state)[-1].copy()
        return last

    def pull_back(self, t: int, adjoints: Array) -> Array:
        """Multiply adjoints (r, d) by the Jacobian of step t."""
        before: Array = (adjoints * self._slopes[t]).dot(self._recurrent)
        return before
