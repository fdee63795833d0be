"""The fused kernels as one differentiable call, and as a driver of the harness."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.array_types import IndexArray
from rnn_harness.kernels.driver_protocol import Tensors, TrainableDriver
from rnn_harness.kernels.drivers.fused.families import FAMILIES, SequenceKernels
from rnn_harness.kernels.drivers.fused.launch import FusedKernels
from rnn_harness.kernels.drivers.fused.limits import KernelRefusal, check_arguments, padded_size
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
            ctx: Any,
            kernels: SequenceKernels,
            reference: Reference,
            precision: str,
            names: tuple[str, ...],
            lengths: Tensor | None,
            x: Tensor,
            *values: Tensor,
        ) -> Any:
            parameters = dict(zip(names, values, strict=True))
            states = {name: parameters.pop(name) for name in reference.state_names}
            run, _ = FAMILIES[reference.name]
            with _product_precision(precision):
                result = run(kernels, reference, parameters, x.contiguous(), states, lengths, precision)
            ctx.save_for_backward(x, *parameters.values(), *result.saved.values())
            ctx.kernels = kernels
            ctx.reference, ctx.precision, ctx.names, ctx.lengths = reference, precision, names, lengths
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
                    ctx.kernels,
                    reference,
                    parameters,
                    x.contiguous(),
                    saved,
                    d_outputs.contiguous(),
                    last,
                    ctx.lengths,
                    ctx.precision,
                )
            by_name = gradients.states | gradients.parameters
            return (None, None, None, None, None, gradients.inputs, *(by_name[name] for name in ctx.names))

    return FusedSequence


def fused_sequence(
    reference: Reference,
    parameters: Tensors,
    inputs: Tensor,
    states: Tensors,
    lengths: Tensor | None = None,
    precision: str = "ieee",
) -> tuple[Tensor, Tensors]:
    """Run a reference's variant by the fused kernels; the result can be differentiated once.

    Args:
        reference: From `rnn_harness.references`; its variant, and its names of parameters and states, are used.
        parameters: By the reference's names.
        inputs: (T, B, n).
        states: Initial states (B, d) by name.
        lengths: Steps of every row, (B,) whole numbers on the inputs' device; None where every row has T.
        precision: Of float32 products: ``ieee`` (float32), ``tf32x3`` (operands of 21 bits, on tensor cores), or
            ``tf32`` (operands of 11 bits).

    Returns:
        The outputs (T, B, d), 0 past a row's length, and the final states (B, d) by name.

    Raises:
        KernelRefusal: There is no fused kernel for this variant, size, dtype or device.
    """
    kernel = kernel_name(reference)
    d = next(iter(states.values())).shape[1]
    check_arguments(kernel, d, precision, {"inputs": inputs} | parameters | states)
    return run_sequence(FusedKernels(), reference, parameters, inputs, states, lengths, precision)


def kernel_name(reference: Reference) -> str:
    """Name the Triton kernel of a reference's variant, as the tables of sizes do.

    Args:
        reference: From `rnn_harness.references`.

    Raises:
        KernelRefusal: There is none.
    """
    peephole = reference.peephole if isinstance(reference, LSTM) else None
    if peephole == "diagonal":
        raise KernelRefusal("fused LSTM: peepholes are full matrices here, not diagonal; use the plain torch kernel")
    if reference.name not in FAMILIES:
        raise KernelRefusal(f"there is no fused kernel for {reference.name}, expected one of {', '.join(FAMILIES)}")
    return "lstm with peepholes" if peephole else reference.name


def run_sequence(
    kernels: SequenceKernels,
    reference: Reference,
    parameters: Tensors,
    inputs: Tensor,
    states: Tensors,
    lengths: Tensor | None,
    precision: str,
) -> tuple[Tensor, Tensors]:
    """Run kernels over a sequence, with their backward as its derivative.

    Args:
        kernels: Those that hold the weights on one processor, or split over many.
        reference: Its variant, and its names of parameters and states, are used.
        parameters: By the reference's names.
        inputs: (T, B, n).
        states: Initial states (B, d) by name.
        lengths: Steps of every row, (B,) whole numbers on the inputs' device; None where every row has T.
        precision: Of float32 products, one of `limits.PRECISIONS`.

    Returns:
        The outputs (T, B, d), 0 past a row's length, and the final states (B, d) by name.
    """
    import torch

    if lengths is not None:
        # What lies past a length must not enter a product at all: zero times NaN is NaN in the backward.
        within = torch.arange(len(inputs), device=inputs.device)[:, None, None] < lengths[:, None]
        inputs = torch.where(within, inputs, 0.0)
        lengths = lengths.to(torch.int32).contiguous()
    rows, d = states[reference.state_names[0]].shape
    size = padded_size(d)
    first = [_padded(states[name], (rows, size)) for name in reference.state_names]
    shapes = reference.parameter_shapes(inputs.shape[2], size)
    values = (*first, *(_padded(value, shapes[name]) for name, value in parameters.items()))
    names = (*reference.state_names, *parameters)
    outputs, *finals = _function_class().apply(kernels, reference, precision, names, lengths, inputs, *values)
    # Units that were added read nothing and are read by none: what the others give does not depend on them.
    outputs, *finals = (value[..., :d].contiguous() for value in (outputs, *finals))
    return outputs, dict(zip(reference.state_names, finals, strict=True))


def _padded(value: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Add zeros behind the numbers of every axis, up to a shape."""
    import torch

    if value.shape == shape:
        return value
    behind = [number for axis in reversed(range(value.ndim)) for number in (0, shape[axis] - value.shape[axis])]
    return torch.nn.functional.pad(value, behind)


@dataclass(frozen=True)
class FusedDriver(TrainableDriver):
    """A reference's variant by the fused kernels.

    Attributes:
        reference: The reference whose variant is run.
        precision: Of float32 products, as `fused_sequence` takes it.
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
            KernelRefusal: There is no fused kernel for these arguments.
        """
        import torch

        ends = None if lengths is None else torch.as_tensor(lengths, device=inputs.device)
        return fused_sequence(self.reference, leaves, inputs, states, ends, self.precision)
