"""The long short-term memory, in every form the documents print.

Sources: 003:655-666 (tanh), 001:372-434 (without bias), 003:765-778 (sigmoid candidate and output activation),
003:692-739 (the same without a forget gate), 003:813-817 (full-matrix peepholes; the output gate sees the
*current* cell state). `peephole="diagonal"` is the form of Gers & Schmidhuber 2000, which no document prints.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
Gates: i input, f forget, o output, g candidate, stacked in that order behind the time axis, as columns: (T, G, d, B).
Without forget gate the order is i, o, g. One product per step serves them all: what it multiplies lies in one matrix
per step, seen (T + 1, d + n + 1, B): the hidden state, the input, and a row of ones for the bias.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references._base import Array, Arrays, Gradients, Run
from rnn_harness.references._stack import by_gate, by_row
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

    def _joined(self, p: dict[str, Array]) -> Array:
        """(G * d, d + n + 1): the rows [W_h, W_x, b] of every gate; without bias one column less."""
        rows = []
        for gate in self.gates:
            blocks = [p[f"W_h{gate}"], p[f"W_x{gate}"]]
            rows.append(np.hstack([*blocks, p[f"b_{gate}"][:, None]] if self.bias else blocks))
        return np.vstack(rows)

    def _peek(self, weight: Array, c: Array) -> Array:
        return weight[:, None] * c if self.peephole == "diagonal" else weight @ c

    def _peek_back(self, weight: Array, delta: Array) -> Array:
        return weight[:, None] * delta if self.peephole == "diagonal" else weight.T @ delta

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
        count = len(self.gates)
        weights = self._joined(p)
        gates = np.empty((steps, count, d, batch), x.dtype)
        seen = np.ones((steps + 1, weights.shape[1], batch), x.dtype)
        h = seen[:, :d]
        seen[:-1, d : d + n] = x.transpose(0, 2, 1)
        c = np.empty((steps + 1, d, batch), x.dtype)
        q = np.empty((steps, d, batch), x.dtype)
        h[0], c[0] = given.states["h"].T, given.states["c"].T
        kept = np.empty((d, batch), x.dtype)
        early = gates[:, :-2] if self.peephole else gates[:, :-1]
        parts = (gates.reshape(steps, count * d, batch), early, *(gates[:, k] for k in (0, 1, -2, -1)))
        with np.errstate(over="ignore"):
            for t, (now, opened, i, f, o, g, old, new) in enumerate(zip(*parts, c, c[1:], strict=False)):
                np.matmul(weights, seen[t], out=now)
                if self.peephole:
                    i += self._peek(p["W_ci"], old)
                    if self.forget:
                        f += self._peek(p["W_cf"], old)
                sigmoid_to(opened, opened)
                apply_candidate(g, g)
                np.multiply(i, g, out=new)
                new += np.multiply(f, old, out=kept) if self.forget else old
                if self.peephole:
                    o += self._peek(p["W_co"], new)
                    sigmoid_to(o, o)
                apply_output(new, q[t])
                np.multiply(o, q[t], out=h[t + 1])
                if alive is not None:
                    freeze(alive, t, h[t + 1].T, h[t].T)
                    freeze(alive, t, new.T, old.T)
        shown = h[1:].transpose(0, 2, 1)
        outputs = shown if alive is None else np.where(alive[:, :, None], shown, 0)
        names = {"i": "input_gate", "f": "forget_gate", "o": "output_gate", "g": "candidate"}
        trace = {names[gate]: gates[:, index].transpose(0, 2, 1) for index, gate in enumerate(self.gates)}
        trace |= {"hidden_state": shown, "cell_state": c[1:].transpose(0, 2, 1)}
        return Run(outputs, {"h": h[-1].T.copy(), "c": c[-1].T.copy()}, trace, (given, weights, seen, c, q, gates))

    def backward(self, run: Run, d_outputs: Array, d_finals: Arrays | None = None) -> Gradients:
        """Backpropagation through time. `d_outputs` (T, B, d), `d_finals` (B, d) by state."""
        given, weights, seen, c, q, gates = run.saved
        p, x, alive = given.parameters, given.inputs, given.alive
        e, last = cotangents(run.outputs.shape, x.dtype, alive, given.states, d_outputs, d_finals)
        steps, batch, n = x.shape
        d = c.shape[1]
        _, candidate_slope = activation(self.candidate)
        _, output_slope = activation(self.output)
        i, o, g = gates[:, 0], gates[:, -2], gates[:, -1]
        f = gates[:, 1] if self.forget else None
        count = len(self.gates)
        back = np.ascontiguousarray(weights[:, :d].T)
        into_cell = o * output_slope(q)
        delta = np.empty_like(gates)
        np.subtract(1, gates[:, :-1], out=delta[:, :-1])
        delta[:, :-1] *= gates[:, :-1]
        delta[:, 0] *= g
        if f is not None:
            delta[:, 1] *= c[:-1]
        delta[:, -2] *= q
        np.multiply(i, candidate_slope(g), out=delta[:, -1])
        e = np.ascontiguousarray(e.transpose(0, 2, 1))
        dh, dc = np.ascontiguousarray(last["h"].T), np.ascontiguousarray(last["c"].T)
        through = np.empty_like(dh)
        columns = delta.reshape(steps, count * d, batch)
        for t in reversed(range(steps)):
            dh_after, dc_after = (dh.copy(), dc.copy()) if alive is not None else (dh, dc)
            now = delta[t]
            dh += e[t]
            now[-2] *= dh
            dc += np.multiply(dh, into_cell[t], out=through)
            if self.peephole:
                dc += self._peek_back(p["W_co"], now[-2])
            now[:-2] *= dc
            now[-1] *= dc
            if alive is not None:
                clear(alive, t, now.transpose(0, 2, 1))
            if f is not None:
                dc *= f[t]
            if self.peephole:
                dc += self._peek_back(p["W_ci"], now[0])
                if f is not None:
                    dc += self._peek_back(p["W_cf"], now[1])
            np.matmul(back, columns[t], out=dh)
            if alive is not None:
                freeze(alive, t, dh.T, dh_after.T)
                freeze(alive, t, dc.T, dc_after.T)
        flat = by_gate(delta)
        d_weights = (flat @ by_row(seen[:-1])).reshape(count, d, -1)
        gradients = {}
        for index, gate in enumerate(self.gates):
            gradients[f"W_x{gate}"] = d_weights[index, :, d : d + n]
            gradients[f"W_h{gate}"] = d_weights[index, :, :d]
            if self.bias:
                gradients[f"b_{gate}"] = d_weights[index, :, -1]
            if self.peephole and gate != "g":
                beside = c[1:] if gate == "o" else c[:-1]
                if self.peephole == "diagonal":
                    gradients[f"W_c{gate}"] = np.einsum("tdb,tdb->d", delta[:, index], beside)
                else:
                    gradients[f"W_c{gate}"] = flat[index * d : (index + 1) * d] @ by_row(beside)
        d_inputs = (flat.T @ weights[:, d : d + n]).reshape(steps, batch, n)
        return Gradients(d_inputs, {"h": np.ascontiguousarray(dh.T), "c": np.ascontiguousarray(dc.T)}, gradients)
