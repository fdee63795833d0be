"""What is made of other arrays, as a torch module: NumPy arrays go in and come out, gradients by its own pullback.

Dimension legend: n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rnn_harness.array_types import Array

Pullback = Callable[[Sequence[Array]], tuple[Mapping[str, Array], Sequence[Array]]]
"""From the cotangents of what came out to those of the parameters, and of the arrays that went in."""
Runner = Callable[[Mapping[str, Array], tuple[Any, ...], bool], tuple[Sequence[Array], Pullback | None]]
"""(parameters, arguments, whether gradients will be asked for) -> (arrays that came out, the pullback)."""


class _Call(torch.autograd.Function):
    """One call of a runner."""

    @staticmethod
    def forward(
        ctx: Any, runner: Runner, names: tuple[str, ...], arguments: tuple[Any, ...], *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        values = [one.detach().numpy() for one in tensors]
        parameters = dict(zip(names, values, strict=False))
        given = iter(values[len(names) :])
        found, ctx.pull = runner(parameters, _filled(arguments, given), any(ctx.needs_input_grad))
        ctx.names = names
        outputs = tuple(torch.from_numpy(np.array(one)) for one in found)
        ctx.shapes = [(one.shape, one.dtype) for one in outputs]
        if ctx.pull is None:
            ctx.mark_non_differentiable(*outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        given = [
            torch.zeros(shape, dtype=dtype).numpy() if one is None else one.numpy()
            for one, (shape, dtype) in zip(cotangents, ctx.shapes, strict=True)
        ]
        parameters, arguments = ctx.pull(given)
        rows = [*(parameters[name] for name in ctx.names), *arguments]
        return (None, None, None, *(torch.from_numpy(np.array(row)) for row in rows))


_apply: Callable[..., Any] = _Call.apply


def _filled(arguments: tuple[Any, ...], values: Any) -> tuple[Any, ...]:
    """The arguments' structure with arrays in the place of tensors."""
    return tuple(_filled(one, values) if isinstance(one, tuple) else next(values) for one in arguments)


def _tensors(arguments: tuple[Any, ...]) -> list[Tensor]:
    found: list[Tensor] = []
    for one in arguments:
        found += _tensors(one) if isinstance(one, tuple) else [one]
    return found


class ArrayLibraryModule(nn.Module):
    """A runner with its parameters. `differentiable`: whether its pullbacks are any."""

    def __init__(self, runner: Runner, parameters: Mapping[str, Array], differentiable: bool = True) -> None:
        super().__init__()
        self.runner, self.differentiable = runner, differentiable
        self._last: tuple[Mapping[str, Tensor], dict[str, Array]] | None = None
        self.names = tuple(parameters)
        for name, value in parameters.items():
            self.register_parameter(_spelled(name), nn.Parameter(torch.tensor(np.asarray(value, np.float64))))

    def forward(self, *arguments: Any) -> tuple[Tensor, ...]:
        """Run it."""
        return self.with_parameters({name: one for name, one in self._parameters.items() if one is not None}, arguments)

    def with_parameters(self, leaves: Mapping[str, Tensor], arguments: tuple[Any, ...]) -> tuple[Tensor, ...]:
        """Run it with other parameters; those that are not among them are its own."""
        if not self.differentiable:
            return self._plainly(leaves, arguments)
        own = [leaves.get(name, self._parameters[name]) for name in map(_spelled, self.names)]
        found: tuple[Tensor, ...] = _apply(self.runner, self.names, arguments, *own, *_tensors(arguments))
        return found

    def _plainly(self, leaves: Mapping[str, Tensor], arguments: tuple[Any, ...]) -> tuple[Tensor, ...]:
        """Without a graph; the arrays of the parameters are kept from one step to the next."""
        if self._last is None or self._last[0] is not leaves:
            own = {name: leaves.get(_spelled(name), self._parameters[_spelled(name)]) for name in self.names}
            self._last = leaves, {name: one.detach().numpy() for name, one in own.items() if one is not None}
        given = iter([one.detach().numpy() for one in _tensors(arguments)])
        found, _ = self.runner(self._last[1], _filled(arguments, given), False)
        return tuple(torch.from_numpy(np.array(one)) for one in found)


def _spelled(name: str) -> str:
    """torch allows no dot in a parameter's name."""
    return name.replace(".", "/")
