"""A layer without memory: h_t = f(W_x x_t + b), the network of 003:170 before it becomes recurrent.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references.activations import activation
from rnn_harness.references.arguments import accept, cotangents
from rnn_harness.references.array_types import Array
from rnn_harness.references.protocol import Arrays, Gradients, Run


@dataclass(frozen=True)
class Feedforward:
    """One dense layer applied to every step by itself; it has no state."""

    activation: str = "sigmoid"
    name: str = field(default="feedforward", init=False)
    state_names: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        activation(self.activation)

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """W_x (d, n) and b (d,)."""
        return {"W_x": (hidden_size, input_size), "b": (hidden_size,)}

    def forward(
        self,
        parameters: Arrays,
        inputs: Array,
        states: Arrays | None = None,
        lengths: NDArray[np.intp] | None = None,
    ) -> Run:
        """Apply to `inputs` (T, B, n). Raises ArgumentError on arguments that do not fit."""
        d = len(np.asarray(parameters.get("b", ())))
        given = accept(self, d, parameters, inputs, states, lengths)
        p, x, alive = given.parameters, given.inputs, given.alive
        apply, _ = activation(self.activation)
        with np.errstate(over="ignore"):
            s = x @ p["W_x"].T + p["b"]
            apply(s, s)
        outputs = s if alive is None else np.where(alive[:, :, None], s, 0)
        return Run(outputs, {}, {"hidden_state": s}, (given, s))

    def backward(self, run: Run, d_outputs: Array, d_finals: Arrays | None = None) -> Gradients:
        """Gradients for `d_outputs` (T, B, d)."""
        given, s = run.saved
        p, x = given.parameters, given.inputs
        e, _ = cotangents(run.outputs.shape, x.dtype, given.alive, given.states, d_outputs, d_finals)
        _, slope_to = activation(self.activation)
        delta = np.empty_like(s)
        slope_to(s, delta)
        delta *= e
        gradients = {"W_x": np.einsum("tbd,tbn->dn", delta, x), "b": delta.sum(axis=(0, 1))}
        return Gradients(delta @ p["W_x"], {}, gradients)
