"""Two cells on the same inputs, one reading left to right, the other right to left (000:326-330, 003:556-563).

Names: ``forward.W_x``, ``backward.W_x``, ``forward.h``, ...; the backward cell reads every row from its own end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Inexact, Integer

from rnn_harness.references.arguments import expect_choice
from rnn_harness.references.array_types import Array, IndexArray
from rnn_harness.references.protocol import Arrays, Gradients, Reference, Run, States
from rnn_harness.references.stacked import add_prefix, select_prefix


def reverse_time(
    values: Inexact[Array, "T B size"], lengths: Integer[IndexArray, B] | None
) -> Inexact[Array, "T B size"]:
    """Read `values` backwards in time; applied twice, it gives `values` again.

    Args:
        values: one vector for every step and row.
        lengths: the number of steps of every row, within which it is reversed; later steps keep their place.

    Returns:
        The reversed values; a view where `lengths` is None.
    """
    if lengths is None:
        return values[::-1]
    steps = np.arange(len(values))[:, None]
    index = np.where(steps < lengths, lengths - 1 - steps, steps)
    reversed_values: Array = np.take_along_axis(values, index[:, :, None], axis=0)
    return reversed_values


@dataclass(frozen=True)
class Bidirectional:
    """Two cells on the same inputs, in opposite directions of time.

    Attributes:
        forward_cell: the cell that reads from the first step to the last.
        backward_cell: the cell that reads from every row's last step to its first.
        merge: how the two outputs become one: ``"concat"``, ``"sum"``, ``"mean"`` or ``"mul"`` (entry by entry).
    """

    forward_cell: Reference
    backward_cell: Reference
    merge: str = "concat"

    def __post_init__(self) -> None:
        expect_choice("merge", self.merge, ("concat", "sum", "mean", "mul"))

    @property
    def name(self) -> str:
        """The name under which `get_reference` knows the pair."""
        return "bidirectional"

    @property
    def state_names(self) -> tuple[str, ...]:
        """The states of both cells, with the direction before the name."""
        ahead = [f"forward.{name}" for name in self.forward_cell.state_names]
        return (*ahead, *(f"backward.{name}" for name in self.backward_cell.state_names))

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of both cells' parameters, with the direction before the name.

        Args:
            input_size: n, the same for both cells.
            hidden_size: d of each cell, also where the outputs are 2d wide.
        """
        ahead = self.forward_cell.parameter_shapes(input_size, hidden_size)
        back = self.backward_cell.parameter_shapes(input_size, hidden_size)
        return {f"forward.{k}": v for k, v in ahead.items()} | {f"backward.{k}": v for k, v in back.items()}

    def forward(
        self,
        parameters: Arrays,
        inputs: Inexact[Array, "T B n"],
        states: States | None = None,
        lengths: Integer[IndexArray, B] | None = None,
    ) -> Run:
        """Run both cells over a batch of sequences.

        Args:
            parameters: every parameter by name, in the shapes of `parameter_shapes`.
            inputs: the inputs, time first.
            states: the initial states (B, d) of both cells by name; zero where None.
            lengths: the number of steps of every row; all T where None.

        Returns:
            Outputs (T, B, 2d) where they are concatenated, else (T, B, d), in the order of the inputs; the final states
            and traces of both cells, and the outputs in the trace as ``merged_state``.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        initial = (
            (None, None) if states is None else (select_prefix("forward", states), select_prefix("backward", states))
        )
        ahead = self.forward_cell.forward(select_prefix("forward", parameters), inputs, initial[0], lengths)
        turned = reverse_time(np.asarray(inputs), lengths)
        back = self.backward_cell.forward(select_prefix("backward", parameters), turned, initial[1], lengths)
        a, b = ahead.outputs, reverse_time(back.outputs, lengths)
        trace = add_prefix("forward", ahead.trace)
        trace |= add_prefix("backward", {name: reverse_time(value, lengths) for name, value in back.trace.items()})
        finals = add_prefix("forward", ahead.finals) | add_prefix("backward", back.finals)
        if self.merge == "concat":
            outputs = np.concatenate([a, b], axis=2)
        elif self.merge == "sum":
            outputs = a + b
        elif self.merge == "mean":
            outputs = (a + b) / 2
        else:
            outputs = a * b
        trace["merged_state"] = outputs
        return Run(outputs, finals, trace, (ahead, back, a, b, lengths))

    def backward(self, run: Run, d_outputs: Inexact[Array, "T B m"], d_finals: States | None = None) -> Gradients:
        """Propagate gradients back through both cells; those for the inputs are added.

        Args:
            run: the result of `forward`.
            d_outputs: the gradient for the outputs.
            d_finals: the gradient for the final states (B, d) of both cells by name; zero where None.

        Returns:
            The gradients for inputs, and for initial states and parameters of both cells.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        ahead, back, a, b, lengths = run.saved
        d = a.shape[2]
        if self.merge == "concat":
            d_a, d_b = d_outputs[:, :, :d], d_outputs[:, :, d:]
        elif self.merge == "sum":
            d_a = d_b = d_outputs
        elif self.merge == "mean":
            d_a = d_b = d_outputs / 2
        else:
            d_a, d_b = d_outputs * b, d_outputs * a
        d_last = (
            (None, None)
            if d_finals is None
            else (select_prefix("forward", d_finals), select_prefix("backward", d_finals))
        )
        d_ahead = self.forward_cell.backward(ahead, d_a, d_last[0])
        d_back = self.backward_cell.backward(back, reverse_time(d_b, lengths), d_last[1])
        inputs = d_ahead.inputs + reverse_time(d_back.inputs, lengths)
        states = add_prefix("forward", d_ahead.states) | add_prefix("backward", d_back.states)
        parameters = add_prefix("forward", d_ahead.parameters) | add_prefix("backward", d_back.parameters)
        return Gradients(inputs, states, parameters)
