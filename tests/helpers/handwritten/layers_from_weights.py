"""Classes that are made from their weights, with lists ``params`` and ``grads``, and layers of them over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_harness.array_types import Array


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


class RNN:
    def __init__(self, Wx: Array, Wh: Array, b: Array) -> None:
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.cache: Any = None

    def forward(self, x: Array, h_prev: Array) -> Array:
        Wx, Wh, b = self.params
        h_next = np.tanh(np.dot(h_prev, Wh) + np.dot(x, Wx) + b)
        self.cache = (x, h_prev, h_next)
        return h_next

    def backward(self, dh_next: Array) -> tuple[Array, Array]:
        Wx, Wh, _ = self.params
        x, h_prev, h_next = self.cache
        dt = dh_next * (1 - h_next**2)
        db, dWh, dh_prev = np.sum(dt, axis=0), np.dot(h_prev.T, dt), np.dot(dt, Wh.T)
        dWx, dx = np.dot(x.T, dt), np.dot(dt, Wx.T)
        self.grads[0][...], self.grads[1][...], self.grads[2][...] = dWx, dWh, db
        return dx, dh_prev


class RNNWithoutSlope(RNN):
    def backward(self, dh_next: Array) -> tuple[Array, Array]:
        h_next = self.cache[2]
        return super().backward(dh_next / (1 - h_next**2))


class TimeRNN:
    def __init__(self, Wx: Array, Wh: Array, b: Array, stateful: bool = False) -> None:
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.layers: list[RNN] = []
        self.h: Array | None = None
        self.dh: Array | None = None
        self.stateful = stateful

    def forward(self, xs: Array) -> Array:
        Wx = self.params[0]
        N, T, _ = xs.shape
        H = Wx.shape[1]
        self.layers = []
        hs = np.empty((N, T, H), dtype="f")
        hs = hs.astype(xs.dtype)
        if not self.stateful or self.h is None:
            self.h = np.zeros((N, H), dtype=xs.dtype)
        for t in range(T):
            layer = RNN(*self.params)
            self.h = layer.forward(xs[:, t, :], self.h)
            hs[:, t, :] = self.h
            self.layers.append(layer)
        return hs

    def backward(self, dhs: Array) -> Array:
        N, T, _ = dhs.shape
        dxs = np.empty((N, T, self.params[0].shape[0]), dtype=dhs.dtype)
        dh: Any = 0
        grads: list[Any] = [0, 0, 0]
        for t in reversed(range(T)):
            layer = self.layers[t]
            dx, dh = layer.backward(dhs[:, t, :] + dh)
            dxs[:, t, :] = dx
            for i, grad in enumerate(layer.grads):
                grads[i] = grads[i] + grad
        for i, grad in enumerate(grads):
            self.grads[i][...] = grad
        self.dh = dh
        return dxs

    def set_state(self, h: Array) -> None:
        self.h = h

    def reset_state(self) -> None:
        self.h = None


class TimeRNNThatKeeps(TimeRNN):
    """Wrong: stateful=False is the default, and the state is kept all the same."""

    def __init__(self, Wx: Array, Wh: Array, b: Array, stateful: bool = False) -> None:
        super().__init__(Wx, Wh, b, stateful)
        self.stateful = True


class TimeRNNTruncated(TimeRNN):
    """Wrong: only the last step's gradients of the weights are kept."""

    def backward(self, dhs: Array) -> Array:
        dxs = super().backward(dhs)
        for i, grad in enumerate(self.layers[-1].grads):
            self.grads[i][...] = grad
        return dxs


class LSTM:
    def __init__(self, Wx: Array, Wh: Array, b: Array) -> None:
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.cache: Any = None

    def forward(self, x: Array, h_prev: Array, c_prev: Array) -> tuple[Array, Array]:
        Wx, Wh, b = self.params
        H = h_prev.shape[1]
        A = np.dot(x, Wx) + np.dot(h_prev, Wh) + b
        f, g = sigmoid(A[:, :H]), np.tanh(A[:, H : 2 * H])
        i, o = sigmoid(A[:, 2 * H : 3 * H]), sigmoid(A[:, 3 * H :])
        c_next = f * c_prev + g * i
        h_next = o * np.tanh(c_next)
        self.cache = (x, h_prev, c_prev, i, f, g, o, c_next)
        return h_next, c_next

    def slopes(self, i: Array, f: Array, g: Array, o: Array) -> tuple[Array, Array, Array, Array]:
        return i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o)

    def backward(self, dh_next: Array, dc_next: Array) -> tuple[Array, Array, Array]:
        Wx, Wh, _ = self.params
        x, h_prev, c_prev, i, f, g, o, c_next = self.cache
        tanh_c_next = np.tanh(c_next)
        ds = dc_next + (dh_next * o) * (1 - tanh_c_next**2)
        slope_i, slope_f, slope_g, slope_o = self.slopes(i, f, g, o)
        di, df = ds * g * slope_i, ds * c_prev * slope_f
        do, dg = dh_next * tanh_c_next * slope_o, ds * i * slope_g
        dA = np.hstack((df, dg, di, do))
        self.grads[0][...], self.grads[1][...] = np.dot(x.T, dA), np.dot(h_prev.T, dA)
        self.grads[2][...] = dA.sum(axis=0)
        return np.dot(dA, Wx.T), np.dot(dA, Wh.T), ds * f


class LSTMWithoutSlope(LSTM):
    """Wrong: the forget gate has no slope."""

    def slopes(self, i: Array, f: Array, g: Array, o: Array) -> tuple[Array, Array, Array, Array]:
        return i * (1 - i), np.ones_like(f), 1 - g**2, o * (1 - o)


class TimeLSTM:
    step = LSTM

    def __init__(self, Wx: Array, Wh: Array, b: Array, stateful: bool = False) -> None:
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.layers: list[LSTM] = []
        self.h: Array | None = None
        self.c: Array | None = None
        self.dh: Array | None = None
        self.stateful = stateful

    def forward(self, xs: Array) -> Array:
        N, T, _ = xs.shape
        H = self.params[1].shape[0]
        self.layers = []
        hs = np.empty((N, T, H), dtype=xs.dtype)
        if not self.stateful or self.h is None:
            self.h = np.zeros((N, H), dtype=xs.dtype)
        if not self.stateful or self.c is None:
            self.c = np.zeros((N, H), dtype=xs.dtype)
        for t in range(T):
            layer = self.step(*self.params)
            self.h, self.c = layer.forward(xs[:, t, :], self.h, self.c)
            hs[:, t, :] = self.h
            self.layers.append(layer)
        return hs

    def backward(self, dhs: Array) -> Array:
        N, T, _ = dhs.shape
        dxs = np.empty((N, T, self.params[0].shape[0]), dtype=dhs.dtype)
        dh: Any = 0
        dc: Any = 0
        grads: list[Any] = [0, 0, 0]
        for t in reversed(range(T)):
            layer = self.layers[t]
            dxs[:, t, :], dh, dc = layer.backward(dhs[:, t, :] + dh, dc)
            for i, grad in enumerate(layer.grads):
                grads[i] = grads[i] + grad
        for i, grad in enumerate(grads):
            self.grads[i][...] = grad
        self.dh = dh
        return dxs

    def set_state(self, h: Array, c: Array | None = None) -> None:
        self.h, self.c = h, c


class TimeLSTMWithoutSlope(TimeLSTM):
    """Wrong: as `LSTMWithoutSlope`."""

    step = LSTMWithoutSlope


class GRU:
    """The gates z, r and the candidate side by side, its weights under three names in a dictionary of gradients."""

    def __init__(self, Wx: Array, Wh: Array, b: Array) -> None:
        self.Wx, self.Wh, self.b = Wx, Wh, b
        self.dWx: Array | None = None
        self.dWh: Array | None = None
        self.db: Array | None = None
        self.cache: Any = None

    def forward(self, x: Array, h_prev: Array) -> Array:
        H = self.Wh.shape[0]
        Wxz, Wxr, Wxh = self.Wx[:, :H], self.Wx[:, H : 2 * H], self.Wx[:, 2 * H :]
        Whz, Whr, Whh = self.Wh[:, :H], self.Wh[:, H : 2 * H], self.Wh[:, 2 * H :]
        bz, br, bh = self.b[:H], self.b[H : 2 * H], self.b[2 * H :]
        z = sigmoid(np.dot(x, Wxz) + np.dot(h_prev, Whz) + bz)
        r = sigmoid(np.dot(x, Wxr) + np.dot(h_prev, Whr) + br)
        h_hat = np.tanh(np.dot(x, Wxh) + np.dot(r * h_prev, Whh) + bh)
        self.cache = (x, h_prev, z, r, h_hat)
        return (1 - z) * h_prev + z * h_hat

    def backward(self, dh_next: Array) -> tuple[Array, Array]:
        H = self.Wh.shape[0]
        Wxz, Wxr, Wxh = self.Wx[:, :H], self.Wx[:, H : 2 * H], self.Wx[:, 2 * H :]
        Whz, Whr, Whh = self.Wh[:, :H], self.Wh[:, H : 2 * H], self.Wh[:, 2 * H :]
        x, h_prev, z, r, h_hat = self.cache
        dt = dh_next * z * (1 - h_hat**2)
        dhr = np.dot(dt, Whh.T)
        ds = dh_next * (h_hat - h_prev) * z * (1 - z)
        du = dhr * h_prev * r * (1 - r)
        dx = np.dot(dt, Wxh.T) + np.dot(ds, Wxz.T) + np.dot(du, Wxr.T)
        dh_prev = dh_next * (1 - z) + r * dhr + np.dot(ds, Whz.T) + np.dot(du, Whr.T)
        self.dWx = np.hstack((np.dot(x.T, ds), np.dot(x.T, du), np.dot(x.T, dt)))
        self.dWh = np.hstack((np.dot(h_prev.T, ds), np.dot(h_prev.T, du), np.dot((r * h_prev).T, dt)))
        self.db = np.hstack((ds.sum(axis=0), du.sum(axis=0), dt.sum(axis=0)))
        return dx, dh_prev


class GRUWithoutReset(GRU):
    """Wrong: nothing goes back through the reset gate into the previous state."""

    def backward(self, dh_next: Array) -> tuple[Array, Array]:
        dx, dh_prev = super().backward(dh_next)
        _, _, z, r, h_hat = self.cache
        H = self.Wh.shape[0]
        dt = dh_next * z * (1 - h_hat**2)
        return dx, dh_prev - r * np.dot(dt, self.Wh[:, 2 * H :].T)


RIGHT = ("RNN", "TimeRNN", "LSTM", "TimeLSTM", "GRU")
WRONG = {
    "RNNWithoutSlope": "the derivative of tanh in h, 1 - y^2, is left out",
    "TimeRNNTruncated": "over time",
    "LSTMWithoutSlope": "forget gate are wrong: the derivative of sigmoid in f, y (1 - y), is left out",
    "TimeLSTMWithoutSlope": "over time",
    "GRUWithoutReset": "initial hidden state",
}


class CellOfSums:
    """One step of a simple RNN, whose gradients are made by its backward."""

    def __init__(self, Wx: Array, Wh: Array) -> None:
        self.Wx, self.Wh = Wx, Wh
        self.cache: Any = None

    def forward(self, x: Array, h_prev: Array) -> Array:
        h_next = np.tanh(x @ self.Wx + h_prev @ self.Wh)
        self.cache = (x, h_prev, h_next)
        return h_next

    def backward(self, dh_next: Array) -> tuple[Array, Array]:
        x, h_prev, h_next = self.cache
        dt = dh_next * (1 - h_next**2)
        self.dWx, self.dWh = x.T @ dt, h_prev.T @ dt
        return dt @ self.Wx.T, dt @ self.Wh.T


class SumOfCells:
    """A layer whose outputs are stored in float32; its gradients are sums over cells that have their own."""

    def __init__(self, Wx: Array, Wh: Array) -> None:
        self.Wx, self.Wh = Wx, Wh
        self.layers: list[CellOfSums] = []
        self.h: Array | None = None

    def forward(self, xs: Array) -> Array:
        hs = np.empty((*xs.shape[:2], len(self.Wh)), dtype="f")
        self.layers, self.h = [], np.zeros((len(xs), len(self.Wh)), dtype="f")
        for t in range(xs.shape[1]):
            layer = CellOfSums(self.Wx, self.Wh)
            self.h = layer.forward(xs[:, t], self.h)
            hs[:, t] = self.h
            self.layers.append(layer)
        return hs

    def backward(self, dhs: Array) -> Array:
        dxs = np.empty((*dhs.shape[:2], len(self.Wx)), dtype="f")
        self.dWx: Any = 0
        self.dWh: Any = 0
        dh: Any = 0
        for t in reversed(range(dhs.shape[1])):
            dxs[:, t], dh = self.layers[t].backward(dhs[:, t] + dh)
            self.dWx += self.layers[t].dWx
            self.dWh += self.layers[t].dWh
        return dxs


class SumOfCellsWithoutFirst(SumOfCells):
    """The first step is left out of the sums."""

    def backward(self, dhs: Array) -> Array:
        dxs = super().backward(dhs)
        self.dWx = self.dWx - self.layers[0].dWx
        return dxs


class LayerOfList:
    """A simple RNN over a sequence, made from the list in which Keras gives the weights of its layers."""

    def __init__(self, weights: list[Array], return_sequences: bool = False) -> None:
        self.kernel, self.recurrent_kernel, self.bias = weights
        self.return_sequences = return_sequences

    def step(self, x: Array, h: Array) -> Array:
        return np.tanh(x @ self.kernel + h @ self.recurrent_kernel + self.bias)

    def forward(self, x: Array) -> Array:
        h, outputs = np.zeros((len(x), len(self.recurrent_kernel))), []
        for t in range(x.shape[1]):
            h = self.step(x[:, t], h)
            outputs.append(h)
        return np.stack(outputs, axis=1) if self.return_sequences else h


class LayerOfListWithoutBias(LayerOfList):
    """One that forgets its bias."""

    def step(self, x: Array, h: Array) -> Array:
        return np.tanh(x @ self.kernel + h @ self.recurrent_kernel)
