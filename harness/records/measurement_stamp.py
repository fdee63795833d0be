"""What stands on every measurement besides its numbers: the versions of the programs, and the machine."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path
from typing import TypeVar

from rnn_harness.records.measurement import MeasurementRecord
from rnn_harness.records.provenance import versions

_M = TypeVar("_M", bound=MeasurementRecord)


@cache
def machine() -> str:
    """Return what times depend on besides the program: processor, cores, threads of torch."""
    import torch

    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass
    return f"{name}, {_counted(os.cpu_count() or 1, 'core')}, {_counted(torch.get_num_threads(), 'thread')}"


def _counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def stamp(measurement: _M) -> _M:
    """Return the measurement with the versions of the programs and the machine filled in.

    Args:
        measurement: A measurement that was made on this machine; it is not changed.
    """
    return measurement.model_copy(update={"environment": versions(), "machine": machine()})
