"""A layer without memory: h_t = f(W_x x_t + b), the network of 003:170 before it becomes recurrent."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Inexact, Integer

from rnn_harness.references.activations import activation
from rnn_harness.references.arguments import accept_arguments, output_gradients
from rnn_harness.references.array_types import Array, IndexArray
from rnn_harness.references.protocol import Arrays, Gradients, Run, States


@dataclass(frozen=True)
class Feedforward:
    """One dense layer applied to every step by itself; it has no state.

    Attributes:
        activation: ``"sigmoid"`` or ``"tanh"``.
        name: ``"feedforward"``.
        state_names: empty.
    """

    activation: str = "sigmoid"
    name: str = field(default="feedforward", init=False)
    state_names: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        activation(self.activation)

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of W_x (d, n) and b (d,).

        Args:
            input_size: n.
            hidden_size: d.
        """
        return {"W_x": (hidden_size, input_size), "b": (hidden_size,)}

    def forward(
        self,
        parameters: Arrays,
        inputs: Inexact[Array, "T B n"],
        states: States | None = None,
        lengths: Integer[IndexArray, B] | None = None,
    ) -> Run:
        """Apply the layer to every step.

        Args:
            parameters: W_x (d, n) and b (d,).
            inputs: the inputs, time first.
            states: None or empty: there is no state.
            lengths: the number of steps of every row; all T where None.

        Returns:
            Outputs (T, B, d), which are also the only intermediate of the trace.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        d = len(np.asarray(parameters.get("b", ())))
        accepted = accept_arguments(self, d, parameters, inputs, states, lengths)
        p, x, alive = accepted.parameters, accepted.inputs, accepted.alive
        apply, _ = activation(self.activation)
        with np.errstate(over="ignore"):
            s = x @ p["W_x"].T + p["b"]
            apply(s, s)
        outputs = s if alive is None else np.where(alive[:, :, None], s, 0)
        return Run(outputs, {}, {"hidden_state": s}, (accepted, s))

    def backward(self, run: Run, d_outputs: Inexact[Array, "T B d"], d_finals: States | None = None) -> Gradients:
        """Compute the gradients for inputs and parameters.

        Args:
            run: the result of `forward`.
            d_outputs: the gradient for the outputs.
            d_finals: None or empty: there is no state.

        Returns:
            The gradients for inputs and parameters.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        accepted, s = run.saved
        p, x = accepted.parameters, accepted.inputs
        e, _ = output_gradients(run.outputs.shape, x.dtype, accepted.alive, accepted.states, d_outputs, d_finals)
        _, slope_to = activation(self.activation)
        delta = np.empty_like(s)
        slope_to(s, delta)
        delta *= e
        gradients = {"W_x": np.einsum("tbd,tbn->dn", delta, x), "b": delta.sum(axis=(0, 1))}
        return Gradients(delta @ p["W_x"], {}, gradients)
