"""A step in NumPy that mixes rows, and is right for one vector at a time, is told to mix them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.validation import load_target
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.rows_of_vectors import MIXED_ROWS, note_on_rows

NORMALISED = """
import numpy as np

class Normalised:
    def __init__(self, n_in, n_hidden):
        self.W, self.U = np.random.randn(n_in, n_hidden), np.random.randn(n_hidden, n_hidden)

    def step(self, x, h):
        a = x @ self.W + h @ self.U
        return np.tanh((a - a.mean(AXIS)) / np.sqrt(a.var(AXIS) + 1e-5))
"""


@pytest.mark.parametrize(
    ("axis", "note"),
    [("axis=0, keepdims=True", (MIXED_ROWS,)), ("axis=-1, keepdims=True", ()), ("", (MIXED_ROWS,))],
    ids=["the first axis", "the last axis", "all axes"],
)
def test_a_step_that_mixes_rows_is_told_to_mix_them(axis: str, note: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "a_cell_of_a_test.py"
    path.write_text(NORMALISED.replace("AXIS", axis))
    assert note_on_rows(probe_target(load_target(f"{path}:Normalised"))) == note
