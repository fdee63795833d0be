"""Right cells as functions whose parameters have unusual names, structures and shapes."""

from __future__ import annotations

from typing import Any

import numpy as np


def _s(v: Any) -> Any:
    return 1 / (1 + np.exp(-v))


def keys_made_in_a_loop(xs: Any, h: Any, c: Any, p: Any) -> Any:
    """An LSTM with keys such as ``Wi``, which no text of the function holds."""
    ys = []
    for x in xs:
        a = {g: x @ p["W" + g] + h @ p["U" + g] + p["b" + g] for g in "ifog"}
        c = _s(a["f"]) * c + _s(a["i"]) * np.tanh(a["g"])
        h = _s(a["o"]) * np.tanh(c)
        ys.append(h)
    return np.array(ys), c


def rows_of_peepholes(xs: Any, K: Any, P: Any) -> Any:
    """A peephole LSTM: K (4d, n + d + 1) with its bias, P (3, d); the states start at zero."""
    d = P.shape[1]
    y, c, ys = np.zeros((xs.shape[1], d)), np.zeros((xs.shape[1], d)), []
    for x in xs:
        a = np.hstack([x, y, np.ones((len(x), 1))]) @ K.T
        i, f = _s(a[:, :d] + P[0] * c), _s(a[:, d : 2 * d] + P[1] * c)
        c = f * c + i * np.tanh(a[:, 3 * d :])
        y = _s(a[:, 2 * d : 3 * d] + P[2] * c) * np.tanh(c)
        ys.append(y)
    return np.array(ys), c


def nested_pairs(x: Any, h: Any, W: Any, b: Any, norms: Any) -> Any:
    """A cell with layer norms, each with a gain and a shift, in a tuple of pairs."""
    (g1, s1), (g2, s2) = norms
    a = np.hstack([x, h]) @ W + b
    a = (a - a.mean(-1, keepdims=True)) / np.sqrt(a.var(-1, keepdims=True) + 1e-5) * g1 + s1
    d = h.shape[1]
    z = _s(a[:, :d])
    return z * h + (1 - z) * np.tanh(a[:, d:] * g2 + s2)


def low_rank(x: Any, h: Any, A: Any, B: Any, P: Any, D: Any, bz: Any) -> Any:
    """Matrices as products of two, of a rank that neither size determines."""
    return np.tanh(A @ (B @ x) + P @ (D @ h) + bz)


def state_called_y(u: Any, y: Any, Wh: Any, Uh: Any, bh: Any, Wy: Any, by: Any) -> Any:
    """A Jordan network: the input is called u, and the prediction y is the state."""
    ys = []
    for ut in u:
        y = _s(Wy @ np.tanh(Wh @ ut + Uh @ y + bh) + by)
        ys.append(y)
    return np.array(ys)


def with_a_prediction(xs: Any, h: Any, params: Any) -> Any:
    """A simple RNN with a prediction behind it, which is no state."""
    Wx, Wh, b, Wy, by = params
    hs, ys = [], []
    for x in xs:
        h = np.tanh(x @ Wx + h @ Wh + b)
        hs.append(h)
        ys.append(h @ Wy + by)
    return np.stack(ys), np.stack(hs)


def step_with_a_prediction(xt: Any, a_prev: Any, parameters: Any) -> Any:
    """A simple RNN in columns, with a prediction that is no state although it may be as wide."""
    p = parameters
    a_next = np.tanh(np.dot(p["Waa"], a_prev) + np.dot(p["Wax"], xt) + p["ba"])
    return a_next, _s(np.dot(p["Wya"], a_next) + p["by"]), (a_next, a_prev, xt, p)


def gates_cut_by_the_state(x: Any, prev_h: Any, Wx: Any, Wh: Any, Ux: Any, Uh: Any, b: Any, d: Any) -> Any:
    """A GRU whose gates r and z are stacked; its last bias is called as a size is."""
    h = prev_h.shape[1]
    a = _s(x @ Wx + prev_h @ Wh + b)
    r, z = a[:, :h], a[:, h:]
    return (1 - z) * np.tanh(x @ Ux + (r * prev_h) @ Uh + d) + z * prev_h


def layers_in_a_list(x: Any, s: Any, RH: Any, bH: Any) -> Any:
    """A cell of as many layers as its list of weights has."""
    for weight, bias in zip(RH, bH, strict=True):
        s = s + 0.5 * np.tanh(s @ weight + bias + x.sum(1, keepdims=True))
    return s


def attributes(x: Any, h: Any, params: Any) -> Any:
    """Parameters that are attributes."""
    return np.tanh(x @ params.kernel + h @ params.recurrent.T + params.offset)


def gru_step(x: Any, h: Any, p: Any) -> Any:
    """One step of a GRU."""
    z = _s(x @ p["Wz"] + h @ p["Uz"] + p["bz"])
    r = _s(x @ p["Wr"] + h @ p["Ur"] + p["br"])
    n = np.tanh(x @ p["Wn"] + (r * h) @ p["Un"] + p["bn"])
    return z * h + (1 - z) * n, (x, h, z, r, n, p)


def gru_step_backward(dh_new: Any, cache: Any) -> Any:
    """Its gradients, those of the parameters under the keys of the parameters."""
    x, h, z, r, n, p = cache
    dn = dh_new * (1 - z) * (1 - n**2)
    drh = dn @ p["Un"].T
    dz, dr = dh_new * (h - n) * z * (1 - z), drh * h * r * (1 - r)
    g = {}
    for k, d, s in (("z", dz, h), ("r", dr, h), ("n", dn, r * h)):
        g["W" + k], g["U" + k], g["b" + k] = x.T @ d, s.T @ d, d.sum(0)
    dh = dh_new * z + drh * r + dz @ p["Uz"].T + dr @ p["Ur"].T
    return dn @ p["Wn"].T + dz @ p["Wz"].T + dr @ p["Wr"].T, dh, g
