"""Timing in one process: competitors take turns, slices are long enough, medians come with an interval.

Every round also times one fixed piece of work, the control: what changes of it is the machine. pyperf, asv and
pytest-benchmark time one competitor after the other and have no control, so a machine that slows down meanwhile favours
those that came first.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

Call = Callable[[], object]
Clock = Callable[[Call, int], float]
"""Returns the seconds that a number of calls take, one after the other."""
SLICE = 0.004
"""Seconds: far above the clock's resolution."""
CONTROL = "control"


@dataclass(frozen=True)
class MedianInterval:
    """A median with its interval.

    Attributes:
        median: The median of the samples.
        ci_low: The lower end of the interval that holds the true median in about 95 of 100 repetitions.
        ci_high: The upper end.
    """

    median: float
    ci_low: float
    ci_high: float

    def __str__(self) -> str:
        """Return the median with the interval in brackets."""
        return f"{self.median:.3g} [{self.ci_low:.3g}, {self.ci_high:.3g}]"


def wall_seconds(call: Call, repeats: int) -> float:
    """Time calls on the processor.

    Args:
        call: What is timed.
        repeats: The number of calls.

    Returns:
        The seconds of all calls together.
    """
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return time.perf_counter() - start


def cuda_seconds(call: Call, repeats: int) -> float:
    """Time calls on a CUDA device, between two events, so that launches overlap as they do in training.

    Args:
        call: What is timed; it may return before the device is done.
        repeats: The number of calls.

    Returns:
        The seconds of all calls together.
    """
    import torch

    event: Any = torch.cuda.Event
    start, end = event(enable_timing=True), event(enable_timing=True)
    torch.cuda.synchronize()
    start.record()
    for _ in range(repeats):
        call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / 1000


CLOCKS: dict[str, Clock] = {"cpu": wall_seconds, "cuda": cuda_seconds}


def _control(device: str) -> Call:
    matrix = np.random.default_rng(0).standard_normal((192, 192))
    if device == "cpu":
        return lambda: matrix @ matrix
    import torch

    on_device = torch.tensor(matrix, device=device)
    return lambda: on_device @ on_device


def _settle_allocator() -> None:
    """Show the allocator one large block before anything is timed.

    Until glibc has seen one freed, it gives freed memory back to the system after every call and takes it back page by
    page: the same call is then up to a third slower or not, by what ran before it.
    """
    np.empty(31 << 20, np.uint8)  # just below the 32 MiB above which glibc does not learn from a block


def time_interleaved(
    calls: Mapping[str, Call], rounds: int = 15, on_round: Callable[[], None] = lambda: None, device: str = "cpu"
) -> dict[str, list[float]]:
    """Time every competitor and the control once a round; the order changes every round.

    Args:
        calls: The competitors by name.
        rounds: The number of samples of each.
        on_round: Called after every round.
        device: ``cpu`` or ``cuda``.

    Returns:
        Seconds per call by name, one sample a round, `CONTROL` among the names.
    """
    clock = CLOCKS[device]
    _settle_allocator()
    with_control = {**calls, CONTROL: _control(device)}
    repeats = {}
    for name, call in with_control.items():
        call()
        repeats[name] = max(1, math.ceil(SLICE / max(clock(call, 1), SLICE / 2**15)))
    samples: dict[str, list[float]] = {name: [] for name in with_control}
    names = list(with_control)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            samples[name].append(clock(with_control[name], repeats[name]) / repeats[name])
        on_round()
    return samples


def median_interval(samples: Sequence[float]) -> MedianInterval:
    """Return the median and the order statistics around it that hold the true one in about 95 of 100 cases.

    Args:
        samples: At least one, in any order and unit.
    """
    ordered = sorted(samples)
    reach = int(0.98 * math.sqrt(len(ordered)))
    center = len(ordered) // 2
    low, high = ordered[max(0, center - reach)], ordered[min(len(ordered) - 1, center + reach)]
    return MedianInterval(median(ordered), low, high)


def ratio_interval(samples: Mapping[str, Sequence[float]], numerator: str, denominator: str) -> MedianInterval:
    """Return the ratio of two competitors' samples of the same round, with its interval.

    Args:
        samples: Seconds by competitor, one a round and in the same order for all.
        numerator: The name of a competitor.
        denominator: The name of another one.
    """
    return median_interval([a / b for a, b in zip(samples[numerator], samples[denominator], strict=True)])


def control_drift(samples: Mapping[str, Sequence[float]]) -> float:
    """Return the control's time in the last third of the rounds over that in the first: 1 on a steady machine.

    Args:
        samples: Seconds by competitor, in the order of the rounds; the control is among them.
    """
    control = samples[CONTROL]
    third = max(1, len(control) // 3)
    return median(control[-third:]) / median(control[:third])
