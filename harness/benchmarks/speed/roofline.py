"""What bounds a time from below: the matrix products alone, the machine's peak and its memory's bandwidth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.benchmarks.speed.grid_point import SpeedPoint
from rnn_harness.benchmarks.speed.stopwatch import Call
from rnn_harness.records.measurement import SpeedPhase

PEAK, COPY = "peak", "copy"
_FORWARDS: Mapping[SpeedPhase, int] = {"forward": 1, "backward": 2, "both": 3}
"""The work of each phase, in that of a forward."""


@dataclass(frozen=True)
class CeilingCalls:
    """Calls that reach what the machine can do, to be timed in the same rounds as the competitors.

    Attributes:
        calls: `PEAK`, one large matrix product, and `COPY`, a copy of as many bytes as a forward moves.
        operations: Floating-point operations of one call of `PEAK`.
        bytes_moved: Bytes that one call of `COPY` reads and writes.
    """

    calls: Mapping[str, Call]
    operations: float
    bytes_moved: float

    def reached(self, samples: Mapping[str, Sequence[float]]) -> Roofline:
        """Return the roofline of the fastest samples of both calls, in seconds.

        Args:
            samples: Seconds by call; those of both calls are there.

        Returns:
            Operations and bytes per second.
        """
        return Roofline(self.operations / min(samples[PEAK]), self.bytes_moved / min(samples[COPY]))


@dataclass(frozen=True)
class Roofline:
    """What the machine can do.

    Attributes:
        operations_per_second: Floating-point operations of a large matrix product.
        bytes_per_second: Bytes that a copy reads and writes.
    """

    operations_per_second: float
    bytes_per_second: float


@dataclass(frozen=True)
class Work:
    """The work of one phase, and how near its time comes to what the machine can do.

    Attributes:
        operations: Floating-point operations of the matrix products.
        bytes_moved: Bytes that must move at least.
        share_of_peak: Operations a second over the machine's peak.
        share_of_roofline: Operations a second over the peak or, where there are few operations to a byte, over what
            the memory can feed.
    """

    operations: int
    bytes_moved: int
    share_of_peak: float
    share_of_roofline: float


def work_done(point: SpeedPoint, phase: SpeedPhase, seconds: float, roofline: Roofline) -> Work:
    """Return the work of one phase at one point of the grid, done in `seconds`.

    Args:
        point: Sizes, dtype and device.
        phase: Forward, backward or both; it decides how many forwards' worth of work is counted.
        seconds: The time of one call; 0 gives a share of 0.
        roofline: What the machine reaches.
    """
    operations, moved = _FORWARDS[phase] * point.operations, _FORWARDS[phase] * point.bytes_moved
    rate = operations / seconds if seconds > 0 else 0.0
    roof = min(roofline.operations_per_second, operations / moved * roofline.bytes_per_second)
    return Work(operations, moved, rate / roofline.operations_per_second, rate / roof)


def ceiling_calls(dtype: Any, size: int, device: str = "cpu") -> CeilingCalls:
    """Build the calls whose times say what the machine can do.

    Args:
        dtype: torch's dtype of the matrix product.
        size: Bytes that both sides of the copy take together, so that it runs in the cache that holds them.
        device: ``cpu`` or ``cuda``.
    """
    import torch

    width = 768 if device == "cpu" else 4096
    matrix = torch.randn(width, width, dtype=dtype, device=device)
    source = torch.zeros(max(1, size // 2), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    calls: dict[str, Call] = {PEAK: lambda: matrix @ matrix, COPY: lambda: target.copy_(source)}
    return CeilingCalls(calls, 2.0 * width**3, 2.0 * source.numel())


def floor_calls(point: SpeedPoint) -> dict[str, Call]:
    """Build the matrix products of one forward alone, in torch and, on the processor, in NumPy.

    Args:
        point: Sizes, dtype and device; all products of inputs are one, those of states one a step.

    Returns:
        Calls by the competitor's name.
    """
    import torch

    dtype = torch_dtype(point.dtype)
    once: list[tuple[Any, Any]] = []
    every_step: list[tuple[Any, Any]] = []
    for block, rows in point.weight_rows.items():
        batch = point.T * point.B if block.of_inputs else point.B
        shapes = ((batch, block.columns), (block.columns, rows))
        vectors, weights = (torch.randn(*shape, dtype=dtype, device=point.device) for shape in shapes)
        (once if block.of_inputs else every_step).append((vectors, weights))

    def multiply(once: Sequence[Any], every_step: Sequence[Any]) -> None:
        for a, b in once:
            a @ b
        for _ in range(point.T):
            for a, b in every_step:
                a @ b

    floors: dict[str, Call] = {"floor in torch": lambda: multiply(once, every_step)}
    if point.device == "cpu":
        numpy_once, numpy_step = ([(a.numpy(), b.numpy()) for a, b in pairs] for pairs in (once, every_step))
        floors["floor in NumPy"] = lambda: multiply(numpy_once, numpy_step)
    return floors
