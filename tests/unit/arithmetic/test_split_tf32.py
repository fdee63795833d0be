"""Three products of TF32 in the place of one of float32, emulated, against the accuracy that their kernels claim."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rnn_harness.arithmetic.assumptions import SPLIT_TF32_OPERANDS, TF32_OPERANDS, UNIT_ROUNDOFF
from rnn_harness.array_types import Array

DROPPED_BITS = 13
"""Float32 has a significand of 24 bits, TF32 of 11."""
COUNT = 100_000


def to_nearest(values: Array) -> Array:
    """Round float32 numbers to TF32, halves away from zero, as ``cvt.rna.tf32.f32`` does."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + (1 << DROPPED_BITS - 1)) & ~np.uint32((1 << DROPPED_BITS) - 1)).view(np.float32)


def cut_off(values: Array) -> Array:
    """Shorten float32 numbers to TF32 without rounding."""
    return (values.astype(np.float32).view(np.uint32) & ~np.uint32((1 << DROPPED_BITS) - 1)).view(np.float32)


def split(values: Array, shorten: Callable[[Array], Array] = to_nearest) -> tuple[Array, Array]:
    """Divide float32 numbers into two of TF32, in float64."""
    large = shorten(values)
    return large.astype(np.float64), shorten(values - large).astype(np.float64)


def three_products(a: Array, b: Array, shorten: Callable[[Array], Array] = to_nearest) -> Array:
    """What Triton's tf32x3 multiplies, before it adds: all but the product of the two small parts."""
    (large_a, small_a), (large_b, small_b) = split(a, shorten), split(b, shorten)
    return small_a * large_b + large_a * small_b + large_a * large_b


def numbers(seed: int) -> Array:
    """Float32 numbers of all significands and many sizes, and those that lie just beside halves of TF32."""
    rng = np.random.default_rng(seed)
    drawn = rng.uniform(1, 2, COUNT) * 2.0 ** rng.integers(-30, 30, COUNT) * rng.choice([-1, 1], COUNT)
    drawn[: COUNT // 4] = 1 + (2 * rng.integers(0, 1 << 10, COUNT // 4) + 1 + rng.choice([-1, 1])) * 2.0**-11
    drawn[: COUNT // 4] += rng.integers(-4096, 4096, COUNT // 4) * 2.0**-23
    return drawn.astype(np.float32)


def worst_error(product: Array, a: Array, b: Array) -> float:
    """The largest error of products, relatively."""
    exact = a.astype(np.float64) * b.astype(np.float64)
    return float(np.abs(product / exact - 1).max())


def test_three_products_are_off_by_no_more_than_is_claimed_of_two_operands() -> None:
    a, b = numbers(1), numbers(2)
    # Two operands, each off by SPLIT_TF32_OPERANDS; the emulation comes within a factor of two of that.
    assert float(SPLIT_TF32_OPERANDS) / 2 < worst_error(three_products(a, b), a, b) < 2 * float(SPLIT_TF32_OPERANDS)


@pytest.mark.parametrize("missing", ["the small parts", "the small part of one operand", "rounding"])
def test_fewer_products_or_parts_that_are_cut_off_are_off_by_more(missing: str) -> None:
    a, b = numbers(1), numbers(2)
    (large_a, small_a), (large_b, _) = split(a), split(b)
    products = {
        "the small parts": large_a * large_b,
        "the small part of one operand": small_a * large_b + large_a * large_b,
        "rounding": three_products(a, b, cut_off),
    }
    assert worst_error(products[missing], a, b) > 2 * float(SPLIT_TF32_OPERANDS)


def test_one_product_is_off_by_no_more_than_is_claimed_whether_operands_are_rounded_or_cut_off() -> None:
    a, b = numbers(1), numbers(2)
    for shorten in (to_nearest, cut_off):
        error = worst_error(shorten(a).astype(np.float64) * shorten(b).astype(np.float64), a, b)
        assert float(TF32_OPERANDS) / 2 < error < 2 * float(TF32_OPERANDS) + float(TF32_OPERANDS) ** 2


@pytest.mark.parametrize("terms", [16, 1024])
def test_sums_of_three_products_in_float32_lie_in_the_bound_that_kernels_are_judged_by(terms: int) -> None:
    rng = np.random.default_rng(terms)
    a, b = (rng.standard_normal((64, terms)).astype(np.float32) for _ in range(2))
    (large_a, small_a), (large_b, small_b) = split(a), split(b)
    total = np.zeros(64, np.float32)
    for left, right in ((small_a, large_b), (large_a, small_b), (large_a, large_b)):
        for term in (left * right).astype(np.float32).T:  # a tensor core adds in float32
            total = total + term
    exact, sizes = (a.astype(np.float64) * b).sum(1), np.abs(a.astype(np.float64) * b).sum(1)
    unit = float(UNIT_ROUNDOFF["float32"])
    allowed = (2 * float(SPLIT_TF32_OPERANDS) + terms * unit) * sizes
    assert (np.abs(total - exact) <= allowed).all()
