"""NumPy losses whose gradients come from another method than the loss, or are left behind in globals of the module."""

from __future__ import annotations

import numpy as np

from rnn_harness.array_types import Array

Tokens = list[int]


class TwoMethods:
    """A model of words: one method for the loss of several sentences, one for the gradients of a single one."""

    def __init__(self, word_dim: int, hidden_dim: int = 3, bptt_truncate: int = 4) -> None:
        self.word_dim, self.hidden_dim, self.bptt_truncate = word_dim, hidden_dim, bptt_truncate
        self.U, self.V = np.zeros((hidden_dim, word_dim)), np.zeros((word_dim, hidden_dim))
        self.W = np.zeros((hidden_dim, hidden_dim))

    def forward_propagation(self, x: Tokens) -> tuple[Array, Array]:
        """The probabilities of every step, and the states with zeros behind them."""
        o, s = np.zeros((len(x), self.word_dim)), np.zeros((len(x) + 1, self.hidden_dim))
        for t, token in enumerate(x):
            s[t] = np.tanh(self.U[:, token] + self.W @ s[t - 1])
            scores = np.exp(self.V @ s[t])
            o[t] = scores / scores.sum()
        return o, s

    def calculate_total_loss(self, x: list[Tokens], y: list[Tokens]) -> float:
        """The loss of all sentences."""
        loss = 0.0
        for sentence, targets in zip(x, y, strict=True):
            o, _ = self.forward_propagation(sentence)
            loss -= float(np.log(o[np.arange(len(targets)), targets]).sum())
        return loss

    def slope(self, s: Array, t: int) -> Array:
        """The slope of tanh at the step before another."""
        return 1 - s[t - 1] ** 2

    def bptt(self, x: Tokens, y: Tokens) -> tuple[Array, Array, Array]:
        """The gradients of one sentence, through so many steps."""
        o, s = self.forward_propagation(x)
        dLdU, dLdV, dLdW = np.zeros_like(self.U), np.zeros_like(self.V), np.zeros_like(self.W)
        o[np.arange(len(y)), y] -= 1
        for t in reversed(range(len(y))):
            dLdV += np.outer(o[t], s[t])
            delta = self.V.T @ o[t] * (1 - s[t] ** 2)
            for back in range(t, max(0, t - self.bptt_truncate) - 1, -1):
                dLdW += np.outer(delta, s[back - 1])
                dLdU[:, x[back]] += delta
                delta = self.W.T @ delta * self.slope(s, back)
        return dLdU, dLdV, dLdW


class CutAtOnce(TwoMethods):
    """One that cuts its gradients after one step back, on purpose."""

    def __init__(self, word_dim: int, hidden_dim: int = 3, bptt_truncate: int = 1) -> None:
        super().__init__(word_dim, hidden_dim, bptt_truncate)


class TakesTheSlopeOfTheStep(TwoMethods):
    """One that takes the slope of tanh at the step itself, and not at the one before."""

    def slope(self, s: Array, t: int) -> Array:
        return 1 - s[t] ** 2


class FromAState:
    """One method for the loss and one for the gradients, both from a state that may be given."""

    def __init__(self, word_dim: int, hidden_dim: int = 3) -> None:
        self.word_dim, self.hidden_dim = word_dim, hidden_dim
        self.U, self.V = np.zeros((hidden_dim, word_dim)), np.zeros((word_dim, hidden_dim))
        self.W = np.zeros((hidden_dim, hidden_dim))

    def run(self, x: Tokens, s0: Array | None) -> tuple[Array, Array]:
        """The probabilities of every step, and the states with the first one behind them."""
        o, s = np.zeros((len(x), self.word_dim)), np.zeros((len(x) + 1, self.hidden_dim))
        s[-1] = 0.0 if s0 is None else s0
        for t, token in enumerate(x):
            s[t] = np.tanh(self.U[:, token] + self.W @ s[t - 1])
            scores = np.exp(self.V @ s[t])
            o[t] = scores / scores.sum()
        return o, s

    def loss(self, x: Tokens, y: Tokens, s0: Array | None = None) -> float:
        """The loss of one sentence."""
        o, _ = self.run(x, s0)
        return -float(np.log(o[np.arange(len(y)), y]).sum())

    def bptt(self, x: Tokens, y: Tokens, s0: Array | None = None) -> tuple[Array, Array, Array]:
        """The gradients of one sentence."""
        o, s = self.run(x, s0)
        dLdU, dLdV, dLdW = np.zeros_like(self.U), np.zeros_like(self.V), np.zeros_like(self.W)
        o[np.arange(len(y)), y] -= 1
        later = np.zeros(self.hidden_dim)
        for t in reversed(range(len(y))):
            dLdV += np.outer(o[t], s[t])
            delta = (self.V.T @ o[t] + later) * (1 - s[t] ** 2)
            dLdW += np.outer(delta, s[t - 1])
            dLdU[:, x[t]] += delta
            later = self.W.T @ delta
        return dLdU, dLdV, dLdW


class LossFromZero(FromAState):
    """One whose gradients may begin with a state, and whose loss begins with zeros."""

    def loss(self, x: Tokens, y: Tokens) -> float:  # type: ignore[override]
        return super().loss(x, y)


T_STEPS, VOCABULARY, HIDDEN = 6, 5, 3
Wx, Wh, Wy = np.zeros((HIDDEN, VOCABULARY)), np.zeros((HIDDEN, HIDDEN)), np.zeros((VOCABULARY, HIDDEN))
b = np.zeros((HIDDEN, 1))
dWx, dWh, dWy, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wy), np.zeros_like(b)


def _state(token: int, h: Array) -> Array:
    return np.tanh(Wx[:, [token]] + Wh @ h + b)


def _pass(inputs: Tokens, targets: Tokens, h_prev: Array, share: float) -> tuple[float, Array]:
    """A run over six steps, whose gradients are left in the globals; some of that of the bias may be lost."""
    assert len(inputs) == T_STEPS
    hs, ps, loss = {-1: h_prev}, {}, 0.0
    for t, token in enumerate(inputs):
        hs[t] = _state(token, hs[t - 1])
        ps[t] = np.exp(Wy @ hs[t])
        ps[t] /= ps[t].sum()
        loss -= float(np.log(ps[t][targets[t], 0]))
    for gradient in (dWx, dWh, dWy, db):
        gradient.fill(0)
    dh_next = np.zeros_like(h_prev)
    for t in reversed(range(T_STEPS)):
        dy = ps[t].copy()
        dy[targets[t]] -= 1
        dWy[...] += dy @ hs[t].T
        da = (1 - hs[t] ** 2) * (Wy.T @ dy + dh_next)
        db[...] += share * da if t == 0 else da
        dWx[:, [inputs[t]]] += da
        dWh[...] += da @ hs[t - 1].T
        dh_next = Wh.T @ da
    return loss, hs[T_STEPS - 1]


def leaves_gradients(inputs: Tokens, targets: Tokens, h_prev: Array) -> tuple[float, Array]:
    """The loss and the last state."""
    return _pass(inputs, targets, h_prev, 1.0)


def leaves_half_a_bias(inputs: Tokens, targets: Tokens, h_prev: Array) -> tuple[float, Array]:
    """The same, with half of the bias' gradient at the first step."""
    return _pass(inputs, targets, h_prev, 0.5)


def is_no_number(inputs: Tokens, targets: Tokens, h_prev: Array) -> tuple[float, Array]:
    """One whose loss takes the logarithm of a negative number."""
    loss, last = _pass(inputs, targets, h_prev, 1.0)
    return float(np.log(-abs(loss))), last
