"""One step of a cell and what it does to adjoints, fast: for products of a million Jacobians.

Adjoints are the rows of a matrix (r, s), s the size of the whole state: d, or 2 d for (h, c). `pull` multiplies them by
the Jacobian of one step, ``d s_t / d s_{t-1}`` (ledger of the documents, one-step Jacobians).

Dimension legend: S steps of a segment, r adjoints, n input size, d hidden size.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN
from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.references import Reference

SAMPLED = 6
"""Steps whose Jacobians are held against the reference's."""


class Tangent(Protocol):
    """A cell over segments of a sequence. `size`: of its state."""

    size: int

    def run(self, inputs: Array, state: Array) -> None:
        """Over a segment (S, n) from a state (s,); what `pull` needs is kept."""

    def last(self, inputs: Array, state: Array) -> Array:
        """The state (s,) after the segment; nothing is kept."""

    def pull(self, t: int, adjoints: Array) -> Array:
        """Adjoints (r, s) of the state before step t of the last `run`."""


class _Plain:
    """A simple RNN."""

    def __init__(self, cell: Any, parameters: Mapping[str, Array]) -> None:
        self.tanh = cell.activation == "tanh"
        # A sigmoid's argument has its sign turned, here and below: exp takes it as it is.
        sign = 1.0 if self.tanh else -1.0
        self.weights, self.recurrent = parameters["W_x"].T * sign, parameters["W_h"]
        self.forward, self.bias = self.recurrent * sign, parameters.get("b", 0.0) * sign
        self.size = len(self.recurrent)
        self.slopes = np.empty(0)

    def _states(self, inputs: Array, state: Array) -> Array:
        a: Array = inputs @ self.weights + self.bias
        with np.errstate(over="ignore"):
            for row in a:
                row += self.forward.dot(state)
                if self.tanh:
                    np.tanh(row, out=row)
                else:
                    _logistic(row)
                state = row
        return a

    def run(self, inputs: Array, state: Array) -> None:
        a = self._states(inputs, state)
        self.slopes = 1 - a * a if self.tanh else a * (1 - a)

    def last(self, inputs: Array, state: Array) -> Array:
        found: Array = self._states(inputs, state)[-1].copy()
        return found

    def pull(self, t: int, adjoints: Array) -> Array:
        found: Array = (adjoints * self.slopes[t]).dot(self.recurrent)
        return found


def _logistic(negative: Array) -> None:
    """1 / (1 + exp(-a)) in the place of -a; where exp overflows the result is 0, as it should be."""
    np.exp(negative, out=negative)
    negative += 1
    np.reciprocal(negative, out=negative)


class _Gated:
    """A GRU, reset before or after, keep or write."""

    def __init__(self, cell: Any, parameters: Mapping[str, Array]) -> None:
        p = parameters
        self.after, self.keep = cell.reset == "after", cell.update == "keep"
        self.size = d = len(p["W_hr"])
        signs = np.repeat([-1.0, -1.0, 1.0], d)
        self.weights = np.concatenate([p[f"W_x{gate}"] for gate in "rzg"]).T * signs
        self.bias = np.concatenate([p.get(f"b_{gate}", np.zeros(d)) for gate in "rzg"]) * signs
        self.inner = p.get("b_hg", np.zeros(d))
        self.recurrent = np.concatenate([p[f"W_h{gate}"] for gate in "rzg"])
        self.forward = self.recurrent * signs[:, None]
        self.kept: tuple[Array, ...] = ()

    def _states(self, inputs: Array, state: Array) -> tuple[Array, Array, Array]:
        """(gates and candidate (S, 3 d), states (S, d), recurrent products of the candidate (S, d))."""
        d, steps, forward = self.size, len(inputs), self.forward
        gates, own = forward[: 2 * d], forward[2 * d :]
        a = inputs @ self.weights + self.bias
        states, products = np.empty((steps, d)), np.empty((steps, d))
        with np.errstate(over="ignore"):
            for row, new, product in zip(a, states, products, strict=True):
                both, g = row[: 2 * d], row[2 * d :]
                if self.after:
                    m = forward.dot(state)
                    both += m[: 2 * d]
                    _logistic(both)
                    np.add(m[2 * d :], self.inner, out=product)
                    g += both[:d] * product
                else:
                    both += gates.dot(state)
                    _logistic(both)
                    g += own.dot(both[:d] * state)
                np.tanh(g, out=g)
                first, second = (state, g) if self.keep else (g, state)
                np.subtract(first, second, out=new)
                new *= both[d:]
                new += second
                state = new
        return a, states, products

    def run(self, inputs: Array, state: Array) -> None:
        d = self.size
        a, states, products = self._states(inputs, state)
        before = np.concatenate([state[None], states[:-1]])
        r, z, g = a[:, :d], a[:, d : 2 * d], a[:, 2 * d :]
        keep, write = (z, 1 - z) if self.keep else (1 - z, z)
        into = write * (1 - g * g)
        update = (before - g if self.keep else g - before) * z * (1 - z)
        reset = (products if self.after else before) * r * (1 - r)
        # Through the reset-after product all three come from the adjoint by a factor each.
        factors = np.stack([into * reset, update, into * r], axis=1) if self.after else np.empty(0)
        self.kept = (keep.copy(), into, update, reset, r.copy(), factors)

    def last(self, inputs: Array, state: Array) -> Array:
        found: Array = self._states(inputs, state)[1][-1].copy()
        return found

    def pull(self, t: int, adjoints: Array) -> Array:
        d = self.size
        keep, into, update, reset, r, factors = self.kept
        if self.after:
            inner = (adjoints[:, None] * factors[t]).reshape(len(adjoints), 3 * d)
            found: Array = inner.dot(self.recurrent)
            found += adjoints * keep[t]
            return found
        dq = (adjoints * into[t]).dot(self.recurrent[2 * d :])
        both = np.concatenate([dq * reset[t], adjoints * update[t]], axis=1)
        before: Array = adjoints * keep[t] + dq * r[t] + both.dot(self.recurrent[: 2 * d])
        return before


class _Memory:
    """An LSTM, with or without forget gate; the state is (h, c)."""

    def __init__(self, cell: Any, parameters: Mapping[str, Array]) -> None:
        p = parameters
        self.d = d = len(p["W_hi"])
        self.size, self.forget = 2 * d, cell.forget
        order = "ifog" if cell.forget else "iog"
        self.gates = len(order)
        signs = np.repeat([-1.0] * (self.gates - 1) + [1.0], d)
        self.weights = np.concatenate([p[f"W_x{gate}"] for gate in order]).T * signs
        self.bias = np.concatenate([p.get(f"b_{gate}", np.zeros(d)) for gate in order]) * signs
        self.recurrent = np.concatenate([p[f"W_h{gate}"] for gate in order])
        self.forward = self.recurrent * signs[:, None]
        self.kept: tuple[Array, ...] = ()

    def _states(self, inputs: Array, state: Array) -> tuple[Array, Array, Array]:
        """(gates and candidate (S, G d), states (S, 2 d), shown cell states (S, d))."""
        d, steps, forward, last = self.d, len(inputs), self.forward, self.gates - 1
        a = inputs @ self.weights + self.bias
        states, shown = np.empty((steps, 2 * d)), np.empty((steps, d))
        h, c = state[:d], state[d:]
        with np.errstate(over="ignore"):
            for row, new, q in zip(a, states, shown, strict=True):
                row += forward.dot(h)
                _logistic(row[: last * d])
                g = row[last * d :]
                np.tanh(g, out=g)
                now = new[d:]
                np.multiply(row[:d], g, out=now)
                now += row[d : 2 * d] * c if self.forget else c
                np.tanh(now, out=q)
                h, c = new[:d], now
                np.multiply(row[(last - 1) * d : last * d], q, out=h)
        return a, states, shown

    def run(self, inputs: Array, state: Array) -> None:
        d, steps = self.d, len(inputs)
        a, states, shown = self._states(inputs, state)
        before = np.concatenate([state[None, d:], states[:-1, d:]])
        a = a.reshape(steps, self.gates, d)
        i, o, g = a[:, 0], a[:, -2], a[:, -1]
        f = a[:, 1] if self.forget else np.ones_like(i)
        # The gates that write come first, then the candidate: all three from the adjoint of the cell state.
        rows = [g * i * (1 - i)] + ([before * f * (1 - f)] if self.forget else []) + [i * (1 - g * g)]
        self.kept = (np.stack(rows, axis=1), shown * o * (1 - o), o * (1 - shown * shown), np.array(f))

    def last(self, inputs: Array, state: Array) -> Array:
        found: Array = self._states(inputs, state)[1][-1].copy()
        return found

    def pull(self, t: int, adjoints: Array) -> Array:
        d, count = self.d, len(adjoints)
        gates, from_output, into_cell, f = self.kept
        dh = adjoints[:, :d]
        dc = dh * into_cell[t]
        dc += adjoints[:, d:]
        inner = np.empty((count, self.gates, d))
        np.multiply(dc[:, None], gates[t], out=inner[:, 1:])
        np.multiply(dh, from_output[t], out=inner[:, 0])
        found = np.empty_like(adjoints)
        found[:, :d] = inner.reshape(count, -1).dot(self._turned)
        np.multiply(dc, f[t], out=found[:, d:])
        return found

    @functools.cached_property
    def _turned(self) -> Array:
        """Recurrent weights with the output gate's first."""
        blocks = self.recurrent.reshape(self.gates, self.d, self.d)
        order = [self.gates - 2, *range(self.gates - 2), self.gates - 1]
        return np.concatenate([blocks[k] for k in order])


def jacobians_agree(cell: Reference, parameters: Mapping[str, Array], n: int, seed: int, scale: float) -> bool:
    """Whether the steps of a sample pull a random adjoint as one step of the reference's own backward does."""
    own, rng = tangent(cell, parameters), np.random.default_rng([seed, 7])
    inputs = rng.standard_normal((SAMPLED, n)) * scale
    d = own.size // len(cell.state_names)
    run = cell.forward(parameters, inputs[:, None])
    states = {name: run.trace[f"{'hidden' if name == 'h' else 'cell'}_state"][:, 0] for name in cell.state_names}
    own.run(inputs, np.zeros(own.size))
    for t in range(1, SAMPLED):
        adjoint = rng.standard_normal((1, own.size))
        before = {name: value[t - 1 : t] for name, value in states.items()}
        finals = {name: adjoint[:, k * d : (k + 1) * d] for k, name in enumerate(cell.state_names)}
        step = cell.forward(parameters, inputs[t : t + 1, None], before)
        found = cell.backward(step, np.zeros((1, 1, d)), finals).states
        expected = np.concatenate([found[name] for name in cell.state_names], axis=1)
        if np.abs(own.pull(t, adjoint) - expected).max() > SCREEN * np.abs(expected).max():
            return False
    return True


def step_bound(cell: Reference, parameters: Mapping[str, Array]) -> float:
    """What the norm of one step's Jacobian cannot exceed, from the singular values of the recurrent weights alone.

    For the LSTM that of d c_t / d c_{t-1} along the cell state, which is the forget gate: 1.
    """
    made: Any = cell

    def largest(name: str) -> float:
        return float(np.linalg.norm(parameters[name], 2))

    if cell.name == "rnn":
        return largest("W_h") * (1.0 if made.activation == "tanh" else 0.25)
    if cell.name == "gru":
        # For |h| <= 1: the state, half the update gate's weights, the candidate's through the reset gate's.
        inner = 1 + largest("W_hr") / 4 if made.reset == "before" else 1.0
        reached = 0.0 if made.reset == "before" else _inner_bound(parameters) * largest("W_hr") / 4
        return 1 + largest("W_hz") / 2 + largest("W_hg") * inner + reached
    return 1.0


def _inner_bound(parameters: Mapping[str, Array]) -> float:
    """The largest entry of W_hg h + b_hg for |h| <= 1."""
    rows = np.abs(parameters["W_hg"]).sum(axis=1)
    return float((rows + np.abs(parameters.get("b_hg", 0.0))).max())


def tangent(cell: Reference, parameters: Mapping[str, Array]) -> Tangent:
    """The fast form of a reference. Raises UsageError for one that has none."""
    made: Any = cell
    if cell.name == "rnn":
        return _Plain(made, parameters)
    if cell.name == "gru" and made.candidate == "tanh":
        return _Gated(made, parameters)
    if cell.name == "lstm" and (made.candidate, made.output, made.peephole) == ("tanh", "tanh", None):
        return _Memory(made, parameters)
    raise UsageError(f"the decay of {cell.name} in this variant is not measured: tanh cells without peepholes are")
