"""``bench --cell``: a cell's code runs in a process of its own, which also times what it is compared with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnn_harness.cli._bench_options import BenchOptions
from rnn_harness.errors import HarnessError, UsageError
from rnn_harness.records.measurement import FailedBenchmark, Measurement, SpeedMeasurement
from rnn_harness.records.measurement_stamp import stamp
from rnn_harness.runtime import this_process
from rnn_harness.runtime.worker import Send, WorkerEnded, run_in_worker
from rnn_harness.validation.isolation import WrongUse, load_requested, run_with_limits
from rnn_harness.validation.request import Limits, ValidationRequest
from rnn_harness.validation.worker_endings import WorkFailed

if TYPE_CHECKING:
    from rnn_harness.benchmarks import BenchmarkJob

_SILENCE = 600.0
"""Seconds without a measurement after which a job is ended; one takes some seconds, or a compilation."""


@dataclass(frozen=True)
class _CellJob:
    """A job that a worker does.

    Attributes:
        options: The options of ``bench``, which plan it.
        title: Its title in that plan.
    """

    options: BenchOptions
    title: str


_MESSAGE_TYPES: tuple[type[SpeedMeasurement | WrongUse | WorkFailed], ...] = (SpeedMeasurement, WrongUse, WorkFailed)


def check_cells(cells: tuple[str, ...]) -> None:
    """Check that every cell can be loaded.

    Args:
        cells: The cells as they are typed.

    Raises:
        UsageError: One cannot be loaded, or ends its process.
        HarnessError: The harness failed.
    """
    types: tuple[type[WrongUse | WorkFailed], ...] = (WrongUse, WorkFailed)
    for cell in cells:
        for message in run_in_worker(_load_in_worker, cell, types, Limits().case):
            match message:
                case WrongUse(text):
                    raise UsageError(text)
                case WorkFailed(reason, "") | WorkerEnded(sentence=reason):
                    raise UsageError(f"{cell} cannot be loaded: {reason}")
                case WorkFailed(reason, traceback_text):
                    raise HarnessError(reason, traceback_text)


def _load_in_worker(send: Send[WrongUse | WorkFailed | WorkerEnded], cell: str) -> None:
    """Load a cell; what it prints goes nowhere."""
    this_process.discard_standard_output()
    request = ValidationRequest(cell)
    run_with_limits(send, request, lambda: _load(request))


def _load(request: ValidationRequest) -> None:
    """Load the target of a request, and nothing more."""
    load_requested(request)


def in_worker(options: BenchOptions, job: BenchmarkJob) -> BenchmarkJob:
    """Return a job that does the same in a worker.

    Args:
        options: The options of ``bench``, which plan it.
        job: One that times candidates, as `plan_here` plans it.
    """

    def run(check_interrupt: Callable[[], None]) -> Iterator[Measurement]:
        for message in run_in_worker(_measure_in_worker, _CellJob(options, job.title), _MESSAGE_TYPES, _SILENCE):
            match message:
                case WrongUse(text):
                    raise UsageError(text)
                case WorkFailed(reason) | WorkerEnded(sentence=reason):
                    yield stamp(FailedBenchmark(job_kind=job.kind, subject=job.title, spec="", reason=reason))
                case SpeedMeasurement():
                    yield message
            check_interrupt()

    return replace(job, run=run)


def _measure_in_worker(send: Send[SpeedMeasurement | WrongUse | WorkFailed | WorkerEnded], task: _CellJob) -> None:
    """Do a job of a plan; what a cell prints goes nowhere."""
    this_process.discard_standard_output()
    request = ValidationRequest(memory=math.inf) if task.options.device == "cuda" else ValidationRequest()
    run_with_limits(send, request, lambda: _send_measurements(send, task))


def _send_measurements(send: Send[SpeedMeasurement | WrongUse | WorkFailed | WorkerEnded], task: _CellJob) -> None:
    """Send what a job measures."""
    import torch

    torch.set_num_threads(task.options.threads)
    job = next(job for job in task.options.plan_here() if job.title == task.title)
    for measurement in job.run(lambda: None):
        if isinstance(measurement, SpeedMeasurement):
            send(measurement)
