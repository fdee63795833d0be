"""How small an error is refuted: one gate off by k roundings. docs/bounds.md prints the floors; they may not rise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.arithmetic.compare import error_over_bound
from rnn_harness.arithmetic.compare_arrays import compare_arrays
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case, Dtype
from rnn_harness.checks import all_checks
from rnn_harness.engine.runner import run_check
from rnn_harness.evaluation.array_bounds import ArrayBounds
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.probable_bounds import ProbableBounds
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject

LSTM = Subject.of(library().spec("lstm.column"))
EQUATIONS = next(check for check in all_checks() if check.name == "forward.equation")
DTYPES: tuple[Dtype, ...] = ("float64", "float32")
SEEDS, MANY_SEEDS = (1, 2, 3), tuple(range(1, 13))
"""Seeds of large sizes, and of small ones, where eight outputs decide and a floor varies by half of itself."""


def floor(is_refuted: Callable[[float], bool]) -> int:
    """Return the smallest k, to a hundredth of itself, for which an error of k roundings is refuted."""
    above = 1.0
    while not is_refuted(above):
        above *= 2
        assert above < 2.0**40, "nothing is refuted"
    below = above / 2
    while above / below > 1.01:
        middle = (above * below) ** 0.5
        below, above = (below, middle) if is_refuted(middle) else (middle, above)
    return round(above)


def evaluated(dtype: Dtype, n: int, d: int, rows: int, steps: int, seed: int) -> Evaluation:
    return Evaluation.of(LSTM, Case(spec="lstm.column", n=n, d=d, B=rows, T=steps, dtype=dtype, seed=seed))


def spoiled(values: Array, roundings: float, dtype: str) -> Array:
    """A gate's values, or what is proportional to them, off by so many roundings; not rounded to the format again."""
    return values.astype(np.float64) * (1 + roundings * float(UNIT_ROUNDOFF[dtype]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_by_equation_a_gate_off_by_a_few_roundings_is_refuted_at_small_sizes(dtype: Dtype) -> None:
    floors = []
    for seed in MANY_SEEDS:
        evaluation = evaluated(dtype, 3, 4, 2, 3, seed)

        def is_refuted(k: float, evaluation: Evaluation = evaluation) -> bool:
            trace = dict(evaluation.run.trace)
            trace["output_gate"] = spoiled(trace["output_gate"], k, dtype)
            moved = evaluation.judged_with(evaluation.options)
            moved.__dict__["run"] = replace(evaluation.run, trace=trace)
            return not all(finding.agrees for finding in run_check(EQUATIONS, moved))

        floors.append(floor(is_refuted))
    print("FLOOR", floors)
    assert np.median(floors) <= 10, floors


@pytest.mark.parametrize("dtype", DTYPES)
def test_by_outputs_a_gate_off_by_some_roundings_is_refuted_at_small_sizes(dtype: Dtype) -> None:
    floors = []
    for seed in MANY_SEEDS:
        evaluation = evaluated(dtype, 3, 4, 2, 1, seed)
        balls = np.stack([step["h"] for step in evaluation.balls.steps])
        outputs = evaluation.run.outputs

        def is_refuted(k: float, balls: Array = balls, outputs: Array = outputs) -> bool:
            return error_over_bound(balls, spoiled(outputs, k, dtype))[0] > 1

        floors.append(floor(is_refuted))
    print("FLOOR", floors)
    assert np.median(floors) <= 40, floors


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("n", "d", "rows", "steps", "most"), [(37, 67, 33, 1, 200), (37, 67, 33, 3, 200), (256, 256, 32, 1, 700)]
)
def test_by_outputs_a_gate_off_by_hundreds_of_roundings_is_refuted_at_realistic_sizes(
    n: int, d: int, rows: int, steps: int, most: int, dtype: Dtype
) -> None:
    floors = []
    for seed in SEEDS:
        evaluation = evaluated(dtype, n, d, rows, steps, seed)
        bounds, outputs = ArrayBounds(evaluation).outputs, evaluation.run.outputs
        assert compare_arrays(bounds, outputs).error_over_bound <= 1

        def is_refuted(k: float, bounds: ArrayBall = bounds, outputs: Array = outputs) -> bool:
            return compare_arrays(bounds, spoiled(outputs, k, dtype)).error_over_bound > 1

        floors.append(floor(is_refuted))
    print("FLOOR", floors)
    assert np.median(floors) <= most, floors


@pytest.mark.parametrize("dtype", DTYPES)
def test_by_the_probable_bound_a_gate_off_by_fewer_roundings_is_named_at_realistic_sizes(dtype: Dtype) -> None:
    floors = []
    for seed in SEEDS:
        evaluation = evaluated(dtype, 256, 256, 32, 1, seed)
        bounds = ProbableBounds(evaluation)
        outputs = evaluation.run.outputs
        assert compare_arrays(bounds.outputs, outputs).error_over_bound <= 1
        assert 0 < bounds.failure_probability <= 1e-12

        def is_named(k: float, bounds: ArrayBall = bounds.outputs, outputs: Array = outputs) -> bool:
            return compare_arrays(bounds, spoiled(outputs, k, dtype)).error_over_bound > 1

        floors.append(floor(is_named))
    print("FLOOR", floors)
    assert np.median(floors) <= 300, floors
