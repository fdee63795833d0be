"""What the results of a run on a GPU machine depend on, as one digest."""

from __future__ import annotations

from rnn_harness.kernels.environment.device import device_description
from rnn_harness.records.dependencies import digest_of
from rnn_harness.records.provenance import package_version


def run_digest(device: str, *parts: object) -> str:
    """Return a digest of what results on a device depend on: this package, its libraries, triton and the device.

    Args:
        device: ``cuda``, or ``cpu`` where Triton's interpreter stands in for it.
        *parts: What else they depend on.
    """
    return digest_of("gpu", package_version("triton"), device_description(device), *parts)
