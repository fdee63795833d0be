"""How far a number is from a ball: every share, place and bit worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flint import arb

from rnn_harness.arithmetic.compare import effective_bits, error_over_bound, middle, worst_bound, worst_error

BALLS = np.array([[arb(1, 0.5), arb(-2, 0.25)], [arb(4), arb(0, 2)]], dtype=object)
MIDDLES = np.array([[1.0, -2.0], [4.0, 0.0]])


def _moved(index: tuple[int, int], by: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    values = MIDDLES.copy()
    values[index] += by
    return values


@pytest.mark.parametrize(
    ("index", "by", "share"),
    [
        ((0, 0), 0.5, 1.0),
        ((0, 0), -0.25, 0.5),
        ((0, 1), 0.5, 2.0),
        ((1, 1), -3.0, 1.5),
        ((1, 0), 2.0**-40, math.inf),
        ((0, 0), math.nan, math.inf),
        ((1, 1), math.inf, math.inf),
        ((0, 1), -math.inf, math.inf),
    ],
)
def test_the_worst_share_is_the_error_over_the_radius_and_its_place(
    index: tuple[int, int], by: float, share: float
) -> None:
    worst, where = error_over_bound(BALLS, _moved(index, by))
    assert worst == pytest.approx(share, rel=2.0**-20)
    assert where == index


def test_the_worst_of_two_is_taken_wherever_it_stands() -> None:
    values = _moved((0, 0), 0.25)
    values[1, 1] = 1.5
    assert error_over_bound(BALLS, values)[1] == (1, 1)
    values[1, 1] = 0.5
    assert error_over_bound(BALLS, values)[1] == (0, 0)


def test_the_true_values_themselves_have_no_error() -> None:
    assert error_over_bound(BALLS, MIDDLES) == (0.0, (0, 0))
    assert worst_error(BALLS, MIDDLES) == 0.0
    assert effective_bits(BALLS, MIDDLES) == math.inf


def test_a_ball_without_a_finite_bound_admits_nothing() -> None:
    balls = np.array([arb("0 +/- inf")], dtype=object)
    assert error_over_bound(balls, np.array([0.0])) == (math.inf, (0,))


def test_the_largest_error_bound_and_bits() -> None:
    values = _moved((1, 1), 0.125)
    values[0, 1] -= 0.0625
    assert worst_error(BALLS, values) == pytest.approx(0.125)
    assert worst_bound(BALLS) == pytest.approx(2.0, rel=2.0**-20)
    assert effective_bits(BALLS, values) == pytest.approx(5.0), "0.125 of 4, the largest true value"
    assert (middle(BALLS) == MIDDLES).all()


def test_nothing_to_compare_has_no_error() -> None:
    empty = np.empty((0, 2), dtype=object)
    assert error_over_bound(empty, np.empty((0, 2)))[0] == 0.0
    assert worst_error(empty, np.empty((0, 2))) == 0.0
    assert worst_bound(empty) == 0.0
