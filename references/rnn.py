"""The simple recurrent network: h_t = f(W_x x_t + W_h h_{t-1} + b).

Sources: 003:187 (f = sigmoid), 003:705 (without bias), 000:260 and 000:326 (f = tanh). Not the Jordan network of
003:205, whose recurrence goes through the output.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from jaxtyping import Inexact, Integer

from rnn_harness.references.activations import activation
from rnn_harness.references.arguments import (
    accept_arguments,
    clear_ended,
    expect_choice,
    freeze_ended,
    output_gradients,
)
from rnn_harness.references.array_types import Array, IndexArray
from rnn_harness.references.layout import time_blocks
from rnn_harness.references.protocol import Arrays, Gradients, Run, States


@dataclass(frozen=True)
class RNN:
    """Simple recurrent network.

    Attributes:
        activation: ``"tanh"`` or ``"sigmoid"``.
        bias: whether there is a bias b.
        name: ``"rnn"``.
        state_names: ``("h",)``.
    """

    activation: str = "tanh"
    bias: bool = True
    name: str = field(default="rnn", init=False)
    state_names: tuple[str, ...] = field(default=("h",), init=False)

    def __post_init__(self) -> None:
        activation(self.activation)
        expect_choice("bias", self.bias, (True, False))

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of W_x (d, n), W_h (d, d) and, with bias, b (d,).

        Args:
            input_size: n.
            hidden_size: d.
        """
        shapes: dict[str, tuple[int, ...]] = {
            "W_x": (hidden_size, input_size),
            "W_h": (hidden_size, hidden_size),
        }
        return shapes | {"b": (hidden_size,)} if self.bias else shapes

    def forward(
        self,
        parameters: Arrays,
        inputs: Inexact[Array, "T B n"],
        states: States | None = None,
        lengths: Integer[IndexArray, B] | None = None,
    ) -> Run:
        """Run the cell over a batch of sequences; see `Reference.forward` for all arguments.

        Args:
            parameters: every parameter by name, in the shapes of `parameter_shapes`.
            inputs: the inputs, time first.
            states: the initial state ``h`` (B, d) by name; zero where None.
            lengths: the number of steps of every row; all T where None.

        Returns:
            Outputs (T, B, d), final states (B, d) and the hidden state over time.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        d = len(np.asarray(parameters.get("W_h", ())))
        accepted = accept_arguments(self, d, parameters, inputs, states, lengths)
        p, x, alive = accepted.parameters, accepted.inputs, accepted.alive
        steps, batch, n = x.shape
        apply, _ = activation(self.activation)
        h = np.empty((steps + 1, batch, d), x.dtype)
        h[0] = accepted.states["h"]
        recurrent = np.ascontiguousarray(p["W_h"].T)
        with np.errstate(over="ignore"):
            a = (x.reshape(steps * batch, n) @ p["W_x"].T).reshape(steps, batch, d)
            if self.bias:
                a += p["b"]
            for t, (old, new) in enumerate(pairwise(h)):
                np.matmul(old, recurrent, out=new)
                new += a[t]
                apply(new, new)
                if alive is not None:
                    freeze_ended(alive, t, new, old)
        outputs = h[1:] if alive is None else np.where(alive[:, :, None], h[1:], 0)
        return Run(outputs, {"h": h[-1].copy()}, {"hidden_state": h[1:]}, (accepted, h))

    def backward(self, run: Run, d_outputs: Inexact[Array, "T B d"], d_finals: States | None = None) -> Gradients:
        """Propagate gradients back through time (003:394).

        Args:
            run: the result of `forward`.
            d_outputs: the gradient for the outputs.
            d_finals: the gradient for the final state ``h`` (B, d) by name; zero where None.

        Returns:
            The gradients for inputs, initial states and parameters.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        accepted, h = run.saved
        p, x, alive = accepted.parameters, accepted.inputs, accepted.alive
        e, last = output_gradients(run.outputs.shape, x.dtype, alive, accepted.states, d_outputs, d_finals)
        steps, batch, n = x.shape
        d = h.shape[2]
        _, slope_to = activation(self.activation)
        delta = np.empty_like(h[1:])
        dh = last["h"]
        for span in reversed(time_blocks(steps, d, batch)):
            slope_to(h[1:][span], delta[span])
            for t in reversed(range(span.start, span.stop)):
                after = dh.copy() if alive is not None else dh
                now = delta[t]
                dh += e[t]
                now *= dh
                if alive is not None:
                    clear_ended(alive, t, now)
                np.matmul(now, p["W_h"], out=dh)
                if alive is not None:
                    freeze_ended(alive, t, dh, after)
        flat = delta.reshape(steps * batch, d)
        gradients = {
            "W_x": flat.T @ x.reshape(steps * batch, n),
            "W_h": flat.T @ h[:-1].reshape(steps * batch, d),
        }
        if self.bias:
            gradients["b"] = flat.sum(axis=0)
        return Gradients((flat @ p["W_x"]).reshape(steps, batch, n), {"h": dh}, gradients)
