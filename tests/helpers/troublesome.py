"""Work that ends its process, in a module that a spawned process can import."""

from __future__ import annotations

import ctypes
import os
import time

from rnn_harness.kernels.judge_in_workers import JudgingJob, judge_in_worker
from rnn_harness.records.record import Record
from rnn_harness.runtime.worker import Send


def leave(send: Send[int], exit_code: int) -> None:
    """Start, and end the process with this exit code."""
    send(exit_code)
    os._exit(exit_code)


def sleep(send: Send[float], seconds: float) -> None:
    """Start, and say nothing for so long."""
    send(seconds)
    time.sleep(seconds)


def crash_in_float64(send: Send[Record], job: JudgingJob) -> None:
    """Judge as the catalogue's worker does, but crash at a kernel in float64."""
    if job.setting.dtype == "float64":
        ctypes.string_at(0)
    judge_in_worker(send, job)


def count_or_leave(send: Send[int], number: int) -> None:
    """Send a number twice, or end the process where it is negative, or say nothing for long where it is 99."""
    if number < 0:
        os._exit(7)
    if number == 99:
        time.sleep(60)
    send(number)
    send(number)
