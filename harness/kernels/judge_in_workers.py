"""Kernels judged in a process of their own: one that takes the process down is a record, and the next one goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rnn_harness.kernels.catalogue import choose_kernels
from rnn_harness.kernels.judge import blank_record, finished_records, judge_kernel
from rnn_harness.kernels.kernel import Kernel
from rnn_harness.kernels.setting import Setting
from rnn_harness.records.record import Outcome, Record
from rnn_harness.runtime.worker import Send, run_in_worker

SILENCE = 600.0
"""Seconds without a record before a kernel counts as hanging; compiling one takes seconds."""
Place = tuple[str, str, str]


def judge_isolated(
    kernels: tuple[Kernel, ...],
    seed: int = 0,
    examples: int = 2,
    known: dict[str, Record] | None = None,
    on_start: Callable[[str], None] = lambda _: None,
    silence: float = SILENCE,
) -> Iterator[Record]:
    """As `judge_kernels`, for kernels of the catalogue, in a worker that is replaced when it dies."""
    left: list[tuple[Kernel, Setting]] = []
    for kernel in kernels:
        for setting in kernel.settings:
            done = finished_records(kernel, setting, seed, known or {})
            if done:
                on_start(f"{kernel.id}, {setting}")
                yield from done
            else:
                left.append((kernel, setting))
    while left:
        reached = 0
        places = [(kernel.id, setting.dtype, setting.device) for kernel, setting in left]
        for kind, value in run_in_worker(_work, (places, seed, examples), silence):
            if kind == "start":
                reached = value
                kernel, setting = left[reached]
                on_start(f"{kernel.id}, {setting}")
            elif kind == "record":
                record = Record.model_validate_json(value)
                yield (known or {}).get(record.key, record)
            elif kind == "ended":
                kernel, setting = left[reached]
                update = {"outcome": Outcome.REFUTED, "reason": f"{value} while the kernel was tried"}
                yield blank_record(kernel, setting, "kernel.process", seed).model_copy(update=update)
            else:
                reached = len(left)
        left = left[reached + 1 :]


def _work(send: Send, order: Any) -> None:
    places, seed, examples = order
    for number, (name, dtype, device) in enumerate(places):
        send("start", number)
        kernel = next(one for one in choose_kernels((name,)) if one.id == name)
        for record in judge_kernel(kernel, Setting(dtype, device), seed, examples):
            send("record", record.model_dump_json())
