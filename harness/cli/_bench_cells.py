"""``bench --cell``: a cell's code runs in a process of its own, which times and trains it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnn_harness.cli._bench_options import BenchOptions
from rnn_harness.errors import HarnessError, NotRun, UsageError
from rnn_harness.records.measurement import (
    DecayMeasurement,
    FailedBenchmark,
    LearningMeasurement,
    Measurement,
    SpeedMeasurement,
)
from rnn_harness.records.measurement_stamp import stamp
from rnn_harness.runtime import this_process
from rnn_harness.runtime.worker import Send, WorkerEnded, run_in_worker
from rnn_harness.validation.isolation import WrongUse, run_with_limits
from rnn_harness.validation.worker_endings import WorkFailed, advice

if TYPE_CHECKING:
    from rnn_harness.benchmarks import BenchmarkJob

_SILENCE = 600.0
"""Seconds without a measurement after which a job is ended; one takes some seconds, or a compilation."""
_PATIENCE = 20.0
"""How many times longer than estimated a measurement may take."""


@dataclass(frozen=True)
class _CellJob:
    """A job that a worker does.

    Attributes:
        options: The options of ``bench``, which plan it.
        title: Its title in that plan.
    """

    options: BenchOptions
    title: str


@dataclass(frozen=True)
class _PartDone:
    """A worker's message that it goes on to the next seed, round or step."""


_CellMeasurement = SpeedMeasurement | LearningMeasurement | DecayMeasurement
_Message = _CellMeasurement | _PartDone | WrongUse | WorkFailed
_MESSAGE_TYPES: tuple[type[_Message], ...] = (
    SpeedMeasurement,
    LearningMeasurement,
    DecayMeasurement,
    _PartDone,
    WrongUse,
    WorkFailed,
)


def in_worker(options: BenchOptions, job: BenchmarkJob) -> BenchmarkJob:
    """Return a job that does the same in a worker.

    Args:
        options: The options of ``bench``, which plan it.
        job: One that times or trains candidates, as `plan_here` plans it.
    """

    def run(check_interrupt: Callable[[], None]) -> Iterator[Measurement]:
        silence = max(_SILENCE, _PATIENCE * job.seconds)
        limits, request = options.cell_options.limits, options.cell_options.request()
        messages = run_in_worker(
            _measure_in_worker,
            _CellJob(options, job.title),
            _MESSAGE_TYPES,
            silence,
            target_timeout=limits.case,
            memory=request.memory_limit,
        )
        for message in messages:
            match message:
                case WrongUse(text):
                    raise UsageError(text)
                case WorkFailed(reason, ""):
                    yield _failed(job, reason)
                case WorkFailed(reason, traceback_text):
                    raise HarnessError(reason, traceback_text)
                case WorkerEnded():
                    yield _failed(job, f"{message}{advice(request, limits, message)}")
                case _PartDone():
                    pass
                case _:
                    yield message
            check_interrupt()

    return replace(job, run=run)


def _failed(job: BenchmarkJob, reason: str) -> FailedBenchmark:
    """Return the measurement which says that a job failed."""
    return stamp(FailedBenchmark(job_kind=job.kind, subject=job.title, spec="", reason=reason))


def _measure_in_worker(send: Send[_Message | WorkerEnded], task: _CellJob) -> None:
    """Do a job of a plan; what a cell prints goes nowhere."""
    this_process.discard_standard_output()
    request = task.options.cell_options.request()
    request = replace(request, memory=math.inf) if task.options.device == "cuda" else request
    run_with_limits(send, request, lambda: _send_measurements(send, task))


def _send_measurements(send: Send[_Message | WorkerEnded], task: _CellJob) -> None:
    """Send what a job measures."""
    import torch

    torch.set_num_threads(task.options.threads)
    job = next(job for job in task.options.plan_here() if job.title == task.title)
    try:
        for measurement in job.run(lambda: send(_PartDone())):
            if isinstance(measurement, _CellMeasurement):
                send(measurement)
    except HarnessError:
        raise
    except NotRun as reason:  # a cell that cannot be trained, say
        send(WorkFailed(str(reason)))
