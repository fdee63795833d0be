"""The documents' other models, as tasks: the next character of a text, and the next values of a time series.

Text and series are drawn from laws that are known, so what can be reached at best, with a memory and without, is too.

Dimension legend: T time steps, B batch rows, k outputs.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.learning.task import Drawn, Task

_NOUNS, _VERBS = ("cat", "dog", "girl", "king"), ("run", "eat", "sleep", "sing")
_DEEP = {"rnn": 20, "gru": 11, "lstm": 10}
"""Hidden sizes of two layers of nearly the same number of parameters: 1,281 in 003:451-456."""


@dataclass(frozen=True)
class Text:
    """Sentences with their probabilities; independent of each other in a text."""

    sentences: tuple[str, ...]
    shares: Array

    @property
    def alphabet(self) -> str:
        return "".join(sorted(set("".join(self.sentences))))

    @property
    def entropy(self) -> float:
        """Nats a character: what is left to one who remembers everything."""
        length = sum(p * len(one) for p, one in zip(self.shares, self.sentences, strict=True))
        return float(-sum(p * math.log(p) for p in self.shares) / length)

    @property
    def memoryless(self) -> float:
        """Nats a character for the best guess from the last character alone."""
        pairs: Counter[tuple[str, str]] = Counter()
        for share, one in zip(self.shares, self.sentences, strict=True):
            for pair in itertools.pairwise(one[-1] + one):  # all sentences end alike
                pairs[pair] += share
        given: Counter[str] = Counter()
        for (first, _), share in pairs.items():
            given[first] += share
        lost = sum(share * math.log(given[first] / share) for (first, _), share in pairs.items())
        return float(lost / given.total())


def text() -> Text:
    """``the cats that sees the dog run. ``: the verb's ending agrees with a noun that may be 20 characters back."""
    nouns = [noun + ending for noun in _NOUNS for ending in ("", "s")]
    clauses = [("", 1 / 2), *((f" that sees the {noun}", 1 / 2 / len(nouns)) for noun in nouns)]
    rows = [
        (f"the {noun}{clause} {verb}{'' if noun.endswith('s') else 's'}. ", share / len(nouns) / len(_VERBS))
        for noun in nouns
        for clause, share in clauses
        for verb in _VERBS
    ]
    return Text(tuple(one for one, _ in rows), np.array([share for _, share in rows]))


def characters(steps: int) -> Task:
    """003:481-491, the character model: which character comes next."""
    source = text()
    letters = source.alphabet
    codes = [np.array([letters.index(letter) for letter in one]) for one in source.sentences]
    enough = steps // min(map(len, codes)) + 1

    def draw(rng: np.random.Generator, batch: int) -> Drawn:
        drawn = rng.choice(len(codes), (batch, enough), p=source.shares)
        rows = np.array([np.concatenate([codes[k] for k in row])[: steps + 1] for row in drawn]).T
        return np.eye(len(letters), dtype=np.float32)[rows[:-1]], rows[1:]

    best, chance = source.entropy, source.memoryless
    solved = best + (chance - best) / 10
    title = "the next character of a text"
    return Task("characters", title, steps, len(letters), len(letters), "classes", chance, solved, draw, best=best)


_WAVES = ((0.5, 0.2, 0.4), (0.2, 0.4, 0.8))
"""Amplitude, lowest and highest radians a step of the two waves of a series."""
_NOISE = 0.1
"""Width of the uniform noise on every value."""


def covariance(lag: int) -> float:
    """Of two values of a series, over all series: phases are uniform, so the mean of cos(w lag) is all there is."""
    if lag == 0:
        return sum(a * a / 2 for a, _, _ in _WAVES) + _NOISE**2 / 12
    return sum(a * a / 2 * (math.sin(b * lag) - math.sin(c * lag)) / ((b - c) * lag) for a, c, b in _WAVES)


def linear(values: int, lag: int) -> float:
    """The mean squared error of the best line from the last `values` values, `lag` steps ahead."""
    lags = np.abs(np.subtract.outer(np.arange(values), np.arange(values)))
    known = np.array([covariance(k) for k in range(values)])[lags]
    ahead = np.array([covariance(k + lag) for k in reversed(range(values))])
    return float(covariance(0) - ahead @ np.linalg.solve(known, ahead))


def _series(rng: np.random.Generator, steps: int, batch: int) -> Array:
    t = np.arange(steps)[:, None]
    x = rng.uniform(-_NOISE / 2, _NOISE / 2, (steps, batch))
    for amplitude, low, high in _WAVES:
        x += amplitude * np.sin(rng.uniform(low, high, batch) * t + rng.uniform(0, 2 * math.pi, batch))
    return x.astype(np.float32)[..., None]


def forecast(steps: int) -> Task:
    """003:451-456, two layers of 20 units and a dense one: the next value of a series, after its last.

    Solved by who does better than the best line through all the values; without memory there is only the last one.
    """

    def draw(rng: np.random.Generator, batch: int) -> Drawn:
        x = _series(rng, steps + 1, batch)
        return x[:-1], x[-1]

    chance, solved, best = linear(1, 1), linear(steps, 1), _NOISE**2 / 12
    title = "the next value of a time series"
    return Task("forecast", title, steps, 1, 1, "number", chance, solved, draw, best=best, widths=_DEEP, layers=2)


def forecasts(steps: int) -> Task:
    """003:462-467, the same with ten outputs at every step: the next ten values, each time. Solved likewise."""
    far = 10

    def draw(rng: np.random.Generator, batch: int) -> Drawn:
        x = _series(rng, steps + far, batch)
        return x[:steps], np.stack([x[h : h + steps, :, 0] for h in range(1, far + 1)], axis=-1)

    chance = sum(linear(1, h) for h in range(1, far + 1)) / far
    solved = sum(linear(t, h) for t in range(1, steps + 1) for h in range(1, far + 1)) / far / steps
    best = _NOISE**2 / 12
    title = "the next ten values of a time series, at every step"
    return Task("forecasts", title, steps, 1, far, "numbers", chance, solved, draw, best=best, widths=_DEEP, layers=2)
