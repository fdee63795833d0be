"""Sequences for models with convolutions: frames, bands of a spectrogram, and channels in front of the steps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.validation.models.model_sizes import ModelSizes

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

_SPACES = ((6, 4), (8, 8), (16, 16), (28, 28), (32, 32), (64, 64))
"""Heights and widths of frames; unequal ones first, for which most convolutions have room."""
_HEIGHTS = (32, 64, 16, 48, 80, 40)
"""Heights of lines of text, and numbers of bands, that are usual where none follows from the weights."""
_LONGER = 37
"""Steps where convolutions without padding leave nothing of a few."""
_MOST_BANDS = 30


@dataclass(frozen=True)
class LaidOutSequence:
    """A sequence whose two axes of rows and steps come first, and how a model takes it.

    Attributes:
        value: The numbers.
        order: Its axes in the order in which the model takes them; empty where that is theirs.
    """

    value: Tensor
    order: tuple[int, ...] = ()


def spatial_sequences(module: nn.Module, sizes: ModelSizes, dtype: torch.dtype) -> Iterator[LaidOutSequence]:
    """Yield sequences for a model with convolutions; none for another one.

    Args:
        module: The model; it is not run.
        sizes: The sizes that stand in its parameters.
        dtype: The format of its numbers.
    """
    import torch

    convolutions = _convolutions(module)
    if not convolutions:
        return
    generator = torch.Generator().manual_seed(3)
    axes = convolutions[0].weight.dim() - 2
    channels = _channels(convolutions)
    for rows, steps in (sizes.free_sizes, (sizes.free_sizes[0], _LONGER)):
        for shape, order in _layouts(module, sizes, axes, channels):
            drawn = torch.randn((rows, steps, *shape), generator=generator, dtype=torch.float64).to(dtype)
            yield LaidOutSequence(drawn, order)


def _layouts(
    module: nn.Module, sizes: ModelSizes, axes: int, channels: list[int]
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield the axes behind rows and steps, and the order in which the model may take all of them."""
    if axes == 1:
        for count in channels:
            yield (count,), (0, 2, 1)
            yield (count, 12), ()
        return
    spaces = dict.fromkeys([*_spaces_of_weights(module), *_SPACES])
    for space in spaces if axes == 2 else ():
        for count in channels:
            yield (count, *space), ()
            yield (count, *space), (0, 2, 1, 3, 4)
    for space in spaces if axes == 3 else ():
        for count in channels:
            yield (count, *space), (0, 2, 1, 3, 4)
    for bands in _bands(module, sizes) if axes == 2 else ():
        for count in channels[:2]:
            yield (count, bands), (0, 2, 3, 1)
            yield (count, bands), (0, 2, 1, 3)
        yield (bands,), ()
        yield (bands,), (0, 2, 1)


def _convolutions(module: nn.Module) -> list[Any]:
    """The convolutions of a model, in the order in which it holds them."""
    from torch import nn

    return [part for part in module.modules() if isinstance(part, (nn.Conv1d, nn.Conv2d, nn.Conv3d))]


def _channels(convolutions: list[Any]) -> list[int]:
    """The channels that an input may have: what convolutions take, and what they take besides a state of theirs."""
    taken = [layer.in_channels for layer in convolutions]
    units = {layer.out_channels // gates for layer in convolutions for gates in (4, 3, 2, 1)}
    differences = [size - d for size in taken for d in sorted(units, reverse=True) if size > d]
    return list(dict.fromkeys([taken[0], *differences, *taken]))[:8]


def _spaces_of_weights(module: nn.Module) -> list[tuple[int, int]]:
    """Heights and widths that stand in weights which are none of a convolution, as those of peepholes."""
    kernels = {id(layer.weight) for layer in _convolutions(module)}
    weights = [value for value in module.parameters() if value.dim() >= 3 and id(value) not in kernels]
    return [(value.shape[-2], value.shape[-1]) for value in weights]


def _bands(module: nn.Module, sizes: ModelSizes) -> list[int]:
    """Numbers of bands of which convolutions leave what a recurrent or linear part takes, likely ones first."""
    from torch import nn

    convolutions = _convolutions(module)
    pools = [part for part in module.modules() if isinstance(part, (nn.MaxPool2d, nn.AvgPool2d))]
    widths = [part.input_size for part in sizes.parts]
    widths = widths or [part.in_features for part in module.modules() if isinstance(part, nn.Linear)]
    outputs = {layer.out_channels for layer in convolutions}
    bands: list[int] = []
    for axis, width, count in itertools.product((0, 1), widths[:3], sorted(outputs, reverse=True)):
        if width % count:
            continue
        stride = math.prod(_along(layer.stride, axis) for layer in (*convolutions, *pools))
        middle = width // count * stride
        near = sorted(range(-stride - 10, stride + 11), key=abs)
        bands += [middle + k for k in near if middle + k > 0]
    attributes = [value for value in vars(module).values() if type(value) is int and 1 < value <= 512]
    return list(dict.fromkeys([*bands[:_MOST_BANDS], *attributes, *_HEIGHTS, *bands[_MOST_BANDS : 2 * _MOST_BANDS]]))


def _along(stride: Any, axis: int) -> int:
    """The stride of a layer along one axis of space."""
    return int(stride[axis] if isinstance(stride, tuple) else stride)
