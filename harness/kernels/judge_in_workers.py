"""Kernels judged in a process of their own: where a kernel takes it down that is recorded, and the next goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rnn_harness.kernels.catalogue import choose_kernels
from rnn_harness.kernels.judge import blank_record, judge_kernel, kernel_digest
from rnn_harness.kernels.kernel import Kernel
from rnn_harness.kernels.setting import Setting
from rnn_harness.records.batches import KnownRecords, stamped
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.worker import Ending, Send, WorkerEnded, run_in_worker

SILENCE = 600.0
"""Seconds without a record before a kernel counts as hanging; compiling one takes seconds."""


@dataclass(frozen=True)
class KernelSetting:
    """A kernel of the catalogue in a setting, as a worker gets it.

    Attributes:
        kernel_id: The kernel's id.
        setting: The dtype, and the device.
    """

    kernel_id: str
    setting: Setting


@dataclass(frozen=True)
class JudgingJob:
    """What a worker has to judge.

    Attributes:
        kernel_settings: The kernels with their settings, in order.
        seed: From which cases are drawn.
        examples: How many cases are drawn, apart from the fixed ones.
    """

    kernel_settings: tuple[KernelSetting, ...]
    seed: int
    examples: int


@dataclass(frozen=True)
class KernelStarted:
    """A worker's message that it goes on to the next kernel and setting.

    Attributes:
        number: Its index in the job.
    """

    number: int


_MESSAGE_TYPES: tuple[type[KernelStarted | Record], ...] = (KernelStarted, Record)


def judge_isolated(
    kernels: tuple[Kernel, ...],
    seed: int = 0,
    examples: int = 2,
    known: KnownRecords | None = None,
    on_start: Callable[[str], None] = lambda _: None,
    silence: float = SILENCE,
) -> Iterator[Record]:
    """Judge kernels of the catalogue in a worker that is replaced when it dies.

    Args:
        kernels: Entries of the catalogue: a worker finds each by its id.
        seed: From which cases are drawn.
        examples: How many cases are drawn, apart from the fixed ones.
        known: Records of an earlier run: a kernel and setting of which nothing has changed is not judged again.
        on_start: Called with the kernel and the setting before they are judged.
        silence: Seconds without a record before a worker is ended.

    Yields:
        Records, as soon as they are decided.
    """
    known = known or KnownRecords()
    remaining: list[tuple[Kernel, Setting]] = []
    for kernel in kernels:
        for setting in kernel.settings:
            earlier = known.batch(kernel_digest(kernel, setting, seed, examples))
            if earlier:
                on_start(f"{kernel.id}, {setting}")
                yield from earlier
            else:
                remaining.append((kernel, setting))
    while remaining:
        current, is_ended = 0, False
        kernel_settings = tuple(KernelSetting(kernel.id, setting) for kernel, setting in remaining)
        job = JudgingJob(kernel_settings, seed, examples)
        for message in run_in_worker(judge_in_worker, job, _MESSAGE_TYPES, silence):
            match message:
                case KernelStarted(current):
                    kernel, setting = remaining[current]
                    on_start(f"{kernel.id}, {setting}")
                case WorkerEnded():
                    is_ended = True
                    kernel, setting = remaining[current]
                    says_nothing = message.ending in (Ending.TIMEOUT, Ending.UNREADABLE)
                    update = {
                        "outcome": Outcome.NOT_RUN if says_nothing else Outcome.REFUTED,
                        "reason": f"{message} while the kernel was tried",
                    }
                    yield blank_record(kernel, setting, "kernel.process", seed).model_copy(update=update)
                case Record():
                    yield message
        remaining = remaining[current + 1 :] if is_ended else []


def judge_in_worker(send: Send[KernelStarted | Record], job: JudgingJob) -> None:
    """Judge in this process, and send the number of every kernel and setting that is started, and every record.

    Args:
        send: Sends a message to the parent.
        job: What there is to judge.
    """
    for number, kernel_setting in enumerate(job.kernel_settings):
        send(KernelStarted(number))
        name = kernel_setting.kernel_id
        kernel = next(kernel for kernel in choose_kernels((name,)) if kernel.id == name)
        setting = kernel_setting.setting
        digest = kernel_digest(kernel, setting, job.seed, job.examples)
        for record in stamped(judge_kernel(kernel, setting, job.seed, job.examples), digest):
            send(record)
