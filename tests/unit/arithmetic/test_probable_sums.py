"""Sums of drawn numbers stay inside the probable bound, in every format and order; coarser and biased sums do not."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import exp, sqrt
from typing import Any

import numpy as np
import pytest
import torch

from rnn_harness.arithmetic.assumptions import PROBABLE_DEVIATIONS, UNIT_ROUNDOFF
from rnn_harness.arithmetic.probable_sums import failure_probability, is_sharper, probable_rounding, split_product
from rnn_harness.array_types import Array

TERMS, SUMS, MANY_SUMS = 512, 200, 5_000
Summed = Callable[[Array, Array], Array]


def drawn_factors(dtype: str, positive: bool, seed: int, sums: int = SUMS) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    pair = [rng.standard_normal((sums, TERMS)) for _ in range(2)]
    pair = [abs(factor) if positive else factor for factor in pair]
    return pair[0].astype(dtype), pair[1].astype(dtype)


def in_sequence(x: Array, y: Array) -> Array:
    return (x * y).cumsum(axis=1)[:, -1]


def in_blocks(x: Array, y: Array) -> Array:
    return (x * y).reshape(len(x), 16, -1).sum(axis=2).cumsum(axis=1)[:, -1]


def by_blas(x: Array, y: Array) -> Array:
    return np.array([row @ column for row, column in zip(x, y, strict=True)])


def backwards(x: Array, y: Array) -> Array:
    return in_sequence(x[:, ::-1], y[:, ::-1])


def fused(x: Array, y: Array) -> Array:
    total = np.zeros(len(x), x.dtype)
    for column in range(x.shape[1]):
        wide = x[:, column].astype(np.longdouble) * y[:, column].astype(np.longdouble) + total
        total = wide.astype(x.dtype)
    return total


def error_over_probable_bound(x: Array, y: Array, computed: Array, unit: float) -> Array:
    products = x.astype(np.longdouble) * y.astype(np.longdouble)
    true, mass = products.sum(axis=1), abs(products).sum(axis=1)
    bound = probable_rounding(unit, x.shape[1], mass.astype(np.float64), abs(true).astype(np.float64))
    return np.asarray(abs(computed - true) / bound, dtype=np.float64)


ORDERS = pytest.mark.parametrize(
    "summed", [in_sequence, in_blocks, by_blas, backwards, fused], ids=lambda f: f.__name__
)
SIGNS = pytest.mark.parametrize("positive", [False, True], ids=["of both signs", "all positive"])


@ORDERS
@SIGNS
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_drawn_inner_product_exceeds_the_bound(dtype: str, positive: bool, summed: Summed) -> None:
    x, y = drawn_factors(dtype, positive, 1)
    shares = error_over_probable_bound(x, y, summed(x, y), float(UNIT_ROUNDOFF[dtype]))
    assert (shares > 1).sum() == 0
    assert shares.max() > 0.001  # the bound is one of these errors, and not of far larger ones


@pytest.mark.deep("tests/unit/arithmetic/test_probable_sums.py::test_no_drawn_inner_product_exceeds_the_bound")
@ORDERS
@SIGNS
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_none_of_many_drawn_inner_products_exceeds_the_bound(dtype: str, positive: bool, summed: Summed) -> None:
    x, y = drawn_factors(dtype, positive, 5, MANY_SUMS)
    shares = error_over_probable_bound(x, y, summed(x, y), float(UNIT_ROUNDOFF[dtype]))
    assert (shares > 1).sum() == 0


def test_no_drawn_inner_product_in_bfloat16_exceeds_the_bound() -> None:
    first, second = (torch.from_numpy(factor).bfloat16() for factor in drawn_factors("float32", False, 2, 200))
    total = torch.zeros(len(first), dtype=torch.bfloat16)
    for column in range(first.shape[1]):
        total = total + first[:, column] * second[:, column]
    x, y = first.double().numpy(), second.double().numpy()
    shares = error_over_probable_bound(x, y, total.double().numpy(), float(UNIT_ROUNDOFF["bfloat16"]))
    assert (shares > 1).sum() == 0


@SIGNS
def test_sums_in_a_narrower_format_exceed_the_bound_of_the_wider_one(positive: bool) -> None:
    x, y = drawn_factors("float64", positive, 3, 200)
    shares = error_over_probable_bound(x, y, (x * y).astype(np.float32).cumsum(axis=1)[:, -1], 2.0**-53)
    assert (shares > 1).all()


def test_terms_that_are_equal_exceed_it_though_the_proved_bound_holds_them() -> None:
    # Errors of one sign: the assumption fails, which is why nothing is refuted by the bound.
    terms = 1 << 16
    x, y = np.full((1, terms), 0.1, np.float32), np.ones((1, terms), np.float32)
    (share,) = error_over_probable_bound(x, y, in_sequence(x, y), 2.0**-24)
    error, true = abs(float(in_sequence(x, y)[0]) - terms * float(x[0, 0])), terms * float(x[0, 0])
    assert share > 1
    assert error < terms * 2.0**-24 * true


@pytest.mark.parametrize("deviations", [1.0, 1.5, 2.0])
def test_errors_as_large_as_they_can_be_exceed_fewer_deviations_as_seldom_as_is_proved(deviations: float) -> None:
    # Every operation is off by u, up or down; sums go up to their full size at once, as is assumed of the worst order.
    rng, terms, unit, repeats = np.random.default_rng(4), 128, 2.0**-30, 20_000
    total = np.ones(repeats)
    for _ in range(terms - 1):
        total *= 1 + unit * rng.choice([-1.0, 1.0], repeats)
    mass = np.ones(repeats)
    bound = probable_rounding(unit, terms, mass, mass) * deviations / PROBABLE_DEVIATIONS
    share = float((abs(total - 1) > bound).mean())
    assert 0 < share <= 2 * exp(-(deviations**2) / 2)


def test_the_bound_is_what_its_formula_says() -> None:
    unit, terms, mass, size, underflow = 2.0**-8, 14, 3.0, 1.0, 2.0**-10
    growth = float((1 - Fraction(1, 2**8)) ** -(terms + 2) - 1)
    expected = PROBABLE_DEVIATIONS * sqrt(terms + 3) * unit * ((mass + size) / 2 + growth * mass + underflow)
    (bound,) = probable_rounding(unit, terms, np.array([mass]), np.array([size]), underflow, further=2)
    assert bound == pytest.approx(expected, rel=1e-6)
    # A size is an upper bound, and a sum is never larger than all of its terms.
    (capped,) = probable_rounding(unit, terms, np.array([mass]), np.array([100.0]), underflow, further=2)
    assert capped == pytest.approx(expected * (mass + growth * mass + underflow) / (2.0 + growth * mass + underflow))


def test_it_is_sharper_for_long_sums_alone_and_fails_with_the_probability_of_all_of_them() -> None:
    assert not is_sharper(122)
    assert is_sharper(123)
    assert failure_probability(10) == pytest.approx(20 * exp(-60.5), abs=0)
    assert failure_probability(9 * 10**13) <= 1e-12


@pytest.mark.parametrize("terms", [1, 2, 124, 500, 1024])
@pytest.mark.parametrize("scale", [1.0, 2.0**-500, 2.0**300])
def test_a_split_product_is_as_near_as_it_says_where_terms_cancel(terms: int, scale: float) -> None:
    rng = np.random.default_rng(terms)
    matrix, factor = rng.standard_normal((3, terms)) * scale, rng.standard_normal((terms, 2))
    half = terms // 2
    matrix[:, half : 2 * half], factor[half : 2 * half] = -matrix[:, :half], factor[:half] * (1 + 2.0**-40)
    product, bound = split_product(matrix, factor)
    for i, j in np.ndindex(3, 2):
        pairs = zip(matrix[i], factor[:, j], strict=True)
        true = sum((Fraction(float(a)) * Fraction(float(b)) for a, b in pairs), Fraction(0))
        assert abs(Fraction(float(product[i, j])) - true) <= Fraction(float(bound[i, j])) * (1 + Fraction(1, 2**24))
    assert (bound <= 2.0**-53 * (abs(product) + 2.0**-5 * scale * max(terms, 8))).all()


def test_numbers_too_large_to_be_cut_have_no_split_product() -> None:
    with np.errstate(all="ignore"):
        product: Any = split_product(np.full((1, 200), 1e300), np.ones((200, 1)))[0]
    assert not np.isfinite(product).all()
