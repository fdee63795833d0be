"""NumPy code with its loss inside, as models of characters have it: weights as globals, or in an object."""

from __future__ import annotations

import numpy as np

from rnn_harness.array_types import Array

Tokens = list[int]
LossAndGradients = tuple[float, dict[str, Array], Array]
VOCABULARY, HIDDEN = 5, 3
Wxh, Whh, Why = np.zeros((HIDDEN, VOCABULARY)), np.zeros((HIDDEN, HIDDEN)), np.zeros((VOCABULARY, HIDDEN))
bh, by = np.zeros((HIDDEN, 1)), np.zeros((VOCABULARY, 1))


def loss_function(
    inputs: Tokens, targets: Tokens, hprev: Array
) -> tuple[float, Array, Array, Array, Array, Array, Array]:
    """The loss, the gradients of all weights by their names, and the last state."""
    hs, ps, loss = {-1: np.copy(hprev)}, {}, 0.0
    for t, token in enumerate(inputs):
        hs[t] = np.tanh(Wxh[:, [token]] + Whh @ hs[t - 1] + bh)
        ps[t] = np.exp(Why @ hs[t] + by)
        ps[t] /= ps[t].sum()
        loss -= np.log(ps[t][targets[t], 0])
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby, dh_next = np.zeros_like(bh), np.zeros_like(by), np.zeros_like(bh)
    for t in reversed(range(len(inputs))):
        dy = ps[t].copy()
        dy[targets[t]] -= 1
        dWhy += dy @ hs[t].T
        dby += dy
        da = (1 - hs[t] ** 2) * (Why.T @ dy + dh_next)
        dbh += da
        dWxh[:, [inputs[t]]] += da
        dWhh += da @ hs[t - 1].T
        dh_next = Whh.T @ da
    return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]


def through_the_wrong_side(
    inputs: Tokens, targets: Tokens, hprev: Array
) -> tuple[float, Array, Array, Array, Array, Array, Array]:
    """One that takes the gradient back through the recurrent weight as it is, and not transposed."""
    loss, dWxh, dWhh, dWhy, dbh, dby, last = loss_function(inputs, targets, hprev)
    steps = len(inputs)
    hs = [hprev]
    for token in inputs:
        hs.append(np.tanh(Wxh[:, [token]] + Whh @ hs[-1] + bh))
    dWhh, dh_next = np.zeros_like(Whh), np.zeros_like(bh)
    for t in reversed(range(steps)):
        p = np.exp(Why @ hs[t + 1] + by)
        dy = p / p.sum()
        dy[targets[t]] -= 1
        da = (1 - hs[t + 1] ** 2) * (Why.T @ dy + dh_next)
        dWhh += da @ hs[t].T
        dh_next = Whh @ da
    return loss, dWxh, dWhh, dWhy, dbh, dby, last


class CharacterModel:
    """The same in an object, which gives its gradients in a dictionary, clipped, and the mean loss."""

    bound = 0.1

    def __init__(self, vocab_size: int, hidden_size: int = 3) -> None:
        self.Wx = np.zeros((vocab_size, hidden_size))
        self.Wh, self.b = np.zeros((hidden_size, hidden_size)), np.zeros(hidden_size)
        self.Wy = np.zeros((hidden_size, vocab_size))

    def handed_on(self, first: Array, last: Array) -> Array:
        """The state that comes back."""
        return last

    def loss(self, inputs: Tokens, targets: Tokens, h0: Array) -> LossAndGradients:
        """The mean loss over the steps, the gradients and the last state."""
        hs, ps = [h0], []
        for token in inputs:
            hs.append(np.tanh(self.Wx[token] + hs[-1] @ self.Wh + self.b))
            p = np.exp(hs[-1] @ self.Wy)
            ps.append(p / p.sum())
        steps = len(inputs)
        loss = -sum(np.log(p[target]) for p, target in zip(ps, targets, strict=True)) / steps
        grads = {name: np.zeros_like(value) for name, value in vars(self).items()}
        dh = np.zeros_like(h0)
        for t in reversed(range(steps)):
            dy = ps[t].copy()
            dy[targets[t]] -= 1
            dy /= steps
            grads["Wy"] += np.outer(hs[t + 1], dy)
            da = (self.Wy @ dy + dh) * (1 - hs[t + 1] ** 2)
            grads["Wx"][inputs[t]] += da
            grads["Wh"] += np.outer(hs[t], da)
            grads["b"] += da
            dh = self.Wh @ da
        return (
            loss,
            {name: np.clip(value, -self.bound, self.bound) for name, value in grads.items()},
            self.handed_on(h0, hs[-1]),
        )


class ForgetsItsState(CharacterModel):
    """One that gives back the state that it was given."""

    def handed_on(self, first: Array, last: Array) -> Array:
        return first


class SumOfGradients(CharacterModel):
    """One whose gradients are those of the sum over the steps, though its loss is the mean."""

    bound = 5.0

    def loss(self, inputs: Tokens, targets: Tokens, h0: Array) -> LossAndGradients:
        loss, grads, last = super().loss(inputs, targets, h0)
        return loss, {name: len(inputs) * value for name, value in grads.items()}, last


def _run(weights: dict[str, Array], inputs: Tokens, targets: Tokens, hprev: Array, slope: float) -> LossAndGradients:
    """The loss of given weights; with a slope other than one tanh is differentiated as if it were another function."""
    hs, ps, loss = [hprev], [], 0.0
    for token, target in zip(inputs, targets, strict=True):
        x = np.zeros((weights["Wxh"].shape[1], 1))
        x[token] = 1
        hs.append(np.tanh(weights["Wxh"] @ x + weights["Whh"] @ hs[-1] + weights["bh"]))
        p = np.exp(weights["Why"] @ hs[-1] + weights["by"])
        ps.append(p / p.sum())
        loss -= np.log(ps[-1][target, 0])
    grads = {name: np.zeros_like(value) for name, value in weights.items()}
    dh_next = np.zeros_like(hprev)
    for t in reversed(range(len(inputs))):
        dy = ps[t].copy()
        dy[targets[t]] -= 1
        grads["Why"] += dy @ hs[t + 1].T
        grads["by"] += dy
        da = (1 - slope * hs[t + 1] ** 2) * (weights["Why"].T @ dy + dh_next)
        grads["bh"] += da
        grads["Wxh"][:, [inputs[t]]] += da
        grads["Whh"] += da @ hs[t].T
        dh_next = weights["Whh"].T @ da
    return loss, grads, hs[-1]


def weights_in_a_dictionary(params: dict[str, Array], xs: Tokens, ys: Tokens, h0: Array) -> LossAndGradients:
    """The weights in one argument, and no function beside it that makes them."""
    weights = {name: params[name] for name in ("Wxh", "Whh", "Why", "bh", "by")}
    return _run(weights, xs, ys, h0, 1.0)


def weights_apart(
    inputs: Tokens, targets: Tokens, hprev: Array, Wxh: Array, Whh: Array, Why: Array, bh: Array, by: Array
) -> tuple[float, list[Array], Array]:
    """Each weight an argument, and the gradients in a list in their order."""
    weights = {"Wxh": Wxh, "Whh": Whh, "Why": Why, "bh": bh, "by": by}
    loss, grads, last = _run(weights, inputs, targets, hprev, 1.0)
    return loss, [grads[name] for name in weights], last


def wrong_slope(
    inputs: Tokens, targets: Tokens, hprev: Array, Wxh: Array, Whh: Array, Why: Array, bh: Array, by: Array
) -> LossAndGradients:
    """One that takes half of the square of tanh in its slope."""
    return _run({"Wxh": Wxh, "Whh": Whh, "Why": Why, "bh": bh, "by": by}, inputs, targets, hprev, 0.5)
