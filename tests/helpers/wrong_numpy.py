"""NumPy cells as people write them, each with one mistake; what is said of them must name the part in `FAULTS`."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_harness.array_types import Array


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


class CharRNN:
    """Right: columns, as in character models; the gradients are left in attributes."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(0)
        self.Wxh = rng.standard_normal((hidden_size, input_size)) * 0.1
        self.Whh = rng.standard_normal((hidden_size, hidden_size)) * 0.1
        self.bh = np.zeros((hidden_size, 1))

    def forward(self, x: Array, hprev: Array) -> Array:
        self.x, self.hprev = x, hprev
        self.h = np.tanh(self.Wxh @ x + self.Whh @ hprev + self.bh)
        return self.h

    def raw(self, dh: Array) -> Array:
        return (1 - self.h**2) * dh

    def backward(self, dh: Array) -> tuple[Array, Array]:
        a = self.raw(dh)
        self.dWxh, self.dWhh = a @ self.x.T, a @ self.hprev.T
        self.dbh = a.sum(axis=1, keepdims=True)
        return self.Wxh.T @ a, self.Whh.T @ a


class CharAddsUp(CharRNN):
    """Right: gradients are added to arrays that are made once, as torch does."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.dWxh, self.dWhh, self.dbh = (np.zeros_like(one) for one in (self.Wxh, self.Whh, self.bh))

    def backward(self, dh: Array) -> tuple[Array, Array]:
        raw = self.raw(dh)
        self.dWxh += raw @ self.x.T
        self.dWhh += raw @ self.hprev.T
        self.dbh += raw.sum(1, keepdims=True)
        return self.Wxh.T @ raw, self.Whh.T @ raw


class CharSlopeMissing(CharRNN):
    def raw(self, dh: Array) -> Array:
        return dh


class CharSlopeLinear(CharRNN):
    def raw(self, dh: Array) -> Array:
        return (1 - self.h) * dh


class CharGradientOfNewState(CharRNN):
    def backward(self, dh: Array) -> tuple[Array, Array]:
        found = super().backward(dh)
        self.dWhh = self.raw(dh) @ self.h.T
        return found


class CharBiasAveraged(CharRNN):
    def backward(self, dh: Array) -> tuple[Array, Array]:
        found = super().backward(dh)
        self.dbh = self.dbh / dh.shape[1]
        return found


class CharStateGradientLost(CharRNN):
    def backward(self, dh: Array) -> tuple[Array, Array]:
        dx, dh_prev = super().backward(dh)
        return dx, 0 * dh_prev


class CharStateGradientTransposed(CharRNN):
    def backward(self, dh: Array) -> tuple[Array, Array]:
        dx, _ = super().backward(dh)
        return dx, self.Whh @ self.raw(dh)


class CharGradientClipped(CharRNN):
    def backward(self, dh: Array) -> tuple[Array, Array]:
        found = super().backward(dh)
        self.dWxh = np.clip(self.dWxh, -0.05, 0.05)
        return found


class CharBiasSubtracted(CharRNN):
    def forward(self, x: Array, hprev: Array) -> Array:
        self.x, self.hprev = x, hprev
        self.h = np.tanh(self.Wxh @ x + self.Whh @ hprev - self.bh)
        return self.h


class CharOverwritesInput(CharRNN):
    def forward(self, x: Array, hprev: Array) -> Array:
        found = super().forward(x, hprev)
        x *= 0
        return found


class CourseLSTM:
    """Right: a dictionary of parameters on [h; x] in columns, an output layer besides."""

    def __init__(self, n_in: int, n_hidden: int) -> None:
        rng = np.random.default_rng(1)
        self.parameters = {f"W{gate}": rng.standard_normal((n_hidden, n_hidden + n_in)) for gate in "fico"}
        self.parameters |= {f"b{gate}": np.zeros((n_hidden, 1)) for gate in "fico"}
        self.parameters["Wy"] = rng.standard_normal((2, n_hidden))

    def gate(self, name: str, joined: Array) -> Array:
        return self.parameters[f"W{name}"] @ joined + self.parameters[f"b{name}"]

    def memory(self, f: Array, i: Array, c: Array, new: Array, o: Array) -> Array:
        return f * c + i * new

    def step(self, xt: Array, a_prev: Array, c_prev: Array) -> tuple[Array, Array, Array, Any]:
        joined = np.concatenate([a_prev, xt])
        f, i = sigmoid(self.gate("f", joined)), sigmoid(self.gate("i", joined))
        new, o = np.tanh(self.gate("c", joined)), sigmoid(self.gate("o", joined))
        c_next = self.memory(f, i, c_prev, new, o)
        a_next = o * np.tanh(c_next)
        return a_next, c_next, self.parameters["Wy"] @ a_next, (xt, a_prev, c_prev)


class CourseForgetsWithInput(CourseLSTM):
    def memory(self, f: Array, i: Array, c: Array, new: Array, o: Array) -> Array:
        return i * c + i * new


class CourseInputByOutput(CourseLSTM):
    def memory(self, f: Array, i: Array, c: Array, new: Array, o: Array) -> Array:
        return f * c + o * new


class CourseOneMinusForget(CourseLSTM):
    def memory(self, f: Array, i: Array, c: Array, new: Array, o: Array) -> Array:
        return (1 - f) * c + i * new


class CourseWrongBias(CourseLSTM):
    def gate(self, name: str, joined: Array) -> Array:
        return self.parameters[f"W{name}"] @ joined + self.parameters["bi" if name == "o" else f"b{name}"]


class CourseBiasForgotten(CourseLSTM):
    def gate(self, name: str, joined: Array) -> Array:
        found = self.parameters[f"W{name}"] @ joined
        return found if name == "f" else found + self.parameters[f"b{name}"]


class RowGRU:
    """Right: rows, gates z, r, h; backward returns a tuple and a dictionary."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(2)
        for gate in "zrh":
            setattr(self, f"W_{gate}", rng.standard_normal((input_size, hidden_size)))
            setattr(self, f"U_{gate}", rng.standard_normal((hidden_size, hidden_size)))
            setattr(self, f"b_{gate}", np.zeros(hidden_size))

    W_z: Array
    W_r: Array
    W_h: Array
    U_z: Array
    U_r: Array
    U_h: Array
    b_z: Array
    b_r: Array
    b_h: Array

    def forward(self, x: Array, h: Array) -> tuple[Array, Any]:
        z = sigmoid(x @ self.W_z + h @ self.U_z + self.b_z)
        r = sigmoid(x @ self.W_r + h @ self.U_r + self.b_r)
        g = np.tanh(x @ self.W_h + (r * h) @ self.U_h + self.b_h)
        return z * h + (1 - z) * g, (x, h, z, r, g)

    def parts(self, dh: Array, h: Array, z: Array, r: Array, g: Array) -> tuple[Array, Array, Array, Array]:
        """(da_z, da_r, da_g, gradient of r * h)."""
        da_g = dh * (1 - z) * (1 - g * g)
        d_rh = da_g @ self.U_h.T
        return dh * (h - g) * z * (1 - z), d_rh * h * r * (1 - r), da_g, d_rh

    def backward(self, dh: Array, cache: Any) -> tuple[Array, Array, dict[str, Array]]:
        x, h, z, r, g = cache
        da_z, da_r, da_g, d_rh = self.parts(dh, h, z, r, g)
        grads = {}
        for gate, da, left in (("z", da_z, h), ("r", da_r, h), ("h", da_g, r * h)):
            grads[f"W_{gate}"], grads[f"U_{gate}"], grads[f"b_{gate}"] = x.T @ da, left.T @ da, da.sum(0)
        dx = da_z @ self.W_z.T + da_r @ self.W_r.T + da_g @ self.W_h.T
        return dx, dh * z + d_rh * r + da_z @ self.U_z.T + da_r @ self.U_r.T, grads


class RowWrongSign(RowGRU):
    def parts(self, dh: Array, h: Array, z: Array, r: Array, g: Array) -> tuple[Array, Array, Array, Array]:
        da_z, da_r, da_g, d_rh = super().parts(dh, h, z, r, g)
        return -da_z, da_r, da_g, d_rh


class RowSlopeOfUpdateMissing(RowGRU):
    def parts(self, dh: Array, h: Array, z: Array, r: Array, g: Array) -> tuple[Array, Array, Array, Array]:
        _, da_r, da_g, d_rh = super().parts(dh, h, z, r, g)
        return dh * (h - g), da_r, da_g, d_rh


class RowResetLost(RowGRU):
    def parts(self, dh: Array, h: Array, z: Array, r: Array, g: Array) -> tuple[Array, Array, Array, Array]:
        da_z, da_r, da_g, d_rh = super().parts(dh, h, z, r, g)
        return da_z, 0 * da_r, da_g, d_rh


class RowCandidateNotReset(RowGRU):
    def backward(self, dh: Array, cache: Any) -> tuple[Array, Array, dict[str, Array]]:
        dx, dh_prev, grads = super().backward(dh, cache)
        _, h, z, r, g = cache
        grads["U_h"] = h.T @ self.parts(dh, h, z, r, g)[2]
        return dx, dh_prev, grads


class RowBiasOffByOnePercent(RowGRU):
    def backward(self, dh: Array, cache: Any) -> tuple[Array, Array, dict[str, Array]]:
        dx, dh_prev, grads = super().backward(dh, cache)
        grads["b_r"] = grads["b_r"] * 1.01
        return dx, dh_prev, grads


class RowInputGradientLacksAGate(RowGRU):
    def backward(self, dh: Array, cache: Any) -> tuple[Array, Array, dict[str, Array]]:
        dx, dh_prev, grads = super().backward(dh, cache)
        _, h, z, r, g = cache
        return dx - self.parts(dh, h, z, r, g)[1] @ self.W_r.T, dh_prev, grads


class RowKeepPathLost(RowGRU):
    def backward(self, dh: Array, cache: Any) -> tuple[Array, Array, dict[str, Array]]:
        dx, dh_prev, grads = super().backward(dh, cache)
        return dx, dh_prev - dh * cache[2], grads


RIGHT = ("CharRNN", "CharAddsUp", "CourseLSTM", "RowGRU")
FAULTS = {
    "CharSlopeMissing": "backward: gradients",
    "CharSlopeLinear": "backward: gradients",
    "CharGradientOfNewState": "gradient of the recurrent weights",
    "CharBiasAveraged": "gradient of the bias",
    "CharStateGradientLost": "initial hidden state",
    "CharStateGradientTransposed": "initial hidden state",
    "CharGradientClipped": "gradient of the input weights",
    "CharBiasSubtracted": "bias",
    "CharOverwritesInput": "behaviour: intact",
    "CourseForgetsWithInput": "forget gate",
    "CourseInputByOutput": "input gate",
    "CourseOneMinusForget": "forget gate",
    "CourseWrongBias": "output gate, bias",
    "CourseBiasForgotten": "forget gate, bias",
    "RowWrongSign": "gradients of the update gate",
    "RowSlopeOfUpdateMissing": "gradients of the update gate",
    "RowResetLost": "gradients of the reset gate",
    "RowCandidateNotReset": "gradient of the recurrent weights of the candidate",
    "RowBiasOffByOnePercent": "gradient of the bias of the reset gate",
    "RowInputGradientLacksAGate": "gradient of the inputs",
    "RowKeepPathLost": "initial hidden state",
}
