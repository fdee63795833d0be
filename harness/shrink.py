"""Make a failing case small: first its structure, then its numbers, toward 0, 1 and short decimals.

The structure is shrunk over the handful of sizes a case has, the numbers one array and then one entry at a time. Both
ask a fast question, whether the subject's float64 outputs or gradients still differ visibly from the spec's, so that
hundreds of candidates cost milliseconds; the end result is shown as a program.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rnn_harness.arithmetic import NumpyArithmetic, evaluate
from rnn_harness.arithmetic.assumptions import SHRINK_MARGIN
from rnn_harness.cases import Case, Drawn
from rnn_harness.checks._check import Check
from rnn_harness.listing import listing
from rnn_harness.subjects import Subject
from rnn_harness.trial import Trial

Array = NDArray[Any]
_PLAIN = NumpyArithmetic()


def differs(actual: Array, expected: Array) -> bool:
    """Visibly: by more than `SHRINK_MARGIN` of the largest value, or in shape, or not finite."""
    if np.shape(actual) != np.shape(expected) or not np.isfinite(actual).all():
        return True
    if not np.size(actual):
        return False
    gap = float(np.abs(actual - expected).max())
    return gap > SHRINK_MARGIN * max(float(np.abs(expected).max()), SHRINK_MARGIN)


def wrong_outputs(trial: Trial) -> bool:
    """Whether the subject's outputs or final states differ from the spec's."""
    try:
        run = trial.run
        steps = evaluate(trial.program, trial.values, _PLAIN).steps
        name = trial.subject.output_name
        expected = np.stack([step[name] for step in steps]) if steps else run.outputs
        return differs(run.outputs, expected)
    except Exception:  # a subject that raises is wrong
        return True


def expected_gradients(trial: Trial) -> dict[str, Array]:
    """The derived gradients in float64, by flat name."""
    found = trial.differentiate(evaluate(trial.program, trial.values, _PLAIN), _PLAIN)
    return trial.gathered(found)


def wrong_gradients(trial: Trial) -> bool:
    """Whether a gradient of the subject differs from the derived one."""
    try:
        own = trial.flat_gradients
        return any(name not in own or differs(own[name], g) for name, g in expected_gradients(trial).items())
    except Exception:  # a subject that raises is wrong
        return True


def question(trial: Trial) -> Callable[[Trial], bool] | None:
    """Which fast question this failing trial answers with yes, if one."""
    if wrong_outputs(trial):
        return wrong_outputs
    return wrong_gradients if wrong_gradients(trial) else None


def _smaller(case: Case) -> Iterator[Case]:
    """Cases simpler than `case`, the simplest first."""
    if case.lengths is not None:
        yield case.model_copy(update={"lengths": None})
    for name, least in (("B", 1), ("T", 1), ("d", 1), ("n", 1), ("k", 2)):
        value = getattr(case, name)
        for size in range(least, value):
            yield case.model_copy(update={name: size})
    for special in case.specials:
        yield case.model_copy(update={"specials": tuple(s for s in case.specials if s != special)})
    if case.dtype != "float64":
        yield case.model_copy(update={"dtype": "float64"})
    if case.scale != 1.0:
        yield case.model_copy(update={"scale": 1.0})


def shrink_structure(subject: Subject, case: Case, still: Callable[[Trial], bool]) -> Case:
    """The smallest case found for which `still` holds."""
    improved = True
    while improved:
        improved = False
        for smaller in _smaller(case):
            if still(Trial.of(subject, smaller)):
                case, improved = smaller, True
                break
    return case


def _groups(drawn: Drawn, backward: bool) -> list[tuple[str, str, Array]]:
    rows = [("parameters", name, value) for name, value in drawn.parameters.items()]
    rows += [("states", name, value) for name, value in drawn.states.items()]
    rows.append(("inputs", "", drawn.inputs))
    if backward:
        rows.append(("d_outputs", "", drawn.d_outputs))
        rows += [("d_finals", name, value) for name, value in drawn.d_finals.items()]
    return rows


def _with(drawn: Drawn, group: str, name: str, value: Array) -> Drawn:
    if not name:
        return dataclasses.replace(drawn, **{group: value})
    return dataclasses.replace(drawn, **{group: {**getattr(drawn, group), name: value}})


def shrink_values(subject: Subject, drawn: Drawn, still: Callable[[Trial], bool]) -> Drawn:
    """The same case with as many zeros, ones and short decimals as `still` allows."""
    backward = still is wrong_gradients
    for group, name, value in _groups(drawn, backward):
        zeroed = _with(drawn, group, name, np.zeros_like(value))
        if value.any() and still(Trial(subject, zeroed)):
            drawn = zeroed
    for group, name, _ in _groups(drawn, backward):
        current = getattr(drawn, group)[name] if name else getattr(drawn, group)
        for index in np.ndindex(*current.shape):
            for simple in _simple(float(current[index])):
                value = current.copy()
                value[index] = simple
                candidate = _with(drawn, group, name, value)
                if still(Trial(subject, candidate)):
                    drawn, current = candidate, value
                    break
    return drawn


def _simple(value: float) -> Iterator[float]:
    """Simpler numbers to try in place of `value`; none for 0."""
    if value == 0:
        return
    yield 0.0
    if value in (1.0, -1.0, 0.5, 2.0):
        return
    yield 1.0
    for digits in (0, 1):
        if round(value, digits) not in (0.0, value):
            yield round(value, digits)


def shrink(subject: Subject, case: Case) -> tuple[Drawn, Callable[[Trial], bool]] | None:
    """A small failing example and the question it answers; None if no fast question sees the fault."""
    trial = Trial.of(subject, case)
    with np.errstate(all="ignore"):
        still = question(trial)
        if still is None:
            return None
        small = shrink_structure(subject, case, still)
        return shrink_values(subject, Trial.of(subject, small).drawn, still), still


def nonzero(drawn: Drawn, backward: bool) -> int:
    """How many numbers of an example are not zero."""
    return sum(int(np.count_nonzero(value)) for _, _, value in _groups(drawn, backward))


def counterexample(subject: Subject, _check: Check, case: Case) -> tuple[Case, str]:
    """(the smaller case, a program that shows the fault); the case itself and no program where only the check sees it."""
    found = shrink(subject, case)
    if found is None:
        return case, ""
    drawn, still = found
    trial = Trial(subject, drawn)
    if still is wrong_outputs:
        steps = evaluate(trial.program, trial.values, _PLAIN).steps
        expected = np.stack([step[subject.output_name] for step in steps])
        return drawn.case, listing(subject, drawn, "outputs", expected)
    own, right = trial.flat_gradients, expected_gradients(trial)
    name = next(name for name, value in right.items() if name not in own or differs(own[name], value))
    return drawn.case, listing(subject, drawn, name, right[name])
