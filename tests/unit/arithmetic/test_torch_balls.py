"""The bound in arrays holds Arb's in torch too, on the processor: the same text, with torch's own operations."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from flint import arb

from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall, stacked, wider
from rnn_harness.arithmetic.array_operations import NUMPY, emulates_float64, operations_of, torch_operations
from rnn_harness.arithmetic.assumptions import FUNCTION_ROUNDINGS, UNIT_ROUNDOFF
from rnn_harness.arithmetic.ball import BallArithmetic, exact
from rnn_harness.arithmetic.compare_arrays import compare_arrays
from rnn_harness.arithmetic.probable_ball import ProbableBallArithmetic
from rnn_harness.arithmetic.probable_sums import split_product
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.array_types import Array
from rnn_harness.derivatives.single_equation import local_program
from rnn_harness.evaluation.judging_options import rounding
from rnn_harness.specs import library
from rnn_harness.specs.expression import Function
from tests.unit.arithmetic.test_array_bounds import (
    ROUNDINGS,
    ball_pair,
    compared,
    scaled,
    uses_relu,
    widest_allowed,
)
from tests.unit.arithmetic.test_bounds import CELLS, drawn, everything

TORCH = torch_operations("cpu")


def in_torch(ball: ArrayBall) -> ArrayBall:
    return ArrayBall(TORCH.converted(ball.middle), TORCH.converted(ball.radius), ball.is_exact)


def widest_on(program: Any, allowed: Rounding, seed: int) -> float:
    dtype = "float64" if allowed.unit == UNIT_ROUNDOFF["float64"] else "float32"
    case = scaled(drawn(program, dtype, seed, steps=2), (1.0, 0.5, 3.0)[seed % 3])
    arrays = everything(program, case, ArrayBallArithmetic(allowed, TORCH))
    assert all(torch.is_tensor(ball.middle) and torch.is_tensor(ball.radius) for ball in arrays.values())
    return compared(arrays, everything(program, case, BallArithmetic(allowed)))


@pytest.mark.parametrize("spec", CELLS)
def test_the_torch_ball_holds_the_arb_ball_forward_and_backward(spec: str) -> None:
    program = library().spec(spec).program()
    for seed, allowed in enumerate(ROUNDINGS):
        widest = widest_on(program, allowed, seed)
        assert widest <= widest_allowed(allowed) or uses_relu(program), (allowed, widest)


@pytest.mark.parametrize("spec", [spec.id for spec in library().specs])
def test_every_equation_by_itself_holds_the_arb_ball_in_torch(spec: str) -> None:
    for seed, entry in enumerate(library().spec(spec).equations):
        for assignment in library().spec(spec).assignment(entry.id):
            program = local_program(assignment)
            allowed = ROUNDINGS[seed % len(ROUNDINGS)]
            widest = widest_on(program, allowed, seed)
            assert widest <= widest_allowed(allowed) or uses_relu(program), (entry.id, allowed, widest)


@pytest.mark.deep(
    "tests/unit/arithmetic/test_torch_balls.py::test_the_torch_ball_holds_the_arb_ball_forward_and_backward"
)
@pytest.mark.parametrize("spec", CELLS)
def test_the_torch_ball_holds_the_arb_ball_on_many_values(spec: str) -> None:
    program = library().spec(spec).program()
    for seed in range(20):
        for allowed in ROUNDINGS:
            widest = widest_on(program, allowed, 100 + seed)
            assert widest <= widest_allowed(allowed) or uses_relu(program), (allowed, widest)


@pytest.mark.parametrize("function", list(Function))
def test_functions_of_torch_hold_arbs_balls_far_out_near_zero_and_of_every_width(function: Function) -> None:
    rng = np.random.default_rng(5)
    for allowed in ROUNDINGS:
        arrays, balls = ArrayBallArithmetic(allowed, TORCH), BallArithmetic(allowed)
        shape = (40, 3)
        middle = rng.standard_normal(shape) * np.exp2(rng.integers(-60, 12, shape).astype(float))
        radius = np.abs(middle) * np.exp2(rng.integers(-60, 3, shape).astype(float)) * rng.integers(0, 2, shape)
        with balls.scope(), arrays.scope():
            first, second = ball_pair(abs(middle) if function is Function.LOG else middle, radius)
            compared({"f": arrays.apply(function, in_torch(first))}, {"f": balls.apply(function, second)})


@pytest.mark.parametrize("operation", ["add", "subtract", "multiply", "divide", "dot", "outer", "concatenate"])
def test_operations_of_torch_hold_arbs_balls_of_every_size_and_width(operation: str) -> None:
    rng = np.random.default_rng(6)
    for allowed in ROUNDINGS:
        arrays, balls = ArrayBallArithmetic(allowed, TORCH), BallArithmetic(allowed)
        pairs = []
        for _ in range(2):
            middle = rng.standard_normal((7, 5)) * np.exp2(rng.integers(-520, 200, (7, 5)).astype(float))
            middle[rng.random((7, 5)) < 0.1] = 0
            radius = np.abs(middle) * np.exp2(rng.integers(-60, 1, (7, 5)).astype(float)) * rng.integers(0, 2, (7, 5))
            pairs.append(ball_pair(middle, radius))
        with balls.scope(), arrays.scope():
            mine = arrays.settle(getattr(arrays, operation)(*(in_torch(pair[0]) for pair in pairs)))
            theirs = balls.settle(getattr(balls, operation)(*(pair[1] for pair in pairs)))
            compared({operation: mine}, {operation: theirs})


def test_a_product_in_torch_of_many_terms_that_cancel_holds_arbs_ball() -> None:
    rng = np.random.default_rng(7)
    matrix, x = rng.standard_normal((3, 257)), rng.standard_normal((2, 257))
    matrix[:, 128:256], x[:, 128:256] = -matrix[:, :128], x[:, :128]
    for allowed in ROUNDINGS:
        arrays, balls = ArrayBallArithmetic(allowed, TORCH), BallArithmetic(allowed)
        with balls.scope():
            mine = arrays.settle(arrays.matrix_vector(arrays.array(matrix), arrays.array(x)))
            theirs = balls.settle(balls.matrix_vector(balls.array(matrix), balls.array(x)))
            assert compared({"product": mine}, {"product": theirs}) <= widest_allowed(allowed)


def test_the_lowest_precision_of_float32_products_does_not_touch_those_of_float64() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        test_a_product_in_torch_of_many_terms_that_cancel_holds_arbs_ball()
    finally:
        torch.set_float32_matmul_precision(before)


def test_torchs_own_functions_are_as_exact_as_the_midpoints_need() -> None:
    rng = np.random.default_rng(8)
    near, wide, far = rng.standard_normal(500) * 2.0**-30, rng.uniform(-40, 40, 1500), rng.uniform(-700, 700, 500)
    arguments = np.concatenate([near, wide, far])
    limit = FUNCTION_ROUNDINGS * exact(UNIT_ROUNDOFF["float64"])
    tensor = TORCH.converted(arguments)
    computed = {
        "exp": (TORCH.exp(tensor), lambda a: a.exp()),
        "tanh": (TORCH.tanh(tensor), lambda a: a.tanh()),
        "log": (TORCH.log(abs(tensor)), lambda a: abs(a).log()),
        "softplus": (TORCH.softplus(tensor), lambda a: abs(a).exp().log1p() if a > 0 else a.exp().log1p()),
    }
    with BallArithmetic().scope():
        for name, (values, function) in computed.items():
            for a, value in zip(arguments, np.asarray(values), strict=True):
                true = function(arb(float(a)))
                assert abs(arb(float(value)) - true) <= limit * abs(true), (name, a)


def test_what_overflows_in_torch_claims_nothing_and_a_radius_keeps_its_nan() -> None:
    arithmetic = ArrayBallArithmetic(Rounding(Fraction(0)), TORCH)
    large = arithmetic.array(np.array([[1e200]]))
    assert not arithmetic.settle(arithmetic.multiply(large, large)).is_finite
    lost = arithmetic.array(np.array([[np.nan, 1.0]]))
    assert not lost.is_finite
    for function in Function:
        assert not arithmetic.apply(function, lost).is_finite or function is Function.STEP, function
    nan, fine = TORCH.converted(np.array([np.nan])), TORCH.converted(np.array([1.0]))
    for lose in (TORCH.maximum, TORCH.minimum):
        assert np.isnan(np.asarray(lose(nan, fine))).all()
        assert np.isnan(np.asarray(lose(fine, nan))).all()
        assert np.isnan(np.asarray(lose(nan, 1.0))).all()
    middle = TORCH.converted(np.array([1.0, 2.0]))
    joined = wider([ArrayBall(middle, middle * 0), ArrayBall(middle, TORCH.converted(np.array([np.nan, 1.0])))])
    assert not joined.is_finite
    with pytest.raises(ValueError, match="not finite"):
        compare_arrays(joined, middle)


def numbers(terms: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(terms)
    return rng.standard_normal((5, terms)), rng.standard_normal((terms, 4))


def test_a_split_product_in_torch_is_as_exact_as_it_says_and_cannot_cut_what_is_too_large() -> None:
    for terms in (1, 200, 513):
        matrix, factor = numbers(terms)
        product, error = split_product(TORCH.converted(matrix), TORCH.converted(factor))
        numpy_product, numpy_error = split_product(matrix, factor)
        assert np.allclose(np.asarray(error), numpy_error, rtol=1e-12)
        assert (abs(np.asarray(product) - numpy_product) <= 2 * numpy_error).all()
    none, nothing = split_product(TORCH.zeros((2, 0)), TORCH.zeros((0, 3)))
    assert np.asarray(none).shape == np.asarray(nothing).shape == (2, 3)
    huge = TORCH.converted(np.full((1, 200), 1e308))
    assert not np.isfinite(np.asarray(split_product(huge, huge.T)[1])).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_probable_bounds_in_torch_are_those_in_numpy_and_count_as_many_sums(dtype: str) -> None:
    matrix, rows = numbers(300)[0], numbers(300)[1].T
    balls = {}
    for operations in (NUMPY, TORCH):
        arithmetic = ProbableBallArithmetic(rounding(dtype), operations)
        product = arithmetic.matrix_vector(arithmetic.array(matrix), arithmetic.array(rows))
        balls[operations] = (arithmetic.settle(product), arithmetic.sums)
    (first, counted), (second, sums) = balls[NUMPY], balls[TORCH]
    assert counted == sums > 0
    assert np.allclose(first.radius, np.asarray(second.radius), rtol=1e-9)


def test_numbers_compare_with_balls_of_torch_as_with_those_of_numpy() -> None:
    rng = np.random.default_rng(2)
    middle, radius = rng.standard_normal((3, 4)), abs(rng.standard_normal((3, 4)))
    off = middle + 2 * radius * (rng.random((3, 4)) - 0.5)
    lost = np.where(off == off[1, 2], np.nan, off)
    for computed in (off, off + 1, lost, middle, np.zeros((3, 4))):
        expected = compare_arrays(ArrayBall(middle, radius), computed)
        found = compare_arrays(in_torch(ArrayBall(middle, radius)), TORCH.converted(computed))
        assert found == expected
        assert compare_arrays(in_torch(ArrayBall(middle, radius)), computed) == expected
    assert in_torch(ArrayBall(middle[0], radius[0])).T.shape == (4,)
    assert stacked([in_torch(ArrayBall(middle, radius))] * 2).shape == (2, 3, 4)


def test_an_array_tells_what_it_is_computed_with_and_narrow_tensors_become_float64() -> None:
    assert operations_of(np.zeros(2)) is operations_of(np.zeros(2)[0]) is NUMPY
    assert operations_of(TORCH.zeros((2,))) is TORCH
    narrow = TORCH.converted(torch.ones(2, dtype=torch.bfloat16, requires_grad=True))  # type: ignore[arg-type]
    assert str(narrow.dtype) == "torch.float64"
    source = np.ones(2)
    copied = TORCH.converted(source)
    source[0] = 7  # as a subject may overwrite what it was given
    assert np.asarray(copied).tolist() == [1.0, 1.0]


def test_products_that_cublas_is_asked_to_emulate_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_EMULATE_DOUBLE_PRECISION", raising=False)
    assert not emulates_float64()
    for value, asked in (("0", False), ("1", True)):
        monkeypatch.setenv("CUBLAS_EMULATE_DOUBLE_PRECISION", value)
        assert emulates_float64() is asked
