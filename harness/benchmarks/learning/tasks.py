"""Tasks that need a memory, with what a model without one can reach at best, in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from rnn_harness.benchmarks.learning.series import forecast_task, forecasts_task
from rnn_harness.benchmarks.learning.task import Batch, Task
from rnn_harness.benchmarks.learning.text import characters_task


def entropy(probability: float) -> float:
    """Return the entropy of a yes or no, in nats.

    Args:
        probability: Of yes, between 0 and 1.
    """
    return -sum(p * math.log(p) for p in (probability, 1 - probability) if p > 0)


def adding_task(steps: int) -> Task:
    """Build Hochreiter & Schmidhuber 1997, experiment 4: the sum of the two marked numbers of a sequence.

    Args:
        steps: T; a number of the first half and one of the second are marked.
    """

    def draw(rng: np.random.Generator, batch: int) -> Batch:
        x = np.zeros((steps, batch, 2), np.float32)
        x[:, :, 0] = rng.random((steps, batch))
        first = rng.integers(0, steps // 2, batch)
        second = rng.integers(steps // 2, steps, batch)
        rows = np.arange(batch)
        x[first, rows, 1] = x[second, rows, 1] = 1
        return Batch(x, (x[first, rows, 0] + x[second, rows, 0])[:, None])

    # The variance of the sum is 1/6; where the last number is a marked one, it is known, and 1/12 remains.
    last_is_marked = 1 / (steps - steps // 2)
    chance = 1 / 6 - last_is_marked / 12
    return Task("adding", "add two marked numbers", steps, 2, 1, "number", chance, 1 / 60, draw)


def order_task(steps: int) -> Task:
    """Build experiment 6a: of two symbols X or Y among distractors, which came in which order.

    Args:
        steps: T; the symbols stand from T/10 to T/5 and from T/2 to 3T/5.
    """

    def draw(rng: np.random.Generator, batch: int) -> Batch:
        symbols = rng.integers(2, 6, (steps, batch))
        rows = np.arange(batch)
        first, second = rng.integers(0, 2, (2, batch))
        symbols[rng.integers(steps // 10, steps // 5 + 1, batch), rows] = first
        symbols[rng.integers(steps // 2, 3 * steps // 5 + 1, batch), rows] = second
        return Batch(np.eye(6, dtype=np.float32)[symbols], 2 * first + second)

    chance = math.log(4)
    return Task("order", "which of two symbols came in which order", steps, 6, 4, "class", chance, chance / 10, draw)


def copy_task(steps: int, length: int = 5) -> Task:
    """Build the copy task: repeat, after a pause, the symbols that came first.

    The loss is per step: the pause is easy, the symbols are not.

    Args:
        steps: The steps of the pause.
        length: The number of symbols.
    """
    total = steps + 2 * length

    def draw(rng: np.random.Generator, batch: int) -> Batch:
        to_copy = rng.integers(0, 8, (length, batch))
        symbols = np.full((total, batch), 8)
        symbols[:length] = to_copy
        symbols[total - length] = 9
        targets = np.full((total, batch), 8)
        targets[total - length :] = to_copy
        return Batch(np.eye(10, dtype=np.float32)[symbols], targets)

    # Without a clock, a blank of the pause and a blank at which a symbol is asked for look alike.
    blanks, asked = steps + length - 1, length - 1
    at_blanks = entropy(asked / blanks) + asked / blanks * math.log(8)
    chance = (math.log(8) + blanks * at_blanks) / total
    solved = length * math.log(8) / total / 10  # a tenth of what remains for one that has a clock
    return Task("copy", f"repeat {length} symbols after a pause", total, 10, 9, "classes", chance, solved, draw)


def ahead_task(steps: int) -> Task:
    """Build the sign of the *next* number: what has not come yet is visible in the other direction alone.

    Args:
        steps: T; nothing is asked for at the last one.
    """

    def draw(rng: np.random.Generator, batch: int) -> Batch:
        x = rng.standard_normal((steps, batch, 1)).astype(np.float32)
        targets = np.full((steps, batch), -1)
        targets[:-1] = x[1:, :, 0] > 0
        return Batch(x, targets)

    chance = math.log(2)
    title = "the sign of the next number"
    return Task("ahead", title, steps, 1, 2, "classes", chance, chance / 10, draw, needs_future=True)


def sentiment_task(steps: int) -> Task:
    """Build 000:214-237: sentences of the words cut, mat and rat; as in its table, those with a cut are positive.

    Args:
        steps: T, the number of words of a sentence.
    """

    def draw(rng: np.random.Generator, batch: int) -> Batch:
        words = rng.integers(0, 3, (steps, batch))
        return Batch(np.eye(3, dtype=np.float32)[words], (words == 0).any(0).astype(np.int64))

    chance = 2 / 3 * entropy((2 / 3) ** (steps - 1))  # a last word that is cut tells; else the words before decide
    return Task("sentiment", "whether a sentence has the word cut", steps, 3, 2, "class", chance, chance / 10, draw)


def carry_task(steps: int) -> Task:
    """Build 003:504-521, stateless against stateful: a symbol of the first window, asked for in every later one.

    The gradient never reaches back to it: only a state that is carried can bring it along. A model that remembers the
    window alone counts as one without a memory here.

    Args:
        steps: T, in windows of five; one answer is asked for in each.
    """
    window = 5

    def draw(rng: np.random.Generator, batch: int) -> Batch:
        symbols = np.full((steps, batch), 2)
        symbols[window - 2] = rng.integers(0, 2, batch)
        targets = np.full((steps, batch), -1)
        targets[window - 1 :: window] = symbols[window - 2]
        return Batch(np.eye(3, dtype=np.float32)[symbols], targets)

    # In the first window it can be read off; in all the others it is one of two.
    windows = steps // window
    chance = math.log(2) * (windows - 1) / windows
    title = "a symbol of the first window, asked for in every window"
    return Task("carry", title, steps, 3, 2, "classes", chance, chance / 10, draw, window=window)


TASKS: dict[str, Callable[[int], Task]] = {
    "adding": adding_task,
    "order": order_task,
    "copy": copy_task,
    "ahead": ahead_task,
    "sentiment": sentiment_task,
    "carry": carry_task,
    "characters": characters_task,
    "forecast": forecast_task,
    "forecasts": forecasts_task,
}
"""Builds a task of a number of time steps, by its name."""
