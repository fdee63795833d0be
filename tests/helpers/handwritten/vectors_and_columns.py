"""Without a batch: one vector or one column at a time, sequences of them, and gradients as rows, as assignments do."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_harness.array_types import Array


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


class GRUCell:
    """Vectors go in; the gradient is a row (1, d), and gradients of inputs and state are rows."""

    def __init__(self, in_dim: int, hidden_dim: int) -> None:
        rng = np.random.default_rng(1)
        self.d, self.h = in_dim, hidden_dim
        self.x_t = 0
        for gate in "rzn":
            setattr(self, f"W{gate}x", rng.standard_normal((hidden_dim, in_dim)))
            setattr(self, f"W{gate}h", rng.standard_normal((hidden_dim, hidden_dim)))
            setattr(self, f"b{gate}x", rng.standard_normal(hidden_dim))
            setattr(self, f"b{gate}h", rng.standard_normal(hidden_dim))
            for name in (f"W{gate}x", f"W{gate}h", f"b{gate}x", f"b{gate}h"):
                setattr(self, f"d{name}", np.zeros_like(getattr(self, name)))

    Wrx: Array
    Wzx: Array
    Wnx: Array
    Wrh: Array
    Wzh: Array
    Wnh: Array
    brx: Array
    bzx: Array
    bnx: Array
    brh: Array
    bzh: Array
    bnh: Array

    def forward(self, x: Array, h_prev_t: Array) -> Array:
        self.x, self.hidden = x, h_prev_t
        self.r = sigmoid(self.Wrx @ x + self.brx + self.Wrh @ h_prev_t + self.brh)
        self.z = sigmoid(self.Wzx @ x + self.bzx + self.Wzh @ h_prev_t + self.bzh)
        self.inner = self.Wnh @ h_prev_t + self.bnh
        self.n = np.tanh(self.Wnx @ x + self.bnx + self.r * self.inner)
        h_t = (1 - self.z) * self.n + self.z * h_prev_t
        assert h_t.shape == (self.h,)
        return h_t

    def through_reset(self, dn: Array) -> Array:
        return dn * self.inner * self.r * (1 - self.r)

    def backward(self, delta: Array) -> tuple[Array, Array]:
        assert delta.shape == (1, self.h), "a row, please"
        x, h = self.x[None], self.hidden[None]
        dz = delta * (self.hidden - self.n) * self.z * (1 - self.z)
        dn = delta * (1 - self.z) * (1 - self.n**2)
        dr = self.through_reset(dn)
        din = dn * self.r
        self.dWrx += dr.T @ x
        self.dWzx += dz.T @ x
        self.dWnx += dn.T @ x
        self.dWrh += dr.T @ h
        self.dWzh += dz.T @ h
        self.dWnh += din.T @ h
        self.dbrx += dr.reshape(-1)
        self.dbzx += dz.reshape(-1)
        self.dbnx += dn.reshape(-1)
        self.dbrh += dr.reshape(-1)
        self.dbzh += dz.reshape(-1)
        self.dbnh += din.reshape(-1)
        dx = dr @ self.Wrx + dz @ self.Wzx + dn @ self.Wnx
        dh_prev_t = delta * self.z + dr @ self.Wrh + dz @ self.Wzh + din @ self.Wnh
        return dx, dh_prev_t


class GRUCellResetInsideLost(GRUCell):
    """Wrong: the reset gate's gradient lacks what it multiplies."""

    def through_reset(self, dn: Array) -> Array:
        return dn * self.r * (1 - self.r)


class RNNCell:
    """Rows, and a backward that is handed the new state, the input and the old state once more."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(2)
        self.W_ih = rng.standard_normal((hidden_size, input_size))
        self.W_hh = rng.standard_normal((hidden_size, hidden_size))
        self.b_ih, self.b_hh = rng.standard_normal(hidden_size), rng.standard_normal(hidden_size)
        self.zero_grad()

    def zero_grad(self) -> None:
        self.dW_ih, self.dW_hh = np.zeros_like(self.W_ih), np.zeros_like(self.W_hh)
        self.db_ih, self.db_hh = np.zeros_like(self.b_ih), np.zeros_like(self.b_hh)

    def __call__(self, x: Array, h_prev_t: Array) -> Array:
        return self.forward(x, h_prev_t)

    def forward(self, x: Array, h_prev_t: Array) -> Array:
        return np.tanh(x @ self.W_ih.T + self.b_ih + h_prev_t @ self.W_hh.T + self.b_hh)

    def backward(self, delta: Array, h_t: Array, h_prev_l: Array, h_prev_t: Array) -> tuple[Array, Array]:
        dz = delta * (1 - h_t**2)
        self.dW_ih += dz.T @ h_prev_l
        self.dW_hh += dz.T @ h_prev_t
        self.db_ih += dz.sum(axis=0)
        self.db_hh += dz.sum(axis=0)
        return dz @ self.W_ih, dz @ self.W_hh


class RNNCellTransposed(RNNCell):
    """Wrong: the gradient of the old state goes through the transposed weights."""

    def backward(self, delta: Array, h_t: Array, h_prev_l: Array, h_prev_t: Array) -> tuple[Array, Array]:
        dx, _ = super().backward(delta, h_t, h_prev_l, h_prev_t)
        return dx, (delta * (1 - h_t**2)) @ self.W_hh.T


class ColumnsOverTime:
    """A list of columns goes in, states by the number of the step come out, the last one besides."""

    def __init__(self, vocab_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(3)
        self.Wxh, self.Whh = rng.standard_normal((hidden_size, vocab_size)), rng.standard_normal((hidden_size,) * 2)
        self.bh = np.zeros((hidden_size, 1))

    def forward(self, inputs: Any, hprev: Array) -> tuple[dict[int, Array], Array]:
        self.xs, hs = inputs, {-1: np.copy(hprev)}
        for t in range(len(inputs)):
            hs[t] = np.tanh(np.dot(self.Wxh, inputs[t]) + np.dot(self.Whh, hs[t - 1]) + self.bh)
        self.hs = hs
        assert hs[-1].shape[1:] == (1,)
        return hs, hs[len(inputs) - 1]

    def carry(self, dhraw: Array) -> Array:
        return np.dot(self.Whh.T, dhraw)

    def backward(self, dhs: Any, dhnext: Array) -> tuple[list[Array], Array, Array, Array, Array]:
        dWxh, dWhh, dbh = np.zeros_like(self.Wxh), np.zeros_like(self.Whh), np.zeros_like(self.bh)
        dxs: list[Array] = []
        for t in reversed(range(len(self.xs))):
            dh = dhs[t] + dhnext
            dhraw = (1 - self.hs[t] * self.hs[t]) * dh
            dbh += dhraw
            dWxh += np.dot(dhraw, self.xs[t].T)
            dWhh += np.dot(dhraw, self.hs[t - 1].T)
            dxs.insert(0, np.dot(self.Wxh.T, dhraw))
            dhnext = self.carry(dhraw)
        return dxs, dhnext, dWxh, dWhh, dbh


class ColumnsOverTimeNotTransposed(ColumnsOverTime):
    """Wrong: the recurrent weights are not transposed on the way back."""

    def carry(self, dhraw: Array) -> Array:
        return np.dot(self.Whh, dhraw)


RIGHT = ("GRUCell", "RNNCell", "ColumnsOverTime")
WRONG = {
    "GRUCellResetInsideLost": "gradients of the reset gate",
    "RNNCellTransposed": "initial hidden state",
    "ColumnsOverTimeNotTransposed": "backward",
}
