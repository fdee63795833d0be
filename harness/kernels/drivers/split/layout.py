"""How the recurrent weights are divided among programs, and the largest sizes at which a program holds its share.

tests/unit/kernels/test_split_compiles_for_hopper.py compiles every entry again (ptxas for sm_90, Triton 3.6 or 3.8):
forward and backward take no more shared memory than is written here, and spill at most 64 bytes a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from rnn_harness.kernels.drivers.fused.limits import (
    KernelRefusal,
    check_placement,
    padded_size,
    shared_memory,
)

if TYPE_CHECKING:
    from rnn_harness.kernels.driver_protocol import Tensors

PARTS = 8
"""Into how many parts the units are divided: one for each warp."""
SMALLEST_UNITS = 128
"""Units of the smallest tile: a part has 16, the fewest that a product takes."""
BYTES_OF_ANY_SIZE = 512
"""Shared memory that a program needs besides its weights, at every size."""
HOPPER_PROCESSORS = 132
"""Processors of an H100 or H200, each of which runs one program; assumed where no CUDA device can be asked."""


@dataclass(frozen=True)
class Layout:
    """How weights are divided.

    Attributes:
        columns: Columns of each weight that a program holds.
        parts: Into how many parts the units are divided.
        part: Units in a part.
    """

    columns: int
    parts: int
    part: int


@dataclass(frozen=True)
class LargestSplit:
    """The largest size of a kernel in an arithmetic.

    Attributes:
        d: The hidden size.
        columns: Columns of each weight that a program holds, at every size.
        shared: Bytes of shared memory that a program needs there, forward or backward, whichever needs more.
    """

    d: int
    columns: int
    shared: int


LARGEST_SPLITS: Mapping[tuple[str, str], LargestSplit] = MappingProxyType(
    {
        ("rnn", "float64"): LargestSplit(256, 8, 49_152),
        ("rnn", "float32"): LargestSplit(256, 8, 24_576),
        ("rnn", "tf32x3"): LargestSplit(1024, 8, 196_608),
        ("rnn", "tf32"): LargestSplit(1024, 16, 131_072),
        ("rnn", "bfloat16"): LargestSplit(1024, 16, 65_536),
        ("rnn", "float16"): LargestSplit(1024, 16, 65_536),
        ("gru", "float64"): LargestSplit(256, 8, 81_920),
        ("gru", "float32"): LargestSplit(128, 8, 20_480),
        ("gru", "tf32x3"): LargestSplit(512, 8, 163_840),
        ("gru", "tf32"): LargestSplit(1024, 8, 163_840),
        ("gru", "bfloat16"): LargestSplit(1024, 16, 131_072),
        ("gru", "float16"): LargestSplit(1024, 16, 131_072),
        ("lstm", "float64"): LargestSplit(256, 8, 98_304),
        ("lstm", "float32"): LargestSplit(128, 8, 24_576),
        ("lstm", "tf32x3"): LargestSplit(512, 8, 196_608),
        ("lstm", "tf32"): LargestSplit(1024, 8, 196_608),
        ("lstm", "bfloat16"): LargestSplit(1024, 16, 164_352),
        ("lstm", "float16"): LargestSplit(1024, 16, 164_352),
        ("lstm with peepholes", "float64"): LargestSplit(128, 8, 73_728),
        ("lstm with peepholes", "float32"): LargestSplit(128, 8, 36_864),
        ("lstm with peepholes", "tf32x3"): LargestSplit(256, 8, 147_456),
        ("lstm with peepholes", "tf32"): LargestSplit(512, 8, 147_456),
        ("lstm with peepholes", "bfloat16"): LargestSplit(1024, 8, 147_456),
        ("lstm with peepholes", "float16"): LargestSplit(1024, 8, 147_456),
    }
)
"""By kernel, and by the format of storage or the precision of float32 products."""


def layout_for(kernel: str, arithmetic: str, d: int) -> Layout:
    """Give the layout of a kernel's weights.

    Args:
        kernel: A name of `LARGEST_SPLITS`.
        arithmetic: A dtype, or the precision ``tf32x3`` or ``tf32`` of float32.
        d: The hidden size.
    """
    units = max(SMALLEST_UNITS, 1 << (d - 1).bit_length())
    return Layout(LARGEST_SPLITS[kernel, arithmetic].columns, PARTS, units // PARTS)


def needed_shared_memory(kernel: str, arithmetic: str, d: int) -> int:
    """Give the bytes of shared memory that a program is counted to need: the weights shrink with the units of its tile.

    Args:
        kernel: A name of `LARGEST_SPLITS`.
        arithmetic: A dtype, or the precision ``tf32x3`` or ``tf32`` of float32.
        d: The hidden size, at most the largest.
    """
    largest, layout = LARGEST_SPLITS[kernel, arithmetic], layout_for(kernel, arithmetic, d)
    weights = largest.shared * layout.part * layout.parts // max(SMALLEST_UNITS, largest.d)
    return min(largest.shared, weights + BYTES_OF_ANY_SIZE)


def check_split(kernel: str, d: int, precision: str, tensors: Tensors) -> Layout:
    """Refuse what a kernel cannot take; give the layout for what it can.

    Args:
        kernel: A name of `LARGEST_SPLITS`.
        d: The hidden size.
        precision: One of `limits.PRECISIONS`.
        tensors: Everything it is called with by name, the inputs first.

    Raises:
        KernelRefusal: A device, dtype, precision or size does not fit.
    """
    title = f"split {kernel}"
    arithmetic = check_placement(title, precision, tensors)
    device = next(iter(tensors.values())).device
    largest = LARGEST_SPLITS[kernel, arithmetic]
    shared, processors = shared_memory(str(device)), processor_count(str(device))
    if d > largest.d:
        raise KernelRefusal(f"{title}: hidden size {d} is too large in {arithmetic}, where it takes up to {largest.d}")
    layout = layout_for(kernel, arithmetic, d)
    needed = needed_shared_memory(kernel, arithmetic, d)
    if needed > shared:
        raise KernelRefusal(f"{title}: hidden size {d} needs {needed} bytes of shared memory, and {shared} there are")
    programs = -(-padded_size(d) // layout.columns)
    if programs > processors:
        raise KernelRefusal(f"{title}: hidden size {d} needs {programs} processors at once, and {processors} there are")
    return layout


def processor_count(device: str) -> int:
    """Give how many programs can run at the same time on a device.

    Args:
        device: Torch's name of the device; any but a CUDA device counts as a Hopper GPU.
    """
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.get_device_properties(device).multi_processor_count)
    return HOPPER_PROCESSORS
