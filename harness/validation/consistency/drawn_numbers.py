"""Numbers drawn for a cell: in float64 from a seed, then rounded to its dtype."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rnn_harness.arithmetic.torch_dtype import torch_dtype

PARAMETER_SCALE, STATE_SCALE = 0.7, 0.8
"""The usual size of drawn parameters (of a matrix, divided by the root of its smaller side) and of drawn states: large
enough that a gate is no straight line, small enough that it is not flat."""


def draw_normal(seed: int, shape: Sequence[int], dtype: str) -> Tensor:
    """Draw standard normal numbers.

    Args:
        seed: Where the numbers start.
        shape: The size of each axis.
        dtype: The format that they are rounded to; all formats of one seed come from the same float64 numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(list(shape), generator=generator, dtype=torch.float64).to(torch_dtype(dtype))


def draw_parameters(module: nn.Module, dtype: str, seed: int) -> dict[str, Tensor]:
    """Draw numbers for the parameters of a module, by name.

    Args:
        module: A module whose parameters give names and shapes.
        dtype: The format of the numbers.
        seed: Where they start.

    Returns:
        Matrices scaled by one over the square root of their shorter side, so that states stay where activations are not
        saturated.
    """
    parameters = {}
    for index, (name, value) in enumerate(module.named_parameters()):
        width = min(value.shape) if value.dim() > 1 else 1
        drawn = draw_normal(seed + 7 * index + 1, value.shape, dtype)
        parameters[name] = PARAMETER_SCALE / max(width, 1) ** 0.5 * drawn
    return parameters
