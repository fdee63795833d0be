"""How fast: references, torch kernels and candidates timed in turns, with the matrix products alone as a floor.

Forward is without a graph; backward is forward and backward together less the forward that keeps one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.benchmarks.speed.competitors import Competitor, KernelLoader, competitors
from rnn_harness.benchmarks.speed.grid_point import SpeedPoint
from rnn_harness.benchmarks.speed.memory import peak_memory_mb
from rnn_harness.benchmarks.speed.roofline import ceiling_calls, floor_calls, work_done
from rnn_harness.benchmarks.speed.stopwatch import (
    CONTROL,
    Call,
    control_drift,
    median_interval,
    time_interleaved,
)
from rnn_harness.kernels.environment.device import device_description
from rnn_harness.kernels.judge import ignored_warnings
from rnn_harness.records.measurement import SpeedMeasurement, SpeedPhase
from rnn_harness.records.measurement_stamp import stamp

Samples = dict[str, list[float]]


def measure_speed(
    point: SpeedPoint,
    rounds: int,
    candidates: tuple[KernelLoader, ...] = (),
    check_interrupt: Callable[[], None] = lambda: None,
) -> Iterator[SpeedMeasurement]:
    """Time all competitors at one point of the grid.

    Args:
        point: The point of the grid.
        rounds: The number of samples of each competitor.
        candidates: Loaders of candidates that are timed too.
        check_interrupt: Called after every round.

    Yields:
        Three measurements of each competitor (forward, both, backward), then one of each floor.

    Raises:
        UsageError: A candidate cannot be timed.
    """
    timed = list(competitors(point, candidates))
    floors = floor_calls(point)
    ceilings = ceiling_calls(torch_dtype(point.dtype), point.bytes_moved, point.device)
    calls = {name: call for competitor in timed for name, call in _named_calls(competitor).items()}
    with ignored_warnings():  # of torch: none of them says anything about a time
        samples = time_interleaved({**calls, **floors, **ceilings.calls}, rounds, check_interrupt, point.device)
    roofline = ceilings.reached(samples)

    def measured(subject: str, phase: SpeedPhase, seconds: Sequence[float]) -> SpeedMeasurement:
        work = work_done(point, phase, float(np.median(seconds)), roofline)
        return SpeedMeasurement(
            subject=subject,
            spec=point.spec,
            phase=phase,
            sizes=point.sizes,
            dtype=point.dtype,
            device=point.device,
            samples=tuple(seconds),
            control=tuple(samples[CONTROL]),
            **dataclasses.asdict(work),
        )

    drift = control_drift(samples)
    for competitor in timed:
        with ignored_warnings():
            wrong = competitor.wrong_number()
        judged = {"agrees": wrong is None, "reason": wrong or "", "profiled_ops": competitor.profiled_ops}
        for phase, seconds in _phase_samples(competitor.name, samples).items():
            with ignored_warnings():
                memory = peak_memory_mb(competitor.calls.both, point.device) if phase == "both" else None
            update = {**judged, "control_drift": drift, "peak_memory_mb": memory}
            yield with_interval(measured(competitor.name, phase, seconds).model_copy(update=update))
    for name in floors:
        yield with_interval(measured(name, "forward", samples[name]))


def _named_calls(competitor: Competitor) -> dict[str, Call]:
    calls, name = competitor.calls, competitor.name
    return {
        f"{name} forward": calls.forward,
        f"{name} training forward": calls.training_forward,
        f"{name} both": calls.both,
    }


def _phase_samples(name: str, samples: Samples) -> dict[SpeedPhase, list[float]]:
    """Return the seconds of every phase of a competitor, round by round."""
    both, forward = samples[f"{name} both"], samples[f"{name} training forward"]
    backward = [total - part for total, part in zip(both, forward, strict=True)]
    return {"forward": samples[f"{name} forward"], "both": both, "backward": backward}


_NUMBERS = ("operations", "bytes_moved", "share_of_peak", "share_of_roofline", "control_drift", "peak_memory_mb")


def with_interval(measurement: SpeedMeasurement) -> SpeedMeasurement:
    """Return a measurement with its median, interval and machine.

    Where the interval reaches zero, as that of a difference of two times may, there is no median: the time is lost in
    noise, and the numbers that rest on it are left out.

    Args:
        measurement: With its samples, in seconds; not changed.
    """
    interval = median_interval(measurement.samples)
    if interval.ci_low <= 0:
        update = dict.fromkeys(_NUMBERS) | {"reason": "lost in noise: the machine was busy"}
        return stamp(measurement.model_copy(update=update))
    stamped = stamp(measurement.model_copy(update=dataclasses.asdict(interval)))
    if stamped.device == "cpu":
        return stamped
    return stamped.model_copy(update={"machine": f"{stamped.machine}, {device_description(stamped.device)}"})
