"""Objects as people write them for themselves: gates that are objects, gradients under any name, states kept inside."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_harness.array_types import Array


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


class Gate:
    """A gate on [h, x] with its own weights and gradients."""

    def __init__(self, inputs: int, outputs: int, seed: int, activation: str = "sigmoid") -> None:
        self.W = np.random.default_rng(seed).standard_normal((inputs, outputs))
        self.b = np.zeros(outputs)
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)
        self.activation = activation

    def forward(self, z: Array) -> Array:
        self.z, a = z, z @ self.W + self.b
        self.out = sigmoid(a) if self.activation == "sigmoid" else np.tanh(a)
        return self.out

    def slope(self) -> Array:
        return self.out * (1 - self.out) if self.activation == "sigmoid" else 1 - self.out**2

    def backward(self, d: Array) -> Array:
        da = d * self.slope()
        self.dW += self.z.T @ da
        self.db += da.sum(0)
        return da @ self.W.T


class GateObjectsLSTM:
    """Four gates that are objects."""

    gate = Gate

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        width = input_dim + hidden_dim
        self.f, self.i = self.gate(width, hidden_dim, 1), self.gate(width, hidden_dim, 2)
        self.o, self.g = self.gate(width, hidden_dim, 3), self.gate(width, hidden_dim, 4, "tanh")
        self.hidden_dim = hidden_dim

    def forward(self, x: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        h, self.c_old = state
        z = np.concatenate([h, x], axis=1)
        self.c = self.f.forward(z) * self.c_old + self.i.forward(z) * self.g.forward(z)
        self.tanh_c = np.tanh(self.c)
        return self.o.forward(z) * self.tanh_c, self.c

    def backward(self, d_state: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        dh, dc = d_state
        dc = dc + dh * self.o.out * (1 - self.tanh_c**2)
        dz = self.o.backward(dh * self.tanh_c) + self.f.backward(dc * self.c_old)
        dz = dz + self.i.backward(dc * self.g.out) + self.g.backward(dc * self.i.out)
        return dz[:, self.hidden_dim :], (dz[:, : self.hidden_dim], dc * self.f.out)


class GateWithHalfBias(Gate):
    def backward(self, d: Array) -> Array:
        dz = super().backward(d)
        self.db /= 2
        return dz


class GateObjectsHalfBias(GateObjectsLSTM):
    """Wrong: every gate halves the gradient of its bias."""

    gate = GateWithHalfBias


class UnusualNames:
    """Gradients as ``W_grad``, returned in an order of their own, the state's before the input's."""

    def __init__(self, n_in: int, n_hidden: int) -> None:
        rng = np.random.default_rng(5)
        self.kernel, self.recurrent_kernel = rng.standard_normal((n_in, n_hidden)), rng.standard_normal((n_hidden,) * 2)
        self.bias = np.zeros((1, n_hidden))

    def fprop(self, inputs: Array, prev: Array) -> Array:
        self.inputs, self.prev = inputs, prev
        self.out = np.tanh(inputs @ self.kernel + prev @ self.recurrent_kernel + self.bias)
        return self.out

    def bprop(self, upstream: Array) -> tuple[Array, Array]:
        g = upstream * (1 - self.out**2)
        self.kernel_grad = self.inputs.T @ g
        self.recurrent_kernel_grad = self.prev.T @ g
        self.bias_grad = g.sum(0, keepdims=True)
        return g @ self.recurrent_kernel.T, g @ self.kernel.T


class UnusualNamesNegated(UnusualNames):
    """Wrong: a gradient has the wrong sign."""

    def bprop(self, upstream: Array) -> tuple[Array, Array]:
        gradients = super().bprop(upstream)
        self.kernel_grad = -self.kernel_grad
        return gradients


class UnusualNamesTransposed(UnusualNames):
    """Wrong: a gradient is stored with its axes exchanged."""

    def bprop(self, upstream: Array) -> tuple[Array, Array]:
        gradients = super().bprop(upstream)
        self.kernel_grad = self.kernel_grad.T
        return gradients


class StateInside:
    """The state is an attribute, set from outside, replaced by every call."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(6)
        self.Wf, self.Uf = rng.standard_normal((input_size, hidden_size)), rng.standard_normal((hidden_size,) * 2)
        self.h = np.zeros((1, hidden_size))

    def step(self, x: Array) -> Array:
        self.x, self.h_old = x, self.h
        self.h = np.tanh(x @ self.Wf + self.h @ self.Uf)
        return self.h

    def backward(self, grad_h: Array) -> tuple[Array, dict[str, Array]]:
        a = grad_h * (1 - self.h**2)
        self.grad_h_old = a @ self.Uf.T
        return a @ self.Wf.T, {"Wf": self.x.T @ a, "Uf": self.h_old.T @ a}


class CellAndHiddenReversed:
    """The cell state comes first everywhere; nothing that is returned has a name."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        self.W = np.random.default_rng(7).standard_normal((input_size + hidden_size, 4 * hidden_size))
        self.b = np.zeros(4 * hidden_size)
        self.size = input_size

    def forward(self, x: Array, c: Array, h: Array) -> tuple[Array, Array, Any]:
        z = np.hstack([x, h])
        i, f, o, g = np.split(z @ self.W + self.b, 4, axis=1)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        new = f * c + i * g
        return new, o * np.tanh(new), (z, c, i, f, o, g, new)

    def backward(self, d_c: Array, d_h: Array, cache: Any) -> tuple[Array, ...]:
        z, c, i, f, o, g, new = cache
        t = np.tanh(new)
        dc = d_c + d_h * o * (1 - t * t)
        a = np.hstack([dc * g * i * (1 - i), dc * c * f * (1 - f), d_h * t * o * (1 - o), dc * i * (1 - g * g)])
        dz = a @ self.W.T
        return z.T @ a, a.sum(0), dz[:, : self.size], dz[:, self.size :], dc * f


class CellAndHiddenReversedNoForget(CellAndHiddenReversed):
    """Wrong: the gradient goes past the forget gate."""

    def backward(self, d_c: Array, d_h: Array, cache: Any) -> tuple[Array, ...]:
        dW, db, dx, dh, dc = super().backward(d_c, d_h, cache)
        return dW, db, dx, dh, dc / cache[3]


RIGHT = ("GateObjectsLSTM", "UnusualNames", "StateInside", "CellAndHiddenReversed")
WRONG = {
    "GateObjectsHalfBias": "bias",
    "UnusualNamesNegated": "gradient of the input weights",
    "UnusualNamesTransposed": "the gradient of kernel has shape",
    "CellAndHiddenReversedNoForget": "initial cell state",
}
