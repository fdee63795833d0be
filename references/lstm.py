"""The long short-term memory, in every form the documents print.

Sources: 003:655-666 (tanh), 001:372-434 (without bias), 003:765-778 (sigmoid candidate and output activation),
003:692-739 (the same without a forget gate), 003:813-817 (full-matrix peepholes; the output gate sees the
*current* cell state). `peephole="diagonal"` is the form of Gers & Schmidhuber 2000, which no document prints.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
Gates: i input, f forget, o output, g candidate, stacked in that order behind the time axis: (T, G, B, d).
Without forget gate the order is i, o, g.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references._base import Array, Arrays, Gradients, Run
from rnn_harness.references._stack import by_gate, by_step
from rnn_harness.references._validate import accept, clear, cotangents, expect_choice, freeze
from rnn_harness.references.activations import activation, sigmoid_to


@dataclass(frozen=True)
class LSTM:
    """Long short-term memory. `candidate` and `output`: the activations of candidate and cell state;
    `forget`: whether there is a forget gate; `peephole`: None, ``"full"`` or ``"diagonal"``.
    """

    candidate: str = "tanh"
    output: str = "tanh"
    forget: bool = True
    bias: bool = True
    peephole: str | None = None
    name: str = field(default="lstm", init=False)
    state_names: tuple[str, ...] = field(default=("h", "c"), init=False)

    def __post_init__(self) -> None:
        activation(self.candidate)
        activation(self.output)
        expect_choice("forget", self.forget, (True, False))
        expect_choice("bias", self.bias, (True, False))
        expect_choice("peephole", self.peephole, (None, "full", "diagonal"))

    @property
    def gates(self) -> str:
        """The gates in the order in which they are stacked."""
        return "ifog" if self.forget else "iog"

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """W_x<gate> (d, n), W_h<gate> (d, d), b_<gate> (d,); peepholes W_c<gate> (d, d) or (d,)."""
        shapes: dict[str, tuple[int, ...]] = {f"W_x{gate}": (hidden_size, input_size) for gate in self.gates}
        shapes |= {f"W_h{gate}": (hidden_size, hidden_size) for gate in self.gates}
        if self.peephole:
            peephole = (hidden_size,) if self.peephole == "diagonal" else (hidden_size, hidden_size)
            shapes |= {f"W_c{gate}": peephole for gate in self.gates[:-1]}
        if self.bias:
            shapes |= {f"b_{gate}": (hidden_size,) for gate in self.gates}
        return shapes

    def _peek(self, weight: Array, c: Array) -> Array:
        return c * weight if self.peephole == "diagonal" else c @ weight.T

    def _peek_back(self, weight: Array, delta: Array) -> Array:
        return delta * weight if self.peephole == "diagonal" else delta @ weight

    def forward(
        self,
        parameters: Arrays,
        inputs: Array,
        states: Arrays | None = None,
        lengths: NDArray[np.intp] | None = None,
    ) -> Run:
        """Run over `inputs` (T, B, n). Raises ReferenceError on arguments that do not fit."""
        d = len(np.asarray(parameters.get("W_hi", ())))
        given = accept(self, d, parameters, inputs, states, lengths)
        p, x, alive = given.parameters, given.inputs, given.alive
        steps, batch, n = x.shape
        apply_candidate, _ = activation(self.candidate)
        apply_output, _ = activation(self.output)
        input_weights = np.stack([p[f"W_x{gate}"].T for gate in self.gates])
        gates = by_step(x.reshape(steps * batch, n) @ input_weights, steps, batch)
        if self.bias:
            gates += np.stack([p[f"b_{gate}"] for gate in self.gates])[:, None]
        recurrent_weights = np.stack([p[f"W_h{gate}"].T for gate in self.gates])
        h = np.empty((steps + 1, batch, d), x.dtype)
        c = np.empty((steps + 1, batch, d), x.dtype)
        q = np.empty((steps, batch, d), x.dtype)
        h[0], c[0] = given.states["h"], given.states["c"]
        with np.errstate(over="ignore"):
            for t in range(steps):
                now = gates[t]
                now += h[t] @ recurrent_weights
                i, o, g = now[0], now[-2], now[-1]
                f = now[1] if self.forget else None
                if self.peephole:
                    i += self._peek(p["W_ci"], c[t])
                    if f is not None:
                        f += self._peek(p["W_cf"], c[t])
                    sigmoid_to(now[:-2], now[:-2])
                else:
                    sigmoid_to(now[:-1], now[:-1])
                apply_candidate(g, g)
                np.multiply(i, g, out=c[t + 1])
                c[t + 1] += c[t] if f is None else f * c[t]
                if self.peephole:
                    o += self._peek(p["W_co"], c[t + 1])
                    sigmoid_to(o, o)
                apply_output(c[t + 1], q[t])
                np.multiply(o, q[t], out=h[t + 1])
                freeze(alive, t, h[t + 1], h[t])
                freeze(alive, t, c[t + 1], c[t])
        outputs = h[1:] if alive is None else np.where(alive[:, :, None], h[1:], 0)
        names = {"i": "input_gate", "f": "forget_gate", "o": "output_gate", "g": "candidate"}
        trace = {names[gate]: gates[:, index] for index, gate in enumerate(self.gates)}
        trace |= {"hidden_state": h[1:], "cell_state": c[1:]}
        return Run(outputs, {"h": h[-1].copy(), "c": c[-1].copy()}, trace, (given, h, c, q, gates))

    def backward(self, run: Run, d_outputs: Array, d_finals: Arrays | None = None) -> Gradients:
        """Backpropagation through time. `d_outputs` (T, B, d), `d_finals` (B, d) by state."""
        given, h, c, q, gates = run.saved
        p, x, alive = given.parameters, given.inputs, given.alive
        e, last = cotangents(run.outputs.shape, x.dtype, alive, given.states, d_outputs, d_finals)
        steps, batch, n = x.shape
        d = h.shape[2]
        _, candidate_slope = activation(self.candidate)
        _, output_slope = activation(self.output)
        i, o, g = gates[:, 0], gates[:, -2], gates[:, -1]
        f = gates[:, 1] if self.forget else None
        recurrent_weights = np.stack([p[f"W_h{gate}"] for gate in self.gates])
        into_cell = o * output_slope(q)
        delta = np.empty_like(gates)
        np.subtract(1, gates[:, :-1], out=delta[:, :-1])
        delta[:, :-1] *= gates[:, :-1]
        delta[:, 0] *= g
        if f is not None:
            delta[:, 1] *= c[:-1]
        delta[:, -2] *= q
        np.multiply(i, candidate_slope(g), out=delta[:, -1])
        dh, dc = last["h"], last["c"]
        for t in reversed(range(steps)):
            dh_after, dc_after = dh, dc
            now = delta[t]
            dh = e[t] + dh
            now[-2] *= dh
            dc = dc + dh * into_cell[t]
            if self.peephole:
                dc += self._peek_back(p["W_co"], now[-2])
            now[:-2] *= dc
            now[-1] *= dc
            clear(alive, t, now)
            if f is not None:
                dc = dc * f[t]
            if self.peephole:
                dc = dc + self._peek_back(p["W_ci"], now[0])
                if f is not None:
                    dc += self._peek_back(p["W_cf"], now[1])
            dh = (now @ recurrent_weights).sum(axis=0)
            freeze(alive, t, dh, dh_after)
            freeze(alive, t, dc, dc_after)
        flat = by_gate(delta)
        d_input = flat.transpose(0, 2, 1) @ x.reshape(steps * batch, n)
        d_recurrent = flat.transpose(0, 2, 1) @ h[:-1].reshape(steps * batch, d)
        gradients = {}
        for index, gate in enumerate(self.gates):
            gradients[f"W_x{gate}"] = d_input[index]
            gradients[f"W_h{gate}"] = d_recurrent[index]
            if self.bias:
                gradients[f"b_{gate}"] = flat[index].sum(axis=0)
            if self.peephole and gate != "g":
                seen = c[1:] if gate == "o" else c[:-1]
                pairs = "tbd,tbd->d" if self.peephole == "diagonal" else "tbd,tbe->de"
                gradients[f"W_c{gate}"] = np.einsum(pairs, delta[:, index], seen)
        input_weights = np.stack([p[f"W_x{gate}"] for gate in self.gates])
        d_inputs = (flat @ input_weights).sum(axis=0).reshape(steps, batch, n)
        return Gradients(d_inputs, {"h": dh, "c": dc}, gradients)
