"""Launching a fused kernel, and the log that proves which one ran."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rnn_harness.kernels.drivers.fused.limits import SMALLEST_TILE, interpreted, tile_size


@dataclass(frozen=True)
class Launch:
    """One launch: the kernel's name, its programs, dtype and precision of its products."""

    kernel: str
    programs: int
    dtype: str
    precision: str
    interpreted: bool


_WARPS = 4
_FEW = 64
"""Up to this side four warps hold a tile's work in registers without spilling (ptxas for sm_90); then eight."""

_logs: list[list[Launch]] = []


@contextlib.contextmanager
def launches() -> Iterator[list[Launch]]:
    """A list that every launch is appended to while the context lasts."""
    log: list[Launch] = []
    _logs.append(log)
    try:
        yield log
    finally:
        _logs.remove(log)


def launch(kernel: Any, tensors: tuple[Any, ...], sizes: tuple[int, int, int], precision: str, **flags: bool) -> None:
    """Run `kernel` over (T, B, D): one program a tile of batch rows, all T steps in one launch.

    Seen by torch's profiler as ``triton::<name>``.
    """
    import torch
    import triton.language as tl

    steps, batch, d = sizes
    if batch == 0 or d == 0:
        return
    name, dtype = kernel.fn.__name__, tensors[0].dtype
    programs = -(-batch // SMALLEST_TILE)
    where = Launch(name, programs, str(dtype).removeprefix("torch."), precision, interpreted())
    for log in _logs:
        log.append(where)
    with torch.profiler.record_function(f"triton::{name}"):
        kernel[(programs,)](
            *tensors,
            steps,
            batch,
            d,
            **{key.upper(): value for key, value in flags.items()},
            ACC=tl.float64 if dtype == torch.float64 else tl.float32,
            PRECISION=precision,
            INTERPRETED=interpreted(),
            BLOCK_B=SMALLEST_TILE,
            BLOCK_D=tile_size(d),
            num_warps=_WARPS if tile_size(d) <= _FEW else 2 * _WARPS,
        )
