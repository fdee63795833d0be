"""A target as a driver of the harness, whatever it is made of.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rnn_harness.errors import Refused
from rnn_harness.kernels.driver_protocol import Tensors
from rnn_harness.validation.cells.parameter_blocks import BlockMap
from rnn_harness.validation.loading.calling_convention import CallingConvention

if TYPE_CHECKING:
    from torch import Tensor


@functools.lru_cache(maxsize=64)
def _module(make: Any, n: int, d: int, dtype: Any) -> Any:
    """A module whose buffers have that dtype, in evaluation; its parameters are given to every call."""
    return make(n, d).to(dtype).eval()


def through(
    module: Any, how: CallingConvention, leaves: Tensors, inputs: Tensor, states: list[Tensor]
) -> tuple[Tensor | None, list[list[Tensor]], list[Tensor]]:
    """Run over `inputs` (T, B, n): (a sequence's outputs, a cell's states after every step, the states in the end)."""
    import torch

    def called(*arguments: Any) -> Any:
        direct = getattr(module, "with_parameters", None)  # what is not torch's needs none of torch's machinery
        return torch.func.functional_call(module, leaves, arguments) if direct is None else direct(leaves, arguments)

    if how.sequence:
        outputs, last = how.call(called, inputs, states)
        return outputs, [], last
    steps = []
    for x in inputs:
        _, states = how.call(called, x, states)
        steps.append(states)
    return None, steps, states


class _Lengthwise:
    """A module that is given the lengths of the rows with every call."""

    def __init__(self, module: Any, lengths: Tensor) -> None:
        self.module, self.lengths = module, lengths

    def with_parameters(self, leaves: Tensors, arguments: tuple[Any, ...]) -> Any:
        return self.module.with_parameters(leaves, (*arguments, self.lengths))


@contextlib.contextmanager
def _with(module: Any, leaves: Tensors) -> Iterator[None]:
    """The module has `leaves` as its parameters; afterwards its own again."""
    places = [(module.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2]) for name in leaves]
    own = [one._parameters[name] for one, name in places]
    try:
        for (one, name), leaf in zip(places, leaves.values(), strict=True):
            one._parameters[name] = leaf
        yield
    finally:
        for (one, name), value in zip(places, own, strict=True):
            one._parameters[name] = value


@dataclass(frozen=True)
class TargetDriver:
    """`states`: the reference's names of the target's states, in the target's order. `make`: a module for any sizes.

    `absent`: what the reference has and the target has not, and so is zero: parameters, and ``states.h`` for a state
    that cannot be given. `no_gradients_reason`: why the target has none, empty if it has. `foreign`: the library it is
    made with, if not torch, whose transformations then say nothing. `lengths`: it takes them after everything else.
    """

    make: Any
    convention: CallingConvention
    table: BlockMap
    states: tuple[str, ...]
    fixed: tuple[int, int] | None = None
    absent: tuple[str, ...] = ()
    no_gradients_reason: str = ""
    foreign: str = ""
    lengths: bool = False
    candidate: ClassVar[bool] = True

    def parameters_swapped_in(self, leaves: Tensors, inputs: Tensor, states: Tensors) -> AbstractContextManager[None]:
        """While its backward runs the module has the parameters of that run: one that computes its forward once more
        (checkpointing) would take its own.
        """
        module = _module(self.make, inputs.shape[2], next(iter(states.values())).shape[1], inputs.dtype)
        return contextlib.nullcontext() if hasattr(module, "with_parameters") else _with(module, leaves)

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: NDArray[np.intp] | None
    ) -> tuple[Tensor, Tensors]:
        import torch

        if lengths is not None and not self.lengths:
            raise Refused("lengths: there is no common way to hand them to a module")
        n, d = inputs.shape[2], next(iter(states.values())).shape[1]
        if self.fixed is not None and (n, d) != self.fixed:
            raise Refused(f"it exists for input size {self.fixed[0]} and hidden size {self.fixed[1]} alone")
        module, how = _module(self.make, n, d, inputs.dtype), self.convention
        if how.states == 0 and any(bool(value.detach().any()) for value in states.values()):
            raise Refused("it takes no initial state")
        given = [states[name] for name in self.states[: how.states]]
        own = module if lengths is None else _Lengthwise(module, torch.tensor(lengths))
        try:
            outputs, steps, last = through(own, how, leaves, inputs, given)
        except Exception as error:
            if len(inputs):
                raise
            told = f"{type(error).__name__}: {error}".splitlines()[0]
            raise Refused(f"refuses a sequence of no steps: {told}") from None
        if how.sequence:
            assert outputs is not None, "a sequence has outputs"
            if len(last) < len(self.states):
                if self.states != ("h",):
                    raise Refused("it does not return its states")
                last = [outputs[-1] if len(outputs) else states["h"]]
            return outputs, dict(zip(self.states, last, strict=False))
        where = self.states.index("h")
        hidden = [one[where] for one in steps]
        shown = torch.stack(hidden) if hidden else inputs.new_zeros((0, inputs.shape[1], d))
        return shown, dict(zip(self.states, last, strict=True))
