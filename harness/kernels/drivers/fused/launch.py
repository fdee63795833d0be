"""Launching a fused kernel, and the log that proves which kernel ran."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.kernels.drivers.fused.limits import SMALLEST_TILE, is_interpreted, tile_size

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Launch:
    """One launch.

    Attributes:
        kernel: The kernel's name.
        programs: How many programs ran, each on a tile of batch rows.
        dtype: The format of storage.
        precision: ``ieee`` or ``tf32``, of its float32 products.
        interpreted: Whether Triton's interpreter ran it.
    """

    kernel: str
    programs: int
    dtype: str
    precision: str
    interpreted: bool


_WARPS = 4
_LARGEST_TILE_OF_FOUR_WARPS = 64
"""Up to this side four warps hold a tile's work in registers without spilling (ptxas for sm_90); then eight."""

_logs: list[list[Launch]] = []


@contextlib.contextmanager
def recorded_launches() -> Iterator[list[Launch]]:
    """Give a list to which every launch is appended while the context lasts."""
    log: list[Launch] = []
    _logs.append(log)
    try:
        yield log
    finally:
        _logs.remove(log)


def launch(
    kernel: Any, tensors: tuple[Tensor, ...], sizes: tuple[int, int, int], precision: str, **flags: bool
) -> None:
    """Run a kernel: one program for each tile of batch rows, all steps in one launch.

    torch's profiler shows it as ``triton::<name>``.

    Args:
        kernel: A function under ``triton.jit``.
        tensors: Its first arguments, in order.
        sizes: (T, B, D).
        precision: ``ieee`` or ``tf32``.
        flags: Compile-time flags of the variant, in lower case.
    """
    import torch
    import triton.language as tl

    steps, batch, d = sizes
    if batch == 0 or d == 0:
        return
    name, dtype = kernel.fn.__name__, tensors[0].dtype
    programs = -(-batch // SMALLEST_TILE)
    entry = Launch(name, programs, str(dtype).removeprefix("torch."), precision, is_interpreted())
    for log in _logs:
        log.append(entry)
    with torch.profiler.record_function(f"triton::{name}"):
        kernel[(programs,)](
            *tensors,
            steps,
            batch,
            d,
            **{key.upper(): value for key, value in flags.items()},
            ACC=tl.float64 if dtype == torch.float64 else tl.float32,
            PRECISION=precision,
            INTERPRETED=is_interpreted(),
            BLOCK_B=SMALLEST_TILE,
            BLOCK_D=tile_size(d),
            num_warps=_WARPS if tile_size(d) <= _LARGEST_TILE_OF_FOUR_WARPS else 2 * _WARPS,
        )
