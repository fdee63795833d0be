"""NumPy cells without weights when they are made: a method makes them, or the first forward; right and wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_harness.array_types import Array


class KeepsItsStates:
    """One step a call: the states are kept in a list, and the weights come to be when the first input is seen."""

    def __init__(self, n_out: int) -> None:
        self.n_in: int | None = None
        self.n_out = n_out
        self.parameters: dict[str, Any] = {"Waa": None, "Wax": None, "ba": None}
        self.gradients: dict[str, Array] = {}
        self.is_initialized = False

    def _init_params(self) -> None:
        rng = np.random.default_rng(0)
        assert self.n_in is not None
        self.parameters = {
            "Waa": rng.standard_normal((self.n_out, self.n_out)) / 2,
            "Wax": rng.standard_normal((self.n_in, self.n_out)) / 2,
            "ba": np.zeros((self.n_out, 1)),
        }
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self.xs: list[Array] = []
        self.seen: dict[str, Any] = {"A": [], "current": 0, "waiting": None}
        self.is_initialized = True

    def forward(self, xt: Array) -> Array:
        if not self.is_initialized:
            self.n_in = xt.shape[1]
            self._init_params()
        states = self.seen["A"]
        if not states:
            states.append(np.zeros((len(xt), self.n_out)))
        self.seen["current"] += 1
        weights = self.parameters
        states.append(np.tanh(states[-1] @ weights["Waa"] + xt @ weights["Wax"] + weights["ba"].T))
        self.xs.append(xt)
        return states[-1]

    def backward(self, d_state: Array) -> Array:
        self.seen["current"] -= 1
        t, states = self.seen["current"], self.seen["A"]
        if self.seen["waiting"] is not None:
            d_state = d_state + self.seen["waiting"]
        dz = (1 - states[t + 1] ** 2) * d_state
        self.gradients["Waa"] += states[t].T @ dz
        self.gradients["Wax"] += self.xs[t].T @ dz
        self.gradients["ba"] += dz.sum(0, keepdims=True).T
        self.seen["waiting"] = self._to_state(dz)
        return dz @ self.parameters["Wax"].T

    def _to_state(self, dz: Array) -> Array:
        back: Array = dz @ self.parameters["Waa"].T
        return back


class TransposeForgotten(KeepsItsStates):
    """The gradient goes back through the weights as they are, and not transposed."""

    def _to_state(self, dz: Array) -> Array:
        back: Array = dz @ self.parameters["Waa"]
        return back


class MadeInForward:
    """A step whose first call makes the weights, in the lines of forward itself."""

    def __init__(self, n_units: int) -> None:
        self.n_units = n_units
        self.W: Any = None

    def forward(self, x: Array, h: Array) -> Array:
        if self.W is None:
            rng = np.random.default_rng(1)
            self.W = rng.standard_normal((x.shape[1], self.n_units)) / 2
            self.U = rng.standard_normal((self.n_units, self.n_units)) / 2
            self.b = np.zeros(self.n_units)
        state: Array = np.tanh(x @ self.W + h @ self.U + self.b)
        return state


class BuiltLater:
    """A step whose weights a method makes, which whoever uses it calls."""

    def __init__(self, units: int) -> None:
        self.units = units

    def build(self, input_size: int) -> None:
        rng = np.random.default_rng(2)
        self.W = rng.standard_normal((input_size, self.units)) / 2
        self.U = rng.standard_normal((self.units, self.units)) / 2
        self.b = np.zeros(self.units)

    def forward(self, x: Array, h: Array) -> Array:
        state: Array = np.tanh(x @ self.W + h @ self.U + self.b)
        return state


class HandedAnOptimiser:
    """A layer whose weights a method makes that is handed an optimiser, which backward has take a step."""

    def __init__(self, n_units: int, bptt_trunc: int = 5, input_shape: tuple[int, int] | None = None) -> None:
        self.n_units, self.bptt_trunc, self.input_shape = n_units, bptt_trunc, input_shape
        self.W: Any = None

    def initialize(self, optimizer: Any) -> None:
        assert self.input_shape is not None
        _, width = self.input_shape
        rng = np.random.default_rng(3)
        self.U = rng.uniform(-1, 1, (self.n_units, width)) / 2
        self.V = rng.uniform(-1, 1, (width, self.n_units)) / 2
        self.W = rng.uniform(-1, 1, (self.n_units, self.n_units)) / 2
        self.U_opt = self.V_opt = self.W_opt = optimizer

    def forward_pass(self, X: Array) -> Array:
        self.layer_input = X
        rows, steps, _ = X.shape
        self.states = np.zeros((rows, steps + 1, self.n_units))
        for t in range(steps):
            self.states[:, t] = np.tanh(X[:, t] @ self.U.T + self.states[:, t - 1] @ self.W.T)
        outputs: Array = self.states[:, :-1] @ self.V.T
        return outputs

    def backward_pass(self, accum_grad: Array) -> Array:
        steps = accum_grad.shape[1]
        d_input, waiting = np.zeros_like(self.layer_input), np.zeros_like(self.states[:, 0])
        d_u, d_v, d_w = np.zeros_like(self.U), np.zeros_like(self.V), np.zeros_like(self.W)
        for t in reversed(range(steps)):
            d_v += accum_grad[:, t].T @ self.states[:, t]
            now = accum_grad[:, t] @ self.V
            dz = (1 - self.states[:, t] ** 2) * (now + waiting)
            d_u += dz.T @ self.layer_input[:, t]
            d_w += dz.T @ self.states[:, t - 1]
            d_input[:, t] = self._to_input(dz, (1 - self.states[:, t] ** 2) * now)
            waiting = dz @ self.W
        self.U = self.U_opt.update(self.U, d_u)
        self.V = self.V_opt.update(self.V, d_v)
        self.W = self.W_opt.update(self.W, d_w)
        return d_input

    def _to_input(self, dz: Array, _without_later: Array) -> Array:
        back: Array = dz @ self.U
        return back


class InputWithoutFuture(HandedAnOptimiser):
    """The gradient of an input leaves out what its state does to later steps."""

    def _to_input(self, dz: Array, without_later: Array) -> Array:
        back: Array = without_later @ self.U
        return back
