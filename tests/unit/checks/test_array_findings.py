"""A number outside a bound in arrays is refuted, one inside agrees, and without a bound nothing is said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.arithmetic.compare_arrays import compare_arrays
from rnn_harness.checks.check import compare_with_array_balls
from rnn_harness.errors import NotRun

BALLS = ArrayBall(np.array([1.0, -4.0]), np.array([0.5, 0.25]))


def test_inside_it_agrees_with_its_share_its_error_and_its_bits() -> None:
    inside = compare_with_array_balls("E", "x", BALLS, np.array([1.25, -4.0]))
    assert inside.agrees
    assert inside.detail == ""
    assert inside.error_over_bound == pytest.approx(0.5)
    assert (inside.error, inside.bound, inside.bits) == (0.25, 0.5, 4.0)
    assert compare_with_array_balls("E", "x", BALLS, np.array([1.5, -4.0])).agrees


def test_the_number_that_is_furthest_out_is_named() -> None:
    outside = compare_with_array_balls("E", "x", BALLS, np.array([1.0, -3.625]))
    assert not outside.agrees
    assert outside.error_over_bound == pytest.approx(1.5)
    assert outside.detail == "x[1] is -3.625, the equation gives -4.0"
    assert not compare_with_array_balls("E", "x", BALLS, np.array([1.51, -4.0])).agrees


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_outside(value: float) -> None:
    lost = compare_with_array_balls("E", "x", BALLS, np.array([value, -4.0]))
    assert (lost.agrees, lost.error_over_bound, lost.error, lost.bits) == (False, math.inf, math.inf, 0.0)


def test_another_shape_is_refuted() -> None:
    finding = compare_with_array_balls("E", "x", BALLS, np.array([[1.0, -4.0]]))
    assert (finding.agrees, finding.detail) == (False, "x has shape (1, 2), expected (2,)")


@pytest.mark.parametrize("radius", [math.inf, math.nan])
def test_without_a_finite_bound_nothing_is_decided(radius: float) -> None:
    balls = ArrayBall(np.array([1.0]), np.array([radius]))
    with pytest.raises(NotRun, match="no finite bound of x is known"):
        compare_with_array_balls("E", "x", balls, np.array([1.0]))
    with pytest.raises(ValueError, match="bounds nothing"):
        compare_arrays(balls, np.array([1.0]))


def test_an_exact_ball_admits_its_midpoint_alone_and_no_number_is_no_error() -> None:
    exact = ArrayBall(np.array([2.0]), np.array([0.0]), True)
    assert compare_arrays(exact, np.array([2.0])).error_over_bound == 0
    assert compare_arrays(exact, np.array([2.0 + 2.0**-50])).error_over_bound == math.inf
    assert compare_arrays(ArrayBall(np.zeros((0,)), np.zeros((0,))), np.zeros((0,))).error_over_bound == 0
