"""What torch warns about says nothing about a kernel: it refutes none, and stops no measurement, also as an error."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from rnn_harness.benchmarks.speed import competitors as competitors_module
from rnn_harness.benchmarks.speed.grid_point import SpeedPoint
from rnn_harness.benchmarks.speed.speed import measure_speed
from rnn_harness.gpu import sizes
from rnn_harness.gpu.sizes import SizeJob, judge_size
from rnn_harness.kernels import Kernel, Setting, choose_kernels
from rnn_harness.kernels.drivers.eager import EagerDriver
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

SETTING = Setting("float64", "cpu")


class WarningDriver(EagerDriver):
    """Right numbers, with a warning at every call."""

    def run(self, *arguments: Any) -> Any:
        warnings.warn("Attempting to run cuBLAS, but there was no current CUDA context!", UserWarning, stacklevel=1)
        return super().run(*arguments)


@pytest.fixture
def warning_kernel() -> Iterator[Kernel]:
    """A kernel that warns, where warnings are errors."""
    (eager,) = choose_kernels(("eager/gru.keep.column",))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield dataclasses.replace(eager, id="warning", build=WarningDriver, profiled=False)


def test_a_kernel_that_warns_at_a_size_is_judged_by_its_numbers(
    warning_kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "all_kernels", lambda: (warning_kernel,))
    records: list[Record] = []
    judge_size(records.append, SizeJob("warning", SETTING, (3, 4, 2, 1)))
    assert [(record.outcome, record.reason) for record in records] == [(Outcome.AGREES, "")]


def test_a_kernel_that_warns_is_profiled_where_it_is_timed(
    warning_kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(competitors_module, "all_kernels", lambda: (warning_kernel,))
    point = SpeedPoint(warning_kernel.spec, 3, 4, 2, 2, dtype="float64")
    assert [competitor.name for competitor in competitors_module.competitors(point)] == ["reference", "warning"]


@pytest.mark.deep("tests/unit/gpu/test_warnings_of_torch.py::test_a_kernel_that_warns_is_profiled_where_it_is_timed")
def test_a_kernel_that_warns_is_timed(warning_kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(competitors_module, "all_kernels", lambda: (warning_kernel,))
    point = SpeedPoint(warning_kernel.spec, 3, 4, 2, 2, dtype="float64")
    measurements = [time for time in measure_speed(point, 1) if time.subject == "warning"]
    assert {time.phase for time in measurements} == {"forward", "both", "backward"}
    assert all(time.agrees for time in measurements)
