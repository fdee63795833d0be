"""What torch documents for runs on CUDA that give the same bits again, held where numbers are judged.

Its page of nn.RNN, nn.GRU and nn.LSTM: cuDNN may give other bits each time unless CUBLAS_WORKSPACE_CONFIG is set.
https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
"""

from __future__ import annotations

import os

_VARIABLE, _WORKSPACE = "CUBLAS_WORKSPACE_CONFIG", ":4096:8"
"""Eight buffers of 4 MiB: as much as torch gives cuBLAS on an H100 by itself, so that the same kernels are chosen."""


def hold_workspace(device: str) -> None:
    """Fix the workspace of cuBLAS in this process, before its first product on CUDA; what the user has set is kept.

    Args:
        device: Where numbers are judged; on any device but a CUDA one nothing is done.
    """
    if device.startswith("cuda"):
        os.environ.setdefault(_VARIABLE, _WORKSPACE)


def prefer_repeatable_algorithms() -> None:
    """Let torch take algorithms that give the same bits again, where it has such; where not, it warns and goes on.

    This is for code of others, whose runs are compared bit for bit in many places. Memory is not filled with NaN, as
    torch would do besides.
    """
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # set by its class
    torch.backends.cudnn.benchmark = False
