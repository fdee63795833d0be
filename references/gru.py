"""The gated recurrent unit, in every form the documents print, and in the one that torch and cuDNN compute.

Sources: 001:280-329 and 003:848-854 (the update gate keeps), 000:150-195 and 004:53-127 (it writes), 003:788-797
(it writes, sigmoid candidate). All five apply the reset gate before the recurrent product; ``reset="after"``,
which no document prints, is what torch, cuDNN and Keras (reset_after) compute.

Dimension legend: T time steps, B batch rows, n input size, d hidden size. Gates: r reset, z update, g candidate,
stacked in that order behind the time axis, as columns: (T, 3, d, B).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references._base import Array, Arrays, Gradients, Run
from rnn_harness.references._stack import by_gate, by_row
from rnn_harness.references._validate import accept, clear, cotangents, expect_choice, freeze
from rnn_harness.references.activations import activation, sigmoid_to


@dataclass(frozen=True)
class GRU:
    """Gated recurrent unit. `update`: what an open update gate does, ``"keep"`` h_{t-1} or ``"write"`` the
    candidate; `reset`: the reset gate acts ``"before"`` or ``"after"`` the candidate's recurrent product.
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
        """W_xr, W_xz, W_xg (d, n); W_hr, W_hz, W_hg (d, d); b_r, b_z, b_g (d,); reset-after also b_hg (d,)."""
        shapes: dict[str, tuple[int, ...]] = {f"W_x{gate}": (hidden_size, input_size) for gate in "rzg"}
        shapes |= {f"W_h{gate}": (hidden_size, hidden_size) for gate in "rzg"}
        if self.bias:
            shapes |= {f"b_{gate}": (hidden_size,) for gate in "rzg"}
            if self.reset == "after":
                shapes["b_hg"] = (hidden_size,)
        return shapes

    def forward(
        self,
        parameters: Arrays,
        inputs: Array,
        states: Arrays | None = None,
        lengths: NDArray[np.intp] | None = None,
    ) -> Run:
        """Run over `inputs` (T, B, n). Raises ReferenceError on arguments that do not fit."""
        d = len(np.asarray(parameters.get("W_hr", ())))
        given = accept(self, d, parameters, inputs, states, lengths)
        p, x, alive = given.parameters, given.inputs, given.alive
        steps, batch, _ = x.shape
        apply, _ = activation(self.candidate)
        input_weights = np.concatenate([p[f"W_x{gate}"] for gate in "rzg"])
        gates = np.matmul(input_weights, x.transpose(0, 2, 1)).reshape(steps, 3, d, batch)
        if self.bias:
            gates += np.stack([p["b_r"], p["b_z"], p["b_g"]])[:, :, None]
        h = np.empty((steps + 1, d, batch), x.dtype)
        h[0] = given.states["h"].T
        recurrent = np.empty((steps, d, batch), x.dtype)
        with np.errstate(over="ignore"):
            if self.reset == "before":
                self._forward_before(p, gates, h, recurrent, apply, alive)
            else:
                self._forward_after(p, gates, h, recurrent, apply, alive)
        shown = h[1:].transpose(0, 2, 1)
        outputs = shown if alive is None else np.where(alive[:, :, None], shown, 0)
        names = ("reset_gate", "update_gate", "candidate")
        trace = {name: gates[:, index].transpose(0, 2, 1) for index, name in enumerate(names)}
        trace["hidden_state"] = shown
        return Run(outputs, {"h": h[-1].T.copy()}, trace, (given, h, gates, recurrent))

    def _forward_before(
        self,
        p: dict[str, Array],
        gates: Array,
        h: Array,
        reset_state: Array,
        apply: Callable[[Array, Array], None],
        alive: NDArray[np.bool_] | None,
    ) -> None:
        _, d, batch = reset_state.shape
        gate_weights = np.concatenate([p["W_hr"], p["W_hz"]])
        product, scratch = np.empty((2, d, batch), h.dtype), np.empty((d, batch), h.dtype)
        flat = product.reshape(2 * d, batch)
        for t, now in enumerate(gates):
            r, z, g = now
            open_gates, old, new, kept = now[:2], h[t], h[t + 1], reset_state[t]
            np.matmul(gate_weights, old, out=flat)
            open_gates += product
            sigmoid_to(open_gates, open_gates)
            np.multiply(r, old, out=kept)
            g += np.matmul(p["W_hg"], kept, out=scratch)
            apply(g, g)
            self._mix(z, old, g, new, scratch)
            if alive is not None:
                freeze(alive, t, new.T, old.T)

    def _forward_after(
        self,
        p: dict[str, Array],
        gates: Array,
        h: Array,
        m: Array,
        apply: Callable[[Array, Array], None],
        alive: NDArray[np.bool_] | None,
    ) -> None:
        _, d, batch = m.shape
        weights = np.concatenate([p["W_hr"], p["W_hz"], p["W_hg"]])
        product, scratch = np.empty((3, d, batch), h.dtype), np.empty((d, batch), h.dtype)
        flat, to_gates = product.reshape(3 * d, batch), product[:2]
        second = np.broadcast_to(p["b_hg"][:, None] if self.bias else np.zeros((), h.dtype), (d, batch))
        for t, now in enumerate(gates):
            r, z, g = now
            open_gates, old, new = now[:2], h[t], h[t + 1]
            np.matmul(weights, old, out=flat)
            open_gates += to_gates
            sigmoid_to(open_gates, open_gates)
            np.add(product[2], second, out=m[t])
            g += np.multiply(r, m[t], out=scratch)
            apply(g, g)
            self._mix(z, old, g, new, scratch)
            if alive is not None:
                freeze(alive, t, new.T, old.T)

    def _mix(self, z: Array, h: Array, g: Array, out: Array, rest: Array) -> None:
        np.subtract(1, z, out=rest)
        if self.update == "keep":
            np.multiply(z, h, out=out)
            rest *= g
        else:
            np.multiply(z, g, out=out)
            rest *= h
        out += rest

    def backward(self, run: Run, d_outputs: Array, d_finals: Arrays | None = None) -> Gradients:
        """Backpropagation through time. `d_outputs` (T, B, d), `d_finals` (B, d) by state."""
        given, h, gates, recurrent = run.saved
        p, x, alive = given.parameters, given.inputs, given.alive
        e, last = cotangents(run.outputs.shape, x.dtype, alive, given.states, d_outputs, d_finals)
        steps, batch, n = x.shape
        d = h.shape[1]
        r, z, g = gates[:, 0], gates[:, 1], gates[:, 2]
        _, slope = activation(self.candidate)
        before = self.reset == "before"
        # Where the reset gate acts after the product, the product's own gradient lies in front of the gates'.
        delta = np.empty((steps, 3 if before else 4, d, batch), x.dtype)
        dr, dz, dg = delta[:, -3], delta[:, -2], delta[:, -1]
        kept, write = (z, 1 - z) if self.update == "keep" else (1 - z, z)
        difference = h[:-1] - g if self.update == "keep" else g - h[:-1]
        np.multiply(difference, z, out=dz)
        dz *= 1 - z
        np.multiply(write, slope(g), out=dg)
        np.subtract(1, r, out=dr)
        dr *= r
        dr *= h[:-1] if before else recurrent
        columns = np.ascontiguousarray(e.transpose(0, 2, 1))
        dh = np.ascontiguousarray(last["h"].T)
        back = self._backward_before if before else self._backward_after
        dh = back(p, delta, columns, dh, kept, r, alive)
        flat, h_before = by_gate(delta), by_row(h[:-1])
        d_input = (flat[-3 * d :] @ x.reshape(steps * batch, n)).reshape(3, d, n)
        gradients = {"W_xr": d_input[0], "W_xz": d_input[1], "W_xg": d_input[2]}
        if before:
            d_gates = (flat[: 2 * d] @ h_before).reshape(2, d, d)
            d_candidate = flat[2 * d :] @ by_row(recurrent)
        else:
            products = (flat[: 3 * d] @ h_before).reshape(3, d, d)
            d_candidate, d_gates = products[0], products[1:]
        gradients |= {"W_hr": d_gates[0], "W_hz": d_gates[1], "W_hg": d_candidate}
        if self.bias:
            total = flat.sum(axis=1).reshape(delta.shape[1], d)
            gradients |= {"b_r": total[-3], "b_z": total[-2], "b_g": total[-1]}
            if not before:
                gradients["b_hg"] = total[0]
        input_weights = np.concatenate([p["W_xr"], p["W_xz"], p["W_xg"]])
        d_inputs = (flat[-3 * d :].T @ input_weights).reshape(steps, batch, n)
        return Gradients(d_inputs, {"h": np.ascontiguousarray(dh.T)}, gradients)

    def _backward_before(
        self,
        p: dict[str, Array],
        delta: Array,
        e: Array,
        dh: Array,
        kept: Array,
        r: Array,
        alive: NDArray[np.bool_] | None,
    ) -> Array:
        """`delta` (T, 3, d, B) comes with the slopes of the gates and leaves with their gradients; gives dh_0."""
        steps, _, d, batch = delta.shape
        gate_weights = np.concatenate([p["W_hr"], p["W_hz"]])
        to_candidate, to_gates = np.ascontiguousarray(p["W_hg"].T), np.ascontiguousarray(gate_weights.T)
        q, through = np.empty_like(dh), np.empty_like(dh)
        columns = delta.reshape(steps, 3 * d, batch)
        for t in reversed(range(steps)):
            after = dh.copy() if alive is not None else dh
            dr, dz, dg = delta[t]
            dh += e[t]
            if alive is not None:
                clear(alive, t, dh.T)
            dg *= dh
            dz *= dh
            np.matmul(to_candidate, dg, out=q)
            dr *= q
            np.matmul(to_gates, columns[t, : 2 * d], out=through)
            q *= r[t]
            dh *= kept[t]
            dh += q
            dh += through
            if alive is not None:
                freeze(alive, t, dh.T, after.T)
        return dh

    def _backward_after(
        self,
        p: dict[str, Array],
        delta: Array,
        e: Array,
        dh: Array,
        kept: Array,
        r: Array,
        alive: NDArray[np.bool_] | None,
    ) -> Array:
        """The same for `delta` (T, 4, d, B), whose first part becomes the gradient of the candidate's product."""
        steps, _, d, batch = delta.shape
        weights = np.concatenate([p["W_hg"], p["W_hr"], p["W_hz"]])
        dm, dr, dg = delta[:, 0], delta[:, 1], delta[:, 3]
        dr *= dg
        np.multiply(dg, r, out=dm)
        back, through = np.ascontiguousarray(weights.T), np.empty_like(dh)
        columns = delta.reshape(steps, 4 * d, batch)
        for t in reversed(range(steps)):
            after = dh.copy() if alive is not None else dh
            dh += e[t]
            if alive is not None:
                clear(alive, t, dh.T)
            delta[t] *= dh
            np.matmul(back, columns[t, : 3 * d], out=through)
            dh *= kept[t]
            dh += through
            if alive is not None:
                freeze(alive, t, dh.T, after.T)
        return dh
