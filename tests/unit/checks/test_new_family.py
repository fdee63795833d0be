"""Adding a cell takes a spec and a reference: every check finds it; no property of another family is asked of it.

The cell is the minimal gated unit (Zhou et al. 2016): one gate, that forgets and writes.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.engine.runner import Runner
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.references import Gradients, Run
from rnn_harness.references.activations import sigmoid
from rnn_harness.references.arguments import accept_arguments, clear_ended, freeze_ended, output_gradients
from rnn_harness.specs import library, load_spec
from rnn_harness.subjects.subject import Subject

SPEC = r"""
id = "mgu"
title = "minimal gated unit"
inputs = { x = "n" }
states = { h = "d" }
parameters = { W_xf = "d n", W_hf = "d d", b_f = "d", W_xg = "d n", W_hg = "d d", b_g = "d" }

[reference]
name = "mgu"
states = { h = "h" }
trace = { h = "hidden_state", f = "forget_gate", g = "candidate" }
[reference.parameters]
W_xf = "W_xf"
W_hf = "W_hf"
b_f = "b_f"
W_xg = "W_xg"
W_hg = "W_hg"
b_g = "b_g"

[[equations]]
id = "N-001"
line = 1
printed = 'f_t = \sigma(W_{xf} x_t + W_{hf} h_{t-1} + b_f)'

[[equations]]
id = "N-002"
line = 2
printed = 'g_t = \tanh(W_{xg} x_t + W_{hg} (f_t \odot h_{t-1}) + b_g)'

[[equations]]
id = "N-003"
line = 3
printed = 'h_t = (1 - f_t) \odot h_{t-1} + f_t \odot g_t'
"""


class MinimalGatedUnit:
    """One gate, that forgets and writes."""

    name = "mgu"
    state_names = ("h",)

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        n, d = input_size, hidden_size
        return {"W_xf": (d, n), "W_hf": (d, d), "b_f": (d,), "W_xg": (d, n), "W_hg": (d, d), "b_g": (d,)}

    def forward(
        self,
        parameters: Mapping[str, Array],
        inputs: Array,
        states: Mapping[str, Array] | None = None,
        lengths: IndexArray | None = None,
    ) -> Run:
        given = accept_arguments(self, len(parameters["W_hf"]), parameters, inputs, states, lengths)
        p, h, rows = given.parameters, given.states["h"], []
        for t, x in enumerate(given.inputs):
            f = sigmoid(x @ p["W_xf"].T + h @ p["W_hf"].T + p["b_f"])
            g = np.tanh(x @ p["W_xg"].T + (f * h) @ p["W_hg"].T + p["b_g"])
            new = (1 - f) * h + f * g
            freeze_ended(given.alive, t, new, h)
            rows.append((h, f, g, new))
            h = new
        empty = np.zeros((0, *h.shape), h.dtype)
        old, f, g, new = (np.stack(part) for part in zip(*rows, strict=True)) if rows else (empty,) * 4
        outputs = new if given.alive is None else np.where(given.alive[:, :, None], new, 0)
        return Run(
            outputs, {"h": h.copy()}, {"hidden_state": new, "forget_gate": f, "candidate": g}, (given, old, f, g)
        )

    def backward(self, run: Run, d_outputs: Array, d_finals: Mapping[str, Array] | None = None) -> Gradients:
        given, old, f, g = run.saved
        p, x, alive = given.parameters, given.inputs, given.alive
        e, last = output_gradients(run.outputs.shape, x.dtype, alive, given.states, d_outputs, d_finals)
        found = {name: np.zeros_like(value) for name, value in p.items()}
        d_inputs, dh = np.zeros_like(x), last["h"]
        for t in reversed(range(len(x))):
            after, dh = dh, dh + e[t]
            a_g = dh * f[t] * (1 - g[t] ** 2)
            clear_ended(alive, t, a_g)
            dm = a_g @ p["W_hg"]
            a_f = (dh * (g[t] - old[t]) + dm * old[t]) * f[t] * (1 - f[t])
            clear_ended(alive, t, a_f)
            dh = dh * (1 - f[t]) + dm * f[t] + a_f @ p["W_hf"]
            freeze_ended(alive, t, dh, after)
            for letter, a, h in (("f", a_f, old[t]), ("g", a_g, f[t] * old[t])):
                found[f"W_x{letter}"] += a.T @ x[t]
                found[f"W_h{letter}"] += a.T @ h
                found[f"b_{letter}"] += a.sum(axis=0)
                d_inputs[t] += a @ p[f"W_x{letter}"]
        return Gradients(d_inputs, {"h": dh}, found)


class Hasty(MinimalGatedUnit):
    """Its gradient for the gate's bias is off by a tenth."""

    def backward(self, run: Run, d_outputs: Array, d_finals: Mapping[str, Array] | None = None) -> Gradients:
        found = super().backward(run, d_outputs, d_finals)
        found.parameters["b_f"] *= np.asarray(1.1, found.inputs.dtype)
        return found


def _judged(folder: Path, cell: MinimalGatedUnit, spec: str = SPEC) -> list[Record]:
    path = folder / "mgu.toml"
    path.write_text(spec)
    runner = Runner(Subject.of(load_spec(path, library().specs), cell))
    runner.run(seed=0, examples=3)
    return list(runner.results().records(0, shrink=False))


def test_a_right_cell_of_a_new_family_is_refuted_by_nothing(tmp_path: Path) -> None:
    found = _judged(tmp_path, MinimalGatedUnit())
    assert {r.check: r.reason for r in found if r.outcome is not Outcome.AGREES} == {}
    assert {r.check.partition(".")[0] for r in found} == {"forward", "backward", "metamorphic"}
    assert len(found) > 30


def test_a_symbol_without_a_place_in_the_trace_is_told(tmp_path: Path) -> None:
    spec = SPEC.replace(', g = "candidate"', "")
    (found,) = (r for r in _judged(tmp_path, MinimalGatedUnit(), spec) if r.outcome is not Outcome.AGREES)
    assert (found.check, found.outcome) == ("forward.equation", Outcome.NOT_RUN)
    assert found.reason == "trace in [reference] of mgu does not say what g is called in the run's trace"


@pytest.mark.parametrize("check", ["backward.screen", "backward.entries", "backward.bound", "backward.autograd"])
def test_a_wrong_one_is_refuted(check: str, tmp_path: Path) -> None:
    found = {r.check: r.outcome for r in _judged(tmp_path, Hasty())}
    assert found[check] is Outcome.REFUTED
    assert found["forward.sequence"] is Outcome.AGREES
