"""Classes with a step that gives scores beside its state, and with a loss over a sequence that has the gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


class CharacterModel:
    """A simple RNN over characters, with its head, as columns."""

    def __init__(self, vocab_size: int = 11, hidden_size: int = 9) -> None:
        rng = np.random.default_rng(0)
        self.hidden_size, self.vocab_size = hidden_size, vocab_size
        self.Wxh = 0.1 * rng.standard_normal((hidden_size, vocab_size))
        self.Whh = 0.1 * rng.standard_normal((hidden_size, hidden_size))
        self.Why = 0.1 * rng.standard_normal((vocab_size, hidden_size))
        self.bh = np.zeros((hidden_size, 1))
        self.by = np.zeros((vocab_size, 1))

    def step(self, x: Array, hprev: Array) -> tuple[Array, Array]:
        h = np.tanh(self.Wxh @ x + self.Whh @ hprev + self.bh)
        return h, self.Why @ h + self.by

    def slope(self, h: Array) -> Array:
        return 1 - h * h

    def loss(self, inputs: list[int], targets: list[int], hprev: Array) -> tuple[float, dict[str, Array], Array]:
        h, total, kept = np.copy(hprev), 0.0, []
        for token, target in zip(inputs, targets, strict=True):
            x, before = np.zeros((self.vocab_size, 1)), h
            x[token] = 1
            h, scores = self.step(x, before)
            shares = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
            total -= float(np.log(shares[target, 0]))
            kept.append((x, before, h, shares, target))
        gradients = {name: np.zeros_like(getattr(self, name)) for name in ("Wxh", "Whh", "Why", "bh", "by")}
        later = np.zeros_like(h)
        for x, before, after, shares, target in reversed(kept):
            d_scores = shares.copy()
            d_scores[target] -= 1
            gradients["Why"] += d_scores @ after.T
            gradients["by"] += d_scores
            raw = self.slope(after) * ((self.Why.T @ d_scores) + later)
            gradients["bh"] += raw
            gradients["Wxh"] += raw @ x.T
            gradients["Whh"] += raw @ before.T
            later = self.Whh.T @ raw
        return total, gradients, h


class CharacterModelOfWrongSlope(CharacterModel):
    """The slope of tanh is not squared."""

    def slope(self, h: Array) -> Array:
        return 1 - h


class ScoresAndIdleGate:
    """A GRU that computes a reset gate, gives it back, and does not use it; its head gives scores."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(0)
        for gate in "zrh":
            setattr(self, f"W{gate}", rng.standard_normal((hidden_size, input_size)))
            setattr(self, f"U{gate}", rng.standard_normal((hidden_size, hidden_size)))
        self.V = rng.standard_normal((7, hidden_size))

    def gate(self, letter: str, x: Array, h: Array) -> Array:
        total: Array = getattr(self, f"W{letter}") @ x + getattr(self, f"U{letter}") @ h
        return total

    def step(self, x: Array, h: Array) -> tuple[Array, Array, Array]:
        z, r = (1 / (1 + np.exp(-self.gate(letter, x, h))) for letter in "zr")
        h = (1 - z) * np.tanh(self.gate("h", x, h)) + z * h
        return h, self.V @ h, r
