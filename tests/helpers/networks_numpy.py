"""Networks of NumPy with a backward of their own, as coursework has them: their outputs are no states."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_harness.array_types import Array


class TwoLayers:
    """Two simple RNNs, one on the other; weights and gradients stand in two lists."""

    passes_time_on = True

    def __init__(self, n: int = 3, first: int = 5, second: int = 4) -> None:
        rng = np.random.default_rng(0)
        shapes = ((n, first), (first, first), (first,), (first, second), (second, second), (second,))
        self.p = [rng.standard_normal(shape) / 2 for shape in shapes]
        self.g = [np.zeros_like(value) for value in self.p]

    def forward(self, X: Array) -> Array:
        W1, U1, b1, W2, U2, b2 = self.p
        rows, steps, _ = X.shape
        self.X = X
        self.h1, self.h2 = np.zeros((steps + 1, rows, len(U1))), np.zeros((steps + 1, rows, len(U2)))
        for t in range(steps):
            self.h1[t + 1] = np.tanh(X[:, t] @ W1 + self.h1[t] @ U1 + b1)
            self.h2[t + 1] = np.tanh(self.h1[t + 1] @ W2 + self.h2[t] @ U2 + b2)
        return self.h2[1:].transpose(1, 0, 2)

    def backward(self, dY: Array) -> Array:
        W1, U1, _, W2, U2, _ = self.p
        for gradient in self.g:
            gradient.fill(0)
        dX = np.zeros_like(self.X)
        dh1, dh2 = np.zeros_like(self.h1[0]), np.zeros_like(self.h2[0])
        for t in range(len(self.h1) - 1, 0, -1):
            da2 = (dh2 + dY[:, t - 1]) * (1 - self.h2[t] ** 2)
            self.g[3] += self.h1[t].T @ da2
            self.g[4] += self.h2[t - 1].T @ da2
            self.g[5] += da2.sum(0)
            dh2 = da2 @ U2.T
            da1 = (dh1 * self.passes_time_on + da2 @ W2.T) * (1 - self.h1[t] ** 2)
            self.g[0] += self.X[:, t - 1].T @ da1
            self.g[1] += self.h1[t - 1].T @ da1
            self.g[2] += da1.sum(0)
            dX[:, t - 1] = da1 @ W1.T
            dh1 = da1 @ U1.T
        return dX


class LosesTimeOfTheFirst(TwoLayers):
    """The gradient through time of the first layer is lost."""

    passes_time_on = False


class Scores:
    """A simple RNN with scores of the last step, and the loss of a target; vectors are columns."""

    decay = 0.0

    def __init__(self, input_size: int, hidden_size: int, output_size: int = 2) -> None:
        rng = np.random.default_rng(1)
        self.Wx = rng.standard_normal((hidden_size, input_size)) / 2
        self.Wh = rng.standard_normal((hidden_size, hidden_size)) / 2
        self.bh = rng.standard_normal((hidden_size, 1)) / 2
        self.Wy = rng.standard_normal((output_size, hidden_size)) / 2

    def forward(self, inputs: list[Array]) -> Array:
        self.inputs, self.hs = inputs, [np.zeros_like(self.bh)]
        for x in inputs:
            self.hs.append(np.tanh(self.Wx @ x + self.Wh @ self.hs[-1] + self.bh))
        scores: Array = self.Wy @ self.hs[-1]
        return scores

    def loss(self, inputs: list[Array], target: Array) -> float:
        return float(np.sum((self.forward(inputs) - target) ** 2) / 2)

    def slope(self, t: int) -> Array:
        slope: Array = 1 - self.hs[t] ** 2
        return slope

    def backward(self, target: Array) -> dict[str, Any]:
        d_y = self.Wy @ self.hs[-1] - target
        gradients = {"Wy": d_y @ self.hs[-1].T, "Wx": 0 * self.Wx, "Wh": 0 * self.Wh, "bh": 0 * self.bh}
        d_h = self.Wy.T @ d_y
        for t in range(len(self.inputs), 0, -1):
            d_a = self.slope(t) * d_h
            gradients["bh"] += d_a
            gradients["Wh"] += d_a @ self.hs[t - 1].T
            gradients["Wx"] += d_a @ self.inputs[t - 1].T
            d_h = self.Wh.T @ d_a
        gradients["Wh"] = gradients["Wh"] + self.decay * self.Wh
        return gradients


class TakesTheSlopeOfTheState(Scores):
    """The slope of tanh is taken at the state instead of at what tanh was applied to."""

    def slope(self, t: int) -> Array:
        slope: Array = 1 - np.tanh(self.hs[t]) ** 2
        return slope


class WithWeightDecay(Scores):
    """A penalty on the recurrent weights is in their gradient, and not in the loss."""

    decay = 0.01


class Truncated:
    """Scores of every step; gradients are truncated after so many steps."""

    def __init__(self, n_in: int, n_hid: int, n_out: int = 2, steps: int = 2) -> None:
        rng = np.random.default_rng(2)
        self.W, self.U = rng.standard_normal((n_in, n_hid)) / 2, rng.standard_normal((n_hid, n_hid)) / 2
        self.V = rng.standard_normal((n_hid, n_out)) / 2
        self.steps = steps

    def forward(self, x: Array) -> Array:
        self.x, self.h = x, [np.zeros((x.shape[1], len(self.U)))]
        for x_t in x:
            self.h.append(np.tanh(x_t @ self.W + self.h[-1] @ self.U))
        return np.stack([h @ self.V for h in self.h[1:]])

    def backward(self, dy: Array) -> None:
        self.dW, self.dU, self.dV = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.V)
        dh = np.zeros_like(self.h[0])
        for t in range(len(dy), 0, -1):
            self.dV += self.h[t].T @ dy[t - 1]
            da = (dh + dy[t - 1] @ self.V.T) * (1 - self.h[t] ** 2)
            self.dW += self.x[t - 1].T @ da
            self.dU += self.h[t - 1].T @ da
            dh = da @ self.U.T if (t - 1) % self.steps else 0 * dh


class GradientOfScores(Truncated):
    """Its outputs are probabilities, and its backward takes the gradient of the scores before them."""

    def forward(self, x: Array) -> Array:
        scores = np.exp(super().forward(x))
        shares: Array = scores / scores.sum(-1, keepdims=True)
        return shares


class NoMemory(Truncated):
    """Every step by itself: no recurrent network."""

    def forward(self, x: Array) -> Array:
        self.x, self.h = x, [np.zeros((x.shape[1], len(self.U)))]
        self.h += [np.tanh(x_t @ self.W) for x_t in x]
        return np.stack([h @ self.V for h in self.h[1:]])

    def backward(self, dy: Array) -> None:
        self.dV = sum(h.T @ d for h, d in zip(self.h[1:], dy, strict=True))


class StepsItself:
    """Outputs of every step in a list; its backward takes the gradient of the last one, and a step of descent."""

    def __init__(self, input_size: int, output_size: int, hidden_size: int = 6) -> None:
        rng = np.random.default_rng(3)
        self.Whh = rng.standard_normal((hidden_size, hidden_size)) / 1000
        self.Wxh = rng.standard_normal((hidden_size, input_size)) / 1000
        self.Why = rng.standard_normal((output_size, hidden_size)) / 1000
        self.bh = np.zeros((hidden_size, 1))

    def forward(self, inputs: list[Array]) -> tuple[list[Array], Array]:
        h = np.zeros_like(self.bh)
        self.inputs, self.hs, ys = inputs, {-1: h}, []
        for i, x in enumerate(inputs):
            self.hs[i] = h = np.tanh(self.Wxh @ x + self.Whh @ h + self.bh)
            ys.append(self.Why @ h)
        return ys, h

    def through_time(self, d_a: Array) -> Array:
        d_h: Array = self.Whh.T @ d_a
        return d_h

    def backprop(self, d_y: Array, learn_rate: float = 0.01) -> None:
        d_Why = d_y @ self.hs[len(self.inputs) - 1].T
        d_Whh, d_Wxh, d_bh = np.zeros_like(self.Whh), np.zeros_like(self.Wxh), np.zeros_like(self.bh)
        d_h = self.Why.T @ d_y
        for t in reversed(range(len(self.inputs))):
            d_a = (1 - self.hs[t] ** 2) * d_h
            d_bh += d_a
            d_Whh += d_a @ self.hs[t - 1].T
            d_Wxh += d_a @ self.inputs[t].T
            d_h = self.through_time(d_a)
        for gradient in (d_Wxh, d_Whh, d_Why, d_bh):
            np.clip(gradient, -1, 1, out=gradient)
        self.Whh -= learn_rate * d_Whh
        self.Wxh -= learn_rate * d_Wxh
        self.Why -= learn_rate * d_Why
        self.bh -= learn_rate * d_bh


class StepsAlongTheWrongSide(StepsItself):
    """The recurrent weights are not transposed on the way back."""

    def through_time(self, d_a: Array) -> Array:
        d_h: Array = self.Whh @ d_a
        return d_h


class OneWrongNumber(Scores):
    """The gradient of a scale of one number is wrong by a factor."""

    def __init__(self, input_size: int, hidden_size: int, output_size: int = 2) -> None:
        super().__init__(input_size, hidden_size, output_size)
        self.gain = np.ones(1)

    def forward(self, inputs: list[Array]) -> Array:
        return self.gain * super().forward(inputs)

    def backward(self, target: Array) -> dict[str, Any]:
        scores = self.Wy @ self.hs[-1]
        d_y = self.gain * scores - target
        gradients = super().backward(scores - self.gain * d_y)
        return {**gradients, "gain": np.array([2 * float(np.sum(d_y * scores))])}


class HasALearnedRate(Truncated):
    """An argument of its backward is called like a learning rate, and scales nothing and takes no step."""

    def backward(self, dy: Array, lr: float = 0.0) -> None:
        super().backward(dy)


class LastOfASeries:
    """A cell whose matrix takes the state and a series of single numbers side by side, and a head on its last state."""

    is_turned = True

    def __init__(self, n: int = 1, d: int = 6, outputs: int = 2) -> None:
        rng = np.random.default_rng(0)
        self.W, self.b = rng.standard_normal((d, d + n)) / 2, np.zeros((d, 1))
        self.V, self.c = rng.standard_normal((outputs, d)) / 2, np.zeros((outputs, 1))
        self.grads: dict[str, Array] = {}

    def forward(self, xs: Array) -> Array:
        h = np.zeros((len(self.W), 1))
        self.steps = []
        for x in xs:
            z = np.vstack((h, x.reshape(-1, 1)))
            h = np.tanh(self.W @ z + self.b)
            self.steps.append((z, h))
        self.last = h
        return np.asarray((self.V @ h + self.c).ravel())

    def backward(self, dy: Array) -> None:
        dy = dy.reshape(-1, 1)
        grads = {"W": np.zeros_like(self.W), "b": np.zeros_like(self.b), "V": dy @ self.last.T, "c": dy.copy()}
        d = len(self.W)
        dh = self.V.T @ dy
        for z, h in reversed(self.steps):
            da = dh * (1 - h**2)
            grads["W"] += da @ z.T
            grads["b"] += da
            recurrent = self.W[:, :d]
            dh = (recurrent.T if self.is_turned else recurrent) @ da
        self.grads = grads


class LosesTheTranspose(LastOfASeries):
    """The recurrent matrix is not transposed on the way back."""

    is_turned = False


class StatesOfColumns:
    """A cell over columns (n, B, T) whose matrix takes state and input side by side; its outputs are its states."""

    def __init__(self, n_x: int = 3, n_a: int = 5) -> None:
        rng = np.random.default_rng(1)
        self.n_x, self.n_a = n_x, n_a
        self.parameters = {"W": rng.standard_normal((n_a, n_a + n_x)) / 2, "b": rng.standard_normal((n_a, 1)) / 8}

    def forward(self, x: Array, a0: Array | None = None) -> Array:
        _, rows, steps = x.shape
        state = np.zeros((self.n_a, rows)) if a0 is None else a0
        self.steps, outputs = [], np.zeros((self.n_a, rows, steps))
        for t in range(steps):
            both = np.concatenate((state, x[:, :, t]))
            state = np.tanh(self.parameters["W"] @ both + self.parameters["b"])
            self.steps.append((both, state))
            outputs[:, :, t] = state
        return outputs

    def backward(self, da: Array) -> dict[str, Array]:
        dx, d_state = np.zeros((self.n_x, *da.shape[1:])), np.zeros(da.shape[:2])
        total = {"dW": np.zeros_like(self.parameters["W"]), "db": np.zeros_like(self.parameters["b"])}
        for t in reversed(range(da.shape[2])):
            both, state = self.steps[t]
            d_sum = (da[:, :, t] + d_state) * (1 - state**2)
            total["dW"] += d_sum @ both.T
            total["db"] += d_sum.sum(axis=1, keepdims=True)
            d_both = self.parameters["W"].T @ d_sum
            d_state, dx[:, :, t] = d_both[: self.n_a], d_both[self.n_a :]
        return {**total, "dx": dx, "da0": d_state}


class ReadsTokens:
    """A simple RNN over a list of tokens, with a list of scores and the last state."""

    def __init__(self, vocab_size: int, hidden_size: int, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.Wxh = rng.standard_normal((hidden_size, vocab_size)) / 8
        self.Whh = rng.standard_normal((hidden_size, hidden_size)) / 8
        self.Why = rng.standard_normal((vocab_size, hidden_size)) / 8

    def forward(self, inputs: list[int], hprev: Array | None = None) -> tuple[list[Array], Array]:
        self.inputs, self.hs = inputs, [np.zeros((len(self.Whh), 1)) if hprev is None else hprev]
        for token in inputs:
            self.hs.append(np.tanh(self.Wxh[:, [token]] + self.Whh @ self.hs[-1]))
        return [self.Why @ h for h in self.hs[1:]], self.hs[-1]

    def state_before(self, t: int) -> Array:
        return self.hs[t]

    def backward(self, dys: list[Array]) -> tuple[Array, Array, Array]:
        dWxh, dWhh, dWhy = (np.zeros_like(weight) for weight in (self.Wxh, self.Whh, self.Why))
        d_h = np.zeros_like(self.hs[0])
        for t, dy in reversed(list(enumerate(dys))):
            dWhy += dy @ self.hs[t + 1].T
            d_a = (self.Why.T @ dy + d_h) * (1 - self.hs[t + 1] ** 2)
            dWxh[:, [self.inputs[t]]] += d_a
            dWhh += d_a @ self.state_before(t).T
            d_h = self.Whh.T @ d_a
        return dWxh, dWhh, dWhy


class TakesTheStateBehind(ReadsTokens):
    """The recurrent weights are given the state that they have made."""

    def state_before(self, t: int) -> Array:
        return self.hs[t + 1]
