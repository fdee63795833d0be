"""The steps of a GRU, reset before or after the product, with the product of adjoints and Jacobian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.step_jacobian import logistic_of_negative
from rnn_harness.references.gru import GRU


@dataclass(frozen=True)
class _Trace:
    """What one segment computed.

    Attributes:
        gates: Reset gate, update gate and candidate (S, 3 d).
        states: The states (S, d).
        products: The candidate's recurrent products (S, d), of a cell that resets after.
    """

    gates: Array
    states: Array
    products: Array


@dataclass(frozen=True)
class _Factors:
    """What adjoints are multiplied by, for every step of a segment (S, d each).

    Attributes:
        through_state: From the new state to the old one, directly.
        into_candidate: From the new state to the argument of the candidate.
        update: From the new state to the argument of the update gate.
        reset: From the product of the reset gate to the argument of the reset gate.
        reset_gate: The reset gate itself.
        stacked: All three of a cell that resets after (S, 3, d), else empty.
    """

    through_state: Array
    into_candidate: Array
    update: Array
    reset: Array
    reset_gate: Array
    stacked: Array


class GRUSteps:
    """A GRU with tanh candidate over segments of a sequence, whatever its update and reset; see `CellSteps`."""

    def __init__(self, cell: GRU, parameters: Mapping[str, Array]) -> None:
        """Take the weights of a cell, gates stacked in the order r, z, g.

        Args:
            cell: The cell; it says whether the reset comes after the product and whether the update gate keeps.
            parameters: W_x* (d, n), W_h* (d, d) and, where there are, b_* (d,), for the gates r, z, g, and b_hg (d,).
        """
        p = parameters
        self._resets_after, self._keeps = cell.reset == "after", cell.update == "keep"
        self.hidden_size = self.state_size = d = len(p["W_hr"])
        signs = np.repeat([-1.0, -1.0, 1.0], d)
        self._input_weights = np.concatenate([p[f"W_x{gate}"] for gate in "rzg"]).T * signs
        self._bias = np.concatenate([p.get(f"b_{gate}", np.zeros(d)) for gate in "rzg"]) * signs
        self._product_bias = p.get("b_hg", np.zeros(d))
        self._recurrent = np.concatenate([p[f"W_h{gate}"] for gate in "rzg"])
        self._signed_recurrent = self._recurrent * signs[:, None]
        self._factors: _Factors | None = None

    def _trace(self, inputs: Array, state: Array) -> _Trace:
        d, steps, recurrent = self.hidden_size, len(inputs), self._signed_recurrent
        for_gates, for_candidate = recurrent[: 2 * d], recurrent[2 * d :]
        a = inputs @ self._input_weights + self._bias
        states, products = np.empty((steps, d)), np.empty((steps, d))
        with np.errstate(over="ignore"):
            for row, new, product in zip(a, states, products, strict=True):
                gates, g = row[: 2 * d], row[2 * d :]
                if self._resets_after:
                    m = recurrent.dot(state)
                    gates += m[: 2 * d]
                    logistic_of_negative(gates)
                    np.add(m[2 * d :], self._product_bias, out=product)
                    g += gates[:d] * product
                else:
                    gates += for_gates.dot(state)
                    logistic_of_negative(gates)
                    g += for_candidate.dot(gates[:d] * state)
                np.tanh(g, out=g)
                first, second = (state, g) if self._keeps else (g, state)
                np.subtract(first, second, out=new)
                new *= gates[d:]
                new += second
                state = new
        return _Trace(a, states, products)

    def run(self, inputs: Array, state: Array) -> None:
        """Run over a segment (S, n) from a state (d,) and keep the factors of its Jacobians."""
        d = self.hidden_size
        trace = self._trace(inputs, state)
        a = trace.gates
        before = np.concatenate([state[None], trace.states[:-1]])
        r, z, g = a[:, :d], a[:, d : 2 * d], a[:, 2 * d :]
        through_state, write = (z, 1 - z) if self._keeps else (1 - z, z)
        into = write * (1 - g * g)
        update = (before - g if self._keeps else g - before) * z * (1 - z)
        reset = (trace.products if self._resets_after else before) * r * (1 - r)
        # Through the reset-after product all three come from the adjoint by a factor each.
        stacked = np.stack([into * reset, update, into * r], axis=1) if self._resets_after else np.empty(0)
        self._factors = _Factors(through_state.copy(), into, update, reset, r.copy(), stacked)

    def last_state(self, inputs: Array, state: Array) -> Array:
        """Return the state (d,) after a segment (S, n)."""
        last: Array = self._trace(inputs, state).states[-1].copy()
        return last

    def pull_back(self, t: int, adjoints: Array) -> Array:
        """Multiply adjoints (r, d) by the Jacobian of step t."""
        assert self._factors is not None, "run comes first"
        d, factors = self.hidden_size, self._factors
        if self._resets_after:
            arguments = (adjoints[:, None] * factors.stacked[t]).reshape(len(adjoints), 3 * d)
            pulled: Array = arguments.dot(self._recurrent)
            pulled += adjoints * factors.through_state[t]
            return pulled
        product = (adjoints * factors.into_candidate[t]).dot(self._recurrent[2 * d :])
        gates = np.concatenate([product * factors.reset[t], adjoints * factors.update[t]], axis=1)
        before: Array = (
            adjoints * factors.through_state[t] + product * factors.reset_gate[t] + gates.dot(self._recurrent[: 2 * d])
        )
        return before
