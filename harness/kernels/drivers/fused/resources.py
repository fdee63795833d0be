"""The largest weights that fit on chip, by what compiling the fused kernels for Hopper ahead of time gave.

tests/unit/kernels/test_fused_compiles_for_hopper.py compiles every entry again (ptxas for sm_90, Triton 3.6 or 3.8):
forward and backward take no more shared memory than is written here, and spill at most 64 bytes a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class LargestTile:
    """The largest tile of a weight with which a kernel fits on chip.

    Attributes:
        side: The side of the tile: the largest hidden size.
        shared: Bytes of shared memory that a program needs there, forward or backward, whichever needs more.
    """

    side: int
    shared: int


LARGEST_TILES: Mapping[tuple[str, str], LargestTile] = MappingProxyType(
    {
        ("rnn", "float64"): LargestTile(128, 155_648),
        ("rnn", "float32"): LargestTile(64, 20_480),
        ("rnn", "tf32x3"): LargestTile(128, 147_456),
        ("rnn", "tf32"): LargestTile(128, 81_920),
        ("rnn", "bfloat16"): LargestTile(256, 143_360),
        ("rnn", "float16"): LargestTile(256, 143_360),
        ("gru", "float64"): LargestTile(32, 38_912),
        ("gru", "float32"): LargestTile(32, 18_432),
        ("gru", "tf32x3"): LargestTile(64, 106_496),
        ("gru", "tf32"): LargestTile(128, 229_376),
        ("gru", "bfloat16"): LargestTile(128, 114_688),
        ("gru", "float16"): LargestTile(128, 114_688),
        ("lstm", "float64"): LargestTile(32, 45_056),
        ("lstm", "float32"): LargestTile(32, 22_528),
        ("lstm", "tf32x3"): LargestTile(64, 139_264),
        ("lstm", "tf32"): LargestTile(64, 77_824),
        ("lstm", "bfloat16"): LargestTile(128, 143_360),
        ("lstm", "float16"): LargestTile(128, 143_360),
        ("lstm with peepholes", "float64"): LargestTile(32, 67_584),
        ("lstm with peepholes", "float32"): LargestTile(32, 32_768),
        ("lstm with peepholes", "tf32x3"): LargestTile(32, 61_440),
        ("lstm with peepholes", "tf32"): LargestTile(64, 126_976),
        ("lstm with peepholes", "bfloat16"): LargestTile(64, 63_488),
        ("lstm with peepholes", "float16"): LargestTile(64, 63_488),
    }
)
"""By kernel, and by the format of storage or the precision of float32 products."""
