"""The device on which a kernel ran, with its libraries, on one line."""

from __future__ import annotations

import functools
import subprocess


@functools.cache
def device_description(device: str) -> str:
    """Name a device with its capability or its libraries.

    Args:
        device: ``cpu`` or ``cuda``.

    Returns:
        ``cpu (AVX512)``, or ``cuda (NVIDIA H200, CUDA 13.0, cuDNN 91002, driver 580.65)``.
    """
    import torch

    if device == "cpu":
        return f"cpu ({torch.backends.cpu.get_cpu_capability()})"
    name = torch.cuda.get_device_name(device)
    return f"{device} ({name}, CUDA {torch.version.cuda}, cuDNN {_cudnn_version()}, driver {_driver_version()})"


def _cudnn_version() -> int | None:
    """Give the version of cuDNN; None without it."""
    import torch

    version: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return version


def _driver_version() -> str:
    """Give the version of the NVIDIA driver, or ``unknown``."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return output.splitlines()[0].strip() if output.strip() else "unknown"


def ensure_sound(device: str) -> None:
    """Check that a device still answers: an illegal access makes every later call of the process fail.

    Args:
        device: ``cpu`` or ``cuda``.

    Raises:
        RuntimeError: The device is lost to this process.
    """
    import torch

    if device == "cuda" and torch.cuda.is_available():
        torch.cuda.synchronize()
