"""Relations of limits and bounds: open and closed gates, reductions to simpler cells, ranges (M-12, M-15 to M-28, M-42)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.checks._check import Finding
from rnn_harness.checks._relation import (
    changed,
    close,
    control,
    equal,
    option,
    output_radii,
    recurrent,
    relation,
)
from rnn_harness.references import get, sigmoid
from rnn_harness.subjects import Subject
from rnn_harness.trial import Trial

Array = NDArray[Any]
_OPEN = 1024.0
"""A bias that closes or opens a gate exactly in every dtype here: exp(-1024 + anything small) is below float64."""


def _is(*names: str) -> Any:
    return lambda s: recurrent(s) and s.cell.name in names and not s.output and bool(option(s, "bias", True))


def _set_bias(trial: Trial, **biases: float) -> dict[str, Array]:
    """Parameters with gate biases replaced and that gate's weights set to zero."""
    rows = dict(trial.drawn.parameters)
    for gate, value in biases.items():
        for name in rows:
            if name.startswith("W_") and name.endswith(gate):
                rows[name] = np.zeros_like(rows[name])
        rows[f"b_{gate}"] = np.full_like(rows[f"b_{gate}"], value)
    return rows


def _zero_fixed_point(trial: Trial) -> Iterator[Finding]:
    """Without bias, input and state nothing moves; with a sigmoid candidate or state it does (M-12 and control)."""
    rows = {k: np.zeros_like(v) if k.startswith("b") else v for k, v in trial.drawn.parameters.items()}
    zero = {name: np.zeros_like(state) for name, state in trial.drawn.states.items()}
    run = trial.subject.forward(rows, np.zeros_like(trial.drawn.inputs), zero)
    kinds = {option(trial.subject, name, "tanh") for name in ("candidate", "output", "activation")}
    if trial.subject.output:
        run = trial.subject.cell.forward(
            {k: v for k, v in rows.items() if not k.endswith("_y")}, np.zeros_like(trial.drawn.inputs), zero
        )
    if kinds == {"tanh"}:
        yield equal(trial, "M-12 zero stays zero", run.outputs, np.zeros_like(run.outputs))
    else:
        moved = bool(run.outputs.min() > 0)
        yield Finding(trial.subject.spec.id, moved, "" if moved else "M-12 a sigmoid leaves zero where it is")


def _keep(trial: Trial) -> Iterator[Finding]:
    """The update gate shut against the candidate: the state is copied (M-16)."""
    sign = 1 if option(trial.subject, "update") == "keep" else -1
    run = trial.subject.forward(_set_bias(trial, z=sign * _OPEN), trial.drawn.inputs, trial.drawn.states)
    yield equal(trial, "M-16 an open keep copies the state", run.finals["h"], trial.drawn.states["h"])


def _write(trial: Trial) -> Iterator[Finding]:
    """Everything written, reset open: a simple RNN of the candidate's parameters (M-17)."""
    subject, d = trial.subject, trial.drawn
    sign = -1 if option(subject, "update") == "keep" else 1
    rows = _set_bias(trial, z=sign * _OPEN, r=_OPEN)
    run = subject.forward(rows, d.inputs, d.states)
    bias = rows["b_g"] + (rows["b_hg"] if "b_hg" in rows else 0)
    rnn = get("rnn", activation=option(subject, "candidate"))
    simple = rnn.forward({"W_x": rows["W_xg"], "W_h": rows["W_hg"], "b": bias}, d.inputs, {"h": d.states["h"]})
    other = changed(trial, parameters=rows)
    yield close(trial, "M-17 a GRU that always writes is an RNN", run.outputs, simple.outputs, 4 * output_radii(other))


def _copy(trial: Trial) -> Iterator[Finding]:
    """Forget gate open, input gate shut: the cell state is copied (M-15)."""
    gates = {"f": _OPEN, "i": -_OPEN} if option(trial.subject, "forget") else {"i": -_OPEN}
    run = trial.subject.forward(_set_bias(trial, **gates), trial.drawn.inputs, trial.drawn.states)
    yield equal(trial, "M-15 the cell state is copied", run.finals["c"], trial.drawn.states["c"])


def _tanh_tanh(trial: Trial) -> Iterator[Finding]:
    """f = 0, i = 1, o = 1: not a simple RNN, but output(candidate(.)) of one (M-18)."""
    subject, d = trial.subject, trial.drawn
    rows = _set_bias(trial, f=-_OPEN, i=_OPEN, o=_OPEN)
    other = changed(trial, parameters=rows)
    h = d.states["h"]
    expected = []
    squash = {"tanh": np.tanh, "sigmoid": sigmoid}
    for x in d.inputs:
        inner = squash[option(subject, "candidate")](x @ rows["W_xg"].T + h @ rows["W_hg"].T + rows["b_g"])
        h = squash[option(subject, "output")](inner)
        expected.append(h)
    limit = 4 * output_radii(other)
    yield close(trial, "M-18 a transparent LSTM", other.run.outputs, np.stack(expected), limit)


def _no_peepholes(trial: Trial) -> Iterator[Finding]:
    """Peepholes of zero: the LSTM without them (M-19)."""
    d, subject = trial.drawn, trial.subject
    rows = {k: np.zeros_like(v) if k.startswith("W_c") else v for k, v in d.parameters.items()}
    cell = get("lstm", candidate=option(subject, "candidate"), output=option(subject, "output"))
    bare = cell.forward({k: v for k, v in rows.items() if not k.startswith("W_c")}, d.inputs, d.states)
    other = changed(trial, parameters=rows)
    yield close(trial, "M-19 peepholes of zero", other.run.outputs, bare.outputs, 2 * output_radii(other))


def _duality(trial: Trial) -> Iterator[Finding]:
    """Keep with the update gate's parameters negated is write (M-22)."""
    d, subject = trial.drawn, trial.subject
    rows = {k: -v if k in ("W_xz", "W_hz", "b_z") else v for k, v in d.parameters.items()}
    twin = get(
        "gru",
        update="write" if option(subject, "update") == "keep" else "keep",
        reset=option(subject, "reset"),
        candidate=option(subject, "candidate"),
        bias=option(subject, "bias"),
    )
    # Each step from the subject's own state, so that roundings are not carried on.
    before = np.concatenate([d.states["h"][None], trial.run.outputs[:-1]])
    steps = trial.case.T * trial.case.B
    one = twin.forward(rows, d.inputs.reshape(1, steps, -1), {"h": before.reshape(steps, -1)})
    # 1 - sigma(-a) loses what sigma(a) keeps: a rounding of 1, times the values it weighs.
    limit = 2 * output_radii(trial) + 8 * np.spacing(d.inputs.dtype.type(1)) * max(1.0, float(np.abs(before).max()))
    yield close(trial, "M-22 keep and write are one function", one.outputs.reshape(before.shape), trial.run.outputs, limit)


def _reset_place(trial: Trial) -> Iterator[Finding]:
    """Before or after the product: equal when W_hg is diagonal, different in general (M-25 and control)."""
    d, subject = trial.drawn, trial.subject
    options = {"update": option(subject, "update"), "candidate": option(subject, "candidate")}
    before = option(subject, "reset") == "before"
    twin = get("gru", reset="after" if before else "before", bias=option(subject, "bias"), **options)

    def twinned(rows: dict[str, Array]) -> Array:
        rows = {k: v for k, v in rows.items() if k != "b_hg"}
        if before and option(subject, "bias"):
            rows["b_hg"] = np.zeros_like(rows["b_g"])
        return twin.forward(rows, d.inputs, d.states).outputs

    rows = {**d.parameters, "W_hg": np.diag(np.diag(d.parameters["W_hg"]))}
    if "b_hg" in rows:
        rows["b_hg"] = np.zeros_like(rows["b_hg"])
    other = changed(trial, parameters=rows)
    yield close(trial, "M-25 a diagonal W_hg", twinned(rows), other.run.outputs, 2 * output_radii(other))
    if trial.case.d > 1:
        gap = float(np.abs(twinned(d.parameters) - trial.run.outputs).max())
        yield from control(trial, gap, 2 * float(output_radii(trial).max()))


def _conjugacy(trial: Trial) -> Iterator[Finding]:
    """A sigmoid RNN is a tanh RNN in q = 2 s - 1: W/2, U/4, (b + U 1/2)/2 (M-26)."""
    d = trial.drawn
    u = d.parameters["W_h"].astype(np.float64)
    b = d.parameters.get("b", np.zeros(len(u))).astype(np.float64)
    rows = {"W_x": d.parameters["W_x"].astype(np.float64) / 2, "W_h": u / 4, "b": (b + u.sum(axis=1) / 2) / 2}
    start = {"h": 2 * d.states["h"].astype(np.float64) - 1}
    q = get("rnn", activation="tanh").forward(rows, d.inputs.astype(np.float64), start).outputs
    own = trial.subject.cell.forward(
        {k: v for k, v in d.parameters.items() if not k.endswith("_y")}, d.inputs, d.states
    ).outputs
    name = trial.program.states[0].name
    balls = np.array([[float(ball.rad()) for ball in step[name].flat] for step in trial.balls.steps])
    # (1 + q) / 2 cancels where the sigmoid is near 0: a few roundings of 1, grown by the recurrence.
    grown = 8 * np.spacing(1.0) * (1 + np.abs(u).sum(axis=1).max() / 4) ** trial.case.T
    yield close(trial, "M-26 sigmoid and tanh", own, (1 + q) / 2, 4 * balls.reshape(own.shape) + grown)


def _ranges(trial: Trial) -> Iterator[Finding]:
    """Values stay where the activations put them; a GRU state lies between the old one and the candidate (M-27)."""
    trace, entry = trial.run.trace, trial.subject.spec.id
    for name, value in trace.items():
        kind = name.split(".")[-1]
        low = 0.0 if kind.endswith("_gate") else -1.0
        if kind.endswith("_gate") or (kind == "candidate"):
            inside = bool((value >= low).all() and (value <= 1).all())
            yield Finding(entry, inside, "" if inside else f"M-27 {name} leaves [{low:g}, 1]")
    if trial.subject.cell.name == "gru" and "hidden_state" in trace:
        before = np.concatenate([trial.drawn.states["h"][None], trace["hidden_state"][:-1]])
        low_, high = np.minimum(before, trace["candidate"]), np.maximum(before, trace["candidate"])
        slack = 4 * np.spacing(np.maximum(np.abs(low_), np.abs(high)))
        inside = bool(((trace["hidden_state"] >= low_ - slack) & (trace["hidden_state"] <= high + slack)).all())
        yield Finding(entry, inside, "" if inside else "M-27 the state leaves the interval of old state and candidate")
    if trial.subject.cell.name == "lstm":
        c0 = np.abs(trial.drawn.states["c"])
        limit = c0[None] + np.arange(1, trial.case.T + 1)[:, None, None]
        inside = bool((np.abs(trace["cell_state"]) <= limit * (1 + np.spacing(trial.drawn.inputs.dtype.type(8)))).all())
        yield Finding(entry, inside, "" if inside else "M-27 the cell state grows by more than 1 a step")


def _monotone(trial: Trial) -> Iterator[Finding]:
    """Sigmoid candidate, no forget gate: the cell state never falls (M-28)."""
    c = np.concatenate([trial.drawn.states["c"][None], trial.run.trace["cell_state"]])
    rising = bool((np.diff(c, axis=0) >= 0).all())
    yield Finding(trial.subject.spec.id, rising, "" if rising else "M-28 the cell state falls")


def _jacobian_bound(trial: Trial) -> Iterator[Finding]:
    """The gradient shrinks at least by the activation's steepest slope times the largest singular value (M-42)."""
    d, steps = trial.drawn, trial.case.T
    zero = np.zeros_like(d.d_outputs)
    found = trial.subject.backward(trial.run, zero, d.d_finals).states["h"].astype(np.float64)
    slope = 1.0 if option(trial.subject, "activation") == "tanh" else 0.25
    factor = slope * np.linalg.norm(d.parameters["W_h"].astype(np.float64), 2)
    start = np.linalg.norm(d.d_finals["h"].astype(np.float64), axis=1)
    slack = float(np.abs(output_radii(trial)).max()) * trial.case.d * (1 + factor) ** steps * steps * start.max()
    limit = factor**steps * start * (1 + 2.0**-16) + slack
    inside = bool((np.linalg.norm(found, axis=1) <= limit).all())
    yield Finding(trial.subject.spec.id, inside, "" if inside else "M-42 the gradient exceeds its singular value bound")


CHECKS = (
    relation("M-12 zero fixed point", lambda s: recurrent(s) and s.cell.name != "feedforward", _zero_fixed_point),
    relation("M-15 copy limit", _is("lstm"), _copy),
    relation("M-16 keep limit", _is("gru"), _keep),
    relation("M-17 write limit", _is("gru"), _write),
    relation("M-18 transparent LSTM", lambda s: _is("lstm")(s) and bool(option(s, "forget")), _tanh_tanh),
    relation("M-19 zero peepholes", lambda s: bool(option(s, "peephole")), _no_peepholes),
    relation("M-22 duality", lambda s: s.cell.name == "gru", _duality),
    relation("M-25 place of the reset", lambda s: s.cell.name == "gru", _reset_place),
    relation("M-26 conjugacy", lambda s: option(s, "activation") == "sigmoid" and s.cell.name == "rnn", _conjugacy),
    relation("M-27 ranges", lambda s: s.cell.name in ("gru", "lstm"), _ranges),
    relation(
        "M-28 monotone", lambda s: option(s, "candidate") == "sigmoid" and option(s, "forget") is False, _monotone
    ),
    relation("M-42 Jacobian bound", lambda s: s.cell.name == "rnn" and not s.output, _jacobian_bound),
)
