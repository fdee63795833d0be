"""The split kernels as one differentiable call, and as a driver of the harness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.array_types import IndexArray
from rnn_harness.kernels.driver_protocol import Tensors, TrainableDriver
from rnn_harness.kernels.drivers.fused.driver import kernel_name, run_sequence
from rnn_harness.kernels.drivers.fused.launch import kernel_named
from rnn_harness.kernels.drivers.split.launch import SplitLaunch
from rnn_harness.kernels.drivers.split.layout import Layout, check_split, processor_count
from rnn_harness.kernels.packing import Table
from rnn_harness.references import Reference

if TYPE_CHECKING:
    from torch import Tensor

_CARRYING = ("gru_backward", "lstm_backward")
"""Kernels of which a step passes something on without a product, for which they need one more tensor."""


@dataclass(frozen=True)
class SplitKernels:
    """The kernels whose weights are split over many processors.

    Attributes:
        layout: How the weights are divided among programs.
        processors: How many programs can run at the same time.
    """

    layout: Layout
    processors: int

    def run(
        self,
        name: str,
        tensors: tuple[Tensor, ...],
        lengths: Tensor | None,
        sizes: tuple[int, int, int],
        precision: str,
        **flags: bool,
    ) -> None:
        """Run a kernel, as `SequenceKernels.run` says."""
        import torch

        is_wide = str(tensors[0].dtype) == "torch.float64"
        accumulation = torch.float64 if is_wide else torch.float32
        carried = (torch.zeros(sizes[1:], dtype=accumulation, device=tensors[0].device),) if name in _CARRYING else ()
        phases = 2 if flags.get("before") or flags.get("peephole") else 1
        kernel, is_backward = kernel_named("split", name), name.endswith("backward")
        call = SplitLaunch(kernel, (*tensors, *carried), lengths, sizes, precision, flags, phases, is_backward)
        call.run(self.layout, self.processors)


def split_sequence(
    reference: Reference,
    parameters: Tensors,
    inputs: Tensor,
    states: Tensors,
    lengths: Tensor | None = None,
    precision: str = "ieee",
) -> tuple[Tensor, Tensors]:
    """Run a reference's variant by the split kernels; the result can be differentiated once.

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
        KernelRefusal: There is no split kernel for this variant, size, dtype or device.
    """
    d = next(iter(states.values())).shape[1]
    layout = check_split(kernel_name(reference), d, precision, {"inputs": inputs} | parameters | states)
    kernels = SplitKernels(layout, processor_count(str(inputs.device)))
    return run_sequence(kernels, reference, parameters, inputs, states, lengths, precision)


@dataclass(frozen=True)
class SplitDriver(TrainableDriver):
    """A reference's variant by the split kernels.

    Attributes:
        reference: The reference whose variant is run.
        precision: Of float32 products, as `split_sequence` takes it.
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
            KernelRefusal: There is no split kernel for these arguments.
        """
        import torch

        ends = None if lengths is None else torch.as_tensor(lengths, device=inputs.device)
        return split_sequence(self.reference, leaves, inputs, states, ends, self.precision)
