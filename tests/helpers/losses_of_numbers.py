"""Losses of sequences of numbers with their gradients: squared errors of every step, classes of whole sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def init_params(input_size: int, hidden_size: int, output_size: int) -> dict[str, Array]:
    """Make the parameters of a network with squared errors."""
    rng = np.random.default_rng(0)
    shapes = {
        "W": (input_size, hidden_size),
        "U": (hidden_size, hidden_size),
        "b": (hidden_size,),
        "V": (hidden_size, output_size),
    }
    return {name: 0.3 * rng.standard_normal(shape) for name, shape in shapes.items()}


def squared_error(params: dict[str, Array], inputs: Array, targets: Array) -> tuple[float, dict[str, Array]]:
    """Give the mean squared error of all steps (B, T, m), and the gradients."""
    return _squared_error(params, inputs, targets, lambda states, step: states[step])


def squared_error_of_next_states(
    params: dict[str, Array], inputs: Array, targets: Array
) -> tuple[float, dict[str, Array]]:
    """Take the next state for the one before in the gradient of the recurrent weights."""
    return _squared_error(params, inputs, targets, lambda states, step: states[step + 1])


def _squared_error(
    params: dict[str, Array], inputs: Array, targets: Array, chosen: Callable[[list[Array], int], Array]
) -> tuple[float, dict[str, Array]]:
    states = [np.zeros((len(inputs), len(params["U"])))]
    steps = range(inputs.shape[1])
    for step in steps:
        states.append(np.tanh(inputs[:, step] @ params["W"] + states[-1] @ params["U"] + params["b"]))
    errors = np.stack([state @ params["V"] for state in states[1:]], 1) - targets
    gradients = {name: np.zeros_like(value) for name, value in params.items()}
    dh = np.zeros_like(states[0])
    for step in reversed(steps):
        dy = 2 * errors[:, step] / errors.size
        gradients["V"] += states[step + 1].T @ dy
        da = (dh + dy @ params["V"].T) * (1 - states[step + 1] ** 2)
        gradients["W"] += inputs[:, step].T @ da
        gradients["U"] += chosen(states, step).T @ da
        gradients["b"] += da.sum(0)
        dh = da @ params["U"].T
    return float((errors**2).mean()), gradients


def loss_of_classes(X: Array, labels: Any, Wx: Array, Wh: Array, Wy: Array) -> tuple[float, Array, Array, Array]:
    """Give the cross entropy of one class for each row of (T, B, n), and the gradients of the weights."""
    loss, dWx, dWh, dWy = _loss_of_classes(X, labels, Wx, Wh, Wy, slope=1.0)
    return loss, dWx, dWh, dWy


def loss_of_classes_without_slope(
    X: Array, labels: Any, Wx: Array, Wh: Array, Wy: Array
) -> tuple[float, Array, Array, Array]:
    """Forget the slope of tanh on the way back."""
    loss, dWx, dWh, dWy = _loss_of_classes(X, labels, Wx, Wh, Wy, slope=0.0)
    return loss, dWx, dWh, dWy


def _loss_of_classes(
    X: Array, labels: Any, Wx: Array, Wh: Array, Wy: Array, slope: float
) -> tuple[float, Array, Array, Array]:
    states = [np.zeros((X.shape[1], len(Wh)))]
    for row in X:
        states.append(np.tanh(row @ Wx + states[-1] @ Wh))
    scores = states[-1] @ Wy
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    every = np.arange(len(shares))
    dy = shares.copy()
    dy[every, labels] -= 1
    dWx, dWh, dWy = np.zeros_like(Wx), np.zeros_like(Wh), states[-1].T @ dy
    dh = dy @ Wy.T
    for step in reversed(range(len(X))):
        da = dh * (1 - slope * states[step + 1] ** 2)
        dWx += X[step].T @ da
        dWh += states[step].T @ da
        dh = da @ Wh.T
    return float(-np.log(shares[every, labels]).sum()), dWx, dWh, dWy


def init_theta(n: int, d: int, m: int) -> Array:
    """Make the vector of a network whose hidden size is to be found from its length."""
    return 0.3 * np.random.default_rng(0).standard_normal(d * n + d * d + m * d)


def loss_of_vector(theta: Array, xs: Array, ys: Array) -> tuple[float, Array]:
    """Give half the squared errors of all steps, and the gradient of the vector."""
    return _loss_of_vector(theta, xs, ys, turned=True)


def loss_of_vector_on_the_wrong_side(theta: Array, xs: Array, ys: Array) -> tuple[float, Array]:
    """Go back through the recurrent weights without turning them."""
    return _loss_of_vector(theta, xs, ys, turned=False)


def _loss_of_vector(theta: Array, xs: Array, ys: Array, turned: bool) -> tuple[float, Array]:
    n, m = xs.shape[1], ys.shape[1]
    d = round((np.sqrt((n + m) ** 2 + 4 * theta.size) - (n + m)) / 2)
    W, U, V = (
        part.reshape(shape)
        for part, shape in zip(np.split(theta, [d * n, d * n + d * d]), [(d, n), (d, d), (m, d)], strict=True)
    )
    states = [np.zeros(d)]
    for x in xs:
        states.append(np.tanh(W @ x + U @ states[-1]))
    errors = np.stack(states[1:]) @ V.T - ys
    dW, dU, dV, dh = np.zeros_like(W), np.zeros_like(U), errors.T @ np.stack(states[1:]), np.zeros(d)
    for step in reversed(range(len(xs))):
        da = (dh + V.T @ errors[step]) * (1 - states[step + 1] ** 2)
        dW += np.outer(da, xs[step])
        dU += np.outer(da, states[step])
        dh = (U.T if turned else U) @ da
    return 0.5 * float((errors**2).sum()), np.concatenate([dW.ravel(), dU.ravel(), dV.ravel()])
