"""Somebody's torch module as a driver of the harness.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.candidates._convention import Convention
from rnn_harness.candidates._pieces import PieceTable
from rnn_harness.errors import Refused
from rnn_harness.kernels._cell import Tensors

if TYPE_CHECKING:
    from torch import Tensor


@functools.lru_cache(maxsize=64)
def _module(make: Any, n: int, d: int, dtype: Any) -> Any:
    """A module whose buffers have that dtype, in evaluation; its parameters are given to every call."""
    return make(n, d).to(dtype).eval()


@dataclass(frozen=True)
class TargetDriver:
    """`states`: the reference's names of the module's states, in the module's order. `module`: made for any sizes."""

    make: Any
    convention: Convention
    table: PieceTable
    states: tuple[str, ...]
    fixed: tuple[int, int] | None = None
    absent: tuple[str, ...] = ()

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: NDArray[np.intp] | None
    ) -> tuple[Tensor, Tensors]:
        import torch

        if lengths is not None:
            raise Refused("lengths: there is no common way to hand them to a module")
        n, d = inputs.shape[2], next(iter(states.values())).shape[1]
        if self.fixed is not None and (n, d) != self.fixed:
            raise Refused(f"the module exists for input size {self.fixed[0]} and hidden size {self.fixed[1]} alone")
        module, how = _module(self.make, n, d, inputs.dtype), self.convention
        given = [states[name] for name in self.states]

        def call(x: Tensor, now: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
            return how.read(torch.func.functional_call(module, leaves, how.arguments(x, now)), inputs.shape[1])

        if how.sequence:
            try:
                outputs, last = call(inputs, given)
            except Exception as error:
                if len(inputs):
                    raise
                told = f"{type(error).__name__}: {error}".splitlines()[0]
                raise Refused(f"refuses a sequence of no steps: {told}") from None
            if len(last) < len(given):
                if self.states != ("h",):
                    raise Refused("the module does not return its states")
                last = [outputs[-1]]
            return outputs, dict(zip(self.states, last, strict=False))
        hidden = []
        where = self.states.index("h")
        for x in inputs:
            _, given = call(x, given)
            hidden.append(given[where])
        outputs = torch.stack(hidden) if hidden else inputs.new_zeros((0, inputs.shape[1], d))
        return outputs, dict(zip(self.states, given, strict=True))
