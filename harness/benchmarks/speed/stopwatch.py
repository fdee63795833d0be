"""Timing in one process: competitors take turns, slices are long enough, medians come with an interval.

Every round also times one fixed piece of work, the control: what it does while nothing about it changes is the machine.
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
"""Seconds that so many calls take, one after the other."""
SLICE = 0.004
"""Seconds: far above the clock's resolution."""
CONTROL = "control"


@dataclass(frozen=True)
class Interval:
    """A median with the interval that holds it in about 95 of 100 repetitions."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.3g} [{self.low:.3g}, {self.high:.3g}]"


def wall(call: Call, repeats: int) -> float:
    """On the processor."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return time.perf_counter() - start


def on_device(call: Call, repeats: int) -> float:
    """On a CUDA device: a batch of calls between two events, so that launches overlap as they do in use."""
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


CLOCKS: dict[str, Clock] = {"cpu": wall, "cuda": on_device}


def _control(device: str) -> Call:
    left = np.random.default_rng(0).standard_normal((192, 192))
    if device == "cpu":
        return lambda: left @ left
    import torch

    there = torch.tensor(left, device=device)
    return lambda: there @ there


def _settle() -> None:
    """Show the allocator one large block before anything is timed.

    Until glibc has seen one freed, it gives freed memory back to the system after every call and takes it back page by
    page: the same call is then up to a third slower or not, by what ran before it.
    """
    np.empty(31 << 20, np.uint8)  # just below the 32 MiB above which glibc does not learn from a block


def interleaved(
    calls: Mapping[str, Call], rounds: int = 15, on_round: Callable[[], None] = lambda: None, device: str = "cpu"
) -> dict[str, list[float]]:
    """Seconds per call of every competitor and of the control, one sample a round; the order changes every round."""
    clock = CLOCKS[device]
    _settle()
    everyone = {**calls, CONTROL: _control(device)}
    repeats = {}
    for name, call in everyone.items():
        call()
        repeats[name] = max(1, math.ceil(SLICE / max(clock(call, 1), SLICE / 2**15)))
    samples: dict[str, list[float]] = {name: [] for name in everyone}
    names = list(everyone)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            samples[name].append(clock(everyone[name], repeats[name]) / repeats[name])
        on_round()
    return samples


def interval(values: Sequence[float]) -> Interval:
    """The median and the order statistics around it that hold the true one in about 95 of 100 cases."""
    ordered = sorted(values)
    reach = int(0.98 * math.sqrt(len(ordered)))
    middle = len(ordered) // 2
    return Interval(median(ordered), ordered[max(0, middle - reach)], ordered[min(len(ordered) - 1, middle + reach)])


def ratio(samples: Mapping[str, Sequence[float]], top: str, bottom: str) -> Interval:
    """Of samples taken in the same round."""
    return interval([a / b for a, b in zip(samples[top], samples[bottom], strict=True)])


def drift(samples: Mapping[str, Sequence[float]]) -> float:
    """How much slower the control was in the last third than in the first: 1 where the machine was steady."""
    own = samples[CONTROL]
    third = max(1, len(own) // 3)
    return median(own[-third:]) / median(own[:third])


PEAK, COPY = "peak", "copy"


def ceilings(dtype: Any, size: int, device: str = "cpu") -> tuple[dict[str, Call], dict[str, float]]:
    """What the machine can do, to be timed in the same rounds as what is held against it, and the work of each call.

    PEAK: operations of one large matrix product; COPY: bytes that a copy reads and writes where both sides together
    take `size` bytes, so out of the cache that holds them.
    """
    import torch

    width = 768 if device == "cpu" else 4096
    one = torch.randn(width, width, dtype=dtype, device=device)
    source = torch.zeros(max(1, size // 2), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    calls: dict[str, Call] = {PEAK: lambda: one @ one, COPY: lambda: target.copy_(source)}
    return calls, {PEAK: 2.0 * width**3, COPY: 2.0 * source.numel()}
