"""The targets of a comparison, each in a worker of its own: only plain data reaches this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.describe_cell import describe
from rnn_harness.comparison.describe_model import cell_or_model, run_described_model
from rnn_harness.comparison.model_description import ModelDescription, ModelOutputs, ModelWeights
from rnn_harness.comparison.run_cell import DrawnRun, OwnRun, RunOutputs, run_drawn, run_own
from rnn_harness.errors import HarnessError, NotRun, UsageError
from rnn_harness.runtime import this_process
from rnn_harness.runtime.worker import Send, WorkerEnded, run_in_worker
from rnn_harness.validation.isolation import LONGEST_SEARCH, WrongUse, run_with_limits
from rnn_harness.validation.request import Limits, ValidationRequest
from rnn_harness.validation.worker_endings import WorkFailed, advice

Task = TypeVar("Task")
Answer = TypeVar("Answer")
_WorkerAnswer = CellDescription | ModelDescription | RunOutputs | ModelOutputs
_Message = _WorkerAnswer | WrongUse | WorkFailed
_MESSAGE_TYPES: tuple[type[_Message], ...] = (
    CellDescription,
    ModelDescription,
    RunOutputs,
    ModelOutputs,
    WrongUse,
    WorkFailed,
)


@dataclass(frozen=True)
class _RunTask:
    """What a worker runs.

    Attributes:
        request: Names the target.
        runs: The numbers; empty where the target is to be described.
        known_map: Its parameter map as JSON, where that is known.
        is_measured: Whether its speed, its size and its first weights are wanted too.
        own_runs: Weights of its own to run it with.
        takes_models: Whether what is no cell is described as a model.
        model_weights: Weights to run it with as a model.
        work: What was done with it, for the message where its process ends.
    """

    request: ValidationRequest
    runs: tuple[DrawnRun, ...] = ()
    known_map: str = ""
    is_measured: bool = True
    own_runs: tuple[OwnRun, ...] = ()
    takes_models: bool = False
    model_weights: ModelWeights | None = None
    work: str = "it was compared"


def describe_isolated(
    request: ValidationRequest, limits: Limits, is_measured: bool = True, work: str = "it was compared"
) -> CellDescription:
    """Describe a target in a worker.

    Args:
        request: Names it.
        limits: How long it may take.
        is_measured: Whether its speed, its size and its first weights are wanted too.
        work: What was done with it, for the message where its process ends.

    Raises:
        UsageError: It cannot be loaded or driven.
        NotRun: It ended its process, raised an error, or gave no answer in time.
        HarnessError: The harness itself raised an error.
    """
    answer = _answer(_RunTask(request, is_measured=is_measured, work=work), limits)
    if not isinstance(answer, CellDescription):
        raise NotRun(f"{request.target}: its process did not say what it is")
    if not all(value.is_whole for value in answer.initial.values()):
        raise NotRun(f"{request.target}: its process sent weights that have not as many numbers as their shape")
    return answer


def describe_any_isolated(
    request: ValidationRequest, limits: Limits, is_measured: bool = True, work: str = "it was compared"
) -> CellDescription | ModelDescription:
    """Describe a cell, or a model of several recurrent layers, in a worker.

    Args:
        request: Names it.
        limits: How long it may take.
        is_measured: Whether the speed, the size and the first weights of a cell are wanted too.
        work: What was done with it, for the message where its process ends.

    Raises:
        UsageError: It cannot be loaded or driven.
        NotRun: It ended its process, raised an error, or gave no answer in time.
        HarnessError: The harness itself raised an error.
    """
    answer = _answer(_RunTask(request, is_measured=is_measured, takes_models=True, work=work), limits)
    if not isinstance(answer, CellDescription | ModelDescription):
        raise NotRun(f"{request.target}: its process did not say what it is")
    return answer


def run_model_isolated(request: ValidationRequest, limits: Limits, weights: ModelWeights) -> ModelOutputs:
    """Run a model in a worker.

    Args:
        request: Names it.
        limits: How long it may take.
        weights: The weights by its own names, and the sequence.

    Raises:
        UsageError: It cannot be loaded or driven.
        NotRun: It ended its process, raised an error, gave no answer in time, or numbers without a shape.
        HarnessError: The harness itself raised an error.
    """
    answer = _answer(_RunTask(request, model_weights=weights), limits)
    if not isinstance(answer, ModelOutputs):
        raise NotRun(f"{request.target}: its process did not give what the model gives")
    if not all(array.is_whole for array in answer.arrays):
        raise NotRun(f"{request.target}: its process sent outputs that have not as many numbers as their shape")
    return answer


def run_isolated(
    request: ValidationRequest, limits: Limits, runs: tuple[DrawnRun, ...], known_map: str = ""
) -> RunOutputs:
    """Run a target in a worker.

    Args:
        request: Names it.
        limits: How long it may take.
        runs: The numbers, at least one.
        known_map: Its parameter map as JSON, where that is known.

    Raises:
        UsageError: It cannot be loaded or driven.
        NotRun: It ended its process, raised an error, gave no answer in time, or not one for every run.
        HarnessError: The harness itself raised an error.
    """
    answer = _answer(_RunTask(request, runs, known_map), limits)
    return _every_run(request, answer, len(runs))


def run_own_isolated(
    request: ValidationRequest, limits: Limits, runs: tuple[OwnRun, ...], known_map: str
) -> RunOutputs:
    """Run a target with weights of its own in a worker.

    Args:
        request: Names it.
        limits: How long it may take.
        runs: The weights and the inputs, at least one of each.
        known_map: Its parameter map as JSON.

    Raises:
        UsageError: It cannot be loaded or driven.
        NotRun: It ended its process, raised an error, gave no answer in time, or not one for every run.
        HarnessError: The harness itself raised an error.
    """
    answer = _answer(_RunTask(request, known_map=known_map, own_runs=runs), limits)
    return _every_run(request, answer, len(runs))


def _every_run(request: ValidationRequest, answer: _WorkerAnswer, count: int) -> RunOutputs:
    """Return an answer if it is one for every run. Raises NotRun if it is not."""
    if not isinstance(answer, RunOutputs) or not len(answer.outputs) == len(answer.reasons) == count:
        raise NotRun(f"{request.target}: its process did not answer every run")
    if not answer.is_whole:
        raise NotRun(f"{request.target}: its process sent outputs that have not as many numbers as their shape")
    return answer


def side_by_side(first: Callable[[], Answer], second: Callable[[], Answer]) -> tuple[Answer, Answer]:
    """Wait for two workers, at the same time where there are two cores.

    Args:
        first: Starts a worker and waits for it.
        second: The same for another one.
    """
    if this_process.core_count() < 2:
        return first(), second()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(second)
        return first(), other.result()


def _answer(task: _RunTask, limits: Limits) -> _WorkerAnswer:
    """Return what a worker answers."""
    deadline = time.monotonic() + limits.total
    name = task.request.target
    memory = task.request.memory_limit
    for message in run_in_worker(
        _work, task, _MESSAGE_TYPES, LONGEST_SEARCH, deadline, target_timeout=limits.case, memory=memory
    ):
        match message:
            case WrongUse(text):
                raise UsageError(text)
            case WorkFailed(reason, ""):
                raise NotRun(f"{name}: {reason}")
            case WorkFailed(reason, traceback_text):
                raise HarnessError(reason, traceback_text)
            case WorkerEnded():
                raise NotRun(f"{name}: {message} while {task.work}{advice(task.request, limits, message)}")
            case _:
                return message
    raise NotRun(f"{name}: its process gave no answer")


def _work(send: Send[_Message | WorkerEnded], task: _RunTask) -> None:
    """Do a worker's work; what the target prints goes to standard error."""
    this_process.join_standard_output_to_errors()
    run_with_limits(send, task.request, lambda: send(_done_or_not_run(task)))


def _done_or_not_run(task: _RunTask) -> _WorkerAnswer | WorkFailed:
    """Do what a task asks for; what cannot be told of the target is no error of the harness."""
    try:
        return _done(task)
    except NotRun as reason:
        return WorkFailed(str(reason).removeprefix(f"{task.request.target}: "))


def _done(task: _RunTask) -> _WorkerAnswer:
    """Do what a task asks for."""
    if task.model_weights is not None:
        return run_described_model(task.request, task.model_weights)
    if task.takes_models:
        return cell_or_model(task.request, is_measured=task.is_measured)
    if task.own_runs:
        return run_own(task.request, task.own_runs, task.known_map)
    if task.runs:
        return run_drawn(task.request, task.runs, task.known_map)
    return describe(task.request, is_measured=task.is_measured)
