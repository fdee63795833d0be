"""Relations of symmetry: batch, hidden units, inputs, signs (M-01 to M-07b, M-13, M-14, M-33 to M-35)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnn_harness.checks._check import Finding
from rnn_harness.checks._relation import (
    batched,
    changed,
    close,
    control,
    gradient_radii,
    hidden_map,
    option,
    output_radii,
    plain,
    recurrent,
    relation,
    same_outputs,
)
from rnn_harness.subjects import Subject
from rnn_harness.trial import Trial


def _tanh_candidate(subject: Subject) -> bool:
    cell = subject.cell
    kinds = {option(subject, name, "tanh") for name in ("candidate", "output", "activation")}
    return recurrent(subject) and cell.name != "feedforward" and kinds == {"tanh"} and not subject.output


def _batch_permutation(trial: Trial) -> Iterator[Finding]:
    order = np.arange(trial.case.B)[::-1]
    other = changed(trial, **batched(trial.drawn, order))
    yield same_outputs(trial, other, "M-01 batch rows in another order", lambda a: a[:, order])


def _batch_splitting(trial: Trial) -> Iterator[Finding]:
    for row in range(trial.case.B):
        other = changed(trial, **batched(trial.drawn, slice(row, row + 1)))
        yield same_outputs(trial, other, f"M-02 row {row} alone", lambda a, row=row: a[:, row : row + 1])


def _batch_duplication(trial: Trial) -> Iterator[Finding]:
    rows = np.array([0, 0, 0, *range(trial.case.B)])
    other = changed(trial, **batched(trial.drawn, rows))
    yield same_outputs(trial, other, "M-03 the first row three times more", lambda a: a[:, rows])


def _hidden_permutation(trial: Trial) -> Iterator[Finding]:
    order = np.random.default_rng(trial.case.seed).permutation(trial.case.d)

    def move(value: np.ndarray, kind: str) -> np.ndarray:  # type: ignore[type-arg]
        if kind in ("W_h", "W_c") and value.ndim == 2:
            return value[order][:, order]
        if kind == "W_y":
            return value[:, order]
        return value if kind == "b_y" else value[order]

    drawn = trial.drawn
    read = bool(trial.subject.output)
    other = changed(
        trial,
        parameters=hidden_map(trial, move),
        states={name: state[:, order] for name, state in drawn.states.items()},
        d_finals={name: value[:, order] for name, value in drawn.d_finals.items()},
        d_outputs=drawn.d_outputs if read else drawn.d_outputs[:, :, order],
    )
    yield same_outputs(trial, other, "M-04 hidden units in another order", (lambda a: a) if read else lambda a: a[:, :, order])
    gradients, radii = trial.flat_gradients, gradient_radii(trial)
    turned, more = other.flat_gradients, gradient_radii(other)
    for name in radii:
        kind = name.removeprefix("parameters.")
        if name.startswith("parameters.") and kind != name:
            kind = kind if kind in ("W_y", "b_y") else "b" if kind.startswith("b") else kind[:3]
            pair = move(gradients[name], kind), move(radii[name], kind)
        elif name == "inputs":
            pair = gradients[name], radii[name]
        else:
            pair = gradients[name][:, order], radii[name][:, order]
        yield close(trial, f"M-41 gradient {name}, hidden units in another order", turned[name], pair[0], pair[1] + more[name])


def _input_permutation(trial: Trial) -> Iterator[Finding]:
    order = np.arange(trial.case.n)[::-1]
    other = changed(
        trial,
        inputs=trial.drawn.inputs[:, :, order],
        parameters=hidden_map(trial, lambda value, kind: value[:, order] if kind == "W_x" else value),
    )
    yield same_outputs(trial, other, "M-05 inputs in another order")


def _input_scaling(trial: Trial) -> Iterator[Finding]:
    scale = 2.0 ** (np.arange(trial.case.n) % 3 - 1)
    scale = scale.astype(trial.case.dtype)
    other = changed(
        trial,
        inputs=trial.drawn.inputs / scale,
        parameters=hidden_map(trial, lambda value, kind: value * scale if kind == "W_x" else value),
    )
    yield same_outputs(trial, other, "M-06 inputs divided, their weights multiplied by powers of two")


def _sign_gauge(trial: Trial) -> Iterator[Finding]:
    signs = np.where(np.arange(trial.case.d) % 2, -1, 1).astype(trial.case.dtype)
    rnn = trial.subject.cell.name == "rnn"
    rows = {}
    for name, value in trial.drawn.parameters.items():
        candidate = rnn or name.endswith("g")
        turned = value * signs if name.startswith(("W_h", "W_c")) else value
        rows[name] = (turned.T * signs).T if candidate else turned
    other = changed(
        trial,
        parameters=rows,
        states={name: state * signs for name, state in trial.drawn.states.items()},
    )
    limit = output_radii(trial) + output_radii(other)
    yield close(trial, "M-07 signs of hidden units", other.run.outputs, trial.run.outputs * signs, limit)


def _oddness(trial: Trial) -> Iterator[Finding]:
    zero = hidden_map(trial, lambda value, kind: value * 0 if kind == "b" else value)
    one = changed(trial, parameters=zero)
    two = changed(
        one,
        inputs=-one.drawn.inputs,
        states={name: -state for name, state in one.drawn.states.items()},
    )
    limit = output_radii(one) + output_radii(two)
    yield close(trial, "M-07b oddness of a tanh network without bias", two.run.outputs, -one.run.outputs, limit)


def _bias_absorption(trial: Trial) -> Iterator[Finding]:
    drawn = trial.drawn
    ones = np.ones((*drawn.inputs.shape[:2], 1), drawn.inputs.dtype)
    rows = {}
    for name, value in drawn.parameters.items():
        if name.startswith("W_x"):
            bias = drawn.parameters["b" if name == "W_x" else f"b_{name[-1]}"]
            rows[name] = np.concatenate([value, bias[:, None]], axis=1)
        else:
            rows[name] = value * 0 if name.startswith("b") and name not in ("b_y", "b_hg") else value
    other = changed(trial, inputs=np.concatenate([drawn.inputs, ones], axis=2), parameters=rows)
    yield same_outputs(trial, other, "M-13 the bias as the weight of a constant input")
    gradients, radii = other.flat_gradients, gradient_radii(other)
    for name in rows:
        if name.startswith("W_x"):
            bias = "b" if name == "W_x" else f"b_{name[-1]}"
            where, tied = f"parameters.{name}", f"parameters.{bias}"
            limit = radii[where][:, -1] + radii[tied]
            yield close(
                trial, f"M-40 gradient of {bias} and of a constant input", gradients[where][:, -1], gradients[tied], limit
            )


def _two_biases(trial: Trial) -> Iterator[Finding]:
    """Reset-after: moving weight between the candidate's two biases must change the output (M-14, control)."""
    p = trial.drawn.parameters
    other = changed(trial, parameters={**p, "b_g": p["b_g"] + 1, "b_hg": p["b_hg"] - 1})
    gap = float(np.abs(other.run.outputs - trial.run.outputs).max())
    yield from control(trial, gap, float(output_radii(trial).max()))


def _dead_unit(trial: Trial) -> Iterator[Finding]:
    """A unit whose outgoing weights are zero leaves the others as they are (M-34)."""
    last = trial.case.d - 1

    def mute(value: np.ndarray, kind: str) -> np.ndarray:  # type: ignore[type-arg]
        if kind in ("W_h", "W_c", "W_y") and value.ndim == 2:
            value = value.copy()
            value[:last, last] = 0
            if kind == "W_y":
                value[:, last] = 0
        return value

    one = changed(trial, parameters=hidden_map(trial, mute))
    moved = {name: state.copy() for name, state in one.drawn.states.items()}
    for state in moved.values():
        state[:, last] += 1
    other = changed(one, states=moved)
    cut = (lambda a: a) if trial.subject.output else lambda a: a[:, :, :last]
    limit = cut(output_radii(one)) + cut(output_radii(other))
    yield close(trial, "M-34 a unit nobody listens to", cut(other.run.outputs), cut(one.run.outputs), limit)


def _noether(trial: Trial) -> Iterator[Finding]:
    """<dL/dW_x, W_x A> = <dL/dx, x A^T> for A = diag(1..n): gradients of one gauge orbit (M-40b)."""
    scale = np.arange(1, trial.case.n + 1, dtype=np.float64)
    gradients, radii = trial.flat_gradients, gradient_radii(trial)
    left = right = limit = 0.0
    for name, value in trial.drawn.parameters.items():
        if name.startswith("W_x"):
            left += float((gradients[f"parameters.{name}"].astype(np.float64) * value * scale).sum())
            limit += float((radii[f"parameters.{name}"] * np.abs(value) * scale).sum())
    x = trial.drawn.inputs
    right = float((gradients["inputs"].astype(np.float64) * x * scale).sum())
    limit += float((radii["inputs"] * np.abs(x) * scale).sum())
    yield close(trial, "M-40b inputs against their weights", np.array(left), np.array(right), np.array(limit))


def _biased(subject: Subject) -> bool:
    return plain(subject) and option(subject, "bias", True)


CHECKS = (
    relation("M-01 batch permutation", plain, _batch_permutation),
    relation("M-02 batch splitting", plain, _batch_splitting),
    relation("M-03 batch duplication", plain, _batch_duplication),
    relation("M-04 hidden permutation", plain, _hidden_permutation),
    relation("M-05 input permutation", plain, _input_permutation),
    relation("M-06 input scaling", plain, _input_scaling),
    relation("M-07 sign gauge", _tanh_candidate, _sign_gauge),
    relation("M-07b oddness", lambda s: _tanh_candidate(s) and s.cell.name == "rnn", _oddness),
    relation("M-13 bias absorption", _biased, _bias_absorption),
    relation("M-14 two biases", lambda s: option(s, "reset") == "after", _two_biases),
    relation("M-34 dead unit", recurrent, _dead_unit),
    relation("M-40b Noether", plain, _noether),
)
