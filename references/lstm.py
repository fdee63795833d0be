"""The long short-term memory, in every form the documents print.

Sources: 003:655-666 (tanh), 001:372-434 (without bias), 003:765-778 (sigmoid candidate and output activation),
003:692-739 (the same without a forget gate), 003:813-817 (full-matrix peepholes; the output gate sees the
*current* cell state). `peephole="diagonal"` is the form of Gers & Schmidhuber 2000, which no document prints.

Gates: o output, i input, f forget, g candidate, stacked in that order behind the time axis, as columns: (T, G, d, B).
Without forget gate the order is o, i, g. One product a step serves them all (two: see `SPLIT_BYTES`); it multiplies
one matrix per step, `operands` (T + 1, d + n + 1, B): the hidden state, the input, and a row of ones for the bias.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Inexact, Integer

from rnn_harness.references.activations import activation, sigmoid_of_minus_to, sigmoid_slope_to
from rnn_harness.references.arguments import (
    accept_arguments,
    clear_ended,
    expect_choice,
    freeze_ended,
    output_gradients,
)
from rnn_harness.references.array_types import Array, IndexArray
from rnn_harness.references.layout import BlockGradients, by_row, empty_aligned, longest_block, time_blocks
from rnn_harness.references.protocol import Arrays, Gradients, Run, States

# Bytes of weights from which on they are read in two halves, those of the input first, for all steps: each half then
# stays in a core's own cache (1 to 2 MiB) from step to step, where both together would not.
SPLIT_BYTES = 2**20


@dataclass(frozen=True)
class LSTM:
    """Long short-term memory.

    Attributes:
        candidate: the candidate's activation, ``"tanh"`` or ``"sigmoid"``.
        output: the activation of the cell state on its way out, ``"tanh"`` or ``"sigmoid"``.
        forget: whether there is a forget gate.
        bias: whether every gate has a bias.
        peephole: how the gates see the cell state: None (not at all), ``"full"`` or ``"diagonal"``.
        name: ``"lstm"``.
        state_names: ``("h", "c")``.
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
        """The letters of the gates, in the order in which they are stacked."""
        return "oifg" if self.forget else "oig"

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of every parameter by name.

        W_x<gate> (d, n), W_h<gate> (d, d), b_<gate> (d,); peepholes W_c<gate> (d, d) or, diagonal, (d,).

        Args:
            input_size: n.
            hidden_size: d.
        """
        shapes: dict[str, tuple[int, ...]] = {f"W_x{gate}": (hidden_size, input_size) for gate in self.gates}
        shapes |= {f"W_h{gate}": (hidden_size, hidden_size) for gate in self.gates}
        if self.peephole:
            peephole = (hidden_size,) if self.peephole == "diagonal" else (hidden_size, hidden_size)
            shapes |= {f"W_c{gate}": peephole for gate in self.gates[:-1]}
        if self.bias:
            shapes |= {f"b_{gate}": (hidden_size,) for gate in self.gates}
        return shapes

    def _joined_weights(self, p: Arrays) -> Inexact[Array, "gates_d columns"]:
        """Join the rows [W_h, W_x, b] of every gate, (G * d, d + n + 1); without bias one column less.

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

    def _peek(self, weight: Inexact[Array, d * columns], c: Inexact[Array, "d B"]) -> Inexact[Array, "d B"]:
        """Multiply the cell state with a peephole's weight."""
        return weight[:, None] * c if self.peephole == "diagonal" else weight @ c

    def _peek_back(self, weight: Inexact[Array, d * columns], delta: Inexact[Array, "d B"]) -> Inexact[Array, "d B"]:
        """Multiply a gate's gradient with the transposed weight of its peephole."""
        return weight[:, None] * delta if self.peephole == "diagonal" else weight.T @ delta

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
            states: the initial states ``h`` and ``c`` (B, d) by name; zero where None.
            lengths: the number of steps of every row; all T where None.

        Returns:
            Outputs (T, B, d), final states (B, d) and gates, candidate, hidden and cell state over time.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        d = len(np.asarray(parameters.get("W_hi", ())))
        accepted = accept_arguments(self, d, parameters, inputs, states, lengths)
        p, x, alive = accepted.parameters, accepted.inputs, accepted.alive
        steps, batch, n = x.shape
        apply_candidate, _ = activation(self.candidate)
        apply_output, _ = activation(self.output)
        count = len(self.gates)
        weights = self._joined_weights(p)
        gates = empty_aligned((steps, count, d, batch), x.dtype)
        operands = empty_aligned((steps + 1, weights.shape[1], batch), x.dtype)
        h = operands[:, :d]
        operands[:-1, d : d + n] = x.transpose(0, 2, 1)
        operands[:, d + n :] = 1
        c = empty_aligned((steps + 1, d, batch), x.dtype)
        q = empty_aligned((steps, d, batch), x.dtype)
        h[0], c[0] = accepted.states["h"].T, accepted.states["c"].T
        carried = empty_aligned((d, batch), x.dtype)
        early = gates[:, 1:-1] if self.peephole else gates[:, :-1]
        products = gates.reshape(steps, count * d, batch)
        # Without forget gate what is called f below is g, and never read.
        parts = (products, early, *(gates[:, k] for k in (0, 1, 2, -1)), c, c[1:], q, h[1:])
        halves = weights.nbytes > SPLIT_BYTES
        with np.errstate(over="ignore"):
            if halves:
                np.matmul(weights[:, d:], operands[:-1, d:], out=products)
                recurrent, product = np.ascontiguousarray(weights[:, :d]), empty_aligned((count * d, batch), x.dtype)
            for t, (now, opened, o, i, f, g, old, new, squashed, out) in enumerate(zip(*parts, strict=False)):
                if halves:
                    now += np.matmul(recurrent, h[t], out=product)
                else:
                    np.matmul(weights, operands[t], out=now)
                if self.peephole:
                    i -= self._peek(p["W_ci"], old)
                    if self.forget:
                        f -= self._peek(p["W_cf"], old)
                sigmoid_of_minus_to(opened, opened)
                apply_candidate(g, g)
                np.multiply(i, g, out=new)
                new += np.multiply(f, old, out=carried) if self.forget else old
                if self.peephole:
                    o -= self._peek(p["W_co"], new)
                    sigmoid_of_minus_to(o, o)
                apply_output(new, squashed)
                np.multiply(o, squashed, out=out)
                if alive is not None:
                    freeze_ended(alive, t, out.T, h[t].T)
                    freeze_ended(alive, t, new.T, old.T)
        shown = h[1:].transpose(0, 2, 1)
        outputs = shown if alive is None else np.where(alive[:, :, None], shown, 0)
        names = {"i": "input_gate", "f": "forget_gate", "o": "output_gate", "g": "candidate"}
        trace = {names[gate]: gates[:, index].transpose(0, 2, 1) for index, gate in enumerate(self.gates)}
        trace |= {"hidden_state": shown, "cell_state": c[1:].transpose(0, 2, 1)}
        return Run(outputs, {"h": h[-1].T.copy(), "c": c[-1].T.copy()}, trace, (accepted, operands, c, q, gates))

    def backward(self, run: Run, d_outputs: Inexact[Array, "T B d"], d_finals: States | None = None) -> Gradients:
        """Propagate gradients back through time.

        Args:
            run: the result of `forward`.
            d_outputs: the gradient for the outputs.
            d_finals: the gradient for the final states ``h`` and ``c`` (B, d) by name; zero where None.

        Returns:
            The gradients for inputs, initial states and parameters.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        accepted, operands, c, q, gates = run.saved
        p, x, alive = accepted.parameters, accepted.inputs, accepted.alive
        e, last = output_gradients(run.outputs.shape, x.dtype, alive, accepted.states, d_outputs, d_finals)
        steps, batch, n = x.shape
        d = c.shape[1]
        count = len(self.gates)
        spans = time_blocks(steps, d, batch)
        size = longest_block(spans)
        room, spare = empty_aligned((size, count, d, batch), x.dtype), empty_aligned((size, d, batch), x.dtype)
        flat = empty_aligned((count * d, size, batch), x.dtype)
        to_state = np.concatenate([p[f"W_h{gate}"] for gate in self.gates]).T
        input_weights = np.concatenate([p[f"W_x{gate}"] for gate in self.gates])
        d_weights = np.zeros((count * d, operands.shape[1]), x.dtype)
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
            for step, do, cell_deltas, f, column, into, from_output in reversed(list(zip(*parts, strict=True))):
                dh_after, dc_after = (dh.copy(), dc.copy()) if alive is not None else (dh, dc)
                dh += from_output
                do *= dh
                dc += np.multiply(dh, into, out=through)
                if self.peephole:
                    dc += self._peek_back(p["W_co"], do)
                cell_deltas *= dc
                if alive is not None:
                    clear_ended(alive, step, column.T)
                if self.forget:
                    dc *= f
                if self.peephole:
                    dc += self._peek_back(p["W_ci"], cell_deltas[0])
                    if self.forget:
                        dc += self._peek_back(p["W_cf"], cell_deltas[1])
                np.matmul(to_state, column, out=dh)
                if alive is not None:
                    freeze_ended(alive, step, dh.T, dh_after.T)
                    freeze_ended(alive, step, dc.T, dc_after.T)
            collected = BlockGradients(by_step, d, operands.shape[1], flat)
            d_weights += collected.for_weights(slice(None), by_row(operands[span]))
            collected.for_inputs(slice(None), input_weights, d_inputs[span])
            for name, total in d_peepholes.items():
                index = self.gates.index(name[-1])
                peeked = c[1:][span] if name == "W_co" else c[span]
                if self.peephole == "diagonal":
                    total += np.einsum("tdb,tdb->d", delta[:, index], peeked)
                else:
                    total += collected.for_weights(slice(index * d, (index + 1) * d), by_row(peeked))
        gradients = dict(d_peepholes)
        for gate, rows in zip(self.gates, d_weights.reshape(count, d, operands.shape[1]), strict=True):
            gradients[f"W_h{gate}"], gradients[f"W_x{gate}"] = rows[:, :d], rows[:, d : d + n]
            if self.bias:
                gradients[f"b_{gate}"] = rows[:, -1]
        return Gradients(d_inputs, {"h": np.ascontiguousarray(dh.T), "c": np.ascontiguousarray(dc.T)}, gradients)

    def _slopes(
        self,
        gates: Inexact[Array, "t G d B"],
        old: Inexact[Array, "t d B"],
        q: Inexact[Array, "t d B"],
        delta: Inexact[Array, "t G d B"],
        into_cell: Inexact[Array, "t d B"],
    ) -> None:
        """Fill `delta`, for a block of t steps, with the factors that the gates' gradients have before the recursion.

        The output gate's gradient is its factor times the gradient of h_t, that of each other gate its factor times
        the gradient of c_t.

        Args:
            gates: the gates of every step.
            old: c_{t-1} of every step.
            q: the activation of c_t at every step.
            delta: where the gates' factors go.
            into_cell: where the factor goes by which the gradient of h_t reaches c_t.
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
