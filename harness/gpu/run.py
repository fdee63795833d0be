"""The stages of a run on a GPU machine, each in processes of its own, and the files that hold what they gave."""

from __future__ import annotations

import datetime
import importlib.util
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel

from rnn_harness.errors import UsageError, named_error
from rnn_harness.gpu.earlier_run import (
    EarlierRun,
    is_finished,
    read_earlier_run,
    stopped_run,
    times_in_order,
    verdicts_in_order,
)
from rnn_harness.gpu.fused_probes import RIGHT
from rnn_harness.gpu.machine import describe_machine
from rnn_harness.gpu.probes import COOPERATIVE, PROBES, ProbeJob, ask_probe
from rnn_harness.gpu.run_digest import run_digest
from rnn_harness.gpu.run_files import SyncedFiles, new_folder
from rnn_harness.gpu.sizes import judge_size, size_digest, size_jobs
from rnn_harness.gpu.times import time_point, timed_points
from rnn_harness.kernels import Kernel, WorkLimits, all_kernels, judge_isolated
from rnn_harness.records.gpu_evidence import MACHINE, TIMES, VERDICTS, MachineFact, ProbeResult, RunStart, StageEnd
from rnn_harness.records.measurement import SpeedMeasurement
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.worker import WorkerEnded
from rnn_harness.runtime.worker_shares import ItemStarted, run_shares

SILENCE = 120.0
"""Seconds without a word after which a process is ended."""
SILENCE_OF_PROBES = 40.0
"""The same for a probe: what hangs shall leave time for the others."""
USUAL_BUDGET = 480.0
"""Seconds for which the limits of the stages are made."""
SECONDS_AT_THE_END = 5.0
"""What is left for the summary."""
_NOT_JUDGED = "not judged at this size"
_ORDER_OF_VERDICTS = (
    "fused/",
    "split/",
    "nn.LSTM/cudnn",
    "fused-",
    "split-",
    "nn.",
    "function/",
    "eager/",
    "compiled/",
)


@dataclass(frozen=True)
class GpuRunOptions:
    """What a run does.

    Attributes:
        out: The folder in which the folder of the run is made.
        budget: Seconds for all of it.
        workers: Processes at the same time, where times are not measured.
        interpret: Whether it is a trial on the processor, with Triton's interpreter, at tiny sizes.
        with_split: Whether kernels that are split over many processors are tried; a probe decides that.
        stages: The names of the stages that are run, in their own order; empty for all.
        resume: Whether the last run on this card is gone on with, if nothing has changed since it was stopped.
        earlier: What that run has found; it is not done again.
    """

    out: Path
    budget: float
    workers: int
    interpret: bool = False
    with_split: bool = True
    stages: tuple[str, ...] = ()
    resume: bool = False
    earlier: EarlierRun = field(default_factory=EarlierRun)

    @property
    def device(self) -> str:
        """Where kernels run."""
        return "cpu" if self.interpret else "cuda"


@dataclass(frozen=True)
class _Stage:
    """A part of the run.

    Attributes:
        name: Its name in the files.
        seconds: The most that it may take of `USUAL_BUDGET`, and as much more of a larger one; what it leaves goes to
            those after it.
        rows: Does the work until a deadline.
    """

    name: str
    seconds: float
    rows: Callable[[GpuRunOptions, float], Iterator[BaseModel]]


def run_on_gpu(
    options: GpuRunOptions,
    on_stage: Callable[[str], None] = lambda _: None,
    after_stage: Callable[[Path], None] = lambda _: None,
    on_folder: Callable[[Path, str], None] = lambda *_: None,
) -> Path:
    """Run all stages, the most valuable first, and keep every row on disk as it comes.

    Args:
        options: What is done, and for how long.
        on_stage: Called with the name of a stage before it begins.
        after_stage: Called with the folder after every stage, and when the run is interrupted or fails.
        on_folder: Called with the folder of the run, and with what is to be said of runs that were stopped, if
            anything is.

    Returns:
        The folder of the run.

    Raises:
        UsageError: There is no CUDA device, no such stage, or the folder cannot be made.
    """
    end = time.monotonic() + options.budget
    stages = _wanted_stages(options.stages)
    card = _card(options)
    digest = run_digest(options.device, "run", options.interpret)
    stopped = stopped_run(options.out, card, digest)
    goes_on = options.resume and stopped is not None
    folder = stopped if stopped is not None and goes_on else new_folder(options.out, card)
    with SyncedFiles(folder) as files:
        on_folder(folder, _said_of_stopped(options, stopped))
        if goes_on:
            options = replace(options, earlier=read_earlier_run(folder))
            files.replace(MACHINE, options.earlier.rows)
            files.replace(VERDICTS, options.earlier.records)
        files.write(
            RunStart(depends_on=digest, started=datetime.datetime.now(tz=datetime.UTC).isoformat(" ", "seconds"))
        )
        _run_stages(options, stages, end, files, on_stage, lambda: after_stage(folder))
        if goes_on:
            files.replace(VERDICTS, verdicts_in_order(folder))
            files.replace(TIMES, times_in_order(folder))
    return folder


def _said_of_stopped(options: GpuRunOptions, stopped: Path | None) -> str:
    """Say what a user should know of an earlier run; empty where there is nothing to say."""
    if stopped is None:
        return "there is no run of just this to go on with: a new one begins" if options.resume else ""
    if options.resume:
        return "what an earlier run has found there is not done again"
    is_open = not is_finished(stopped, (stage.name for stage in STAGES))
    return f"{stopped} was not finished: --resume goes on with it" if is_open else ""


def _run_stages(
    options: GpuRunOptions,
    stages: Sequence[_Stage],
    end: float,
    files: SyncedFiles,
    on_stage: Callable[[str], None],
    after_stage: Callable[[], None],
) -> None:
    """Run the stages until the end of the budget, in seconds of the monotonic clock."""
    judged = list(options.earlier.records)
    for answer in options.earlier.answers:
        options = _answered(options, answer)
    for number, stage in enumerate(stages):
        on_stage(stage.name)
        start = time.monotonic()
        remaining = end - SECONDS_AT_THE_END - start
        is_last = number == len(stages) - 1
        limit = stage.seconds * max(1.0, options.budget / USUAL_BUDGET)
        deadline = start + (remaining if is_last else min(limit, remaining))
        if stage.name == "times" and options.earlier.times:  # what was judged since may say more of them
            files.replace(TIMES, [_judged_time(time, judged) for time in options.earlier.times])
        try:
            for row in stage.rows(options, deadline) if remaining > 0 else ():
                if isinstance(row, Record):
                    if options.earlier.contains(row):
                        continue
                    judged.append(row)
                if isinstance(row, ProbeResult):
                    options = _answered(options, row)
                files.write(_judged_time(row, judged) if isinstance(row, SpeedMeasurement) else row)
        except BaseException as error:
            by = "interrupted" if isinstance(error, KeyboardInterrupt) else f"ended by {named_error(error)}"
            files.write(StageEnd(stage=stage.name, ending=by, seconds=round(time.monotonic() - start, 1)))
            after_stage()
            raise
        stop = time.monotonic()
        by_limit = not is_last and limit <= remaining
        cut = "no time left" if remaining <= 0 else _cut(by_limit, deadline - start)
        ending = "done" if remaining > 0 and stop < deadline else cut
        files.write(StageEnd(stage=stage.name, ending=ending, seconds=round(stop - start, 1)))
        after_stage()


def _answered(options: GpuRunOptions, answer: ProbeResult) -> GpuRunOptions:
    """Give the options with what a probe decides."""
    if answer.probe != COOPERATIVE:
        return options
    return replace(options, with_split=answer.result.startswith(RIGHT))


def _wanted_stages(names: tuple[str, ...]) -> tuple[_Stage, ...]:
    """Give the stages of these names, all without any. Raises UsageError where there is no such stage."""
    known = [stage.name for stage in STAGES]
    for name in names:
        if name not in known:
            raise UsageError(f"--stages: there is no stage {name!r}, expected some of {', '.join(known)}")
    return tuple(stage for stage in STAGES if not names or stage.name in names)


def _cut(by_limit: bool, allowed: float) -> str:
    """Say by what a stage was ended that was still at work when its time was over."""
    by = "its limit" if by_limit else "the budget of the run"
    return f"cut by {by} after {allowed:.0f} s: it may not have come to everything"


def _card(options: GpuRunOptions) -> str:
    """Give the name of the device. Raises UsageError where there is none, or the interpreter is in the way."""
    if importlib.util.find_spec("torch") is None:
        raise UsageError(
            "torch is not installed here: run this with the Python whose torch was built for the GPU's driver"
        )
    import torch

    if options.interpret:
        os.environ["TRITON_INTERPRET"] = "1"
        return "interpreter"
    if not torch.cuda.is_available():
        reason = "was built without CUDA" if torch.version.cuda is None else "finds no CUDA device"
        raise UsageError(
            f"there is no GPU to run on: torch {torch.__version__} {reason}; "
            "--interpret tries all stages on the processor at tiny sizes"
        )
    if os.environ.get("TRITON_INTERPRET") == "1":
        raise UsageError("TRITON_INTERPRET=1 is set: unset it to compile for the GPU, or give --interpret")
    return torch.cuda.get_device_name(0)


def _judged_time(measurement: SpeedMeasurement, judged: list[Record]) -> SpeedMeasurement:
    """Say of a time whether the kernel was right at this hidden size in this format."""
    records = [
        record
        for record in judged
        if (record.kernel, record.dtype) == (measurement.subject, measurement.dtype)
        and record.case is not None
        and record.case.d == measurement.sizes["d"]
    ]
    outcomes = {record.outcome for record in records}
    if Outcome.REFUTED in outcomes:
        reason = next(record.reason for record in records if record.outcome is Outcome.REFUTED)
        return measurement.model_copy(update={"agrees": False, "reason": reason})
    reason = "" if measurement.reason == _NOT_JUDGED else measurement.reason
    if Outcome.AGREES in outcomes:
        return measurement.model_copy(update={"agrees": True, "reason": reason})
    return measurement.model_copy(update={"reason": reason or _NOT_JUDGED})


def _machine(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
    devices = [] if options.earlier.is_machine_described else [options.device]
    for answer in run_shares(describe_machine, devices, (MachineFact,), 1, SILENCE, deadline):
        if isinstance(answer.message, MachineFact):
            yield answer.message
        elif isinstance(answer.message, WorkerEnded):
            yield MachineFact(subject="description", value=f"cut short: {answer.message}")


def _probes(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
    known = {answer.probe for answer in options.earlier.answers}
    asked = [number for number, probe in enumerate(PROBES) if probe.title not in known]
    jobs = [ProbeJob(number, options.device) for number in asked]
    answered = set()
    for answer in run_shares(ask_probe, jobs, (ProbeResult,), 1, SILENCE_OF_PROBES, deadline):
        if isinstance(answer.message, ProbeResult):
            answered.add(answer.item)
            yield answer.message
        elif isinstance(answer.message, WorkerEnded) and answer.item not in answered:
            probe, ended = PROBES[asked[answer.item]], str(answer.message)
            yield ProbeResult(probe=probe.title, prediction=probe.prediction, result=ended, is_unanswered=True)


def _sizes(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
    known = options.earlier.known_records
    wanted = size_jobs(options.device, options.with_split)
    jobs = [job for job in wanted if not known.batch(size_digest(job))]
    for answer in run_shares(judge_size, jobs, (Record,), options.workers, SILENCE, deadline):
        if isinstance(answer.message, Record):
            yield answer.message
        elif isinstance(answer.message, WorkerEnded):
            job = jobs[answer.item]
            ended = f"{job.kernel_id}, {job.setting}, n, d, B, T = {job.sizes}: {answer.message}"
            yield MachineFact(subject="a process of sizes", value=ended)


def _times(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
    wanted = timed_points(options.device, options.with_split)
    points = [point for point in wanted if not point.is_timed_by(options.earlier.times_of(point.digest))]
    for answer in run_shares(time_point, points, (SpeedMeasurement,), 1, SILENCE, deadline):
        if isinstance(answer.message, SpeedMeasurement):
            yield answer.message
        elif isinstance(answer.message, WorkerEnded):
            yield MachineFact(subject="a process of times", value=f"{points[answer.item]}: {answer.message}")
        elif isinstance(answer.message, ItemStarted):
            continue


def _verdicts(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
    limits = WorkLimits(options.workers, max(0.0, deadline - time.monotonic()), SILENCE)
    kernels = verdict_kernels(options.device)
    wanted = tuple(kernel for kernel in kernels if options.with_split or not kernel.id.startswith("split"))
    return judge_isolated(wanted, known=options.earlier.known_records, limits=limits)


def verdict_kernels(device: str) -> tuple[Kernel, ...]:
    """Give the kernels of the last stage, each with one setting, the most telling first.

    Args:
        device: ``cuda``; on ``cpu`` one kernel stands for all.
    """
    split = [replace(k, settings=(s,)) for k in all_kernels() for s in k.settings if s.device == device]
    right = [kernel for kernel in split if not kernel.known_wrong]
    if device == "cpu":
        return tuple(k for k in right if k.id == "fused/rnn.tanh" and k.settings[0].dtype == "bfloat16")
    return tuple(sorted(right, key=_rank))


def _rank(kernel: Kernel) -> tuple[int, int]:
    prefix = next(i for i, prefix in enumerate((*_ORDER_OF_VERDICTS, "")) if kernel.id.startswith(prefix))
    return ("float32", "bfloat16", "float16", "float64").index(kernel.settings[0].dtype), prefix


STAGES = (
    _Stage("machine", 30, _machine),
    _Stage("probes", 75, _probes),
    _Stage("sizes", 100, _sizes),
    _Stage("times", 110, _times),
    _Stage("verdicts", math.inf, _verdicts),
)
"""In the order in which they are worth most."""
