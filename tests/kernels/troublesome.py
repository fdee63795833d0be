"""Work that ends its process, in a module that a spawned process can import."""

from __future__ import annotations

import ctypes
import os
import time
from typing import Any

from rnn_harness.kernels import judge_in_workers as _apart
from rnn_harness.runtime.worker import Send


def leave(send: Send, order: int) -> None:
    send("start", order)
    os._exit(order)


def sleep(send: Send, order: float) -> None:
    send("start", order)
    time.sleep(order)


def crash_in_float64(send: Send, order: Any) -> None:
    """The catalogue's work, but the first place crashes if it is in float64."""
    if order[0][0][1] == "float64":
        send("start", 0)
        ctypes.string_at(0)
    _apart._work(send, order)
