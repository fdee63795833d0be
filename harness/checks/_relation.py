"""Metamorphic relations: what must hold between two runs of one subject, whatever the right values are.

Class B holds bit by bit, class R within the sum of both runs' rounding bounds, class L within a stated limit.
Relations move parameters only in ways that are exact in floating point (permutations, signs, powers of two).

Dimension legend: T time steps, B batch rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from rnn_harness.cases import Drawn
from rnn_harness.checks._check import Check, Finding
from rnn_harness.subjects import Subject
from rnn_harness.trial import Trial

Array = NDArray[Any]
PLAIN = ("rnn", "gru", "lstm", "feedforward")


def plain(subject: Subject) -> bool:
    """A single cell in one direction, not a stack."""
    return subject.cell.name in PLAIN


def recurrent(subject: Subject) -> bool:
    """A plain cell with a state."""
    return plain(subject) and bool(subject.cell.state_names)


def option(subject: Subject, name: str, default: Any = None) -> Any:
    """An option of the subject's cell."""
    return getattr(subject.cell, name, default)


def changed(trial: Trial, **arrays: Any) -> Trial:
    """The same subject on changed arrays."""
    drawn = dataclasses.replace(trial.drawn, **arrays)
    inputs = drawn.inputs
    case = trial.case.model_copy(update={"T": inputs.shape[0], "B": inputs.shape[1], "n": inputs.shape[2]})
    if case != drawn.case:
        drawn = dataclasses.replace(drawn, case=case)
    return Trial(trial.subject, drawn)


def batched(drawn: Drawn, rows: Any) -> dict[str, Any]:
    """All batched arrays at those rows."""
    return {
        "inputs": drawn.inputs[:, rows],
        "states": {name: state[rows] for name, state in drawn.states.items()},
        "d_outputs": drawn.d_outputs[:, rows],
        "d_finals": {name: value[rows] for name, value in drawn.d_finals.items()},
    }


def equal(trial: Trial, what: str, actual: Array, expected: Array) -> Finding:
    """Bit by bit (class B)."""
    entry = trial.subject.spec.id
    same = np.shape(actual) == np.shape(expected) and np.array_equal(actual, expected)
    return Finding(entry, same, "" if same else f"{what}: not the same numbers")


def output_radii(trial: Trial) -> Array:
    """The rounding bound of every output, (T, B, .), in float64."""
    name = trial.subject.output_name
    return np.array([_radii(step[name]) for step in trial.balls.steps])


def _radii(balls: Array) -> Array:
    return np.array([float(arb(ball.rad()).abs_upper()) for ball in balls.flat]).reshape(balls.shape)


def gradient_radii(trial: Trial) -> dict[str, Array]:
    """The rounding bound of every gradient, by flat name."""
    return {name: _radii(balls) for name, balls in trial.gradient_balls.items()}


def close(trial: Trial, what: str, actual: Array, expected: Array, limit: Array) -> Finding:
    """Within `limit`, entry by entry (classes R and L)."""
    entry = trial.subject.spec.id
    if np.shape(actual) != np.shape(expected):
        return Finding(entry, False, f"{what}: shapes {np.shape(actual)} and {np.shape(expected)}")
    gap = np.abs(np.asarray(actual, dtype=np.float64) - np.asarray(expected, dtype=np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(gap == 0, 0.0, gap / limit)
    worst = float(np.max(shares, initial=0.0))
    agrees = bool(worst <= 1)
    detail = "" if agrees else f"{what}: differs by {float(np.max(gap)):.3g}"
    return Finding(entry, agrees, detail, worst if np.isfinite(worst) else float("inf"), float(np.max(gap, initial=0)))


def same_outputs(trial: Trial, other: Trial, what: str, pick: Callable[[Array], Array] = lambda a: a) -> Finding:
    """`other`'s outputs are `pick` of the trial's, within both bounds."""
    limit = pick(output_radii(trial)) + output_radii(other)
    return close(trial, what, other.run.outputs, pick(trial.run.outputs), limit)


def hidden_map(trial: Trial, move: Callable[[Array, str], Array]) -> dict[str, Array]:
    """Parameters changed one by one: `move` gets the array and its kind (W_x, W_h, W_c, b, W_y, b_y)."""
    rows = {}
    for name, value in trial.drawn.parameters.items():
        kind = name if name in ("W_y", "b_y") else "b" if name.startswith("b") else name[:3]
        rows[name] = move(value, kind)
    return rows


def control(trial: Trial, gap: float, limit: float) -> Iterator[Finding]:
    """A negative control: a finding only where the two runs differ by more than both bounds.

    Where a gate is saturated they need not; a control that never finds anything counts as vacuous.
    """
    if gap > limit:
        yield Finding(trial.subject.spec.id, True)


def relation(
    name: str,
    applies: Callable[[Subject], bool],
    run: Callable[[Trial], Iterator[Finding]],
    kills: tuple[str, ...] = (),
) -> Check:
    """A relation as a check."""
    return Check(name, "reference", applies, run, kills)
