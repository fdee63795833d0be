"""Timing in one process: competitors take turns, slices are long enough, medians come with an interval."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from statistics import median

SLICE = 0.004
"""Seconds: far above the clock's resolution."""


def interleaved(calls: dict[str, Callable[[], object]], rounds: int = 15) -> dict[str, list[float]]:
    """Seconds per call of every competitor, one sample a round; the order changes from round to round."""
    repeats = {}
    for name, call in calls.items():
        call()
        start = time.perf_counter()
        call()
        repeats[name] = max(1, math.ceil(SLICE / max(time.perf_counter() - start, 1e-7)))
    samples: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start = time.perf_counter()
            for _ in range(repeats[name]):
                calls[name]()
            samples[name].append((time.perf_counter() - start) / repeats[name])
    return samples


def ratio(samples: dict[str, list[float]], top: str, bottom: str) -> tuple[float, float, float]:
    """(median, low, high) of the ratios of samples taken in the same round; the interval holds about 95 %."""
    ratios = sorted(a / b for a, b in zip(samples[top], samples[bottom], strict=True))
    reach = int(0.98 * math.sqrt(len(ratios)))
    middle = len(ratios) // 2
    return median(ratios), ratios[max(0, middle - reach)], ratios[min(len(ratios) - 1, middle + reach)]


def shown(value: tuple[float, float, float]) -> str:
    """``1.23 [1.20, 1.31]``."""
    return f"{value[0]:.2f} [{value[1]:.2f}, {value[2]:.2f}]"
