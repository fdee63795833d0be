"""Kernels judged in processes of their own: where a kernel takes one down that is recorded, and the next goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rnn_harness.kernels.catalogue import choose_kernels
from rnn_harness.kernels.environment.device import ensure_sound
from rnn_harness.kernels.judge import blank_record, judge_kernel, kernel_digest
from rnn_harness.kernels.kernel import Kernel
from rnn_harness.kernels.setting import Setting
from rnn_harness.records.batches import KnownRecords, stamped
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.worker import Ending, Send, WorkerEnded
from rnn_harness.runtime.worker_shares import ItemStarted, run_shares

SILENCE = 600.0
"""Seconds without a record before a kernel counts as hanging; compiling one takes seconds."""


@dataclass(frozen=True)
class JudgingJob:
    """A kernel of the catalogue in a setting, as a worker gets it.

    Attributes:
        kernel_id: The kernel's id.
        setting: The dtype, and the device.
        seed: From which cases are drawn.
        examples: How many cases are drawn, apart from the fixed ones.
    """

    kernel_id: str
    setting: Setting
    seed: int
    examples: int


@dataclass(frozen=True)
class WorkLimits:
    """How much is spent on judging.

    Attributes:
        workers: Processes at the same time.
        budget: Seconds after which nothing is begun, and what is running is ended.
        silence: Seconds without a record before a process is ended.
    """

    workers: int = 1
    budget: float = math.inf
    silence: float = SILENCE


def judge_isolated(
    kernels: tuple[Kernel, ...],
    seed: int = 0,
    examples: int = 2,
    known: KnownRecords | None = None,
    on_start: Callable[[str], None] = lambda _: None,
    limits: WorkLimits | None = None,
) -> Iterator[Record]:
    """Judge kernels of the catalogue in workers that are replaced when they die.

    Args:
        kernels: Entries of the catalogue: a worker finds each by its id.
        seed: From which cases are drawn.
        examples: How many cases are drawn, apart from the fixed ones.
        known: Records of an earlier run: a kernel and setting of which nothing has changed is not judged again.
        on_start: Called with the kernel and the setting before they are judged.
        limits: How many processes, and for how long; by default one, without a limit.

    Yields:
        Records, as soon as they are decided; last, one for each kernel and setting that the budget left out.
    """
    known, limits = known or KnownRecords(), limits or WorkLimits()
    deadline = time.monotonic() + limits.budget
    remaining: list[tuple[Kernel, Setting]] = []
    for kernel in kernels:
        for setting in kernel.settings:
            earlier = known.batch(kernel_digest(kernel, setting, seed, examples))
            if earlier:
                on_start(f"{kernel.id}, {setting}")
                yield from earlier
            else:
                remaining.append((kernel, setting))
    jobs = [JudgingJob(kernel.id, setting, seed, examples) for kernel, setting in remaining]
    begun = set()
    for answer in run_shares(judge_in_worker, jobs, (Record,), limits.workers, limits.silence, deadline):
        kernel, setting = remaining[answer.item]
        match answer.message:
            case ItemStarted():
                begun.add(answer.item)
                on_start(f"{kernel.id}, {setting}")
            case WorkerEnded() as ended:
                yield _ended_record(kernel, setting, seed, ended)
            case Record() as record:
                yield record
    for number, (kernel, setting) in enumerate(remaining):
        if number not in begun:
            reason = f"the budget of {limits.budget:g} s was used up before"
            yield blank_record(kernel, setting, "kernel.process", seed).model_copy(update={"reason": reason})


def _ended_record(kernel: Kernel, setting: Setting, seed: int, ended: WorkerEnded) -> Record:
    """Give the record of a kernel whose process ended: it refutes the kernel unless a limit ended it."""
    says_nothing = ended.ending in (Ending.TIMEOUT, Ending.TOTAL_TIMEOUT, Ending.UNREADABLE)
    update = {
        "outcome": Outcome.NOT_RUN if says_nothing else Outcome.REFUTED,
        "reason": f"{ended} while the kernel was tried",
    }
    return blank_record(kernel, setting, "kernel.process", seed).model_copy(update=update)


def judge_in_worker(send: Send[Record], job: JudgingJob) -> None:
    """Judge in this process, and send every record.

    A kernel that leaves a CUDA device unusable ends the process, so that the next kernel is judged in a new one.

    Args:
        send: Sends a message to the parent.
        job: What there is to judge.
    """
    kernel = next(kernel for kernel in choose_kernels((job.kernel_id,)) if kernel.id == job.kernel_id)
    digest = kernel_digest(kernel, job.setting, job.seed, job.examples)
    for record in stamped(judge_kernel(kernel, job.setting, job.seed, job.examples), digest):
        send(record)
    ensure_sound(job.setting.device)
