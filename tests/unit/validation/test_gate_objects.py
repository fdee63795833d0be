"""Cells in NumPy made of gate objects, each with its parameters in one dictionary and their gradients in another."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.records.validation import Validation
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation

GATES = """
import numpy as np
class Gate:
    def __init__(self, n, d, function, slope):
        shapes = {"W": (n, d), "U": (d, d), "b": (d,)}
        self.function, self.slope = function, slope
        self.p = {key: np.random.default_rng(n).standard_normal(shape) for key, shape in shapes.items()}
        self.g = {key: np.zeros(shape) for key, shape in shapes.items()}
    def forward(self, x, h):
        self.x, self.h = x, h
        self.y = self.function(x @ self.p["W"] + h @ self.p["U"] + self.p["b"])
        return self.y
    def backward(self, dy):
        da = dy * self.slope(self.y)
        self.g["W"] += self.x.T @ da
        self.g["U"] += self.h.T @ da
        self.g["b"] += da.sum(0)
        return da @ self.p["W"].T, da @ self.p["U"].T
def logistic(n, d):
    return Gate(n, d, lambda a: 1 / (1 + np.exp(-a)), lambda y: y * (1 - y))
def hyperbolic(n, d):
    return Gate(n, d, np.tanh, lambda y: 1 - y * y)
class LSTMCell:
    def __init__(self, n_in=3, n_hid=4):
        self.i, self.f, self.o = (logistic(n_in, n_hid) for _ in range(3))
        self.g = hyperbolic(n_in, n_hid)
    def forward(self, x, h, c):
        self.c_prev = c
        i, f, o, g = (gate.forward(x, h) for gate in (self.i, self.f, self.o, self.g))
        self.c = f * c + i * g
        return o * np.tanh(self.c), self.c
    def backward(self, dh, dc):
        t = np.tanh(self.c)
        dc = dc + dh * self.o.y * (1 - t * t)
        dx = dh_prev = 0.0
        slopes = dc * self.g.y, dc * self.c_prev, dh * t, dc * self.i.y
        for gate, dy in zip((self.i, self.f, self.o, self.g), slopes):
            a, b = gate.backward(dy)
            dx, dh_prev = dx + a, dh_prev + b
        return dx, dh_prev, dc * self.f.y
class GRUCell:
    def __init__(self, n_in=3, n_hid=4):
        self.update, self.reset, self.candidate = logistic(n_in, n_hid), logistic(n_in, n_hid), hyperbolic(n_in, n_hid)
    def forward(self, x, h):
        z, r = self.update.forward(x, h), self.reset.forward(x, h)
        return (1 - z) * h + z * self.candidate.forward(x, r * h)
"""


def _validate(folder: Path, text: str, name: str) -> Validation:
    file = folder / "gates.py"
    file.write_text(text)
    request = ValidationRequest(dtypes=("float64",), examples=0)
    return collect_validation(name, run_validation(load_target(f"{file}:{name}"), request))


def test_the_gradients_of_a_gate_called_g_are_told_from_a_gate_of_that_name(tmp_path: Path) -> None:
    validation = _validate(tmp_path, GATES, "LSTMCell")
    assert validation.outcome == "agrees"
    assert validation.has_decided_gradients


def test_a_wrong_gradient_beside_its_parameter_is_named(tmp_path: Path) -> None:
    validation = _validate(tmp_path, GATES.replace("dc * self.c_prev", "dc * self.c"), "LSTMCell")
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert validation.diagnosis.part == "backward: gradients of the forget gate"


@pytest.mark.parametrize("first", ["zeros", "ones"])
def test_arrays_beside_the_parameters_are_no_gates_that_a_cell_forgets(tmp_path: Path, first: str) -> None:
    validation = _validate(tmp_path, GATES.replace("np.zeros(shape)", f"np.{first}(shape)"), "GRUCell")
    assert validation.outcome == "agrees", str(validation)
