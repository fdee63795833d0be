"""The long short-term memory, in every form the documents print.

Sources: 003:655-666 (tanh), 001:372-434 (without bias), 003:765-778 (sigmoid candidate and output activation),
003:692-739 (the same without a forget gate), 003:813-817 (full-matrix peepholes; the output gate sees the
*current* cell state). `peephole="diagonal"` is the form of Gers & Schmidhuber 2000, which no document prints.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
Gates: o output, i input, f forget, g candidate, stacked in that order behind the time axis, as columns: (T, G, d, B).
Without forget gate the order is o, i, g. One product a step serves them all (two: see `_HALVE`); what it multiplies is
one matrix per step, seen (T + 1, d + n + 1, B): the hidden state, the input, and a row of ones for the bias.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references.activations import activation, sigmoid_of_minus_to, sigmoid_slope_to
from rnn_harness.references.arguments import accept, clear, cotangents, expect_choice, freeze
from rnn_harness.references.array_types import Array
from rnn_harness.references.layout import Collected, blocks, by_row, empty, longest
from rnn_harness.references.protocol import Arrays, Gradients, Run

# Bytes of weights from which on they are read in two halves, those of the input first, for all steps: each half then
# stays in a core's own cache (1 to 2 MiB) from step to step, where both together would not.
_HALVE = 2**20


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
        return "oifg" if self.forget else "oig"

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

    def _joined(self, p: Arrays) -> Array:
        """(G * d, d + n + 1): the rows [W_h, W_x, b] of every gate; without bias one column less.

        The sigmoid wants -a: the sign of its gates is in their weights, which is exact, and saves every step a pass.
        """
        d, n = p["W_xo"].shape
        rows = np.empty((len(self.gates), d, d + n + self.bias), p["W_xo"].dtype)
        for gate, row in zip(self.gates, rows, strict=True):
            sign = 1 if gate == "g" else -1
            np.multiply(p[f"W_h{gate}"], sign, out=row[:, :d])
            np.multiply(p[f"W_x{gate}"], sign, out=row[:, d : d + n])
            if self.bias:
                np.multiply(p[f"b_{gate}"], sign, out=row[:, -1])
        return rows.reshape(len(self.gates) * d, d + n + self.bias)

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
        """Run over `inputs` (T, B, n). Raises ArgumentError on arguments that do not fit."""
        d = len(np.asarray(parameters.get("W_hi", ())))
        given = accept(self, d, parameters, inputs, states, lengths)
        p, x, alive = given.parameters, given.inputs, given.alive
        steps, batch, n = x.shape
        apply_candidate, _ = activation(self.candidate)
        apply_output, _ = activation(self.output)
        count = len(self.gates)
        weights = self._joined(p)
        gates = empty((steps, count, d, batch), x.dtype)
        seen = empty((steps + 1, weights.shape[1], batch), x.dtype)
        h = seen[:, :d]
        seen[:-1, d : d + n] = x.transpose(0, 2, 1)
        seen[:, d + n :] = 1
        c = empty((steps + 1, d, batch), x.dtype)
        q = empty((steps, d, batch), x.dtype)
        h[0], c[0] = given.states["h"].T, given.states["c"].T
        kept = empty((d, batch), x.dtype)
        early = gates[:, 1:-1] if self.peephole else gates[:, :-1]
        products = gates.reshape(steps, count * d, batch)
        # Without forget gate what is called f below is g, and never read.
        parts = (products, early, *(gates[:, k] for k in (0, 1, 2, -1)), c, c[1:], q, h[1:])
        halves = weights.nbytes > _HALVE
        with np.errstate(over="ignore"):
            if halves:
                np.matmul(weights[:, d:], seen[:-1, d:], out=products)
                recurrent, product = np.ascontiguousarray(weights[:, :d]), empty((count * d, batch), x.dtype)
            for t, (now, opened, o, i, f, g, old, new, squashed, out) in enumerate(zip(*parts, strict=False)):
                if halves:
                    now += np.matmul(recurrent, h[t], out=product)
                else:
                    np.matmul(weights, seen[t], out=now)
                if self.peephole:
                    i -= self._peek(p["W_ci"], old)
                    if self.forget:
                        f -= self._peek(p["W_cf"], old)
                sigmoid_of_minus_to(opened, opened)
                apply_candidate(g, g)
                np.multiply(i, g, out=new)
                new += np.multiply(f, old, out=kept) if self.forget else old
                if self.peephole:
                    o -= self._peek(p["W_co"], new)
                    sigmoid_of_minus_to(o, o)
                apply_output(new, squashed)
                np.multiply(o, squashed, out=out)
                if alive is not None:
                    freeze(alive, t, out.T, h[t].T)
                    freeze(alive, t, new.T, old.T)
        shown = h[1:].transpose(0, 2, 1)
        outputs = shown if alive is None else np.where(alive[:, :, None], shown, 0)
        names = {"i": "input_gate", "f": "forget_gate", "o": "output_gate", "g": "candidate"}
        trace = {names[gate]: gates[:, index].transpose(0, 2, 1) for index, gate in enumerate(self.gates)}
        trace |= {"hidden_state": shown, "cell_state": c[1:].transpose(0, 2, 1)}
        return Run(outputs, {"h": h[-1].T.copy(), "c": c[-1].T.copy()}, trace, (given, seen, c, q, gates))

    def backward(self, run: Run, d_outputs: Array, d_finals: Arrays | None = None) -> Gradients:
        """Backpropagation through time. `d_outputs` (T, B, d), `d_finals` (B, d) by state."""
        given, seen, c, q, gates = run.saved
        p, x, alive = given.parameters, given.inputs, given.alive
        e, last = cotangents(run.outputs.shape, x.dtype, alive, given.states, d_outputs, d_finals)
        steps, batch, n = x.shape
        d = c.shape[1]
        count = len(self.gates)
        spans = blocks(steps, d, batch)
        size = longest(spans)
        room, spare = empty((size, count, d, batch), x.dtype), empty((size, d, batch), x.dtype)
        flat = empty((count * d, size, batch), x.dtype)
        to_state = np.concatenate([p[f"W_h{gate}"] for gate in self.gates]).T
        input_weights = np.concatenate([p[f"W_x{gate}"] for gate in self.gates])
        d_weights = np.zeros((count * d, seen.shape[1]), x.dtype)
        d_peepholes = {name: np.zeros_like(weight) for name, weight in p.items() if name.startswith("W_c")}
        d_inputs = np.empty((steps, batch, n), x.dtype)
        dh, dc = np.ascontiguousarray(last["h"].T), np.ascontiguousarray(last["c"].T)
        through = np.empty_like(dh)
        for span in reversed(spans):
            above = np.ascontiguousarray(e[span].transpose(0, 2, 1))
            delta, into_cell = room[: len(above)], spare[: len(above)]
            self._slopes(gates[span], c[span], q[span], delta, into_cell)
            by_step = delta.reshape(len(above), count * d, batch)
            parts = (range(span.start, span.stop), delta[:, 0], delta[:, 1:], gates[span, 2], by_step, into_cell, above)
            for step, do, others, f, column, into, from_output in reversed(list(zip(*parts, strict=True))):
                dh_after, dc_after = (dh.copy(), dc.copy()) if alive is not None else (dh, dc)
                dh += from_output
                do *= dh
                dc += np.multiply(dh, into, out=through)
                if self.peephole:
                    dc += self._peek_back(p["W_co"], do)
                others *= dc
                if alive is not None:
                    clear(alive, step, column.T)
                if self.forget:
                    dc *= f
                if self.peephole:
                    dc += self._peek_back(p["W_ci"], others[0])
                    if self.forget:
                        dc += self._peek_back(p["W_cf"], others[1])
                np.matmul(to_state, column, out=dh)
                if alive is not None:
                    freeze(alive, step, dh.T, dh_after.T)
                    freeze(alive, step, dc.T, dc_after.T)
            found = Collected(by_step, d, seen.shape[1], flat)
            d_weights += found.for_weights(slice(None), by_row(seen[span]))
            found.for_inputs(slice(None), input_weights, d_inputs[span])
            for name, total in d_peepholes.items():
                index = self.gates.index(name[-1])
                beside = c[1:][span] if name == "W_co" else c[span]
                if self.peephole == "diagonal":
                    total += np.einsum("tdb,tdb->d", delta[:, index], beside)
                else:
                    total += found.for_weights(slice(index * d, (index + 1) * d), by_row(beside))
        gradients = dict(d_peepholes)
        for gate, rows in zip(self.gates, d_weights.reshape(count, d, seen.shape[1]), strict=True):
            gradients[f"W_h{gate}"], gradients[f"W_x{gate}"] = rows[:, :d], rows[:, d : d + n]
            if self.bias:
                gradients[f"b_{gate}"] = rows[:, -1]
        return Gradients(d_inputs, {"h": np.ascontiguousarray(dh.T), "c": np.ascontiguousarray(dc.T)}, gradients)

    def _slopes(self, gates: Array, old: Array, q: Array, delta: Array, into_cell: Array) -> None:
        """For some steps, fill `delta` with what the gates' gradients are multiples of: that of h_t for the output
        gate, that of c_t for the others; and `into_cell` with how much of h_t's gradient reaches c_t.
        """
        o, i, g = gates[:, 0], gates[:, 1], gates[:, -1]
        do, di, dg = delta[:, 0], delta[:, 1], delta[:, -1]
        _, candidate_slope_to = activation(self.candidate)
        _, output_slope_to = activation(self.output)
        output_slope_to(q, into_cell)
        into_cell *= o
        sigmoid_slope_to(gates[:, :-1], delta[:, :-1])
        do *= q
        di *= g
        if self.forget:
            df = delta[:, 2]
            df *= old
        candidate_slope_to(g, dg)
        dg *= i
