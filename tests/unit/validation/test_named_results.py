"""A step in NumPy gives an output and its state: which of them is the state is told by the names that it returns."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.specs import literature
from rnn_harness.validation import load_target
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch

SRU = """
import numpy as np

def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))

class SRU:
    def __init__(self, n_in, n_hidden):
        self.W, self.Wf, self.Wr, self.Wx = (np.random.randn(n_in, n_hidden) for _ in range(4))
        self.bf, self.br = np.random.randn(n_hidden), np.random.randn(n_hidden)

    def step(self, x, c_prev):
        f = sigmoid(x @ self.Wf + self.bf)
        r = sigmoid(x @ self.Wr + self.br)
        c = f * c_prev + (1 - f) * (x @ self.W)
        h = r * np.tanh(READ) + (1 - r) * (x @ self.Wx)
        return RETURNED
"""
PROJECTED = next(spec for spec in literature() if spec.id == "sru.first.projected")


def _probe(folder: Path, returned: str, read: str = "c") -> Probe:
    path = folder / "a_cell_of_a_test.py"
    path.write_text(SRU.replace("RETURNED", returned).replace("READ", read))
    return probe_target(load_target(f"{path}:SRU"))


@pytest.mark.parametrize("returned", ["h, c", "(h, c)", "[h, c]"])
def test_the_result_that_is_called_as_the_state_is_the_state(returned: str, tmp_path: Path) -> None:
    probe = _probe(tmp_path, returned)
    assert (probe.convention.taken, probe.convention.output_place) == ((1,), 0)
    assert TargetSearch(probe).match_spec(PROJECTED) is not None


def test_a_mistake_in_an_output_that_is_no_state_is_named(tmp_path: Path) -> None:
    found = faulty_match(TargetSearch(_probe(tmp_path, "h, c", "c_prev")), PROJECTED)
    assert found is not None
    assert found.diagnosis().part == "forward: sru.first.projected-5"


def test_a_state_that_comes_first_is_the_state_as_before(tmp_path: Path) -> None:
    probe = _probe(tmp_path, "c, h")
    assert probe.convention.taken == (0,)
