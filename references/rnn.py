"""The simple recurrent network: h_t = f(W_x x_t + W_h h_{t-1} + b).

Sources: 003:187 (f = sigmoid), 003:705 (without bias), 000:260 and 000:326 (f = tanh). Not the Jordan network of
003:205, whose recurrence goes through the output.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references.activations import activation
from rnn_harness.references.arguments import accept, clear, cotangents, expect_choice, freeze
from rnn_harness.references.array_types import Array
from rnn_harness.references.layout import blocks
from rnn_harness.references.protocol import Arrays, Gradients, Run


@dataclass(frozen=True)
class RNN:
    """Simple recurrent network; `activation` is ``"tanh"`` or ``"sigmoid"``."""

    activation: str = "tanh"
    bias: bool = True
    name: str = field(default="rnn", init=False)
    state_names: tuple[str, ...] = field(default=("h",), init=False)

    def __post_init__(self) -> None:
        activation(self.activation)
        expect_choice("bias", self.bias, (True, False))

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """W_x (d, n), W_h (d, d) and, with bias, b (d,)."""
        shapes: dict[str, tuple[int, ...]] = {
            "W_x": (hidden_size, input_size),
            "W_h": (hidden_size, hidden_size),
        }
        return shapes | {"b": (hidden_size,)} if self.bias else shapes

    def forward(
        self,
        parameters: Arrays,
        inputs: Array,
        states: Arrays | None = None,
        lengths: NDArray[np.intp] | None = None,
    ) -> Run:
        """Run over `inputs` (T, B, n). Raises ArgumentError on arguments that do not fit."""
        d = len(np.asarray(parameters.get("W_h", ())))
        given = accept(self, d, parameters, inputs, states, lengths)
        p, x, alive = given.parameters, given.inputs, given.alive
        steps, batch, n = x.shape
        apply, _ = activation(self.activation)
        h = np.empty((steps + 1, batch, d), x.dtype)
        h[0] = given.states["h"]
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
                    freeze(alive, t, new, old)
        outputs = h[1:] if alive is None else np.where(alive[:, :, None], h[1:], 0)
        return Run(outputs, {"h": h[-1].copy()}, {"hidden_state": h[1:]}, (given, h))

    def backward(self, run: Run, d_outputs: Array, d_finals: Arrays | None = None) -> Gradients:
        """Backpropagation through time (003:394). `d_outputs` (T, B, d), `d_finals` (B, d) by state."""
        given, h = run.saved
        p, x, alive = given.parameters, given.inputs, given.alive
        e, last = cotangents(run.outputs.shape, x.dtype, alive, given.states, d_outputs, d_finals)
        steps, batch, n = x.shape
        d = h.shape[2]
        _, slope_to = activation(self.activation)
        delta = np.empty_like(h[1:])
        dh = last["h"]
        for span in reversed(blocks(steps, d, batch)):
            slope_to(h[1:][span], delta[span])
            for t in reversed(range(span.start, span.stop)):
                after = dh.copy() if alive is not None else dh
                now = delta[t]
                dh += e[t]
                now *= dh
                if alive is not None:
                    clear(alive, t, now)
                np.matmul(now, p["W_h"], out=dh)
                if alive is not None:
                    freeze(alive, t, dh, after)
        flat = delta.reshape(steps * batch, d)
        gradients = {
            "W_x": flat.T @ x.reshape(steps * batch, n),
            "W_h": flat.T @ h[:-1].reshape(steps * batch, d),
        }
        if self.bias:
            gradients["b"] = flat.sum(axis=0)
        return Gradients((flat @ p["W_x"]).reshape(steps, batch, n), {"h": dh}, gradients)
