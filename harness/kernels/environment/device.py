"""On what a kernel ran: the device with its libraries, on one line."""

from __future__ import annotations

import functools
import subprocess


@functools.cache
def device_description(device: str) -> str:
    """``cpu (AVX512, oneDNN 3.7)``, or ``cuda (NVIDIA H200, CUDA 13.0, cuDNN 91002, driver 580.65)``."""
    import torch

    if device == "cpu":
        return f"cpu ({torch.backends.cpu.get_cpu_capability()})"
    name = torch.cuda.get_device_name(device)
    return f"{device} ({name}, CUDA {torch.version.cuda}, cuDNN {_cudnn()}, driver {_driver()})"


def _cudnn() -> int | None:
    import torch

    version: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return version


def _driver() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.splitlines()[0].strip() if found.strip() else "unknown"
