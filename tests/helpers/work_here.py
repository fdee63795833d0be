"""Workers' work, done in this process: for tests of what is printed and decided, not of processes."""

from __future__ import annotations

import functools
import math
import pickle
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import pytest

import rnn_harness
from rnn_harness.kernels import judge
from rnn_harness.records.events import ValidationEvent
from rnn_harness.runtime.messages import LENGTH_BYTES, MessageTypes
from rnn_harness.runtime.worker import Send, WorkerEnded
from rnn_harness.validation.isolation import run_validation_isolated
from rnn_harness.validation.request import Limits, Listener, ValidationRequest

Argument = TypeVar("Argument")
Message = TypeVar("Message")

MODULES_WITH_WORKERS = (
    "rnn_harness.cli._bench_cells",
    "rnn_harness.comparison.in_workers",
    "rnn_harness.runtime.worker_shares",
    "rnn_harness.validation.identify_isolated",
    "rnn_harness.validation.isolation",
    "rnn_harness.validation.list_isolated",
    "rnn_harness.validation.replay_isolated",
)


def run_here(
    work: Callable[[Send[Message | WorkerEnded], Argument], None],
    argument: Argument,
    message_types: tuple[type[Message], ...],
    timeout: float,
    deadline: float = math.inf,
    target_timeout: float | None = None,
    is_confined: bool = False,
    memory: float = math.inf,
) -> Iterator[Message | WorkerEnded]:
    """Do a worker's work here, then yield its messages: written as plain data and read again, as between processes.

    Args:
        work: As `rnn_harness.runtime.worker.run_in_worker` takes it.
        argument: What it is to do.
        message_types: The types of its messages.
        timeout: Not kept: a test that hangs is a failure of its own.
        deadline: Not kept either.
        target_timeout: Nor this.
        is_confined: Nor this.
        memory: Nor this.

    Yields:
        The messages.
    """
    messages: list[Message | WorkerEnded] = []
    types: MessageTypes[Message | WorkerEnded] = MessageTypes(*message_types, WorkerEnded)
    work, argument = pickle.loads(pickle.dumps((work, argument)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nobody reads the warnings of a worker
        work(lambda message: messages.append(types.decode(types.encode(message)[LENGTH_BYTES:])), argument)
    yield from messages


def do_work_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every worker's work be done in this process, by one worker, without limits and with its output left alone."""
    for module in MODULES_WITH_WORKERS:
        monkeypatch.setattr(f"{module}.run_in_worker", run_here)
    for effect in ("discard_standard_output", "join_standard_output_to_errors"):
        monkeypatch.setattr(f"rnn_harness.runtime.this_process.{effect}", lambda: None)
    monkeypatch.setattr("rnn_harness.runtime.this_process.limit_memory", lambda gigabytes: None)
    monkeypatch.setattr("rnn_harness.runtime.this_process.core_count", lambda: 1)


def validate_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands, the pytest plugin and `rnn_harness.validate` judge in float64, on fixed cases alone.

    The metamorphic properties are left out, the half of the time: what they refute has tests of its own.
    """

    def run_in_float64(
        request: ValidationRequest, limits: Limits | None = None, listener: Listener | None = None
    ) -> Iterator[ValidationEvent]:
        return run_validation_isolated(replace(request, dtypes=("float64",), examples=0), limits, listener)

    in_float64 = functools.partial(rnn_harness.validate, examples=0, dtypes=("float64",))
    monkeypatch.setattr("rnn_harness.validation.run_validation_isolated", run_in_float64)
    monkeypatch.setattr("rnn_harness.validate", in_float64)
    checks = tuple(check for check in judge.kernel_checks() if not check.name.startswith("metamorphic."))
    monkeypatch.setattr(judge, "kernel_checks", lambda: checks)
