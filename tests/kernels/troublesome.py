"""Work that ends its process, in a module that a spawned process can import."""

from __future__ import annotations

import ctypes
import os
import time

from rnn_harness.kernels.judge_in_workers import JudgingJob, judge_in_worker
from rnn_harness.runtime.worker import Send


def leave(send: Send, exit_code: int) -> None:
    """Start, and end the process with this exit code."""
    send("start", exit_code)
    os._exit(exit_code)


def sleep(send: Send, seconds: float) -> None:
    """Start, and say nothing for so long."""
    send("start", seconds)
    time.sleep(seconds)


def crash_in_float64(send: Send, job: JudgingJob) -> None:
    """Judge as the catalogue's worker does, but crash at the first kernel if it is in float64."""
    if job.kernel_settings[0].setting.dtype == "float64":
        send("start", 0)
        ctypes.string_at(0)
    judge_in_worker(send, job)
