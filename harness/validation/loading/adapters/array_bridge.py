"""A function on NumPy arrays as a torch module: arrays go in and come out, gradients come from its own pullback."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rnn_harness.array_types import Array
from rnn_harness.validation.cells.calling_convention import TensorArguments

ArrayArguments: TypeAlias = tuple[Array | tuple[Array, ...], ...]
"""What a cell is called with: arrays, of which two states may stand in one tuple."""

_Value = TypeVar("_Value")


class Cotangents(NamedTuple):
    """The gradients of a loss with respect to what went into a call.

    Attributes:
        parameters: By the parameter's name.
        arguments: In the order of `flat_arguments`.
    """

    parameters: Mapping[str, Array]
    arguments: Sequence[Array]


Pullback: TypeAlias = Callable[[Sequence[Array]], Cotangents]
"""From the gradients of a loss with respect to what came out, in order, to those with respect to what went in."""


class ArrayResults(NamedTuple):
    """What a call gives.

    Attributes:
        arrays: The arrays that came out.
        pullback: Takes gradients back; None where there are none.
    """

    arrays: Sequence[Array]
    pullback: Pullback | None = None


class ArrayFunction(Protocol):
    """A cell as a function of its parameters and arguments."""

    def __call__(self, parameters: Mapping[str, Array], arguments: ArrayArguments, differentiate: bool) -> ArrayResults:
        """Run the cell.

        Args:
            parameters: The parameters by name.
            arguments: The inputs and states, in the order of the cell's calling convention.
            differentiate: Whether the pullback will be asked for.
        """


def flat_arguments(arguments: tuple[_Value | tuple[_Value, ...], ...]) -> list[_Value]:
    """Return the arguments in order, without the tuple that two states may stand in.

    Args:
        arguments: Arrays or tensors, or tuples of such.
    """
    flat: list[_Value] = []
    for argument in arguments:
        flat += argument if isinstance(argument, tuple) else (argument,)
    return flat


def _arranged(values: Iterator[Array], arguments: TensorArguments) -> ArrayArguments:
    """Arrays in the structure of the arguments."""
    return tuple(
        tuple(next(values) for _ in argument) if isinstance(argument, tuple) else next(values) for argument in arguments
    )


class _ArrayCall(torch.autograd.Function):
    """One call of an array function, as an operation of torch."""

    @staticmethod
    def forward(
        ctx: Any, function: ArrayFunction, names: tuple[str, ...], arguments: TensorArguments, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        """Call it. `tensors`: the parameters named `names`, then the flat arguments."""
        values = [tensor.detach().numpy() for tensor in tensors]
        parameters = dict(zip(names, values, strict=False))
        remaining = iter(values[len(names) :])
        arrays, ctx.pullback = function(parameters, _arranged(remaining, arguments), any(ctx.needs_input_grad))
        ctx.names = names
        outputs = tuple(torch.from_numpy(np.array(array)) for array in arrays)
        ctx.formats = [(output.shape, output.dtype) for output in outputs]
        if ctx.pullback is None:
            ctx.mark_non_differentiable(*outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        """Take gradients back: nothing for the function, the names and the structure, then one for every tensor."""
        cotangents = [
            torch.zeros(shape, dtype=dtype).numpy() if gradient is None else gradient.numpy()
            for gradient, (shape, dtype) in zip(gradients, ctx.formats, strict=True)
        ]
        parameters, arguments = ctx.pullback(cotangents)
        arrays = [*(parameters[name] for name in ctx.names), *arguments]
        wanted = zip(arrays, ctx.needs_input_grad[3:], strict=True)  # of tokens and masks there is no gradient
        return (
            None,
            None,
            None,
            *(torch.from_numpy(np.array(array)) if is_wanted else None for array, is_wanted in wanted),
        )


_apply: Callable[..., tuple[Tensor, ...]] = _ArrayCall.apply  # torch gives it no type


class _DetachedParameters(NamedTuple):
    """Parameters as arrays, next to the tensors that they were made of."""

    leaves: Mapping[str, Tensor]
    arrays: dict[str, Array]


@runtime_checkable
class GivesEveryArray(Protocol):
    """A cell that shows everything that its forward gives, and not its results alone."""

    def every_array(self, parameters: Mapping[str, Array], x: Array, states: Sequence[Array]) -> list[Array]:
        """Call forward, and return every array that comes back.

        Args:
            parameters: All parameters, by name.
            x: The input of a step (B, n), or of a sequence (T, B, n).
            states: The states (B, d).
        """


class ArrayLibraryModule(nn.Module):
    """A torch module over a function on the arrays of another library.

    Attributes:
        function: The cell as a function of its parameters and arguments.
        names: The names of its parameters, in its own order.
        differentiable: Whether the function gives pullbacks.
        label: What messages call the cell.
    """

    label = "the cell"

    def __init__(self, function: ArrayFunction, parameters: Mapping[str, Array], differentiable: bool = True) -> None:
        """Make the module.

        Args:
            function: The cell.
            parameters: Initial values of its parameters.
            differentiable: Whether the function gives pullbacks.
        """
        super().__init__()
        self.function, self.differentiable = function, differentiable
        self._detached: _DetachedParameters | None = None
        self.names = tuple(parameters)
        for name, value in parameters.items():
            self.register_parameter(_torch_name(name), nn.Parameter(torch.tensor(np.asarray(value, np.float64))))

    def forward(self, *arguments: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Run the cell with the module's parameters.

        Args:
            arguments: The inputs and states, in the order of the cell's calling convention.
        """
        return self.with_parameters(dict(self.named_parameters()), arguments)

    def with_parameters(self, leaves: Mapping[str, Tensor], arguments: TensorArguments) -> tuple[Tensor, ...]:
        """Run the cell with these parameters; those that are not among them are the module's.

        Args:
            leaves: Parameters by name; those that are not among them are the module's.
            arguments: The inputs and states, in the order of the cell's calling convention.
        """
        if not self.differentiable:
            return self._without_graph(leaves, arguments)
        parameters = [self._leaf(name, leaves) for name in self.names]
        return _apply(self.function, self.names, arguments, *parameters, *flat_arguments(arguments))

    def every_result(self, leaves: Mapping[str, Tensor], arguments: TensorArguments) -> list[Tensor]:
        """Run the cell and return every array that it gives, of which its results may be a part.

        Args:
            leaves: Parameters by name; those that are not among them are the module's.
            arguments: The inputs and states, in the order of the cell's calling convention.

        Returns:
            The arrays; none of a cell that does not show more than its results.
        """
        if not isinstance(self.function, GivesEveryArray):
            return []
        parameters = {name: self._leaf(name, leaves).detach().numpy() for name in self.names}
        x, *states = (tensor.detach().numpy() for tensor in flat_arguments(arguments))
        return [torch.from_numpy(np.array(array)) for array in self.function.every_array(parameters, x, states)]

    def _leaf(self, name: str, leaves: Mapping[str, Tensor]) -> Tensor:
        """The parameter of that name among the leaves, or the module's, which may keep it as a constant."""
        name = _torch_name(name)
        leaf = leaves.get(name)
        if leaf is not None:
            return leaf
        return self.get_buffer(name) if name in self._buffers else self.get_parameter(name)

    def _without_graph(self, leaves: Mapping[str, Tensor], arguments: TensorArguments) -> tuple[Tensor, ...]:
        """Run it without a graph; the arrays of the parameters are kept from one step to the next."""
        if self._detached is None or self._detached.leaves is not leaves:
            detached = {name: self._leaf(name, leaves).detach().numpy() for name in self.names}
            self._detached = _DetachedParameters(leaves, detached)
        values = iter([tensor.detach().numpy() for tensor in flat_arguments(arguments)])
        arrays, _ = self.function(self._detached.arrays, _arranged(values, arguments), False)
        return tuple(torch.from_numpy(np.array(array)) for array in arrays)


class PaddedArrayModule(ArrayLibraryModule):
    """One that may be told by name which of its steps are padding: its function takes that behind all other arguments.

    Attributes:
        count: How many other arguments it takes.
    """

    def __init__(self, function: ArrayFunction, parameters: Mapping[str, Array], count: int) -> None:
        """Make the module.

        Args:
            function: The cell.
            parameters: Initial values of its parameters.
            count: How many arguments it takes besides.
        """
        super().__init__(function, parameters)
        self.count = count

    def forward(self, *arguments: Tensor | tuple[Tensor, ...], **padding: Tensor) -> tuple[Tensor, ...]:
        """Run the cell with the module's parameters.

        Args:
            arguments: The inputs and states, in the order of the cell's calling convention.
            padding: A mask, or the lengths of the rows, by the name that the cell has for it.

        Raises:
            TypeError: There are more other arguments than it takes, or fewer: a state is no mask.
        """
        if len(arguments) != self.count:
            raise TypeError(f"it takes {self.count} arguments by their places, and was given {len(arguments)}")
        return super().forward(*arguments, *padding.values())


def _torch_name(name: str) -> str:
    """A parameter's name without dots, which torch does not allow."""
    return name.replace(".", "/")
