"""Pairs of NumPy functions that give no states: predictions of every step, and the states of two directions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def init_params(n_in: int, n_hid: int, n_out: int) -> dict[str, Array]:
    """Make the parameters of the pairs with predictions."""
    rng = np.random.default_rng(0)
    shapes = {"Wx": (n_in, n_hid), "Wh": (n_hid, n_hid), "b": (n_hid,), "Wy": (n_hid, n_out)}
    return {name: rng.normal(0, 0.4, shape) for name, shape in shapes.items()}


def scores(params: dict[str, Array], x: Array, h0: Array) -> tuple[Array, Any]:
    """Give the scores (T, B, y) of every step, and a cache."""
    states = [h0]
    for row in x:
        states.append(np.tanh(row @ params["Wx"] + states[-1] @ params["Wh"] + params["b"]))
    return np.stack([h @ params["Wy"] for h in states[1:]]), (params, x, states)


def scores_backward(dy: Array, cache: Any) -> tuple[dict[str, Array], Array, Array]:
    """Give the gradients of parameters, inputs and the first state."""
    return _scores_backward(dy, cache, mean=False)


def mean_scores(params: dict[str, Array], x: Array, h0: Array) -> tuple[Array, Any]:
    """Give what `scores` gives."""
    return scores(params, x, h0)


def mean_scores_backward(dy: Array, cache: Any) -> tuple[dict[str, Array], Array, Array]:
    """Average the bias over the rows, where the other gradients add them."""
    return _scores_backward(dy, cache, mean=True)


def stale_scores(params: dict[str, Array], x: Array, h0: Array) -> tuple[Array, Any]:
    """Give what `scores` gives."""
    return scores(params, x, h0)


def stale_scores_backward(dy: Array, cache: Any) -> tuple[dict[str, Array], Array, Array]:
    """Give the gradient of the first step's state for that of the state before it."""
    gradients, dx, dh = _scores_backward(dy, cache, mean=False)
    return gradients, dx, dh * (1 - cache[2][1] ** 2)


def _scores_backward(dy: Array, cache: Any, *, mean: bool) -> tuple[dict[str, Array], Array, Array]:
    params, x, states = cache
    gradients = {name: np.zeros_like(value) for name, value in params.items()}
    dx, dh = np.zeros_like(x), np.zeros_like(states[0])
    for step in reversed(range(len(x))):
        gradients["Wy"] += states[step + 1].T @ dy[step]
        da = (dh + dy[step] @ params["Wy"].T) * (1 - states[step + 1] ** 2)
        gradients["Wx"] += x[step].T @ da
        gradients["Wh"] += states[step].T @ da
        gradients["b"] += da.mean(0) if mean else da.sum(0)
        dx[step] = da @ params["Wx"].T
        dh = da @ params["Wh"].T
    return gradients, dx, dh


def both_forward(x: Array, Wf: Array, Uf: Array, Wb: Array, Ub: Array) -> tuple[Array, Any]:
    """Give the states of both directions side by side (T, B, 2d), and a cache."""
    ahead, behind = _states(x, Wf, Uf), _states(x[::-1], Wb, Ub)
    return np.concatenate([ahead, behind[::-1]], -1), (x, ahead, behind, Wf, Uf, Wb, Ub)


def both_backward(dy: Array, cache: Any) -> tuple[Array, ...]:
    """Give the gradients of the inputs and of all weights."""
    x, ahead, behind, *weights = cache
    d = ahead.shape[-1]
    dx, *first = _direction_backward(dy[..., :d], x, ahead, *weights[:2])
    dx_behind, *second = _direction_backward(dy[::-1, :, d:], x[::-1], behind, *weights[2:])
    return (dx + dx_behind[::-1], *first, *second)


def unturned_forward(x: Array, Wf: Array, Uf: Array, Wb: Array, Ub: Array) -> tuple[Array, Any]:
    """Leave the second direction in the order in which it was computed."""
    ahead, behind = _states(x, Wf, Uf), _states(x[::-1], Wb, Ub)
    return np.concatenate([ahead, behind], -1), (x, ahead, behind, Wf, Uf, Wb, Ub)


def unturned_backward(dy: Array, cache: Any) -> tuple[Array, ...]:
    """Give the gradients of what `unturned_forward` gives."""
    d = cache[1].shape[-1]
    return both_backward(np.concatenate([dy[..., :d], dy[::-1, :, d:]], -1), cache)


def _states(x: Array, W: Array, U: Array) -> Array:
    h, states = np.zeros((x.shape[1], U.shape[0])), []
    for row in x:
        h = np.tanh(row @ W + h @ U)
        states.append(h)
    return np.stack(states)


def _direction_backward(dy: Array, x: Array, states: Array, W: Array, U: Array) -> tuple[Array, Array, Array]:
    dx, dW, dU, dh = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U), np.zeros_like(states[0])
    for step in reversed(range(len(x))):
        da = (dy[step] + dh) * (1 - states[step] ** 2)
        dW += x[step].T @ da
        dU += states[step - 1].T @ da if step else 0
        dx[step], dh = da @ W.T, da @ U.T
    return dx, dW, dU


class Batched:
    """A class that is only a name for its functions: one weight, whose first row is the bias."""

    @staticmethod
    def init(input_size: int, hidden_size: int) -> Array:
        """Make the weight."""
        return np.random.default_rng(0).normal(0, 0.4, (input_size + hidden_size + 1, hidden_size))

    @staticmethod
    def forward(X: Array, WRNN: Array, h0: Array | None = None) -> tuple[Array, Array, dict[str, Array]]:
        """Give the states of all steps, the last one, and a cache."""
        h = np.zeros((X.shape[1], WRNN.shape[1])) if h0 is None else h0
        joined, states = [], []
        for row in X:
            joined.append(np.concatenate([np.ones((len(row), 1)), row, h], 1))
            h = np.tanh(joined[-1] @ WRNN)
            states.append(h)
        return np.stack(states), h, {"W": WRNN, "joined": np.stack(joined), "states": np.stack(states)}

    @staticmethod
    def backward(dH: Array, cache: dict[str, Array], dhn: Array | None = None) -> tuple[Array, Array, Array]:
        """Give the gradients of the inputs, of the weight and of the first state."""
        return _batched_backward(dH, cache, dhn, 1.0)


class WrongBatched(Batched):
    """Half of the gradient of the step before is lost."""

    @staticmethod
    def forward(X: Array, WRNN: Array, h0: Array | None = None) -> tuple[Array, Array, dict[str, Array]]:
        """Give what `Batched.forward` gives."""
        return Batched.forward(X, WRNN, h0)

    @staticmethod
    def backward(dH: Array, cache: dict[str, Array], dhn: Array | None = None) -> tuple[Array, Array, Array]:
        """Give gradients of which half is lost on the way back."""
        return _batched_backward(dH, cache, dhn, 0.5)


def _batched_backward(
    dy: Array, cache: dict[str, Array], dh_last: Array | None, share: float
) -> tuple[Array, Array, Array]:
    weight, joined, states = cache["W"], cache["joined"], cache["states"]
    d = states.shape[-1]
    dh = np.zeros_like(states[0]) if dh_last is None else dh_last
    gradient, dx = np.zeros_like(weight), np.zeros((*joined.shape[:2], joined.shape[2] - d - 1))
    for step in reversed(range(len(joined))):
        da = (dy[step] + dh) * (1 - states[step] ** 2)
        gradient += joined[step].T @ da
        dx[step], dh = (da @ weight.T)[:, 1:-d], share * (da @ weight.T)[:, -d:]
    return dx, gradient, dh
