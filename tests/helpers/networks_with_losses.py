"""Networks of NumPy whose backward takes outputs and a target, and losses of one flat vector and its sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_harness.array_types import Array


class Columns:
    """Outputs (k, B) of every step, as a list, with squared errors."""

    def __init__(self, n_in: int, n_hid: int, n_out: int) -> None:
        rng = np.random.default_rng(0)
        self.W_in, self.W_rec = rng.standard_normal((n_hid, n_in)), rng.standard_normal((n_hid, n_hid))
        self.b_rec, self.W_out = rng.standard_normal((n_hid, 1)), rng.standard_normal((n_out, n_hid))

    def forward(self, X: list[Array]) -> list[Array]:  # as people write it
        self.X, self.H = X, [np.zeros((len(self.W_rec), X[0].shape[1]))]
        for x in X:
            self.H.append(np.tanh(self.W_in @ x + self.W_rec @ self.H[-1] + self.b_rec))
        return [self.W_out @ h for h in self.H[1:]]

    def loss(self, Y: list[Array], targets: list[Array]) -> float:
        return sum(0.5 * float(np.sum((y - t) ** 2)) for y, t in zip(Y, targets, strict=True))

    def joined(self, sum_of_steps: Array, step: Array) -> Array:
        """Add the gradient of a step to that of the steps after it."""
        return sum_of_steps + step

    def backward(self, Y: list[Array], targets: list[Array]) -> dict[str, Array]:
        names = ("W_in", "W_rec", "b_rec", "W_out")
        g = {name: np.zeros_like(getattr(self, name)) for name in names}
        carry = np.zeros_like(self.H[0])
        for t in reversed(range(len(Y))):
            e = Y[t] - targets[t]
            g["W_out"] += e @ self.H[t + 1].T
            delta = (self.W_out.T @ e + carry) * (1 - self.H[t + 1] ** 2)
            g["W_in"] += delta @ self.X[t].T
            g["W_rec"] += delta @ self.H[t].T
            g["b_rec"] = self.joined(g["b_rec"], delta.sum(1, keepdims=True))
            carry = self.W_rec.T @ delta
        return g


class ColumnsOfOneStep(Columns):
    """The gradient of the bias is that of the first step alone."""

    def joined(self, sum_of_steps: Array, step: Array) -> Array:
        """Forget the steps after it."""
        return step


class Classes:
    """Probabilities (B, T, C) with the number of a class for each step; the gradient is kept by the loss."""

    factor = 1.0

    def __init__(self, D: int, H: int, C: int) -> None:
        rng = np.random.default_rng(1)
        self.params = {
            "Wx": rng.standard_normal((D, H)),
            "Wh": rng.standard_normal((H, H)),
            "Wy": rng.standard_normal((H, C)),
        }

    def forward(self, x: Array) -> Array:
        self.x, self.hs = x, [np.zeros((len(x), len(self.params["Wh"])))]
        for t in range(x.shape[1]):
            self.hs.append(np.tanh(x[:, t] @ self.params["Wx"] + self.hs[-1] @ self.params["Wh"]))
        scores = np.exp(np.stack(self.hs[1:], 1) @ self.params["Wy"])
        probabilities: Array = scores / scores.sum(-1, keepdims=True)
        return probabilities

    def cross_entropy(self, probs: Array, labels: Array) -> float:
        ones = np.eye(probs.shape[-1])[labels]
        self.d_scores = (probs - ones) / labels.size
        return -float(np.log((probs * ones).sum(-1)).mean())

    def backward(self) -> dict[str, Array]:
        grads = {name: np.zeros_like(value) for name, value in self.params.items()}
        d_h: Any = 0
        for t in reversed(range(self.x.shape[1])):
            grads["Wy"] += self.hs[t + 1].T @ self.d_scores[:, t]
            d_a = (self.d_scores[:, t] @ self.params["Wy"].T + d_h) * (1 - self.factor * self.hs[t + 1] ** 2)
            grads["Wx"] += self.x[:, t].T @ d_a
            grads["Wh"] += self.hs[t].T @ d_a
            d_h = d_a @ self.params["Wh"].T
        return grads


class ClassesOfWrongSlope(Classes):
    """The slope of tanh is wrong."""

    factor = 0.5


def _cut(theta: Array, sizes: tuple[int, int, int]) -> tuple[Array, ...]:
    h, n, k = sizes
    ends = np.cumsum([h * n, h * h, h])
    w, u, b = (theta[start:end] for start, end in zip((0, *ends), ends, strict=False))
    return w.reshape(h, n), u.reshape(h, h), b, theta[ends[2] :].reshape(k, h)


def cost(theta: Array, sizes: tuple[int, int, int], X: Array, y: int, share: float = 1.0) -> Any:
    """The cross entropy of a class of a sequence (T, n), and its gradient."""
    w, u, b, v = _cut(theta, sizes)
    hs = [np.zeros(sizes[0])]
    for x in X:
        hs.append(np.tanh(w @ x + u @ hs[-1] + b))
    p = np.exp(v @ hs[-1])
    p /= p.sum()
    d = p - np.eye(sizes[2])[y]
    g_v, g_w, g_u, g_b = np.outer(d, hs[-1]), np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    d_h = v.T @ d
    for t in reversed(range(len(X))):
        d_a = d_h * (1 - hs[t + 1] ** 2)
        g_w += np.outer(d_a, X[t])
        g_u += np.outer(d_a, hs[t])
        g_b += d_a
        d_h = share * u.T @ d_a
    return -np.log(p[y]), np.concatenate([g_w.ravel(), g_u.ravel(), g_b, g_v.ravel()])


def cost_that_forgets(theta: Array, sizes: tuple[int, int, int], X: Array, y: int) -> Any:
    """The same, with half of the gradient from step to step."""
    return cost(theta, sizes, X, y, 0.5)


def gap_step(x: Array, m: Array, delta: Array, x_last: Array, h: Array, params: dict[str, Array]) -> Array:
    """A cell for series with gaps."""
    h = h * np.exp(-np.maximum(0, delta @ params["decay"]))
    seen = m * x + (1 - m) * x_last
    new_state: Array = np.tanh(seen @ params["W"] + h @ params["U"] + m @ params["V"])
    return new_state


class GapLayer:
    """The same over a sequence (B, T, n), which keeps what it saw last."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(2)
        self.W, self.V = rng.standard_normal((2, input_size, hidden_size)) / 2
        self.U = rng.standard_normal((hidden_size, hidden_size)) / 2

    def step(self, x: Array, m: Array, x_last: Array, h: Array) -> Array:
        state: Array = np.tanh((m * x + (1 - m) * x_last) @ self.W + h @ self.U + m @ self.V)
        return state

    def forward(self, X: Array, M: Array, h0: Array | None = None) -> tuple[Array, Array]:
        h = np.zeros((len(X), len(self.U))) if h0 is None else h0
        last, outputs = np.zeros_like(X[:, 0]), []
        for t in range(X.shape[1]):
            h = self.step(X[:, t], M[:, t], last, h)
            last = M[:, t] * X[:, t] + (1 - M[:, t]) * last
            outputs.append(h)
        return np.stack(outputs, 1), h
