"""Kernels judged in a process of their own: one that takes the process down is a record, and the next one goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rnn_harness.kernels.catalogue import choose_kernels
from rnn_harness.kernels.judge import blank_record, finished_records, judge_kernel
from rnn_harness.kernels.kernel import Kernel
from rnn_harness.kernels.setting import Setting
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.worker import Send, WorkerEnded, run_in_worker

SILENCE = 600.0
"""Seconds without a record before a kernel counts as hanging; compiling one takes seconds."""
Place = tuple[str, str, str]
"""A kernel's id, a dtype and a device."""


@dataclass(frozen=True)
class PlacesToJudge:
    """What a worker is to do.

    Attributes:
        places: What is judged, in this order.
        seed: Where the random cases start.
        examples: How many cases Hypothesis draws.
    """

    places: tuple[Place, ...]
    seed: int
    examples: int


@dataclass(frozen=True)
class PlaceStarted:
    """A worker's message that it goes on to the next place.

    Attributes:
        number: Its index in the places that are judged.
    """

    number: int


def judge_isolated(
    kernels: tuple[Kernel, ...],
    seed: int = 0,
    examples: int = 2,
    known: dict[str, Record] | None = None,
    on_start: Callable[[str], None] = lambda _: None,
    silence: float = SILENCE,
) -> Iterator[Record]:
    """Judge kernels of the catalogue as `judge_kernels` does, in a worker that is replaced when it ends.

    Args:
        kernels: The kernels, each on all of its settings.
        seed: Where the random cases start.
        examples: How many cases Hypothesis draws.
        known: Records of an earlier run, by key, that are not made again.
        on_start: Called with the title of every kernel and setting.
        silence: Seconds without a record after which a kernel counts as hanging.
    """
    known = known or {}
    remaining: list[tuple[Kernel, Setting]] = []
    for kernel in kernels:
        for setting in kernel.settings:
            records = finished_records(kernel, setting, seed, known)
            if records:
                on_start(f"{kernel.id}, {setting}")
                yield from records
            else:
                remaining.append((kernel, setting))
    while remaining:
        kernel, setting = remaining[0]
        reached, is_ended = 0, False
        places = tuple((kernel.id, setting.dtype, setting.device) for kernel, setting in remaining)
        for message in run_in_worker(judge_places, PlacesToJudge(places, seed, examples), silence):
            match message:
                case PlaceStarted(reached):
                    kernel, setting = remaining[reached]
                    on_start(f"{kernel.id}, {setting}")
                case WorkerEnded():
                    is_ended = True
                    update = {"outcome": Outcome.REFUTED, "reason": f"{message} while the kernel was tried"}
                    yield blank_record(kernel, setting, "kernel.process", seed).model_copy(update=update)
                case Record():
                    yield known.get(message.key, message)
        remaining = remaining[reached + 1 :] if is_ended else []


def judge_places(send: Send[PlaceStarted | Record], task: PlacesToJudge) -> None:
    """Do the worker's work: judge every kernel where it is wanted, and send its records."""
    for number, (name, dtype, device) in enumerate(task.places):
        send(PlaceStarted(number))
        kernel = next(kernel for kernel in choose_kernels((name,)) if kernel.id == name)
        for record in judge_kernel(kernel, Setting(dtype, device), task.seed, task.examples):
            send(record)
