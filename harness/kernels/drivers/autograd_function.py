"""The documents' variants as one torch.autograd.Function a sequence: what the backward needs is saved, nothing else."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.array_types import IndexArray
from rnn_harness.errors import Refused
from rnn_harness.kernels.driver_protocol import Tensors, TrainableDriver
from rnn_harness.kernels.drivers.written_backward import SEQUENCE_FAMILIES
from rnn_harness.kernels.packing import Table
from rnn_harness.references import Reference

if TYPE_CHECKING:
    from torch import Tensor


@functools.cache
def _function_class() -> Any:
    """Define the Function on first use: torch takes a second to import."""
    import torch
    from torch.autograd.function import once_differentiable

    class Sequence(torch.autograd.Function):
        """One sequence: forward saves the gates, backward is written out."""

        @staticmethod
        def forward(ctx: Any, reference: Any, names: tuple[str, ...], x: Tensor, *values: Tensor) -> Any:
            parameters = dict(zip(names, values, strict=True))
            states = {name: parameters.pop(name) for name in reference.state_names}
            run, _ = SEQUENCE_FAMILIES[reference.name]
            result = run(reference, parameters, x, states)
            ctx.reference, ctx.names, ctx.parameters, ctx.inputs = reference, names, parameters, x
            ctx.saved = result.saved
            return (result.outputs.clone(), *(result.finals[name].clone() for name in reference.state_names))

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, d_outputs: Tensor, *d_finals: Tensor) -> Any:
            reference = ctx.reference
            _, run = SEQUENCE_FAMILIES[reference.name]
            last = dict(zip(reference.state_names, d_finals, strict=True))
            gradients = run(reference, ctx.parameters, ctx.inputs, ctx.saved, d_outputs, last)
            by_name = gradients.states | gradients.parameters
            return (None, None, gradients.inputs, *(by_name[name] for name in ctx.names))

    return Sequence


@dataclass(frozen=True)
class FunctionDriver(TrainableDriver):
    """A reference's variant as one autograd Function.

    Attributes:
        reference: The reference whose variant is run.
    """

    reference: Reference

    @property
    def table(self) -> Table:
        """The identity: the kernel uses the reference's own names."""
        return Table.identity(tuple(self.reference.parameter_shapes(1, 1)))

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
    ) -> tuple[Tensor, Tensors]:
        """Run over a sequence, as `Driver.run` says.

        Raises:
            Refused: Lengths are given.
        """
        if lengths is not None:
            raise Refused("the Function takes no lengths")
        state_names = self.reference.state_names
        names = (*state_names, *leaves)
        values = (*(states[name] for name in state_names), *leaves.values())
        outputs, *finals = _function_class().apply(self.reference, names, inputs, *values)
        return outputs, dict(zip(state_names, finals, strict=True))
