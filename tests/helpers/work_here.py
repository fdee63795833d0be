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
from rnn_harness.validation import isolation
from rnn_harness.validation.isolation import run_validation_isolated
from rnn_harness.validation.request import Limits, Listener, ValidationRequest
from tests.helpers import HELPERS

Argument = TypeVar("Argument")
Message = TypeVar("Message")

_SENT: dict[bytes, list[bytes]] = {}
"""The messages that workers sent, by what they were given to do: of `run_here_once`."""

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
    types: MessageTypes[Message | WorkerEnded] = MessageTypes(*message_types, WorkerEnded)
    yield from map(types.decode, _sent_messages(pickle.dumps((work, argument)), types))


def _sent_messages(order: bytes, types: MessageTypes[Message]) -> list[bytes]:
    """Do a worker's work, and return its messages as they would be sent."""
    messages: list[bytes] = []
    work, argument = pickle.loads(order)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nobody reads the warnings of a worker
        work(lambda message: messages.append(types.encode(message)[LENGTH_BYTES:]), argument)
    return messages


def run_here_once(
    work: Callable[[Send[Message | WorkerEnded], Argument], None],
    argument: Argument,
    message_types: tuple[type[Message], ...],
    *limits: object,
    **named_limits: object,
) -> Iterator[Message | WorkerEnded]:
    """Do a worker's work on a cell of `tests.helpers` once in this process, and send the same messages ever after.

    Args:
        work: As `run_here` takes it.
        argument: What it is to do.
        message_types: The types of its messages.
        *limits: Not kept.
        **named_limits: Not kept.

    Yields:
        The messages.
    """
    types: MessageTypes[Message | WorkerEnded] = MessageTypes(*message_types, WorkerEnded)
    order = pickle.dumps((work, argument))
    is_of_helpers = str(HELPERS).encode() in order  # a file that a test writes may be another one the next time
    sent = _SENT.get(order)
    if sent is None:
        sent = _sent_messages(order, types)
    if is_of_helpers:
        _SENT[order] = sent
    yield from map(types.decode, sent)


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

    The metamorphic properties are left out, the half of the time: what they refute has tests of its own. A cell of
    `tests.helpers` is judged once for all tests of a process that ask the same of it.
    """

    def run_in_float64(
        request: ValidationRequest, limits: Limits | None = None, listener: Listener | None = None
    ) -> Iterator[ValidationEvent]:
        return run_validation_isolated(replace(request, dtypes=("float64",), examples=0), limits, listener)

    in_float64 = functools.partial(rnn_harness.validate, examples=0, dtypes=("float64",))
    monkeypatch.setattr("rnn_harness.validation.run_validation_isolated", run_in_float64)
    monkeypatch.setattr("rnn_harness.validate", in_float64)
    leave_metamorphic_out(monkeypatch)
    if vars(isolation)["run_in_worker"] is run_here:
        monkeypatch.setattr("rnn_harness.validation.isolation.run_in_worker", run_here_once)


def leave_metamorphic_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every judge leave the metamorphic properties out, the half of its time."""
    checks = tuple(check for check in judge.kernel_checks() if not check.name.startswith("metamorphic."))
    monkeypatch.setattr(judge, "kernel_checks", lambda: checks)
