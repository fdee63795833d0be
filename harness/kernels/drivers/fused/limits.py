"""What the fused kernels take: checked before anything is launched, never silently rerouted."""

from __future__ import annotations

import functools
import importlib.util
import os
from typing import TYPE_CHECKING

from rnn_harness.errors import Refused

if TYPE_CHECKING:
    from rnn_harness.kernels.driver_protocol import Tensors

HOPPER_SHARED = 227 * 1024
"""Bytes of shared memory that one program may hold on an H100 or H200; assumed where no CUDA device can be asked."""
SMALLEST_TILE = 16
"""Triton's matrix product takes no side below this; smaller sizes are padded with zeros."""
_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}


class KernelRefusal(Refused, ValueError):
    """A size, dtype, precision or device that the fused kernels do not take: says which, and what they take."""


def tile_size(d: int) -> int:
    """Give the side of a weight's tile for hidden size d: the next power of two.

    Args:
        d: The hidden size, at least 1.
    """
    return max(SMALLEST_TILE, 1 << (d - 1).bit_length())


def is_interpreted() -> bool:
    """Say whether Triton runs its kernels in Python, on CPU tensors."""
    return os.environ.get("TRITON_INTERPRET", "") == "1"


def unavailable_reason(device: str, dtype: str = "float32") -> str | None:
    """Say why fused kernels cannot run on a device in a dtype; None if they can.

    Args:
        device: ``cpu`` or ``cuda``.
        dtype: The format of storage.
    """
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed: pip install 'rnn-harness[triton]'"
    if device == "cpu" and not is_interpreted():
        return "Triton runs on CPU only in its interpreter: set TRITON_INTERPRET=1"
    if device != "cpu" and is_interpreted():
        return "TRITON_INTERPRET=1 is set, and Triton's interpreter is for CPU tensors: unset it"
    if device != "cpu" and dtype == "float64":
        return "Triton multiplies no float64 matrices on this device"
    return None


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
        return int(getattr(properties, "shared_memory_per_block_optin", 0)) or HOPPER_SHARED
    return HOPPER_SHARED


def largest_hidden_size(tiles: int, dtype: str, shared: int = HOPPER_SHARED) -> int:
    """Give the largest d at which a kernel's weights stay on chip, a seventh of it free for everything else.

    Args:
        tiles: Weight matrices of d by d.
        dtype: The format of storage.
        shared: Bytes of shared memory of one program.
    """
    side = SMALLEST_TILE
    while tiles * (2 * side) ** 2 * _BYTES[dtype] <= shared * 6 // 7:
        side *= 2
    return side


def check_arguments(kernel: str, tiles: int, d: int, precision: str, tensors: Tensors) -> None:
    """Refuse what a kernel cannot take.

    Args:
        kernel: Its name, for the message.
        tiles: Its weight matrices of d by d.
        d: The hidden size.
        precision: ``ieee`` or ``tf32``.
        tensors: Everything it is called with by name, the inputs first.

    Raises:
        KernelRefusal: A device, dtype, precision or size does not fit.
    """
    first = next(iter(tensors.values()))
    for name, value in tensors.items():
        if value.device != first.device:
            raise KernelRefusal(f"{kernel}: {name} is on {value.device}, the inputs on {first.device}; move one")
        if value.dtype != first.dtype:
            raise KernelRefusal(f"{kernel}: {name} has dtype {value.dtype}, the inputs {first.dtype}; convert one")
    dtype = str(first.dtype).removeprefix("torch.")
    if dtype not in _BYTES:
        raise KernelRefusal(f"{kernel}: dtype {dtype} is not taken, expected one of {', '.join(_BYTES)}")
    if precision not in ("ieee", "tf32"):
        raise KernelRefusal(f"{kernel}: precision is {precision!r}, expected 'ieee' or 'tf32'")
    if precision == "tf32" and dtype != "float32":
        raise KernelRefusal(f"{kernel}: precision 'tf32' is for float32, not for {dtype}; use 'ieee'")
    reason = unavailable_reason(first.device.type, dtype)
    if reason:
        raise KernelRefusal(f"{kernel}: {reason}")
    largest = largest_hidden_size(tiles, dtype, shared_memory(str(first.device)))
    if d > largest:
        raise KernelRefusal(
            f"{kernel}: hidden size {d} is too large in {dtype}: its {tiles} weight matrices must stay on chip, which "
            f"they do up to {largest}; use a narrower dtype, or torch.nn"
        )
