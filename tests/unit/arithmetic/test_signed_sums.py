"""A sum whose terms cancel is off by at most what is claimed, in any order, whatever its roundings are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from rnn_harness.arithmetic.array_ball_values import growth
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.arithmetic.signed_sums import sum_rounding

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


def bound(terms: list[Fraction], products: bool) -> Fraction:
    mass, size = (np.array([float(value)]) for value in sizes(terms))
    return Fraction(float(sum_rounding(float(U), len(terms), products, mass, size)[0])) * (1 + Fraction(1, 2**20))


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
        terms, products = drawn(int(rng.integers(3, 14)), kind, rng), bool(rng.integers(0, 2))
        error = abs(summed(terms, products, rng, order) - sum(terms))
        allowed = bound(terms, products)
        assert error <= allowed
        worst = max(worst, float(error / allowed)) if allowed else worst
    assert worst > 0.4 or order == "chain", "a bound that nothing comes near would hide what is wrong"


def test_a_bias_that_is_added_in_two_parts_is_held() -> None:
    rng = np.random.default_rng(4)
    for _ in range(300):
        terms = drawn(int(rng.integers(3, 9)), "both signs", rng)
        share = Fraction(int(rng.integers(0, 65)), 64)
        leaves = [*terms[:-1], terms[-1] * share, terms[-1] * (1 - share)]
        mass, size = sizes(terms)
        signed = U * (mass + (len(terms) - 1) * (mass + size) / 2 + size)
        signed += U * len(terms) * ((1 - U) ** -(len(terms) + 1) - 1) * mass
        assert abs(summed(leaves, True, rng, "one sign first") - sum(terms)) <= signed


def test_where_terms_cancel_the_bound_is_half_of_the_old_one_and_never_larger() -> None:
    unit, k = 2.0**-53, 200
    mass = np.ones(4)
    sharper = sum_rounding(unit, k, True, mass, np.array([0.0, 0.1, 0.9, 1.0]))
    shares = sharper / growth(unit, k)
    assert 0.5 < shares[0] < 0.52
    assert (np.diff(shares) > 0)[:2].all()
    assert shares[3] == 1.0


def test_a_sum_of_two_and_sums_without_rounding_are_as_before() -> None:
    mass, size = np.array([2.0]), np.array([0.0])
    assert sum_rounding(2.0**-24, 2, True, mass, size)[0] == 2 * growth(2.0**-24, 2)
    assert sum_rounding(0.0, 9, True, mass, size)[0] == 0.0
    assert sum_rounding(2.0**-8, 10**7, True, mass, size)[0] == np.inf


@pytest.mark.parametrize("bias", [Fraction(0), Fraction(3, 8)])
def test_arbs_ball_of_a_product_whose_terms_cancel_has_the_radius_that_is_claimed(bias: Fraction) -> None:
    weights = [Fraction(n, 8) for n in (5, -3, 7, -6, 4, -7)]
    unit = Fraction(1, 2**24)
    arithmetic = BallArithmetic(Rounding(unit, Fraction(0)))
    with arithmetic.scope():
        matrix = np.array([[arb(float(w)) for w in weights]], dtype=object)
        product = arithmetic.matrix_vector(matrix, np.array([[arb(1)] * 6], dtype=object))
        total = arithmetic.add(product, np.array([[arb(float(bias))]], dtype=object)) if bias else product
        (ball,) = arithmetic.settle(total).flat
    (mass, size), k = sizes([*weights, bias]), 7 if bias else 6
    passed_on = k * ((1 - unit) ** -(k + 1) - 1) * mass
    expected = unit * (mass + (k - 1) * (mass + size) / 2 + size + passed_on)
    assert expected < 0.7 * float(((1 - unit) ** -k - 1) * mass)
    assert float(arb(ball.rad())) == pytest.approx(float(expected), rel=2.0**-26)
