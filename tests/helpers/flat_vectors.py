"""Elman networks on one flat vector of parameters, or on a dictionary, with gradients that run forward again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
N_IN, N_HID = 4, 6


def parts(theta: Array, n: int, d: int) -> tuple[Array, Array, Array]:
    """Cut the vector into the three arrays of the network."""
    W = theta[: d * n].reshape(d, n)
    U = theta[d * n : d * n + d * d].reshape(d, d)
    return W, U, theta[d * n + d * d :]


def states(W: Array, U: Array, b: Array, xs: Array, h0: Array) -> Array:
    """Give the states of all steps (T, d)."""
    rows, h = [], h0
    for x in xs:
        h = np.tanh(W @ x + U @ h + b)
        rows.append(h)
    return np.stack(rows)


def gradients_of(W: Array, U: Array, b: Array, xs: Array, h0: Array, dhs: Array, kept: Array | None = None) -> Any:
    """Give the gradients of W, U, b, xs and h0; `kept` stands in the place of h0 where it is given."""
    hs = states(W, U, b, xs, h0)
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    dxs, dh = np.zeros_like(xs), np.zeros_like(h0)
    for step in reversed(range(len(xs))):
        da = (dhs[step] + dh) * (1 - hs[step] ** 2)
        dW += np.outer(da, xs[step])
        dU += np.outer(da, hs[step - 1] if step else h0 if kept is None else kept)
        db += da
        dxs[step], dh = W.T @ da, U.T @ da
    return dW, dU, db, dxs, dh


def forward(theta: Array, xs: Array, h0: Array) -> Array:
    """Give the states, for sizes that the arguments show."""
    return states(*parts(theta, xs.shape[1], h0.shape[0]), xs, h0)


def gradients(theta: Array, xs: Array, h0: Array, dhs: Array) -> tuple[Array, Array, Array]:
    """Give the gradients of the vector, the inputs and the first state."""
    dW, dU, db, dxs, dh = gradients_of(*parts(theta, xs.shape[1], h0.shape[0]), xs, h0, dhs)
    return np.concatenate([dW.ravel(), dU.ravel(), db]), dxs, dh


def gradients_without_first_state(theta: Array, xs: Array, h0: Array, dhs: Array) -> tuple[Array, Array, Array]:
    """Take zeros for the first state in the gradient of the recurrent weights."""
    cut = parts(theta, xs.shape[1], h0.shape[0])
    dW, dU, db, dxs, dh = gradients_of(*cut, xs, h0, dhs, np.zeros_like(h0))
    return np.concatenate([dW.ravel(), dU.ravel(), db]), dxs, dh


def init_theta(seed: int = 0) -> Array:
    """Make the vector for the sizes of this module."""
    return 0.3 * np.random.default_rng(seed).standard_normal(N_HID * N_IN + N_HID * N_HID + N_HID)


def forward_of_one_size(theta: Array, xs: Array, h0: Array) -> Array:
    """Give the states, for the sizes of this module."""
    return states(*parts(theta, N_IN, N_HID), xs, h0)


def gradients_of_one_size(theta: Array, xs: Array, h0: Array, dhs: Array) -> tuple[Array, Array, Array]:
    """Give the gradients of what `forward_of_one_size` gives."""
    dW, dU, db, dxs, dh = gradients_of(*parts(theta, N_IN, N_HID), xs, h0, dhs)
    return np.concatenate([dW.ravel(), dU.ravel(), db]), dxs, dh


def forward_of_dictionary(params: dict[str, Array], xs: Array, h0: Array) -> Array:
    """Give the states, with the parameters in a dictionary."""
    return states(params["W"], params["U"], params["b"], xs, h0)


def gradients_of_dictionary(
    params: dict[str, Array], xs: Array, h0: Array, hs: Array, dhs: Array
) -> tuple[dict[str, Array], Array, Array]:
    """Take the states of all steps, too, and give the gradients of the dictionary, the inputs and the first state."""
    dW, dU, db, dxs, dh = gradients_of(params["W"], params["U"], params["b"], xs, h0, dhs)
    return {"W": dW, "U": dU, "b": db * (1 + 0 * hs[0])}, dxs, dh
