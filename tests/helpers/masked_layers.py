"""LSTM layers of NumPy with a mask that holds the states of rows that have ended."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def sigmoid(values: Array) -> Array:
    """Give the logistic function."""
    return np.asarray(1 / (1 + np.exp(-values)))


def step(x: Array, h: Array, c: Array, W: Array, U: Array, b: Array) -> tuple[Array, Array]:
    """Give the states after one step."""
    i, f, o, g = np.split(x @ W + h @ U + b, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def masked_forward(
    x: Array, mask: Array, h0: Array, c0: Array, W: Array, U: Array, b: Array
) -> tuple[Array, Array, Array]:
    """Run over (B, T, n); mask (B, T) is 1 where a step is real."""
    h, c, states = h0, c0, []
    for t in range(x.shape[1]):
        m = mask[:, t, None]
        next_h, next_c = step(x[:, t], h, c, W, U, b)
        h, c = m * next_h + (1 - m) * h, m * next_c + (1 - m) * c
        states.append(h)
    return np.stack(states, 1), h, c


def forgetting_forward(
    x: Array, mask: Array, h0: Array, c0: Array, W: Array, U: Array, b: Array
) -> tuple[Array, Array, Array]:
    """Run over (B, T, n); mask (B, T) is 1 where a step is real, and does not hold the cell state."""
    h, c, states = h0, c0, []
    for t in range(x.shape[1]):
        m = mask[:, t, None]
        next_h, c = step(x[:, t], h, c, W, U, b)
        h = m * next_h + (1 - m) * h
        states.append(h)
    return np.stack(states, 1), h, c


class MaskedLSTM:
    """An LSTM over padded batches."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(0)
        self.W = 0.3 * rng.standard_normal((input_size, 4 * hidden_size))
        self.U = 0.3 * rng.standard_normal((hidden_size, 4 * hidden_size))
        self.b = np.zeros(4 * hidden_size)

    def forward(
        self, x: Array, mask: Array, h0: Array | None = None, c0: Array | None = None
    ) -> tuple[Array, tuple[Array, Array]]:
        """Give the states of all steps (B, T, d), and the last ones."""
        zeros = np.zeros((len(x), len(self.U)))
        h, c, states = zeros if h0 is None else h0, zeros if c0 is None else c0, []
        for t in range(x.shape[1]):
            h, c = self.held(mask[:, t, None], step(x[:, t], h, c, self.W, self.U, self.b), (h, c))
            states.append(h)
        return np.stack(states, 1), (h, c)

    def held(self, m: Array, after: tuple[Array, Array], before: tuple[Array, Array]) -> tuple[Array, Array]:
        """Take the states after a step where it is real, and those before it elsewhere."""
        return m * after[0] + (1 - m) * before[0], m * after[1] + (1 - m) * before[1]


class ForgettingLSTM(MaskedLSTM):
    """One that lets the cell state go on."""

    def held(self, m: Array, after: tuple[Array, Array], before: tuple[Array, Array]) -> tuple[Array, Array]:
        """Hold the hidden state alone."""
        return m * after[0] + (1 - m) * before[0], after[1]


class ZeroingLSTM(MaskedLSTM):
    """One that takes zeros for the hidden state where it should hold it."""

    def held(self, m: Array, after: tuple[Array, Array], before: tuple[Array, Array]) -> tuple[Array, Array]:
        """Hold the cell state alone."""
        return m * after[0], m * after[1] + (1 - m) * before[1]


class ObservedRNN:
    """A network whose mask says which values were observed, and is no padding."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(0)
        self.W = 0.3 * rng.standard_normal((input_size, hidden_size))
        self.U = 0.3 * rng.standard_normal((hidden_size, hidden_size))

    def forward(self, x: Array, mask: Array, h0: Array) -> tuple[Array, Array]:
        """Put zeros in the place of what the mask leaves out of the outputs (T, B, d), and not of the last state."""
        h, states = h0, []
        for t in range(len(x)):
            h = np.tanh(x[t] @ self.W + h @ self.U)
            states.append(h * mask[t, :, None])
        return np.stack(states), h
