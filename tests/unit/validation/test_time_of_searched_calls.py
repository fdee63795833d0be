"""Calls of NumPy code are within their limit of time also while ways of calling it are searched."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.records.events import RecordMade
from rnn_harness.runtime.target_call import CLOCK_SLOTS, TargetClock, construct_target, process_clock
from rnn_harness.runtime.worker import Ending, WorkerEnded
from rnn_harness.validation import ValidationRequest
from rnn_harness.validation.isolation import run_validation_isolated
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.request import Limits
from rnn_harness.validation.worker_endings import events_of_ending

TIMED = """
import numpy as np
from rnn_harness.runtime.target_call import process_clock
CALLS = []
def note():
    CALLS.append(process_clock().is_running)
def step_forward(x, h_prev, Wx, Wh):
    note()
    h = np.tanh(x @ Wx + h_prev @ Wh)
    return h, (x, h_prev, h, Wx, Wh)
def step_backward(dh, cache):
    note()
    x, h_prev, h, Wx, Wh = cache
    da = dh * (1 - h * h)
    return da @ Wx.T, da @ Wh.T, x.T @ da, h_prev.T @ da
class OfSizes:
    def __init__(self, n_in, n_hid):
        self.W, self.U = np.ones((n_in, n_hid)), np.ones((n_hid, n_hid))
    def forward(self, x, h):
        note()
        return np.tanh(x @ self.W + h @ self.U)
class OfWeights:
    def __init__(self, Wx, Wh):
        note()
        self.params = [Wx, Wh]
    def forward(self, x, h_prev):
        note()
        return np.tanh(x @ self.params[0] + h_prev @ self.params[1])
def lossFun(inputs, targets, hprev, Wxh, Whh, Why):
    note()
    raise ValueError("no loss")
class Scores:
    def __init__(self, n_in, n_hid):
        self.W, self.U = np.ones((n_in, n_hid)), np.ones((n_hid, n_hid))
    def forward(self, X):
        note()
        return X @ self.W
    def backward(self, dY):
        note()
        return dY
"""
CONSTRUCTOR_HANGS = """
import time
from torch import nn

class Hangs(nn.Module):
    def __init__(self, input_size, hidden_size):
        time.sleep(1000)
"""
HANGS = """
import numpy as np
class Hangs:
    def __init__(self, n_in, n_hid):
        self.W, self.U = np.ones((n_in, n_hid)), np.ones((n_hid, n_hid))
    def forward(self, x, h):
        while True:
            pass
"""


@pytest.mark.parametrize("name", ["step_forward", "OfSizes", "OfWeights", "lossFun", "Scores"])
def test_every_call_of_a_search_is_counted_by_the_clock(name: str, tmp_path: Path) -> None:
    path = tmp_path / "timed_cells_of_a_test.py"
    path.write_text(TIMED)
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    try:
        target_of(name, vars(module)[name])
    except UsageError:
        assert name in ("lossFun", "Scores")
    assert len(module.CALLS) > 2
    assert all(module.CALLS)
    assert not process_clock().is_running


def test_calls_while_a_target_is_loaded_do_not_add_up() -> None:
    clock = TargetClock([0.0] * CLOCK_SLOTS)
    with clock.loading():
        clock.enter()
        sum(range(10**5))
        clock.leave()
    assert clock.finished_seconds == 0
    clock.enter()
    sum(range(10**5))
    clock.leave()
    assert clock.finished_seconds > 0


def test_a_search_that_does_not_come_back_refutes_nothing_and_says_so() -> None:
    ended = WorkerEnded(Ending.TIMEOUT, "did not come back within 4 s", in_target=True)
    request = ValidationRequest("hangs.py:Hangs")
    (event,) = events_of_ending(request, None, ended, None, Limits(case=4.0))
    assert isinstance(event, RecordMade)
    record = event.record
    assert record.outcome == "not run"
    assert record.reason == (
        "did not come back within 4 s while ways of calling it were searched; --timeout SECONDS gives it longer"
    )


@pytest.mark.process
@pytest.mark.deep(
    "tests/unit/validation/test_time_of_searched_calls.py::test_every_call_of_a_search_is_counted_by_the_clock"
)
def test_a_numpy_class_that_hangs_is_ended_within_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "hangs.py"
    path.write_text(HANGS)
    request = ValidationRequest(f"{path}:Hangs", dtypes=("float64",))
    (event,) = run_validation_isolated(request, Limits(case=2.0))
    assert isinstance(event, RecordMade)
    assert event.record.outcome == "not run"
    assert event.record.reason.startswith("did not come back within 2 s while ways of calling it were searched")


def test_the_clock_says_whether_a_constructor_runs() -> None:
    assert construct_target(lambda: process_clock().is_constructing)
    assert not process_clock().is_constructing


@pytest.mark.process
@pytest.mark.deep(
    "tests/unit/validation/test_time_of_searched_calls.py::test_the_clock_says_whether_a_constructor_runs"
)
def test_a_constructor_that_hangs_is_ended_sooner_than_an_import(tmp_path: Path) -> None:
    path = tmp_path / "hangs.py"
    path.write_text(CONSTRUCTOR_HANGS)
    request = ValidationRequest(f"{path}:Hangs", dtypes=("float64",))
    (event,) = run_validation_isolated(request, Limits(case=2.0))
    assert isinstance(event, RecordMade)
    assert event.record.outcome == "not run"
    assert event.record.reason == (
        "has a constructor that did not come back within 2 s while it was loaded; --timeout SECONDS above 120 gives it "
        "as long"
    )
