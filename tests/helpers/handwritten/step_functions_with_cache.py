"""Pairs of functions with a cache, rows first, as in course assignments that end in ``_step_forward``."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_harness.array_types import Array

Cache = Any


def sigmoid(x: Array) -> Array:
    positive = x >= 0
    z = np.zeros_like(x)
    z[positive] = np.exp(-x[positive])
    z[~positive] = np.exp(x[~positive])
    top = np.ones_like(x)
    top[~positive] = z[~positive]
    return top / (1 + z)


def rnn_step_forward(x: Array, prev_h: Array, Wx: Array, Wh: Array, b: Array) -> tuple[Array, Cache]:
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
    return next_h, (x, prev_h, Wx, Wh, b, next_h)


def rnn_step_backward(dnext_h: Array, cache: Cache) -> tuple[Array, Array, Array, Array, Array]:
    x, prev_h, Wx, Wh, _, next_h = cache
    da = dnext_h * (1 - next_h**2)
    dx = da.dot(Wx.T)
    dWx = x.T.dot(da)
    dprev_h = da.dot(Wh.T)
    dWh = prev_h.T.dot(da)
    db = np.sum(da, axis=0)
    return dx, dprev_h, dWx, dWh, db


def rnn_step_backward_slope_of_input(dnext_h: Array, cache: Cache) -> tuple[Array, Array, Array, Array, Array]:
    """Wrong: the slope is 1 - h, not 1 - h^2."""
    x, prev_h, Wx, Wh, _, next_h = cache
    da = dnext_h * (1 - next_h)
    return da.dot(Wx.T), da.dot(Wh.T), x.T.dot(da), prev_h.T.dot(da), da.sum(0)


def rnn_step_backward_bias_of_rows(dnext_h: Array, cache: Cache) -> tuple[Array, Array, Array, Array, Array]:
    """Wrong: the bias gets the mean over the rows."""
    dx, dprev_h, dWx, dWh, _ = rnn_step_backward(dnext_h, cache)
    db = (dnext_h * (1 - cache[-1] ** 2)).mean(axis=0)
    return dx, dprev_h, dWx, dWh, db


def rnn_forward(x: Array, h0: Array, Wx: Array, Wh: Array, b: Array) -> tuple[Array, Cache]:
    N, T, _ = x.shape
    h = np.zeros((N, T, h0.shape[1]))
    prev_h, caches = h0, []
    for t in range(T):
        prev_h, cache = rnn_step_forward(x[:, t, :], prev_h, Wx, Wh, b)
        h[:, t, :] = prev_h
        caches.append(cache)
    return h, caches


def rnn_backward(dh: Array, cache: Cache) -> tuple[Array, Array, Array, Array, Array]:
    N, T, H = dh.shape
    D = cache[0][0].shape[1]
    dx, dprev = np.zeros((N, T, D)), np.zeros((N, H))
    dWx, dWh, db = np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    for t in reversed(range(T)):
        dx[:, t, :], dprev, dWx_t, dWh_t, db_t = rnn_step_backward(dh[:, t, :] + dprev, cache[t])
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    dh0 = dprev
    return dx, dh0, dWx, dWh, db


def rnn_backward_forgets_later_steps(dh: Array, cache: Cache) -> tuple[Array, Array, Array, Array, Array]:
    """Wrong: what comes from the later steps is not added."""
    N, T, H = dh.shape
    D = cache[0][0].shape[1]
    dx, dprev = np.zeros((N, T, D)), np.zeros((N, H))
    dWx, dWh, db = np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    for t in reversed(range(T)):
        dx[:, t, :], dprev, dWx_t, dWh_t, db_t = rnn_step_backward(dh[:, t, :], cache[t])
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    dh0 = dprev
    return dx, dh0, dWx, dWh, db


def lstm_step_forward(
    x: Array, prev_h: Array, prev_c: Array, Wx: Array, Wh: Array, b: Array
) -> tuple[Array, Array, Cache]:
    H = prev_h.shape[1]
    a = x @ Wx + prev_h @ Wh + b
    i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 2 * H : 3 * H])
    g = np.tanh(a[:, 3 * H :])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def lstm_step_backward(dnext_h: Array, dnext_c: Array, cache: Cache) -> tuple[Array, Array, Array, Array, Array, Array]:
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    tanh_c = np.tanh(next_c)
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    da = np.hstack(
        [dc * g * i * (1 - i), dc * prev_c * f * (1 - f), dnext_h * tanh_c * o * (1 - o), dc * i * (1 - g**2)]
    )
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(axis=0)


def lstm_step_backward_cell_path(
    dnext_h: Array, dnext_c: Array, cache: Cache
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Wrong: the cell state's own gradient does not go on to the gates, but to the previous cell state alone."""
    dx, dprev_h, _, dWx, dWh, db = lstm_step_backward(dnext_h, np.zeros_like(dnext_c), cache)
    f, o, next_c = cache[6], cache[7], cache[-1]
    dc = dnext_c + dnext_h * o * (1 - np.tanh(next_c) ** 2)
    return dx, dprev_h, dc * f, dWx, dWh, db


def lstm_forward(x: Array, h0: Array, Wx: Array, Wh: Array, b: Array) -> tuple[Array, Cache]:
    h = np.zeros((x.shape[0], x.shape[1], h0.shape[1]))
    prev_h, prev_c, cache = h0, np.zeros(h0.shape), []
    for t in range(x.shape[1]):
        prev_h, prev_c, step = lstm_step_forward(x[:, t], prev_h, prev_c, Wx, Wh, b)
        h[:, t] = prev_h
        cache.append(step)
    return h, cache


def lstm_backward(dh: Array, cache: Cache) -> tuple[Array, Array, Array, Array, Array]:
    N, T, H = dh.shape
    D = cache[0][0].shape[1]
    dx, dprev_h, dprev_c = np.zeros((N, T, D)), np.zeros((N, H)), np.zeros((N, H))
    dWx, dWh, db = np.zeros((D, 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H)
    for t in range(T - 1, -1, -1):
        dx[:, t], dprev_h, dprev_c, dWx_t, dWh_t, db_t = lstm_step_backward(dh[:, t] + dprev_h, dprev_c, cache[t])
        dWx, dWh, db = dWx + dWx_t, dWh + dWh_t, db + db_t
    return dx, dprev_h, dWx, dWh, db


def lstm_backward_restarts_cell(dh: Array, cache: Cache) -> tuple[Array, Array, Array, Array, Array]:
    """Wrong: the gradient of the cell state is zero again at every step."""
    N, T, H = dh.shape
    D = cache[0][0].shape[1]
    dx, dprev_h, none = np.zeros((N, T, D)), np.zeros((N, H)), np.zeros((N, H))
    dWx, dWh, db = np.zeros((D, 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H)
    for t in range(T - 1, -1, -1):
        dx[:, t], dprev_h, _, dWx_t, dWh_t, db_t = lstm_step_backward(dh[:, t] + dprev_h, none, cache[t])
        dWx, dWh, db = dWx + dWx_t, dWh + dWh_t, db + db_t
    return dx, dprev_h, dWx, dWh, db


def gru_step_forward(
    x: Array, h_prev: Array, Wz: Array, Wr: Array, Wn: Array, Uz: Array, Ur: Array, Un: Array, bz: Array, br: Array,
    bn: Array,
) -> tuple[Array, Cache]:  # fmt: skip
    z = sigmoid(x @ Wz + h_prev @ Uz + bz)
    r = sigmoid(x @ Wr + h_prev @ Ur + br)
    n = np.tanh(x @ Wn + (r * h_prev) @ Un + bn)
    return (1 - z) * h_prev + z * n, (x, h_prev, z, r, n, Wz, Wr, Wn, Uz, Ur, Un)


def gru_step_backward(dh: Array, cache: Cache) -> dict[str, Array]:
    x, h, z, r, n, Wz, Wr, Wn, Uz, Ur, Un = cache
    dan = dh * z * (1 - n * n)
    daz = dh * (n - h) * z * (1 - z)
    drh = dan @ Un.T
    dar = drh * h * r * (1 - r)
    grads = {"Wz": x.T @ daz, "Wr": x.T @ dar, "Wn": x.T @ dan, "bz": daz.sum(0), "br": dar.sum(0), "bn": dan.sum(0)}
    grads |= {"Uz": h.T @ daz, "Ur": h.T @ dar, "Un": (r * h).T @ dan}
    grads["x"] = daz @ Wz.T + dar @ Wr.T + dan @ Wn.T
    grads["h_prev"] = dh * (1 - z) + drh * r + daz @ Uz.T + dar @ Ur.T
    return grads


def gru_step_backward_reset_forgotten(dh: Array, cache: Cache) -> dict[str, Array]:
    """Wrong: the recurrent weights of the candidate get h for r h."""
    grads = gru_step_backward(dh, cache)
    _, h, z, _, n, *_ = cache
    return {**grads, "Un": h.T @ (dh * z * (1 - n * n))}


def gru_step_backward_exchanged(dh: Array, cache: Cache) -> dict[str, Array]:
    """Wrong: the gradients of the update and the reset gate are exchanged."""
    grads = gru_step_backward(dh, cache)
    return {**grads, "Wz": grads["Wr"], "Wr": grads["Wz"]}


RIGHT = (
    "rnn_step_forward",
    "rnn_forward",
    "lstm_step_forward",
    "lstm_forward",
    "gru_step_forward",
    "rnn_step_forward,rnn_step_backward",
)
WRONG = {
    "rnn_step_forward,rnn_step_backward_slope_of_input": "backward: gradients of the state",
    "rnn_step_forward,rnn_step_backward_bias_of_rows": "gradient of the bias",
    "rnn_forward,rnn_backward_forgets_later_steps": "backward, over time",
    "lstm_step_forward,lstm_step_backward_cell_path": "backward",
    "lstm_forward,lstm_backward_restarts_cell": "backward, over time",
    "gru_step_forward,gru_step_backward_reset_forgotten": "recurrent weights of the candidate",
    "gru_step_forward,gru_step_backward_exchanged": "input weights of the update gate and the reset gate",
}
