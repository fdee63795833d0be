"""The steps of an LSTM, with or without forget gate, with the product of adjoints and Jacobian."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.step_jacobian import logistic_of_negative
from rnn_harness.references.lstm import LSTM


@dataclass(frozen=True)
class _Trace:
    """What one segment computed.

    Attributes:
        gates: Gates and candidate (S, G d), G of them.
        states: The states (S, 2 d), h before c.
        activated_cells: tanh of the cell states (S, d).
    """

    gates: Array
    states: Array
    activated_cells: Array


@dataclass(frozen=True)
class _Factors:
    """What adjoints are multiplied by, for every step of a segment.

    Attributes:
        from_cell: From the cell state to the arguments of the writing gates and the candidate (S, G - 1, d).
        from_hidden: From h to the argument of the output gate (S, d).
        hidden_to_cell: From h to the cell state (S, d).
        forget: From the cell state to the one before (S, d).
    """

    from_cell: Array
    from_hidden: Array
    hidden_to_cell: Array
    forget: Array


class LSTMSteps:
    """An LSTM without peepholes over segments of a sequence; its state is (h, c). See `CellSteps`."""

    def __init__(self, cell: LSTM, parameters: Mapping[str, Array]) -> None:
        """Take the weights of a cell, gates stacked in the order i, f, o, g.

        Args:
            cell: The cell; it says whether there is a forget gate.
            parameters: W_x* (d, n), W_h* (d, d) and, where there are, b_* (d,), for the gates i, f, o, g.
        """
        p = parameters
        self.hidden_size = d = len(p["W_hi"])
        self.state_size, self._forgets = 2 * d, cell.forget
        order = "ifog" if cell.forget else "iog"
        self._gate_count = len(order)
        signs = np.repeat([-1.0] * (self._gate_count - 1) + [1.0], d)
        self._input_weights = np.concatenate([p[f"W_x{gate}"] for gate in order]).T * signs
        self._bias = np.concatenate([p.get(f"b_{gate}", np.zeros(d)) for gate in order]) * signs
        self._recurrent = np.concatenate([p[f"W_h{gate}"] for gate in order])
        self._signed_recurrent = self._recurrent * signs[:, None]
        self._factors: _Factors | None = None

    def _trace(self, inputs: Array, state: Array) -> _Trace:
        d, steps, recurrent, last = self.hidden_size, len(inputs), self._signed_recurrent, self._gate_count - 1
        a = inputs @ self._input_weights + self._bias
        states, activated = np.empty((steps, 2 * d)), np.empty((steps, d))
        h, c = state[:d], state[d:]
        with np.errstate(over="ignore"):
            for row, new, q in zip(a, states, activated, strict=True):
                row += recurrent.dot(h)
                logistic_of_negative(row[: last * d])
                g = row[last * d :]
                np.tanh(g, out=g)
                now = new[d:]
                np.multiply(row[:d], g, out=now)
                now += row[d : 2 * d] * c if self._forgets else c
                np.tanh(now, out=q)
                h, c = new[:d], now
                np.multiply(row[(last - 1) * d : last * d], q, out=h)
        return _Trace(a, states, activated)

    def run(self, inputs: Array, state: Array) -> None:
        """Run over a segment (S, n) from a state (2 d,) and keep the factors of its Jacobians."""
        d, steps = self.hidden_size, len(inputs)
        trace = self._trace(inputs, state)
        q = trace.activated_cells
        before = np.concatenate([state[None, d:], trace.states[:-1, d:]])
        a = trace.gates.reshape(steps, self._gate_count, d)
        i, o, g = a[:, 0], a[:, -2], a[:, -1]
        f = a[:, 1] if self._forgets else np.ones_like(i)
        # The gates that write come first, then the candidate: all three from the adjoint of the cell state.
        rows = [g * i * (1 - i)] + ([before * f * (1 - f)] if self._forgets else []) + [i * (1 - g * g)]
        self._factors = _Factors(np.stack(rows, axis=1), q * o * (1 - o), o * (1 - q * q), np.array(f))

    def last_state(self, inputs: Array, state: Array) -> Array:
        """Return the state (2 d,) after a segment (S, n)."""
        last: Array = self._trace(inputs, state).states[-1].copy()
        return last

    def pull_back(self, t: int, adjoints: Array) -> Array:
        """Multiply adjoints (r, 2 d) by the Jacobian of step t."""
        assert self._factors is not None, "run comes first"
        d, count, factors = self.hidden_size, len(adjoints), self._factors
        dh = adjoints[:, :d]
        dc = dh * factors.hidden_to_cell[t]
        dc += adjoints[:, d:]
        arguments = np.empty((count, self._gate_count, d))
        np.multiply(dc[:, None], factors.from_cell[t], out=arguments[:, 1:])
        np.multiply(dh, factors.from_hidden[t], out=arguments[:, 0])
        before = np.empty_like(adjoints)
        before[:, :d] = arguments.reshape(count, -1).dot(self._output_gate_first)
        np.multiply(dc, factors.forget[t], out=before[:, d:])
        return before

    @functools.cached_property
    def _output_gate_first(self) -> Array:
        """Recurrent weights (G d, d) with the output gate's first."""
        blocks = self._recurrent.reshape(self._gate_count, self.hidden_size, self.hidden_size)
        order = [self._gate_count - 2, *range(self._gate_count - 2), self._gate_count - 1]
        return np.concatenate([blocks[k] for k in order])
