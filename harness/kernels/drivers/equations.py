"""The equations of a spec in eager torch, step by step: what a cell costs that nobody has written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnn_harness.arithmetic.evaluate import fill_trajectory
from rnn_harness.arithmetic.protocol import Trajectory
from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.array_types import IndexArray
from rnn_harness.errors import Refused
from rnn_harness.kernels.driver_protocol import Tensors, TrainableDriver
from rnn_harness.kernels.packing import Table
from rnn_harness.specs import Spec

if TYPE_CHECKING:
    from torch import Tensor


class EquationsDriver(TrainableDriver):
    """Runs the program of a spec, whose parameters and states keep the names of the spec.

    Attributes:
        table: The map of parameters, which are the spec's own.
    """

    def __init__(self, spec: Spec) -> None:
        """Take the program of a spec.

        Args:
            spec: A bare cell without a reference, whose states are carried forward.
        """
        self._program = spec.program()
        self.table = Table.identity(tuple(parameter.name for parameter in self._program.parameters))

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
    ) -> tuple[Tensor, Tensors]:
        """Run the equations over a sequence, as `Driver.run` says.

        Raises:
            Refused: Rows have lengths, of which equations say nothing.
        """
        if lengths is not None:
            raise Refused("equations say nothing of lengths")
        import torch

        program = self._program
        dtype = str(inputs.dtype).removeprefix("torch.")
        steps: list[dict[str, Tensor]] = [{} for _ in inputs]
        tables = [{program.inputs[0].name: x} for x in inputs]
        trajectory = Trajectory(steps, states, leaves, tables, [{} for _ in inputs], self._sizes(inputs, states))
        fill_trajectory(program, trajectory, steps, TorchArithmetic(dtype, str(inputs.device)))
        outputs = torch.stack([step[program.outputs[0].name] for step in steps])
        return outputs, {state.name: steps[-1][state.name] for state in program.states}

    def _sizes(self, inputs: Tensor, states: Tensors) -> dict[str, int]:
        """Read the named sizes off the arguments."""
        lengths = {str(self._program.inputs[0].shape[0]): inputs.shape[-1]}
        lengths |= {str(state.shape[0]): states[state.name].shape[-1] for state in self._program.states}
        return {name: length for name, length in lengths.items() if name.isalpha()}
