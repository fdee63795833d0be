"""The inputs that a model's file gives for it (``get_inputs``), cut down to a few rows and steps."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnn_harness.options import Keywords
from rnn_harness.validation.models.argument_names import is_lengths, is_mask, is_state
from rnn_harness.validation.models.model_arguments import ModelArgument, ModelArguments, Role
from rnn_harness.validation.models.model_sizes import ModelSizes, read_sizes

if TYPE_CHECKING:
    from torch import Tensor, nn

_SMALL = 8
"""Axes of arguments up to this length are left as they are."""


def has_example_inputs(module: nn.Module) -> bool:
    """Say whether the file that defines a model gives inputs for it.

    Args:
        module: The model; the file of its class is searched for ``get_inputs``.
    """
    return _get_inputs(module) is not None


def _get_inputs(module: nn.Module) -> Callable[[], Any] | None:
    """The function ``get_inputs`` where a model's class is defined."""
    home = sys.modules.get(type(module).__module__)
    get_inputs = vars(home).get("get_inputs") if home is not None else None
    return get_inputs if callable(get_inputs) else None


def example_arguments(module: nn.Module) -> Iterator[ModelArguments]:
    """Yield the example inputs of a model, first with short axes of steps and rows, then as they are.

    Args:
        module: The model; ``get_inputs`` is looked for where its class is defined.
    """
    get_inputs = _get_inputs(module)
    if get_inputs is None:
        return
    try:
        inputs = get_inputs()
    except Exception:  # it may need what is not here: an accelerator, a file
        return
    values: Keywords = dict(inputs) if isinstance(inputs, Mapping) else _named(module, list(inputs))
    sizes = read_sizes(module)
    yield from _read(_shortened(values, module, sizes), sizes, isinstance(inputs, Mapping))
    yield from _read(values, sizes, isinstance(inputs, Mapping))


def _named(module: nn.Module, values: Sequence[object]) -> Keywords:
    """Give the values the names of the arguments of forward."""
    names = list(inspect.signature(module.forward).parameters)
    return dict(zip(names, values, strict=False))


def _read(values: Keywords, sizes: ModelSizes, by_keyword: bool) -> Iterator[ModelArguments]:
    """Yield the arguments if there is a tensor among them, which is the sequence."""
    import torch

    tensors = ((name, value) for name, value in values.items() if isinstance(value, torch.Tensor))
    first, sequence = next(tensors, ("", None))
    if sequence is None:
        return
    arguments = [
        ModelArgument(name, "sequence" if name == first else _role(name), value, by_keyword)
        for name, value in values.items()
    ]
    is_tokens = not sequence.is_floating_point()
    axes = sequence.dim() if is_tokens or sequence.shape[-1] not in sizes.features else sequence.dim() - 1
    yield ModelArguments(tuple(arguments), tuple(range(min(axes, 2))), sizes.vocabulary if is_tokens else 0)


def _role(name: str) -> Role:
    """What an argument after the sequence is, by its name."""
    if is_lengths(name):
        return "lengths"
    if is_mask(name):
        return "mask"
    return "state" if is_state(name) else "further"


def _shortened(values: Keywords, module: nn.Module, sizes: ModelSizes) -> Keywords:
    """Cut the axes of tensors that no parameter shares; axes of the same length are cut to the same length."""
    import torch

    fixed = {size for parameter in module.parameters() for size in parameter.shape}
    fixed |= {*sizes.features, *sizes.hidden}
    lengths: dict[int, int] = {}
    free = iter((*sizes.free_sizes, 3, 2))
    tensors = [value for value in values.values() if isinstance(value, torch.Tensor)]
    for tensor in tensors:
        for axis, size in enumerate(tensor.shape):
            is_last = axis == tensor.dim() - 1 and tensor.is_floating_point()
            if size > _SMALL and size not in fixed and not is_last:
                lengths.setdefault(size, next(free, size))

    def shorten(tensor: Tensor) -> Tensor:
        return tensor[tuple(slice(lengths.get(size, size)) for size in tensor.shape)]

    return {name: shorten(value) if isinstance(value, torch.Tensor) else value for name, value in values.items()}
