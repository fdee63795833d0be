"""Probable balls are the proved ones but for long sums, and hold what implementations in the format compute."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.arithmetic.probable_ball import ProbableBallArithmetic
from rnn_harness.arithmetic.probable_sums import probable_rounding
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.array_types import Array
from rnn_harness.evaluation.judging_options import rounding


def product_of(arithmetic: ArrayBallArithmetic, matrix: Array, rows: Array, bias: Array) -> ArrayBall:
    with arithmetic.scope():
        whole = arithmetic.matrix_vector(arithmetic.array(matrix), arithmetic.array(rows))
        return arithmetic.settle(arithmetic.add(whole, arithmetic.array(bias)))


def drawn(terms: int, dtype: str) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(terms)
    matrix, rows, bias = rng.standard_normal((5, terms)), rng.standard_normal((3, terms)), rng.standard_normal(5)
    return matrix.astype(dtype), rows.astype(dtype), bias.astype(dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_long_sum_has_the_probable_radius_and_is_counted(dtype: str) -> None:
    numbers, probable = drawn(511, dtype), ProbableBallArithmetic(rounding(dtype))
    ball, proved = product_of(probable, *numbers), product_of(ArrayBallArithmetic(rounding(dtype)), *numbers)
    matrix, rows, bias = (value.astype(np.longdouble) for value in numbers)
    true, mass = rows @ matrix.T + bias, abs(rows) @ abs(matrix).T + abs(bias)
    unit = float(UNIT_ROUNDOFF[dtype])
    expected = probable_rounding(unit, 512, mass.astype(float), abs(true).astype(float), further=1)
    # What the midpoints' own rounding adds for float64: one or two of the result, and no longer one of every term.
    midpoint_error = (
        2.5 * 2.0**-53 * (abs(true).astype(float) + 1) if dtype == "float64" else 2.0**-53 * 512 * mass.astype(float)
    )
    assert (ball.radius >= expected * (1 - 2.0**-20)).all()
    assert (ball.radius <= expected * (1 + 2.0**-20) + midpoint_error).all()
    assert (abs(ball.middle - true) <= midpoint_error).all()
    assert (ball.radius < proved.radius / 2).all()
    assert probable.sums == 15
    assert 0 < probable.failure_probability < 1e-24


@pytest.mark.parametrize(
    "allowed",
    [rounding("float32"), rounding("bfloat16"), Rounding(Fraction(0))],
    ids=["short sums", "narrow formats", "without rounding"],
)
def test_everything_else_is_as_proved(allowed: Rounding) -> None:
    terms = 100 if allowed == rounding("float32") else 500
    numbers, probable = drawn(terms, "float32"), ProbableBallArithmetic(allowed)
    ball, proved = product_of(probable, *numbers), product_of(ArrayBallArithmetic(allowed), *numbers)
    assert np.array_equal(ball.radius, proved.radius)
    assert np.array_equal(ball.middle, proved.middle)
    assert probable.sums == 0


def test_a_bound_is_never_wider_than_the_proved_one() -> None:
    # All terms of one sign, and just long enough: the worst case is the sharper of the two.
    matrix, rows, bias = (abs(value) for value in drawn(123, "float32"))
    allowed = Rounding(UNIT_ROUNDOFF["float16"])
    ball = product_of(ProbableBallArithmetic(allowed), matrix, rows, bias)
    assert np.array_equal(ball.radius, product_of(ArrayBallArithmetic(allowed), matrix, rows, bias).radius)


def test_what_overflows_where_it_is_split_falls_back_on_the_proved_midpoint() -> None:
    matrix, rows, bias = (value * 2.0**480 for value in drawn(511, "float64"))
    huge = product_of(ProbableBallArithmetic(rounding("float64")), matrix * 2.0**540, rows * 2.0**-940, bias)
    assert huge.is_finite
