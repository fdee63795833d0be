"""A convolutional cell where its space is one point: each convolution is a product with the middle of its kernel.

There it is an ordinary cell of vectors, whose equations can be told; around the point stand the zeros of the padding.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

_LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_CONVOLVE: dict[int, Callable[..., Tensor]] = {
    1: functional.conv1d,
    2: functional.conv2d,
    3: functional.conv3d,
}


class PointConvolution(nn.Module):
    """A convolution whose kernel has one point.

    Attributes:
        weight: The middle of the kernel that it stands for, (out, in).
        bias: The bias (out); None for none.
        in_channels: The channels that it reads.
        out_channels: The channels that it gives.
        kernel_size: The kernel that it stands for.
        padding: The padding around an input of that kernel.
        stride: The distance of the places at which that kernel is laid.
    """

    def __init__(self, layer: Any) -> None:
        """Take the middle of a kernel.

        Args:
            layer: A convolution of torch in one group, whose output is as large as its input.
        """
        super().__init__()
        middle = tuple(length // 2 for length in layer.kernel_size)
        self.weight = nn.Parameter(layer.weight.detach()[(slice(None), slice(None), *middle)].clone())
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach().clone())
        self.in_channels, self.out_channels = layer.in_channels, layer.out_channels
        self.kernel_size, self.padding, self.stride = layer.kernel_size, layer.padding, layer.stride

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of an input (B, in, 1, ..).

        Args:
            x: An input whose space is one point.
        """
        axes = len(self.kernel_size)
        return _CONVOLVE[axes](x, self.weight[(..., *(None,) * axes)], self.bias)


def at_one_point(cell: nn.Module) -> nn.Module | None:
    """Return a copy of a cell with the middle of every kernel in its place; None if that is not the same at a point.

    Args:
        cell: A module with convolutions of torch.
    """
    copied = copy.deepcopy(cell)
    convolutions = [(name, part) for name, part in copied.named_modules() if isinstance(part, _LAYERS)]
    if not all(name and _keeps_a_point(layer) for name, layer in convolutions):
        return None
    for name, layer in convolutions:
        holder, _, last = name.rpartition(".")
        setattr(copied.get_submodule(holder), last, PointConvolution(layer))
    return copied


def _keeps_a_point(layer: Any) -> bool:
    """Whether a convolution of one point, with zeros around it, is a product with the middle of its kernel."""
    if any(length % 2 == 0 for length in layer.kernel_size) or hasattr(layer, "parametrizations"):
        return False
    is_plain = layer.groups == 1 and all(step == 1 for step in layer.stride) and layer.padding_mode == "zeros"
    kept = tuple(width * (length - 1) // 2 for width, length in zip(layer.dilation, layer.kernel_size, strict=True))
    return is_plain and (layer.padding == "same" or tuple(layer.padding) == kept) and layer.weight.is_leaf
