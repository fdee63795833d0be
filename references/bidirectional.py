"""Two cells on the same inputs, one reading left to right, the other right to left (000:326-330, 003:556-563).

Dimension legend: T time steps, B batch rows, n input size, d hidden size of each direction.
Names: ``forward.W_x``, ``backward.W_x``, ``forward.h``, ...; the backward cell reads every row from its own end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references.arguments import expect_choice
from rnn_harness.references.array_types import Array
from rnn_harness.references.protocol import Arrays, Gradients, Reference, Run
from rnn_harness.references.stacked import prefixed, selected


def reverse(values: Array, lengths: NDArray[np.intp] | None) -> Array:
    """`values` (T, B, .) read backwards in time, every row within its own length; its own inverse."""
    if lengths is None:
        return values[::-1]
    steps = np.arange(len(values))[:, None]
    index = np.where(steps < lengths, lengths - 1 - steps, steps)
    turned: Array = np.take_along_axis(values, index[:, :, None], axis=0)
    return turned


@dataclass(frozen=True)
class Bidirectional:
    """`forward_cell` and `backward_cell`, merged by ``"concat"``, ``"sum"``, ``"mean"`` or ``"mul"``."""

    forward_cell: Reference
    backward_cell: Reference
    merge: str = "concat"

    def __post_init__(self) -> None:
        expect_choice("merge", self.merge, ("concat", "sum", "mean", "mul"))

    @property
    def name(self) -> str:
        return "bidirectional"

    @property
    def state_names(self) -> tuple[str, ...]:
        own = [f"forward.{name}" for name in self.forward_cell.state_names]
        return (*own, *(f"backward.{name}" for name in self.backward_cell.state_names))

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Both cells' parameters, with the direction before the name."""
        ahead = self.forward_cell.parameter_shapes(input_size, hidden_size)
        back = self.backward_cell.parameter_shapes(input_size, hidden_size)
        return {f"forward.{k}": v for k, v in ahead.items()} | {f"backward.{k}": v for k, v in back.items()}

    def forward(
        self,
        parameters: Arrays,
        inputs: Array,
        states: Arrays | None = None,
        lengths: NDArray[np.intp] | None = None,
    ) -> Run:
        """Run over `inputs` (T, B, n); outputs (T, B, 2d) when concatenated, else (T, B, d)."""
        own = (None, None) if states is None else (selected("forward", states), selected("backward", states))
        ahead = self.forward_cell.forward(selected("forward", parameters), inputs, own[0], lengths)
        turned = reverse(np.asarray(inputs), lengths)
        back = self.backward_cell.forward(selected("backward", parameters), turned, own[1], lengths)
        a, b = ahead.outputs, reverse(back.outputs, lengths)
        trace = prefixed("forward", ahead.trace)
        trace |= prefixed("backward", {name: reverse(value, lengths) for name, value in back.trace.items()})
        finals = prefixed("forward", ahead.finals) | prefixed("backward", back.finals)
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

    def backward(self, run: Run, d_outputs: Array, d_finals: Arrays | None = None) -> Gradients:
        """Both directions' gradients; the inputs' are added."""
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
        own = (None, None) if d_finals is None else (selected("forward", d_finals), selected("backward", d_finals))
        one = self.forward_cell.backward(ahead, d_a, own[0])
        two = self.backward_cell.backward(back, reverse(d_b, lengths), own[1])
        inputs = one.inputs + reverse(two.inputs, lengths)
        states = prefixed("forward", one.states) | prefixed("backward", two.states)
        parameters = prefixed("forward", one.parameters) | prefixed("backward", two.parameters)
        return Gradients(inputs, states, parameters)
