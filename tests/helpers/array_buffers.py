"""NumPy layers that compute in one buffer for the state: their list holds copies of it, or the buffer itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnn_harness.array_types import Array


class CopiesItsBuffer:
    """Copies the buffer at every step; inputs are (B, T, n)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(0)
        self.W, self.U = rng.normal(size=(input_size, hidden_size)), rng.normal(size=(hidden_size, hidden_size))

    def states(self, x: Array) -> Iterator[Array]:
        """The buffer after every step."""
        h = np.zeros((len(x), len(self.U)))
        for t in range(x.shape[1]):
            h[:] = np.tanh(x[:, t] @ self.W + h @ self.U)
            yield h

    def forward(self, x: Array) -> Array:
        """The states of all steps."""
        states = []
        for state in self.states(x):
            states.append(state.copy())  # noqa: PERF401  # as people write it
        return np.stack(states, axis=1)


class ListsItsBuffer(CopiesItsBuffer):
    """Wrong: the buffer itself is in the list, once for every step."""

    def forward(self, x: Array) -> Array:
        states = []
        for state in self.states(x):
            states.append(state)  # noqa: PERF402  # as people write it
        return np.stack(states, axis=1)


class NumbersItsBuffer(CopiesItsBuffer):
    """Wrong: the same in a dictionary by the step."""

    def forward(self, x: Array) -> Array:
        states = {}
        for t, state in enumerate(self.states(x)):
            states[t] = state  # noqa: PERF403  # as people write it
        return np.stack([states[t] for t in range(x.shape[1])], axis=1)


class RepeatsItsBuffer(CopiesItsBuffer):
    """Repeats the last state for a decoder that reads it at every step."""

    def forward(self, x: Array) -> Array:
        last = np.zeros(0)
        for state in self.states(x):
            last = state
        states = []
        for _ in range(x.shape[1]):
            states.append(last)  # noqa: PERF401  # as people write it
        return np.stack(states, axis=1)
