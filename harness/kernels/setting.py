"""Where a kernel runs: a dtype on a device."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """A dtype on a device.

    Attributes:
        dtype: ``float64``, ``float32``, ``bfloat16`` or ``float16``.
        device: ``cpu`` or ``cuda``.
    """

    dtype: str
    device: str

    def __str__(self) -> str:
        return f"{self.dtype} on {self.device}"


def settings(cpu: tuple[str, ...] = (), cuda: tuple[str, ...] = ()) -> tuple[Setting, ...]:
    """List settings by device.

    Args:
        cpu: The dtypes on the CPU.
        cuda: The dtypes on a CUDA device.
    """
    return (*(Setting(dtype, "cpu") for dtype in cpu), *(Setting(dtype, "cuda") for dtype in cuda))
