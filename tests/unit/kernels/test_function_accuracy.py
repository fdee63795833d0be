"""sigmoid and tanh as the Triton kernels compute them in float32, at 10^5 arguments: also with fused multiply-adds.

The interpreter rounds every multiplication and every addition; on a card the compiler makes one operation of both.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from rnn_harness.arithmetic.assumptions import FUNCTION_ROUNDINGS, UNDERFLOW, UNIT_ROUNDOFF
from rnn_harness.array_types import Array
from rnn_harness.kernels.drivers.fused import unavailable_reason

pytestmark = pytest.mark.skipif(
    unavailable_reason("cpu") is not None,
    reason=f"not run: {unavailable_reason('cpu')}; with CUDA a probe of rnn-harness gpu measures them",
)
device_functions = pytest.importorskip("rnn_harness.kernels.drivers.fused.device_functions")
apply_elementwise = pytest.importorskip("tests.helpers.elementwise_kernel").apply_elementwise

MultiplyAdd = Callable[[Array, float | Array, float | Array], Array]
LOG2 = 0.6931471805599453
SIZES = np.concatenate(
    [np.linspace(0, 30, 20_000), np.linspace(0, 1, 10_000), np.linspace(80, 120, 10_000), np.logspace(-44, 3, 10_000)]
)
X = np.concatenate([SIZES, -SIZES]).astype(np.float32)
"""10^5 arguments: everyday ones, those near 0, and the tails beyond which exp(-x) is subnormal, or 0."""


def rounded_twice(a: Array, b: float | Array, c: float | Array) -> Array:
    """Compute a b + c in float32 with a rounding of the product."""
    return a * np.float32(b) + np.float32(c)


def rounded_once(a: Array, b: float | Array, c: float | Array) -> Array:
    """Compute a b + c in float32 as a fused multiply-add: float64 holds the product."""
    exact = a.astype(np.float64) * np.float32(b) + np.float32(c)
    return exact.astype(np.float32)


def exp_of_negative(x: Array, multiply_add: MultiplyAdd) -> Array:
    """The kernels' exp of what is not above 0."""
    clamped = np.where(x > -104, x, np.float32(-104))
    n = np.floor(multiply_add(clamped, 1 / LOG2, 0.5))
    r = multiply_add(-n, 355 / 512, clamped)
    r = multiply_add(-n, LOG2 - 355 / 512, r)
    series = multiply_add(r, 1 / 5040, 1 / 720)
    for coefficient in (1 / 120, 1 / 24, 1 / 6, 0.5):
        series = multiply_add(series, r, coefficient)
    series = multiply_add(series * r, r, r) + np.float32(1)
    half = n.astype(np.int32) >> 1
    return np.ldexp(np.ldexp(series, half), n.astype(np.int32) - half)


def sigmoid(x: Array, multiply_add: MultiplyAdd) -> Array:
    """The kernels' sigmoid."""
    e = exp_of_negative(-np.abs(x), multiply_add)
    return np.where(x >= 0, np.float32(1), e) / (1 + e)


def tanh(x: Array, multiply_add: MultiplyAdd) -> Array:
    """The kernels' tanh."""
    small = np.where(np.abs(x) > 0.25, np.float32(0), x)
    s = small * small
    p = multiply_add(s, -1382 / 155925, 62 / 2835)
    for coefficient in (-17 / 315, 2 / 15, -1 / 3):
        p = multiply_add(p, s, coefficient)
    e = exp_of_negative(-2 * np.abs(x), multiply_add)
    large = np.copysign((1 - e) / (1 + e), x)
    return np.where(np.abs(x) > 0.25, large, multiply_add(small * s, p, small))


def roundings(x: Array, y: Array, is_tanh: bool) -> float:
    """The largest error in units of u of the true value, where what underflows may be off by a normal number."""
    wide = x.astype(np.longdouble)
    true = np.tanh(wide) if is_tanh else 1 / (1 + np.exp(-wide))
    beyond = np.maximum(np.abs(y - true) - float(UNDERFLOW["float32"]), 0)
    return float(
        (beyond / np.maximum(np.abs(true), float(UNDERFLOW["float32"]))).max() / float(UNIT_ROUNDOFF["float32"])
    )


PAIRS = [
    pytest.param(sigmoid, device_functions.sigmoid, id="sigmoid"),
    pytest.param(tanh, device_functions.tanh, id="tanh"),
]


@pytest.mark.parametrize(("function", "in_triton"), PAIRS)
def test_the_functions_of_the_kernels_are_those_that_are_emulated(
    function: Callable[[Array, MultiplyAdd], Array], in_triton: object
) -> None:
    y = torch.empty(len(X))
    apply_elementwise[(1,)](torch.from_numpy(X), y, in_triton, 1 << (len(X) - 1).bit_length(), len(X))
    np.testing.assert_array_equal(y.numpy(), function(X, rounded_twice))


@pytest.mark.parametrize("multiply_add", [rounded_twice, rounded_once])
@pytest.mark.parametrize("function", [sigmoid, tanh])
def test_the_functions_lie_in_half_of_the_bound_also_with_fused_multiply_adds(
    function: Callable[[Array, MultiplyAdd], Array], multiply_add: MultiplyAdd
) -> None:
    assert roundings(X, function(X, multiply_add), function is tanh) < FUNCTION_ROUNDINGS / 2


def test_exp_by_a_rounded_product_would_not() -> None:
    def by_exp2(x: Array) -> Array:
        e = np.exp2(-np.abs(x) * np.float32(1 / LOG2))
        return np.where(x >= 0, np.float32(1), e) / (1 + e)

    assert roundings(X, by_exp2(X), is_tanh=False) > FUNCTION_ROUNDINGS
