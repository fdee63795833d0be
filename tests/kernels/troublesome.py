"""Work that ends its process, in a module that a spawned process can import."""

from __future__ import annotations

import ctypes
import os
import time

from rnn_harness.kernels.judge_in_workers import PlaceStarted, PlacesToJudge, judge_places
from rnn_harness.records.record import Record
from rnn_harness.runtime.worker import Send


def leave(send: Send[int], exit_code: int) -> None:
    send(exit_code)
    os._exit(exit_code)


def sleep(send: Send[float], seconds: float) -> None:
    send(seconds)
    time.sleep(seconds)


def crash_in_float64(send: Send[PlaceStarted | Record], task: PlacesToJudge) -> None:
    """The catalogue's work, but the first place crashes if it is in float64."""
    if task.places[0][1] == "float64":
        send(PlaceStarted(0))
        ctypes.string_at(0)
    judge_places(send, task)
