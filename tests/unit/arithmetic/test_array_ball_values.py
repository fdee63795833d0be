"""Values of the bounds in arrays, one by one, against radii that are worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall, growth, stacked, wider
from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF

HALF_UNIT, HALF_UNIT_EXACT = 2.0**-24, Fraction(1, 2**24)
SLACK = 1 + 2.0**-20


def _ball(middle: float, radius: float) -> ArrayBall:
    return ArrayBall(np.array([[middle]]), np.array([[radius]]))


def _radius(ball: ArrayBall) -> float:
    return float(ball.radius[0, 0])


def test_the_wider_of_several_balls_holds_each_of_them_around_the_first() -> None:
    first, second = _ball(1.0, 0.25), _ball(2.0, 0.5)
    ball = wider([first, second])
    assert ball.middle.tolist() == [[1.0]]
    assert 1.5 <= _radius(ball) <= 1.5 * SLACK
    assert wider([first]) is first
    assert _radius(wider([second, _ball(2.0, 0.25)])) == 0.5


def test_a_stored_number_may_have_been_whatever_rounds_to_it() -> None:
    ball = ArrayBallArithmetic.of("float32").before_storing(np.array([[1.0]]))
    assert HALF_UNIT <= _radius(ball) <= HALF_UNIT * SLACK
    assert not ball.is_exact


@pytest.mark.parametrize(
    ("value", "is_exact"),
    [
        (Fraction(1, 2), True),
        (Fraction(2**24), True),
        (Fraction(2**24 + 1), False),
        (Fraction(2**24 + 1, 2**40), False),
        (Fraction(1, 10), False),
    ],
)
def test_a_constant_is_exact_where_the_format_holds_it(value: Fraction, is_exact: bool) -> None:
    ball = ArrayBallArithmetic.of("float32").number(value)
    assert ball.is_exact is is_exact
    assert (_radius(ball) == 0) is is_exact
    if not is_exact:
        assert HALF_UNIT * abs(value) <= _radius(ball) + abs(Fraction(float(ball.middle[0, 0])) - value)


def test_sizes_sums_and_signs_of_balls() -> None:
    first, second = _ball(-1.0, 0.25), _ball(3.0, 0.5)
    assert first.size.tolist() == [[1.25]]
    assert ArrayBall(np.array([-1.0]), np.array([0.0]), True).size.tolist() == [1.0]
    total = first + second
    assert total.middle.tolist() == [[2.0]]
    assert 0.75 <= _radius(total) <= 0.75 * SLACK
    assert ((-first).middle.tolist(), _radius(-first)) == ([[1.0]], 0.25)
    exact = _ball(1.0, 0.0) + _ball(2.0**-60, 0.0)
    assert _radius(exact) >= 2.0**-60  # what the midpoint's own rounding lost
    assert stacked([first, second]).radius.ravel().tolist() == [0.25, 0.5]


@pytest.mark.parametrize(("middle", "radius"), [(np.inf, 0.0), (np.nan, 0.0), (1.0, np.inf), (1.0, np.nan)])
def test_a_ball_is_finite_where_all_of_it_is(middle: float, radius: float) -> None:
    assert not _ball(middle, radius).is_finite
    assert _ball(1.0, 0.5).is_finite


def test_growth_is_the_power_in_both_formats() -> None:
    for unit in UNIT_ROUNDOFF.values():
        for roundings, wide in ((1, 0), (17, 0), (0, 3), (5, 40)):
            exact = (1 - unit) ** -roundings * (1 - HALF_UNIT_EXACT) ** -wide - 1
            bound = Fraction(growth(float(unit), roundings, HALF_UNIT, wide))
            assert exact <= bound <= exact * Fraction(SLACK)
