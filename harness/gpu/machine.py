"""The machine: its device, libraries and defaults."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess

from rnn_harness.attributes import attribute
from rnn_harness.records.gpu_evidence import MachineFact
from rnn_harness.runtime.worker import Send

_PACKAGES = ("torch", "triton", "numpy", "python-flint", "pytest", "rnn-harness")
_QUERY = "--query-gpu=name,memory.total,driver_version,clocks.sm,clocks.mem"
_SECONDS_OF_COMMAND = 20


def describe_machine(send: Send[MachineFact], device: str) -> None:
    """Send the facts about the machine, those first that need no library.

    Args:
        send: Sends a fact.
        device: ``cuda``, or ``cpu`` where Triton's interpreter stands in for it.
    """
    send(MachineFact(subject="kernel", value=platform.platform()))
    send(MachineFact(subject="nvidia-smi", value=_first_line(["nvidia-smi", _QUERY, "--format=csv,noheader"])))
    for package in _PACKAGES:
        send(MachineFact(subject=package, value=_version(package)))
    import torch

    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    send(MachineFact(subject="cuDNN", value=str(cudnn.version())))  # type: ignore[no-untyped-call]
    defaults = {
        "matmul.allow_tf32": matmul.allow_tf32,
        "cudnn.allow_tf32": cudnn.allow_tf32,
        "allow_bf16_reduced_precision_reduction": matmul.allow_bf16_reduced_precision_reduction,
    }
    send(MachineFact(subject="torch's defaults", value=", ".join(f"{k} = {v}" for k, v in defaults.items())))
    if device == "cuda":
        card = torch.cuda.get_device_properties(0)
        shared = attribute(card, "shared_memory_per_block_optin", int) or "unknown"
        value = f"{card.name}, {card.multi_processor_count} SMs, {shared} bytes of shared memory a program"
        send(MachineFact(subject="device", value=value))


def _version(package: str) -> str:
    """Give the version of a package, or say that it is missing."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _first_line(command: list[str]) -> str:
    """Give the first line that a command prints, or why it prints none."""
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS_OF_COMMAND, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"not there: {type(error).__name__}"
    return output.strip().splitlines()[0] if output.strip() else "says nothing"
