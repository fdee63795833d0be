"""torch's dtypes by the names that cases give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def torch_dtype(name: str) -> torch.dtype:
    """Return torch's dtype of a format.

    Args:
        name: ``float64``, ``float32``, ``bfloat16`` or ``float16``.

    Raises:
        KeyError: There is no such format among those that cases have.
    """
    import torch

    return {
        "float64": torch.float64,
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
        "float16": torch.float16,
    }[name]
