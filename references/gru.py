"""The gated recurrent unit, in every form the documents print, and in the one that torch and cuDNN compute.

Sources: 001:280-329 and 003:848-854 (the update gate keeps), 000:150-195 and 004:53-127 (it writes), 003:788-797
(it writes, sigmoid candidate). All five apply the reset gate before the recurrent product; ``reset="after"``,
which no document prints, is what torch, cuDNN and Keras (reset_after) compute.

Dimension legend: T time steps, B batch rows, n input size, d hidden size. Gates: r reset, z update, g candidate,
stacked in that order behind the time axis: (T, 3, B, d).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references._base import Array, Arrays, Gradients, Run
from rnn_harness.references._stack import by_gate, by_step
from rnn_harness.references._validate import accept, clear, cotangents, expect_choice, freeze
from rnn_harness.references.activations import activation, sigmoid_slope, sigmoid_to


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
        steps, batch, n = x.shape
        apply, _ = activation(self.candidate)
        input_weights = np.stack([p[f"W_x{gate}"].T for gate in "rzg"])
        gates = by_step(x.reshape(steps * batch, n) @ input_weights, steps, batch)
        if self.bias:
            gates += np.stack([p["b_r"], p["b_z"], p["b_g"]])[:, None]
        h = np.empty((steps + 1, batch, d), x.dtype)
        h[0] = given.states["h"]
        recurrent = np.empty((steps, batch, d), x.dtype)
        with np.errstate(over="ignore"):
            if self.reset == "before":
                self._forward_before(p, gates, h, recurrent, apply, alive)
            else:
                self._forward_after(p, gates, h, recurrent, apply, alive)
        outputs = h[1:] if alive is None else np.where(alive[:, :, None], h[1:], 0)
        trace = {"reset_gate": gates[:, 0], "update_gate": gates[:, 1], "candidate": gates[:, 2]}
        trace["hidden_state"] = h[1:]
        return Run(outputs, {"h": h[-1].copy()}, trace, (given, h, gates, recurrent))

    def _forward_before(
        self,
        p: dict[str, Array],
        gates: Array,
        h: Array,
        reset_state: Array,
        apply: Callable[[Array, Array], None],
        alive: NDArray[np.bool_] | None,
    ) -> None:
        gate_weights = np.stack([p["W_hr"].T, p["W_hz"].T])
        for t in range(len(reset_state)):
            r, z, g = gates[t]
            gates[t, :2] += h[t] @ gate_weights
            sigmoid_to(gates[t, :2], gates[t, :2])
            np.multiply(r, h[t], out=reset_state[t])
            g += reset_state[t] @ p["W_hg"].T
            apply(g, g)
            self._mix(z, h[t], g, h[t + 1])
            freeze(alive, t, h[t + 1], h[t])

    def _forward_after(
        self,
        p: dict[str, Array],
        gates: Array,
        h: Array,
        product: Array,
        apply: Callable[[Array, Array], None],
        alive: NDArray[np.bool_] | None,
    ) -> None:
        weights = np.stack([p["W_hr"].T, p["W_hz"].T, p["W_hg"].T])
        for t in range(len(product)):
            r, z, g = gates[t]
            m = h[t] @ weights
            gates[t, :2] += m[:2]
            sigmoid_to(gates[t, :2], gates[t, :2])
            product[t] = m[2]
            if self.bias:
                product[t] += p["b_hg"]
            g += r * product[t]
            apply(g, g)
            self._mix(z, h[t], g, h[t + 1])
            freeze(alive, t, h[t + 1], h[t])

    def _mix(self, z: Array, h: Array, g: Array, out: Array) -> None:
        if self.update == "keep":
            np.multiply(z, h, out=out)
            out += (1 - z) * g
        else:
            np.multiply(z, g, out=out)
            out += (1 - z) * h

    def backward(self, run: Run, d_outputs: Array, d_finals: Arrays | None = None) -> Gradients:
        """Backpropagation through time. `d_outputs` (T, B, d), `d_finals` (B, d) by state."""
        given, h, gates, recurrent = run.saved
        p, x, alive = given.parameters, given.inputs, given.alive
        e, last = cotangents(run.outputs.shape, x.dtype, alive, given.states, d_outputs, d_finals)
        steps, batch, n = x.shape
        d = h.shape[2]
        r, z, g = gates[:, 0], gates[:, 1], gates[:, 2]
        _, slope = activation(self.candidate)
        before = self.reset == "before"
        keep, write = (z, 1 - z) if self.update == "keep" else (1 - z, z)
        difference = h[:-1] - g if self.update == "keep" else g - h[:-1]
        delta = np.empty_like(gates)
        delta[:, 0] = sigmoid_slope(r) * (h[:-1] if before else recurrent)
        delta[:, 1] = difference * sigmoid_slope(z)
        delta[:, 2] = write * slope(g)
        delta_m = np.empty_like(h[1:])
        gate_weights = np.stack([p["W_hr"], p["W_hz"]])
        dh = last["h"]
        for t in reversed(range(steps)):
            after = dh
            dr, dz, dg = delta[t]
            dh = e[t] + dh
            clear(alive, t, dh)
            dg *= dh
            dz *= dh
            if before:
                q = dg @ p["W_hg"]
                dr *= q
                through = q * r[t]
            else:
                dr *= dg
                np.multiply(dg, r[t], out=delta_m[t])
                through = delta_m[t] @ p["W_hg"]
            dh = dh * keep[t] + through + (delta[t, :2] @ gate_weights).sum(axis=0)
            freeze(alive, t, dh, after)
        flat = by_gate(delta)
        h_before = h[:-1].reshape(steps * batch, d)
        d_input = flat.transpose(0, 2, 1) @ x.reshape(steps * batch, n)
        d_gates = flat[:2].transpose(0, 2, 1) @ h_before
        if before:
            d_candidate = flat[2].T @ recurrent.reshape(steps * batch, d)
        else:
            d_candidate = delta_m.reshape(steps * batch, d).T @ h_before
        gradients = {"W_xr": d_input[0], "W_xz": d_input[1], "W_xg": d_input[2]}
        gradients |= {"W_hr": d_gates[0], "W_hz": d_gates[1], "W_hg": d_candidate}
        if self.bias:
            total = flat.sum(axis=1)
            gradients |= {"b_r": total[0], "b_z": total[1], "b_g": total[2]}
            if not before:
                gradients["b_hg"] = delta_m.sum(axis=(0, 1))
        input_weights = np.stack([p["W_xr"], p["W_xz"], p["W_xg"]])
        d_inputs = (flat @ input_weights).sum(axis=0).reshape(steps, batch, n)
        return Gradients(d_inputs, {"h": dh}, gradients)
