"""Launching a fused kernel, and the log that proves which kernel ran."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.attributes import member
from rnn_harness.kernels.drivers.fused.limits import SMALLEST_TILE, is_interpreted, tile_size, warps

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Launch:
    """One launch.

    Attributes:
        kernel: The kernel's name.
        programs: How many programs ran, each on a tile of batch rows.
        dtype: The format of storage.
        precision: Of its float32 products, one of `limits.PRECISIONS`.
        interpreted: Whether Triton's interpreter ran it.
    """

    kernel: str
    programs: int
    dtype: str
    precision: str
    interpreted: bool


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
    kernel: Any,
    tensors: tuple[Tensor, ...],
    lengths: Tensor | None,
    sizes: tuple[int, int, int],
    precision: str,
    **flags: bool,
) -> None:
    """Run a kernel: one program for each tile of batch rows, all steps in one launch.

    torch's profiler shows it as ``triton::<name>``.

    Args:
        kernel: A function under ``triton.jit``.
        tensors: Its first arguments, in order; all on one device, which is made current.
        lengths: The steps of every row (B,), on the same device; None where every row has T.
        sizes: (T, B, D).
        precision: One of `limits.PRECISIONS`.
        flags: Compile-time flags of the variant, in lower case.
    """
    import torch

    steps, batch, d = sizes
    if batch == 0 or d == 0:
        return
    name, dtype = kernel.fn.__name__, str(tensors[0].dtype).removeprefix("torch.")
    programs = -(-batch // SMALLEST_TILE)
    log_launch(name, programs, dtype, precision)
    options = compile_options(dtype, precision, tile_size(d), lengths is not None, is_interpreted())
    variant = {key.upper(): value for key, value in flags.items()}
    # Triton launches on the current device, whichever the tensors are on.
    with device_of(tensors[0]), torch.profiler.record_function(f"triton::{name}"):
        kernel[(programs,)](*tensors, lengths, steps, batch, d, **variant, **options.constants, **options.compiler)


def log_launch(kernel: str, programs: int, dtype: str, precision: str) -> None:
    """Enter a launch in every log that is open.

    Args:
        kernel: The kernel's name.
        programs: How many programs run.
        dtype: The format of storage.
        precision: Of its float32 products.
    """
    entry = Launch(kernel, programs, dtype, precision, is_interpreted())
    for log in _logs:
        log.append(entry)


def device_of(tensor: Tensor) -> AbstractContextManager[object]:
    """Give the context in which a tensor's device is the current one.

    Args:
        tensor: On any device.
    """
    import torch

    context: AbstractContextManager[object] = torch.cuda.device_of(tensor)  # type: ignore[no-untyped-call]
    return context


@dataclass(frozen=True)
class CompileOptions:
    """With what a kernel is compiled, besides the flags of its variant.

    Attributes:
        constants: Its remaining compile-time arguments by name.
        compiler: Triton's own options.
    """

    constants: dict[str, object]
    compiler: dict[str, int | bool]


def compile_options(dtype: str, precision: str, side: int, lengths: bool, interpreted: bool) -> CompileOptions:
    """Give what a kernel is compiled with; what is launched and what is compiled ahead of time take the same.

    Args:
        dtype: The format of storage.
        precision: One of `limits.PRECISIONS`.
        side: The side of a weight's tile.
        lengths: Whether rows have lengths of their own.
        interpreted: Whether Triton's interpreter runs it.
    """
    import triton.language as tl

    constants = {
        "ACC": tl.float64 if dtype == "float64" else tl.float32,
        "PRECISION": precision,
        "INTERPRETED": interpreted,
        "LENGTHS": lengths,
        "BLOCK_B": SMALLEST_TILE,
        "BLOCK_D": side,
    }
    # One stage: a loop over time has little to load ahead, and every further stage costs shared memory for each load.
    return CompileOptions(constants, {"num_warps": warps(side), "num_stages": 1})


class FusedKernels:
    """The kernels that hold all weights on the chip of one processor."""

    def run(
        self,
        name: str,
        tensors: tuple[Tensor, ...],
        lengths: Tensor | None,
        sizes: tuple[int, int, int],
        precision: str,
        **flags: bool,
    ) -> None:
        """Run a kernel, as `SequenceKernels.run` says."""
        launch(kernel_named("fused", name), tensors, lengths, sizes, precision, **flags)


def kernel_named(folder: str, name: str) -> Any:
    """Import a kernel on first use: it needs triton.

    Args:
        folder: ``fused`` or ``split``.
        name: The kernel's name, as ``gru_forward``.
    """
    family = name.partition("_")[0]
    module = importlib.import_module(f"rnn_harness.kernels.drivers.{folder}.{family}_kernels")
    return member(module, name)
