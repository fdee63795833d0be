"""A sum whose terms cancel is off by at most what is claimed, in any order, whatever its roundings are."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb

from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall, growth
from rnn_harness.arithmetic.assumptions import UNDERFLOW, UNIT_ROUNDOFF
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.arithmetic.signed_sums import sum_rounding
from rnn_harness.array_types import Array
from rnn_harness.kernels.packing import exact_parts

U = Fraction(1, 2**6)
"""So coarse that terms of higher order count."""


def operated(exact: Fraction, rng: np.random.Generator, upward: bool, adversary: bool) -> Fraction:
    """An operation's result: off by u of itself, upward or downward as an adversary wants, or at random."""
    share = U if adversary else U * Fraction(int(rng.integers(-64, 65)), 64)
    return exact + abs(exact) * (share if upward else -share)


def summed(terms: list[Fraction], products: bool, rng: np.random.Generator, order: str) -> Fraction:
    """Sum leaves in an order of some kind, with roundings that all push to one side, or to any."""
    adversary, upward = bool(rng.integers(0, 2)), bool(rng.integers(0, 2))
    leaves = list(terms)
    rng.shuffle(leaves)
    if order == "one sign first":
        leaves.sort(reverse=upward)
    if products:
        leaves = [operated(leaf, rng, upward, adversary) for leaf in leaves]
    while len(leaves) > 1:
        place = int(rng.integers(0, len(leaves) - 1)) if order == "tree" else 0
        first, second = leaves.pop(place), leaves.pop(place)
        leaves.insert(place, operated(first + second, rng, upward, adversary))
    return leaves[0]


def sizes(terms: list[Fraction]) -> tuple[Fraction, Fraction]:
    """M, and the size of the sum."""
    return sum((abs(term) for term in terms), Fraction(0)), abs(sum(terms, Fraction(0)))


def bound(terms: list[Fraction], products: bool, further: int = 0) -> Fraction:
    mass, size = (np.array([float(value)]) for value in sizes(terms))
    bounds = sum_rounding(float(U), len(terms), products, mass, size, further)
    return Fraction(float(bounds[0])) * (1 + Fraction(1, 2**20))


def drawn(k: int, kind: str, rng: np.random.Generator) -> list[Fraction]:
    terms = [Fraction(int(n), 64) for n in rng.integers(-640, 640, k)]
    if kind == "cancelling":
        terms[k // 2 :] = [-term for term in terms[: k - k // 2]]
    if kind == "one large":
        terms[0] *= 100
    return [abs(term) for term in terms] if kind == "one sign" else terms


@pytest.mark.parametrize("order", ["chain", "one sign first", "tree"])
@pytest.mark.parametrize("kind", ["both signs", "cancelling", "one large", "one sign"])
def test_no_order_and_no_rounding_leaves_the_bound(kind: str, order: str) -> None:
    rng, worst = np.random.default_rng(3), 0.0
    for _ in range(150):
        terms, products = drawn(int(rng.integers(2, 14)), kind, rng), bool(rng.integers(0, 2))
        error = abs(summed(terms, products, rng, order) - sum(terms))
        allowed = bound(terms, products)
        assert error <= allowed
        worst = max(worst, float(error / allowed)) if allowed else worst
    assert worst > 0.4 or order == "chain", "a bound that nothing comes near would hide what is wrong"


@pytest.mark.parametrize("order", ["chain", "one sign first", "tree"])
@pytest.mark.parametrize("kind", ["both signs", "one large", "one sign"])
def test_biases_that_are_added_in_parts_are_held(kind: str, order: str) -> None:
    rng = np.random.default_rng(4)
    for _ in range(150):
        terms, products = drawn(int(rng.integers(2, 9)), kind, rng), bool(rng.integers(0, 2))
        further = int(rng.integers(1, 3))
        parts = [Fraction(int(n), 64) for n in rng.integers(1, 65, further + 1)]
        leaves = [*terms[:-1], *(terms[-1] * part / sum(parts) for part in parts)]
        assert abs(summed(leaves, products, rng, order) - sum(terms)) <= bound(terms, products, further)


def at_the_edge(dtype: str) -> tuple[Array, Array]:
    """Two factors whose product lies above 1 by nearly all that rounding to nearest takes away from it."""
    numbers = np.random.default_rng(5).uniform(1.9, 2, 4000).astype(dtype)
    inverses = (1 / numbers).astype(dtype)
    above = [Fraction(float(a)) * Fraction(float(b)) - 1 for a, b in zip(numbers, inverses, strict=True)]
    best = max(range(len(above)), key=lambda i: above[i])
    return numbers[best], inverses[best]


@pytest.mark.parametrize("arithmetic", [BallArithmetic, ArrayBallArithmetic])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_cell_with_two_biases_is_held_where_each_of_its_four_roundings_takes_most(
    dtype: str, arithmetic: type[BallArithmetic | ArrayBallArithmetic]
) -> None:
    """One input, one unit: W x + b + U h + b, added from the left, loses nearly u each time; three terms are in it."""
    unit = UNIT_ROUNDOFF[dtype]
    weight, x = at_the_edge(dtype)
    below_half = np.nextafter(np.array(float(unit), dtype), 0, dtype=dtype)
    bias = 2 * below_half
    first, second = exact_parts(bias[None], 2)
    computed = ((weight * x + first[0]) + below_half) + second[0]
    assert computed.dtype == dtype
    assert computed == 1
    for parts, holds in ((2, True), (1, False)):
        balls: Any = arithmetic(Rounding(unit, UNDERFLOW[dtype], bias_parts=parts))
        with balls.scope():
            one, w, u, h, b = (
                balls.array(np.array(value, dtype)) for value in ([[x]], [[weight]], [[below_half]], [[1]], [bias])
            )
            ball = balls.settle(balls.add(balls.add(balls.matrix_vector(w, one), balls.matrix_vector(u, h)), b))
            is_array = isinstance(ball, ArrayBall)
            above = float(ball.middle[0, 0] - 1) if is_array else float(ball[0, 0].mid() - 1)
            radius = float(ball.radius[0, 0] if is_array else arb(ball[0, 0].rad()))
        if is_array and dtype == "float64":  # the midpoint is rounded as well
            assert (radius > 6.5 * unit) == holds
        else:
            assert (above <= radius) == holds
            assert 3.9 * unit < above < 4 * unit


def test_where_terms_cancel_the_bound_is_half_of_the_old_one_and_never_larger() -> None:
    unit, k = 2.0**-53, 200
    mass = np.ones(4)
    sharper = sum_rounding(unit, k, True, mass, np.array([0.0, 0.1, 0.9, 1.0]))
    shares = sharper / growth(unit, k)
    assert 0.5 < shares[0] < 0.52
    assert (np.diff(shares) > 0)[:2].all()
    assert shares[3] == 1.0


def test_a_sum_of_two_products_that_cancel_rounds_once_and_sums_without_rounding_not_at_all() -> None:
    mass, size = np.array([2.0]), np.array([0.0])
    assert sum_rounding(2.0**-24, 2, True, mass, size)[0] == pytest.approx(2 * 2.0**-24, rel=1e-6)
    assert sum_rounding(2.0**-24, 2, True, mass, mass)[0] == pytest.approx(2 * growth(2.0**-24, 2), rel=1e-6)
    assert sum_rounding(0.0, 9, True, mass, size)[0] == 0.0
    assert sum_rounding(2.0**-8, 10**7, True, mass, size)[0] == np.inf


@pytest.mark.parametrize(("bias", "parts"), [(Fraction(0), 2), (Fraction(3, 8), 1), (Fraction(3, 8), 3)])
def test_arbs_ball_of_a_product_whose_terms_cancel_has_the_radius_that_is_claimed(bias: Fraction, parts: int) -> None:
    weights = [Fraction(n, 8) for n in (5, -3, 7, -6, 4, -7)]
    unit = Fraction(1, 2**24)
    arithmetic = BallArithmetic(Rounding(unit, Fraction(0), bias_parts=parts))
    with arithmetic.scope():
        matrix = np.array([[arb(float(w)) for w in weights]], dtype=object)
        product = arithmetic.matrix_vector(matrix, np.array([[arb(1)] * 6], dtype=object))
        total = arithmetic.add(product, np.array([arb(float(bias))], dtype=object)) if bias else product
        (ball,) = arithmetic.settle(total).flat
    (mass, size), additions = sizes([*weights, bias]), 6 + parts - 1 if bias else 5
    passed_on = additions * ((1 - unit) ** -(additions + 1) - 1) * mass
    expected = unit * (mass + (additions - 1) * (mass + size) / 2 + size + passed_on)
    assert expected < 0.7 * float(((1 - unit) ** -(additions + 1) - 1) * mass)
    assert float(arb(ball.rad())) == pytest.approx(float(expected), rel=2.0**-26)
