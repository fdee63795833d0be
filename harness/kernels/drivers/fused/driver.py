"""The fused kernels as one differentiable call, and as a driver of the harness.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.kernels.drivers.fused.families import FAMILIES, TILES
from rnn_harness.kernels.drivers.fused.limits import KernelRefusal, check
from rnn_harness.kernels.packing import Table
from rnn_harness.kernels.torch_reference import Tensors
from rnn_harness.references import Reference

if TYPE_CHECKING:
    from torch import Tensor


@contextlib.contextmanager
def _products(precision: str) -> Iterator[None]:
    """torch's own float32 products on CUDA: TF32 exactly where the kernel's are."""
    import torch

    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


@functools.cache
def _class() -> Any:
    """The Function, made on first use: torch takes a second to import."""
    import torch
    from torch.autograd.function import once_differentiable

    class FusedSequence(torch.autograd.Function):
        """One sequence, one launch forward and one backward."""

        @staticmethod
        def forward(ctx: Any, like: Any, precision: str, names: tuple[str, ...], x: Tensor, *values: Tensor) -> Any:
            given = dict(zip(names, values, strict=True))
            states = {name: given.pop(name) for name in like.state_names}
            run, _ = FAMILIES[like.name]
            with _products(precision):
                outputs, finals, saved = run(like, given, x.contiguous(), states, precision)
            kept = {key: value for key, value in saved.items() if isinstance(value, torch.Tensor)}
            ctx.save_for_backward(x, *given.values(), *kept.values())
            ctx.like, ctx.precision, ctx.names = like, precision, names
            ctx.given, ctx.kept = tuple(given), tuple(kept)
            return (outputs, *(finals[name].clone() for name in like.state_names))

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, d_outputs: Tensor, *d_finals: Tensor) -> Any:
            like = ctx.like
            x, *rest = ctx.saved_tensors
            given = dict(zip(ctx.given, rest[: len(ctx.given)], strict=True))
            saved = dict(zip(ctx.kept, rest[len(ctx.given) :], strict=True))
            last = {name: value.contiguous() for name, value in zip(like.state_names, d_finals, strict=True)}
            _, run = FAMILIES[like.name]
            with _products(ctx.precision):
                found = run(like, given, x.contiguous(), saved, d_outputs.contiguous(), last, ctx.precision)
            dx, states, parameters = found
            return (None, None, None, dx, *((states | parameters)[name] for name in ctx.names))

    return FusedSequence


def fused(
    like: Any, parameters: Tensors, inputs: Tensor, states: Tensors, precision: str = "ieee"
) -> tuple[Tensor, Tensors]:
    """(outputs (T, B, d), final states (B, d)) of a reference's variant by the fused kernels, differentiable once.

    `like`: a reference (`references.get_reference`), whose parameter and state names are used. Raises KernelRefusal.
    """
    if getattr(like, "peephole", None) == "diagonal":
        raise KernelRefusal("fused LSTM: peepholes are full matrices here, not diagonal; use the plain torch kernel")
    if like.name not in TILES:
        raise KernelRefusal(f"there is no fused kernel for {like.name}, expected one of {', '.join(TILES)}")
    tiles = TILES[like.name] + (3 if getattr(like, "peephole", None) else 0)
    d = next(iter(states.values())).shape[1]
    check(f"fused {like.name.upper()}", tiles, d, precision, {"inputs": inputs} | parameters | states)
    names = (*like.state_names, *parameters)
    given = (*(states[name] for name in like.state_names), *parameters.values())
    outputs, *finals = _class().apply(like, precision, names, inputs, *given)
    return outputs, dict(zip(like.state_names, finals, strict=True))


@dataclass(frozen=True)
class FusedDriver:
    """A reference's variant by the fused kernels."""

    like: Reference
    precision: str = "ieee"

    @property
    def table(self) -> Table:
        return Table.identity(tuple(self.like.parameter_shapes(1, 1)))

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: NDArray[np.intp] | None
    ) -> tuple[Tensor, Tensors]:
        if lengths is not None:
            raise KernelRefusal("the fused kernels take no lengths")
        return fused(self.like, leaves, inputs, states, self.precision)
