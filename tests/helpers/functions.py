"""Functions of one step as people write them, on NumPy, JAX and torch arrays, and objects around them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rnn_harness.array_types import Array


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def gru_step(x: Array, h: Array, W: Array, U: Array, b: Array) -> Array:
    """A GRU with gates z, r, g side by side; reset before."""
    d = h.shape[1]
    a, u = x @ W + b, h @ U
    z, r = sigmoid(a[:, :d] + u[:, :d]), sigmoid(a[:, d : 2 * d] + u[:, d : 2 * d])
    return z * h + (1 - z) * np.tanh(a[:, 2 * d :] + (r * h) @ U[:, 2 * d :])


def init_lstm(n: int, d: int) -> dict[str, Array]:
    rng = np.random.default_rng(0)
    return {"W": rng.standard_normal((n, 4 * d)), "U": rng.standard_normal((d, 4 * d)), "b": np.zeros(4 * d)}


def lstm_step(params: dict[str, Array], x: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
    """An LSTM that adds 1 to the forget gate."""
    h, c = state
    i, f, o, g = np.split(x @ params["W"] + h @ params["U"] + params["b"], 4, 1)
    c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def torch_gru(x: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
    """A GRU as torch computes it."""
    i_r, i_z, i_n = (x @ w_ih.T + b_ih).chunk(3, 1)
    h_r, h_z, h_n = (hx @ w_hh.T + b_hh).chunk(3, 1)
    z = torch.sigmoid(i_z + h_z)
    return (1 - z) * torch.tanh(i_n + torch.sigmoid(i_r + h_r) * h_n) + z * hx


def nothing(a: Array, b: Array) -> Array:
    """A function whose arguments are named like neither inputs nor states."""
    return a + b


class OneVector:
    """An RNN that takes one vector at a time and keeps its parameters in a dictionary."""

    def __init__(self, n_in: int, n_hidden: int) -> None:
        rng = np.random.default_rng(0)
        self.params = {"Wx": rng.standard_normal((n_hidden, n_in)), "Wh": rng.standard_normal((n_hidden, n_hidden))}

    def __call__(self, h: Array, x: Array) -> Array:
        if x.ndim != 1:
            raise ValueError("one vector, please")
        state: Array = np.tanh(self.params["Wx"] @ x + self.params["Wh"] @ h)
        return state
