"""The gated recurrent unit, in every form the documents print, and in the one that torch and cuDNN compute.

Sources: 001:280-329 and 003:848-854 (the update gate keeps), 000:150-195 and 004:53-127 (it writes), 003:788-797
(it writes, sigmoid candidate). All five apply the reset gate before the recurrent product; ``reset="after"``,
which no document prints, is what torch, cuDNN and Keras (reset_after) compute.

Gates: r reset, z update, g candidate; m is what lies between reset gate and candidate: r * h, where the gate acts
before the product, or the product W_hg h + b_hg, where it acts after. All lie in one array, in the order m, r, z, g,
as columns: (T, 4, d, B). Where weights have a bias, what they multiply lies above a row of ones: the inputs,
(t, n + 1, B), and, for the second bias of the reset-after form, the hidden states, (T + 1, d + 1, B).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Inexact, Integer

from rnn_harness.references.activations import activation, scalar_one, sigmoid_of_minus_to
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


@dataclass(frozen=True)
class GRU:
    """Gated recurrent unit.

    Attributes:
        update: what an open update gate does: ``"keep"`` h_{t-1}, or ``"write"`` the candidate.
        reset: whether the reset gate acts ``"before"`` or ``"after"`` the candidate's recurrent product.
        candidate: the candidate's activation, ``"tanh"`` or ``"sigmoid"``.
        bias: whether there are biases; reset-after has a second one for the candidate's recurrent product.
        name: ``"gru"``.
        state_names: ``("h",)``.
    """

    update: str = "keep"
    reset: str = "before"
    candidate: str = "tanh"
    bias: bool = True
    name: str = field(default="gru", init=False)
    state_names: tuple[str, ...] = field(default=("h",), init=False)

    def __post_init__(self) -> None:
        expect_choice("update", self.update, ("keep", "write"))
        expect_choice("reset", self.reset, ("before", "after"))
        expect_choice("bias", self.bias, (True, False))
        activation(self.candidate)

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of every parameter by name.

        W_xr, W_xz, W_xg (d, n); W_hr, W_hz, W_hg (d, d); b_r, b_z, b_g (d,); reset-after also b_hg (d,).

        Args:
            input_size: n.
            hidden_size: d.
        """
        shapes: dict[str, tuple[int, ...]] = {f"W_x{gate}": (hidden_size, input_size) for gate in "rzg"}
        shapes |= {f"W_h{gate}": (hidden_size, hidden_size) for gate in "rzg"}
        if self.bias:
            shapes |= {f"b_{gate}": (hidden_size,) for gate in "rzg"}
            if self.reset == "after":
                shapes["b_hg"] = (hidden_size,)
        return shapes

    def _input_weights(self, p: Arrays) -> Inexact[Array, "gates_d columns"]:
        """Join what x is multiplied with: [W_x, b] of r, z and g, (3d, n + 1); without bias one column less.

        The sigmoid wants -a: the sign of its gates is in their weights, which is exact, and saves every step a pass.
        """
        d, n = p["W_xr"].shape
        rows = np.empty((3, d, n + self.bias), p["W_xr"].dtype)
        for gate, row in zip("rzg", rows, strict=True):
            sign = 1 if gate == "g" else -1
            np.multiply(p[f"W_x{gate}"], sign, out=row[:, :n])
            if self.bias:
                np.multiply(p[f"b_{gate}"], sign, out=row[:, n])
        return rows.reshape(3 * d, n + self.bias)

    def _recurrent_weights(self, p: Arrays) -> Inexact[Array, "gates_d columns"]:
        """Join what h alone is multiplied with: W_h of r and z (2d, d) or, reset-after, [W_h, b_h] of m, r and z.

        The latter has the shape (3d, d + 1), and only m has a bias. The sign is as above.
        """
        d = len(p["W_hr"])
        order = "rz" if self.reset == "before" else "grz"
        second = self.bias and self.reset == "after"
        rows = np.zeros((len(order), d, d + second), p["W_hr"].dtype)
        for gate, row in zip(order, rows, strict=True):
            np.multiply(p[f"W_h{gate}"], 1 if gate == "g" else -1, out=row[:, :d])
        if second:
            rows[0, :, d] = p["b_hg"]
        return rows.reshape(len(order) * d, d + second)

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
            Outputs (T, B, d), final states (B, d) and gates, candidate and hidden state over time.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        d = len(np.asarray(parameters.get("W_hr", ())))
        accepted = accept_arguments(self, d, parameters, inputs, states, lengths)
        p, x, alive = accepted.parameters, accepted.inputs, accepted.alive
        steps, batch, n = x.shape
        apply, _ = activation(self.candidate)
        before = self.reset == "before"
        input_weights, recurrent = self._input_weights(p), self._recurrent_weights(p)
        operands = empty_aligned((steps + 1, recurrent.shape[1], batch), x.dtype)
        operands[:, d:] = 1
        h = operands[:, :d]
        h[0] = accepted.states["h"].T
        gates = empty_aligned((steps, 4, d, batch), x.dtype)
        from_state = gates.reshape(steps, 4 * d, batch)[:, 3 * d - len(recurrent) : 3 * d]
        spans = time_blocks(steps, d, batch)
        below = empty_aligned((longest_block(spans), n + self.bias, batch), x.dtype)
        below[:, n:] = 1
        room = empty_aligned((longest_block(spans), 3 * d, batch), x.dtype)
        complement = empty_aligned((d, batch), x.dtype)
        with np.errstate(over="ignore"):
            for span in spans:
                length = span.stop - span.start
                below[:length, :n] = x[span].transpose(0, 2, 1)
                from_input = np.matmul(input_weights, below[:length], out=room[:length])
                from_input = from_input.reshape(length, 3, d, batch)
                for t, now in enumerate(from_input, span.start):
                    old, new, opened, (m, r, z, g) = h[t], h[t + 1], gates[t, 1:3], gates[t]
                    np.matmul(recurrent, operands[t], out=from_state[t])
                    opened += now[:2]
                    sigmoid_of_minus_to(opened, opened)
                    if before:
                        np.multiply(r, old, out=m)
                        np.matmul(p["W_hg"], m, out=g)
                    else:
                        np.multiply(r, m, out=g)
                    g += now[2]
                    apply(g, g)
                    self._mix(z, old, g, new, complement)
                    if alive is not None:
                        freeze_ended(alive, t, new.T, old.T)
        shown = h[1:].transpose(0, 2, 1)
        outputs = shown if alive is None else np.where(alive[:, :, None], shown, 0)
        names = ("reset_gate", "update_gate", "candidate")
        trace = {name: gates[:, index].transpose(0, 2, 1) for index, name in enumerate(names, 1)}
        trace["hidden_state"] = shown
        return Run(outputs, {"h": h[-1].T.copy()}, trace, (accepted, operands, gates))

    def _mix(
        self,
        z: Inexact[Array, "d B"],
        h: Inexact[Array, "d B"],
        g: Inexact[Array, "d B"],
        out: Inexact[Array, "d B"],
        complement: Inexact[Array, "d B"],
    ) -> None:
        """Put z * h + (1 - z) * g into `out`, or with h and g exchanged; `complement` is room for 1 - z."""
        np.subtract(scalar_one(z.dtype), z, out=complement)
        if self.update == "keep":
            np.multiply(z, h, out=out)
            complement *= g
        else:
            np.multiply(z, g, out=out)
            complement *= h
        out += complement

    def backward(self, run: Run, d_outputs: Inexact[Array, "T B d"], d_finals: States | None = None) -> Gradients:
        """Propagate gradients back through time.

        Args:
            run: the result of `forward`.
            d_outputs: the gradient for the outputs.
            d_finals: the gradient for the final state ``h`` (B, d) by name; zero where None.

        Returns:
            The gradients for inputs, initial states and parameters.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        accepted, operands, gates = run.saved
        p, x, alive = accepted.parameters, accepted.inputs, accepted.alive
        e, last = output_gradients(run.outputs.shape, x.dtype, alive, accepted.states, d_outputs, d_finals)
        steps, batch, n = x.shape
        d = gates.shape[2]
        h = operands[:, :d]
        before = self.reset == "before"
        # The gradients of r, z and g; where the reset gate acts after the product, that of m in front of them.
        count = 3 if before else 4
        spans = time_blocks(steps, d, batch)
        size = longest_block(spans)
        room, spare = empty_aligned((size, count, d, batch), x.dtype), empty_aligned((size, d, batch), x.dtype)
        flat = empty_aligned((count * d, size, batch), x.dtype)
        from_input = slice(-3 * d, None)
        input_weights = np.concatenate([p["W_xr"], p["W_xz"], p["W_xg"]])
        recurrent = np.concatenate([p[f"W_h{gate}"] for gate in ("rz" if before else "grz")])
        to_m, to_state = p["W_hg"].T, recurrent.T
        d_input_weights, d_recurrent = np.zeros_like(input_weights), np.zeros_like(recurrent)
        d_candidate, d_bias = np.zeros_like(p["W_hg"]), np.zeros(count * d, x.dtype)
        d_inputs = np.empty((steps, batch, n), x.dtype)
        dh, q, through = (empty_aligned((d, batch), x.dtype) for _ in range(3))
        dh[...] = last["h"].T
        for span in reversed(spans):
            above = np.ascontiguousarray(e[span].transpose(0, 2, 1))
            delta = room[: len(above)]
            keep, write = self._slopes(gates[span], h[span], delta, spare[: len(above)])
            by_step = delta.reshape(len(above), count * d, batch)
            for t in reversed(range(len(above))):
                step, now = span.start + t, delta[t]
                after = dh.copy() if alive is not None else dh
                dh += above[t]
                if alive is not None:
                    clear_ended(alive, step, dh.T)
                np.multiply(dh, write[t], out=through)
                if before:
                    dr, of_written, dg = now[0], now[1:], now[2]
                    of_written *= through
                    np.matmul(to_m, dg, out=q)
                    dr *= q
                    q *= gates[step, 1]
                else:
                    now *= through
                np.matmul(to_state, by_step[t, :-d], out=through)
                dh *= keep[t]
                if before:
                    dh += q
                dh += through
                if alive is not None:
                    freeze_ended(alive, step, dh.T, after.T)
            collected = BlockGradients(by_step, d, max(d, n), flat)
            d_recurrent += collected.for_weights(slice(0, -d), by_row(h[span]))
            if before:
                d_candidate += collected.for_weights(slice(-d, None), by_row(gates[span, 0]))
            d_input_weights += collected.for_weights(from_input, x[span])
            if self.bias:
                d_bias += collected.for_biases()
            collected.for_inputs(from_input, input_weights, d_inputs[span])
        by_gates = d_recurrent.reshape(count - 1, d, d)
        gradients = {"W_hr": by_gates[-2], "W_hz": by_gates[-1], "W_hg": d_candidate if before else by_gates[0]}
        gradients |= dict(zip(("W_xr", "W_xz", "W_xg"), d_input_weights.reshape(3, d, n), strict=True))
        if self.bias:
            total = d_bias.reshape(count, d)
            gradients |= {"b_r": total[-3], "b_z": total[-2], "b_g": total[-1]}
            if not before:
                gradients["b_hg"] = total[0]
        return Gradients(d_inputs, {"h": np.ascontiguousarray(dh.T)}, gradients)

    def _slopes(
        self,
        gates: Inexact[Array, "t 4 d B"],
        old: Inexact[Array, "t d B"],
        delta: Inexact[Array, "t count d B"],
        shut: Inexact[Array, "t d B"],
    ) -> tuple[Inexact[Array, "t d B"], Inexact[Array, "t d B"]]:
        """Fill `delta`, for a block of t steps, with the factors that the gates' gradients have before the recursion.

        dz, dg and dm are these factors times the gradient for the part that is written, and so is dr, unless the reset
        gate acts before the product: then dr is its factor times the gradient that comes back through the product.

        Args:
            gates: m, r, z and g of every step.
            old: h_{t-1} of every step.
            delta: where the factors go: of r, z and g, and of m in front of them where the reset gate acts after.
            shut: room for 1 - z.

        Returns:
            (the gate that weights h_{t-1}, the gate that weights the candidate) at every step.
        """
        m, r, z, g = gates.swapaxes(0, 1)
        dr, dz, dg = delta[:, -3], delta[:, -2], delta[:, -1]
        _, slope_to = activation(self.candidate)
        np.subtract(1, z, out=shut)
        keep, write = (z, shut) if self.update == "keep" else (shut, z)
        if self.update == "keep":
            np.subtract(old, g, out=dz)
        else:
            np.subtract(g, old, out=dz)
        dz *= keep
        slope_to(g, dg)
        np.subtract(1, r, out=dr)
        dr *= m
        if self.reset == "after":
            dm = delta[:, 0]
            np.multiply(dg, r, out=dm)
            dr *= dm
        return keep, write
