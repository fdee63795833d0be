"""What the fused kernels take: checked before anything is launched, never silently rerouted."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
from typing import TYPE_CHECKING

from rnn_harness.attributes import attribute
from rnn_harness.errors import Refused
from rnn_harness.kernels.drivers.fused.resources import LARGEST_TILES

if TYPE_CHECKING:
    from rnn_harness.kernels.driver_protocol import Tensors

HOPPER_SHARED = 227 * 1024
"""Bytes of shared memory that one program may hold on an H100 or H200; assumed where no CUDA device can be asked."""
SMALLEST_TILE = 16
"""Triton's matrix product takes no side below this; smaller sizes are padded with zeros."""
DTYPES = ("float64", "float32", "bfloat16", "float16")
"""Formats of storage."""
PRECISIONS = ("ieee", "tf32x3", "tf32")
"""How float32 products are computed: in float32; as three products of operands split into two TF32 numbers each; as one
product of operands shortened to TF32. The interpreter computes all three in float32."""


def warps(side: int) -> int:
    """Give the warps of a program: eight where a tile is too large for the registers of four.

    Args:
        side: The side of a weight's tile.
    """
    return 4 if side <= 64 else 8


class KernelRefusal(Refused, ValueError):
    """A size, dtype, precision or device that the fused kernels do not take: says which, and what they take."""


def tile_size(d: int) -> int:
    """Give the side of a weight's tile for hidden size d: the next power of two.

    Args:
        d: The hidden size, at least 1.
    """
    return max(SMALLEST_TILE, 1 << (d - 1).bit_length())


def padded_size(d: int) -> int:
    """Give the hidden size at which kernels run: the next multiple of 16, with zeros in what is added.

    For a size that 16 does not divide Triton makes code of its own, which loads one number at a time, and spills.

    Args:
        d: The hidden size.
    """
    return -(-d // SMALLEST_TILE) * SMALLEST_TILE


def is_interpreted() -> bool:
    """Say whether Triton runs its kernels in Python, on CPU tensors."""
    return os.environ.get("TRITON_INTERPRET", "") == "1"


def unavailable_reason(device: str) -> str | None:
    """Say why fused kernels cannot run on a device; None if they can.

    Args:
        device: ``cpu`` or ``cuda``.
    """
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed: pip install 'rnn-harness[triton]'"
    if device == "cpu" and not is_interpreted():
        return "Triton runs on CPU only in its interpreter: set TRITON_INTERPRET=1"
    if device == "cpu" and _release("triton") < (3, 7) and _release("numpy") >= (2, 4):
        return "the interpreter of Triton 3.6 fails with NumPy 2.4: pip install 'triton>=3.7', or 'numpy<2.4'"
    if device != "cpu" and is_interpreted():
        return "TRITON_INTERPRET=1 is set, and Triton's interpreter is for CPU tensors: unset it"
    return None


@functools.cache
def _release(package: str) -> tuple[int, int]:
    """Give the first two numbers of the version of a package that is installed."""
    major, minor = importlib.metadata.version(package).split(".")[:2]
    return int(major), int(minor)


@functools.cache
def shared_memory(device: str) -> int:
    """Give the bytes of shared memory that one program may use on a device.

    Args:
        device: Torch's name of the device; any but a CUDA device counts as a Hopper GPU.
    """
    if device.startswith("cuda"):
        import torch

        properties = torch.cuda.get_device_properties(device)
        # Builds for other accelerators lack the property.
        return attribute(properties, "shared_memory_per_block_optin", int) or HOPPER_SHARED
    return HOPPER_SHARED


def largest_hidden_size(kernel: str, arithmetic: str, shared: int = HOPPER_SHARED) -> int:
    """Give the largest d at which a kernel's weights stay on chip, forward and backward.

    Args:
        kernel: A name of `LARGEST_TILES`.
        arithmetic: A dtype, or the precision ``tf32x3`` or ``tf32`` of float32.
        shared: Bytes of shared memory of one program.
    """
    largest = LARGEST_TILES[kernel, arithmetic]
    side, needed = largest.side, largest.shared
    while needed > shared and side > SMALLEST_TILE:
        # What a program needs grows faster than the side, since a weight grows with its square.
        side, needed = side // 2, needed // 2
    return side


def check_arguments(kernel: str, d: int, precision: str, tensors: Tensors) -> None:
    """Refuse what a kernel cannot take.

    Args:
        kernel: A name of `LARGEST_TILES`.
        d: The hidden size.
        precision: One of `PRECISIONS`.
        tensors: Everything it is called with by name, the inputs first.

    Raises:
        KernelRefusal: A device, dtype, precision or size does not fit.
    """
    title = f"fused {kernel.replace(kernel.split()[0], kernel.split()[0].upper())}"
    arithmetic = check_placement(title, precision, tensors)
    first = next(iter(tensors.values()))
    largest = largest_hidden_size(kernel, arithmetic, shared_memory(str(first.device)))
    if d > largest:
        raise KernelRefusal(
            f"{title}: hidden size {d} is too large in {arithmetic}: its weights must stay on chip, "
            f"which they do up to {largest}; {_way_out(kernel, d)}"
        )


def _way_out(kernel: str, d: int) -> str:
    """Say in which arithmetic the kernel would take the size, or that none does."""
    fitting = [other for name, other in LARGEST_TILES if name == kernel and largest_hidden_size(name, other) >= d]
    return f"it fits in {' and in '.join(fitting)}" if fitting else "torch.nn takes any size"


def check_placement(title: str, precision: str, tensors: Tensors) -> str:
    """Refuse devices, dtypes and precisions that no kernel takes.

    Args:
        title: The kernel's name, for the message.
        precision: One of `PRECISIONS`.
        tensors: Everything it is called with by name, the inputs first.

    Returns:
        The dtype, or the precision of float32 products where they are not exact.

    Raises:
        KernelRefusal: One of them is not taken.
    """
    first = next(iter(tensors.values()))
    for name, value in tensors.items():
        if value.device != first.device:
            raise KernelRefusal(f"{title}: {name} is on {value.device}, the inputs on {first.device}; move one")
        if value.dtype != first.dtype:
            raise KernelRefusal(f"{title}: {name} has dtype {value.dtype}, the inputs {first.dtype}; convert one")
    dtype = str(first.dtype).removeprefix("torch.")
    if dtype not in DTYPES:
        raise KernelRefusal(f"{title}: dtype {dtype} is not taken, expected one of {', '.join(DTYPES)}")
    if precision not in PRECISIONS:
        raise KernelRefusal(f"{title}: precision is {precision!r}, expected one of {', '.join(PRECISIONS)}")
    if precision != "ieee" and dtype != "float32":
        raise KernelRefusal(f"{title}: precision {precision!r} is for float32, not for {dtype}; use 'ieee'")
    reason = unavailable_reason(first.device.type)
    if reason:
        raise KernelRefusal(f"{title}: {reason}")
    return dtype if precision == "ieee" else precision
