"""The fused kernels as one differentiable call, and as a driver of the harness."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.array_types import IndexArray
from rnn_harness.kernels.driver_protocol import Tensors, TrainableDriver
from rnn_harness.kernels.drivers.fused.families import FAMILIES, TILES
from rnn_harness.kernels.drivers.fused.limits import KernelRefusal, check_arguments
from rnn_harness.kernels.packing import Table
from rnn_harness.references import Reference
from rnn_harness.references.lstm import LSTM

if TYPE_CHECKING:
    from torch import Tensor


@contextlib.contextmanager
def _product_precision(precision: str) -> Iterator[None]:
    """Let torch's own float32 products on CUDA take TF32 exactly where the kernel's do."""
    import torch

    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


@functools.cache
def _function_class() -> Any:
    """Define the Function on first use: torch takes a second to import."""
    import torch
    from torch.autograd.function import once_differentiable

    class FusedSequence(torch.autograd.Function):
        """One sequence, one launch forward and one backward."""

        @staticmethod
        def forward(
            ctx: Any, reference: Reference, precision: str, names: tuple[str, ...], x: Tensor, *values: Tensor
        ) -> Any:
            parameters = dict(zip(names, values, strict=True))
            states = {name: parameters.pop(name) for name in reference.state_names}
            run, _ = FAMILIES[reference.name]
            with _product_precision(precision):
                result = run(reference, parameters, x.contiguous(), states, precision)
            ctx.save_for_backward(x, *parameters.values(), *result.saved.values())
            ctx.reference, ctx.precision, ctx.names = reference, precision, names
            ctx.parameter_names, ctx.saved_names = tuple(parameters), tuple(result.saved)
            return (result.outputs, *(result.finals[name].clone() for name in reference.state_names))

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, d_outputs: Tensor, *d_finals: Tensor) -> Any:
            reference, count = ctx.reference, len(ctx.parameter_names)
            x, *tensors = ctx.saved_tensors
            parameters = dict(zip(ctx.parameter_names, tensors[:count], strict=True))
            saved = dict(zip(ctx.saved_names, tensors[count:], strict=True))
            last = {name: value.contiguous() for name, value in zip(reference.state_names, d_finals, strict=True)}
            _, run = FAMILIES[reference.name]
            with _product_precision(ctx.precision):
                gradients = run(
                    reference, parameters, x.contiguous(), saved, d_outputs.contiguous(), last, ctx.precision
                )
            by_name = gradients.states | gradients.parameters
            return (None, None, None, gradients.inputs, *(by_name[name] for name in ctx.names))

    return FusedSequence


def fused_sequence(
    reference: Reference, parameters: Tensors, inputs: Tensor, states: Tensors, precision: str = "ieee"
) -> tuple[Tensor, Tensors]:
    """Run a reference's variant by the fused kernels; the result can be differentiated once.

    Args:
        reference: From `rnn_harness.references`; its variant, and its names of parameters and states, are used.
        parameters: By the reference's names.
        inputs: (T, B, n).
        states: Initial states (B, d) by name.
        precision: ``ieee``, or ``tf32`` for float32 products of shortened operands.

    Returns:
        The outputs (T, B, d), and the final states (B, d) by name.

    Raises:
        KernelRefusal: There is no fused kernel for this variant, size, dtype or device.
    """
    peephole = reference.peephole if isinstance(reference, LSTM) else None
    if peephole == "diagonal":
        raise KernelRefusal("fused LSTM: peepholes are full matrices here, not diagonal; use the plain torch kernel")
    if reference.name not in TILES:
        raise KernelRefusal(f"there is no fused kernel for {reference.name}, expected one of {', '.join(TILES)}")
    tiles = TILES[reference.name] + (3 if peephole else 0)
    d = next(iter(states.values())).shape[1]
    tensors = {"inputs": inputs} | parameters | states
    check_arguments(f"fused {reference.name.upper()}", tiles, d, precision, tensors)
    names = (*reference.state_names, *parameters)
    values = (*(states[name] for name in reference.state_names), *parameters.values())
    outputs, *finals = _function_class().apply(reference, precision, names, inputs, *values)
    return outputs, dict(zip(reference.state_names, finals, strict=True))


@dataclass(frozen=True)
class FusedDriver(TrainableDriver):
    """A reference's variant by the fused kernels.

    Attributes:
        reference: The reference whose variant is run.
        precision: ``ieee``, or ``tf32`` for float32 products of shortened operands.
    """

    reference: Reference
    precision: str = "ieee"

    @property
    def table(self) -> Table:
        """The identity: the kernel uses the reference's own names."""
        return Table.identity(tuple(self.reference.parameter_shapes(1, 1)))

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
    ) -> tuple[Tensor, Tensors]:
        """Run over a sequence, as `Driver.run` says.

        Raises:
            KernelRefusal: Lengths are given, or there is no fused kernel for these arguments.
        """
        if lengths is not None:
            raise KernelRefusal("the fused kernels take no lengths")
        return fused_sequence(self.reference, leaves, inputs, states, self.precision)
