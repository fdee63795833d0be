"""The numbers that a cell written by hand is tried with: sizes that differ pairwise, so that no two are confused."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.validation.cells.capabilities import CellSizes


@dataclass(frozen=True)
class TrialNumbers:
    """Inputs and states of a trial.

    Attributes:
        sizes: The input size n and the hidden size d.
        steps: T.
        rows: B.
        inputs: (T, B, n).
        states: Two states, (B, d) each.
    """

    sizes: CellSizes
    steps: int
    rows: int
    inputs: Array
    states: tuple[Array, Array]

    def letters(self, features: int) -> dict[str, int]:
        """Return the lengths of the axes of an array with so many features.

        Args:
            features: n for inputs, d for states.
        """
        return {"T": self.steps, "B": self.rows, "N": features}


def draw_trial_numbers(sizes: CellSizes, seed: int = 3) -> TrialNumbers:
    """Draw the numbers of a trial.

    Args:
        sizes: The input size and the hidden size.
        seed: Where the numbers start.
    """
    n, d = sizes
    taken = {n, d, n + d, *(gates * d for gates in range(2, 5)), 1, 2}
    steps, rows = itertools.islice((size for size in range(4, 40) if size not in taken), 2)
    rng = np.random.default_rng(seed)
    states = rng.standard_normal((rows, d)) / 2, rng.standard_normal((rows, d)) / 2
    return TrialNumbers(sizes, steps, rows, rng.standard_normal((steps, rows, n)), states)
