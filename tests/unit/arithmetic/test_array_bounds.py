"""The bound in arrays holds Arb's, on drawn programs and values, and is hardly wider."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb

from rnn_harness.arithmetic import Values
from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall, growth
from rnn_harness.arithmetic.assumptions import (
    FUNCTION_ROUNDINGS,
    UNDERFLOW,
    UNIT_ROUNDOFF,
    WIDEST_IN_FLOAT64,
    WIDEST_IN_NARROWER_FORMATS,
)
from rnn_harness.arithmetic.ball import BallArithmetic, exact
from rnn_harness.arithmetic.compare_arrays import compare_arrays
from rnn_harness.arithmetic.numpy_arithmetic import sigmoid
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.derivatives.single_equation import local_program
from rnn_harness.evaluation.judging_options import rounding
from rnn_harness.specs import library
from rnn_harness.specs.expression import Apply, Function, walk
from rnn_harness.specs.program import Program
from tests.unit.arithmetic.test_bounds import CELLS, drawn, everything

ROUNDINGS = [
    rounding("float64"),
    rounding("float32"),
    rounding("float16"),
    rounding("bfloat16"),
    rounding("float64", absolute_function_error=True),
    rounding("float32", Fraction(1, 2**10)),
    Rounding(UNIT_ROUNDOFF["float16"], UNDERFLOW["float16"], functions=Fraction(1, 2**10)),
]


def compared(arrays: dict[str, ArrayBall], balls: dict[str, Any]) -> float:
    """Assert that every array ball holds Arb's; return the largest ratio of the radii."""
    assert arrays.keys() == balls.keys()
    widest = 0.0
    with BallArithmetic().scope():
        for name, ball in balls.items():
            middle = np.broadcast_to(arrays[name].middle, ball.shape)
            radius = np.broadcast_to(arrays[name].radius, ball.shape)
            for index in np.ndindex(*ball.shape):
                true: arb = ball[index]
                r = arb(true.rad())
                if not (true.is_finite() and np.isfinite(radius[index])):
                    assert not (np.isfinite(radius[index]) and np.isfinite(middle[index])), f"{name} is not finite"
                    continue
                distance = abs(arb(float(middle[index])) - true.mid())
                assert distance + r <= arb(float(radius[index])), f"{name}{index} leaves {radius[index]}: {true}"
                if r > 0:
                    widest = max(widest, float(arb(float(radius[index])) / r))
    return widest


def scaled(case: tuple[Values, dict[str, Any], dict[str, Any]], scale: float) -> Any:
    values, outputs, finals = case
    parameters = {name: value * value.dtype.type(scale) for name, value in values.parameters.items()}
    return Values(parameters, values.inputs, values.states, values.sizes, values.indices), outputs, finals


def widest_allowed(allowed: Rounding) -> float:
    return WIDEST_IN_FLOAT64 if allowed.unit == UNIT_ROUNDOFF["float64"] else WIDEST_IN_NARROWER_FORMATS


def compared_on(program: Program, allowed: Rounding, seed: int) -> float:
    dtype = "float64" if allowed.unit == UNIT_ROUNDOFF["float64"] else "float32"
    case = scaled(drawn(program, dtype, seed, steps=2), (1.0, 0.5, 3.0)[seed % 3])
    arrays = everything(program, case, ArrayBallArithmetic(allowed))
    return compared(arrays, everything(program, case, BallArithmetic(allowed)))


@pytest.mark.parametrize("spec", CELLS)
def test_the_array_ball_holds_the_arb_ball_forward_and_backward(spec: str) -> None:
    program = library().spec(spec).program()
    for seed, allowed in enumerate(ROUNDINGS):
        widest = compared_on(program, allowed, seed)
        # At the kink of a ReLU the wider ball may reach what Arb's does not.
        assert widest <= widest_allowed(allowed) or uses_relu(program), (allowed, widest)


@pytest.mark.deep(
    "tests/unit/arithmetic/test_array_bounds.py::test_the_array_ball_holds_the_arb_ball_forward_and_backward"
)
@pytest.mark.parametrize("spec", CELLS)
def test_the_array_ball_holds_the_arb_ball_on_many_values(spec: str) -> None:
    program = library().spec(spec).program()
    for seed in range(20):
        for allowed in ROUNDINGS:
            widest = compared_on(program, allowed, 100 + seed)
            assert widest <= widest_allowed(allowed) or uses_relu(program), (allowed, widest)


@pytest.mark.parametrize("spec", [spec.id for spec in library().specs])
def test_every_equation_by_itself_holds_the_arb_ball(spec: str) -> None:
    for seed, entry in enumerate(library().spec(spec).equations):
        for assignment in library().spec(spec).assignment(entry.id):
            program = local_program(assignment)
            allowed = ROUNDINGS[seed % len(ROUNDINGS)]
            widest = compared_on(program, allowed, seed)
            assert widest <= widest_allowed(allowed) or uses_relu(program), (entry.id, allowed, widest)


def uses_relu(program: Program) -> bool:
    nodes = [node for assignment in program.assignments for node in walk(assignment.expression)]
    return any(isinstance(node, Apply) and node.function in (Function.RELU, Function.STEP) for node in nodes)


def ball_pair(middle: Any, radius: Any) -> tuple[ArrayBall, Any]:
    """The same balls as arrays and as an object array; Arb takes radii upward."""
    pairs = zip(np.ravel(middle), np.ravel(radius), strict=True)
    balls = np.array([arb(float(m), float(r)) for m, r in pairs], dtype=object).reshape(middle.shape)
    return ArrayBall(middle, radius * (1 + 2.0**-28)), balls


@pytest.mark.parametrize("function", list(Function))
def test_functions_hold_arbs_balls_far_out_near_zero_and_of_every_width(function: Function) -> None:
    rng = np.random.default_rng(5)
    for allowed in ROUNDINGS:
        arrays, balls = ArrayBallArithmetic(allowed), BallArithmetic(allowed)
        shape = (40, 3)
        middle = rng.standard_normal(shape) * np.exp2(rng.integers(-60, 12, shape).astype(float))
        radius = np.abs(middle) * np.exp2(rng.integers(-60, 3, shape).astype(float)) * rng.integers(0, 2, shape)
        with balls.scope(), arrays.scope():
            first, second = ball_pair(abs(middle) if function is Function.LOG else middle, radius)
            compared({"f": arrays.apply(function, first)}, {"f": balls.apply(function, second)})


@pytest.mark.parametrize("operation", ["add", "subtract", "multiply", "divide", "dot", "outer", "concatenate"])
def test_operations_hold_arbs_balls_of_every_size_and_width(operation: str) -> None:
    rng = np.random.default_rng(6)
    for allowed in ROUNDINGS:
        arrays, balls = ArrayBallArithmetic(allowed), BallArithmetic(allowed)
        pairs = []
        for _ in range(2):
            middle = rng.standard_normal((7, 5)) * np.exp2(rng.integers(-520, 200, (7, 5)).astype(float))
            middle[rng.random((7, 5)) < 0.1] = 0
            radius = np.abs(middle) * np.exp2(rng.integers(-60, 1, (7, 5)).astype(float)) * rng.integers(0, 2, (7, 5))
            pairs.append(ball_pair(middle, radius))
        with balls.scope(), arrays.scope():
            mine = arrays.settle(getattr(arrays, operation)(*(pair[0] for pair in pairs)))
            theirs = balls.settle(getattr(balls, operation)(*(pair[1] for pair in pairs)))
            compared({operation: mine}, {operation: theirs})


@pytest.mark.parametrize("operation", ["matrix_vector", "vector_matrix"])
def test_a_product_with_a_matrix_of_balls_holds_arbs(operation: str) -> None:
    rng = np.random.default_rng(9)
    middle, vector = rng.standard_normal((3, 5)), rng.standard_normal((7, 5 if operation == "matrix_vector" else 3))
    for width, narrow in ((2.0**-10, 0.0), (0.0, 2.0**-10), (2.0**-10, 2.0**-12)):
        pairs = [ball_pair(middle, width * abs(middle)), ball_pair(vector, narrow * abs(vector))]
        pairs = pairs if operation == "matrix_vector" else pairs[::-1]
        for allowed in ROUNDINGS:
            arrays, balls = ArrayBallArithmetic(allowed), BallArithmetic(allowed)
            with balls.scope():
                mine = arrays.settle(getattr(arrays, operation)(*(pair[0] for pair in pairs)))
                theirs = balls.settle(getattr(balls, operation)(*(pair[1] for pair in pairs)))
                assert compared({operation: mine}, {operation: theirs}) <= widest_allowed(allowed)


def test_a_product_of_many_terms_that_cancel_holds_arbs_ball() -> None:
    rng = np.random.default_rng(7)
    matrix, x = rng.standard_normal((3, 257)), rng.standard_normal((2, 257))
    matrix[:, 128:256], x[:, 128:256] = -matrix[:, :128], x[:, :128]
    for allowed in ROUNDINGS:
        arrays, balls = ArrayBallArithmetic(allowed), BallArithmetic(allowed)
        with balls.scope():
            mine = arrays.settle(arrays.matrix_vector(arrays.array(matrix), arrays.array(x)))
            theirs = balls.settle(balls.matrix_vector(balls.array(matrix), balls.array(x)))
            assert compared({"product": mine}, {"product": theirs}) <= widest_allowed(allowed)


def test_a_product_that_underflows_keeps_its_true_value() -> None:
    # The package precise-numpy gives 0 +- 0 here: its balls do not hold what underflows.
    exact_product = ArrayBallArithmetic(Rounding(Fraction(0)))
    small = exact_product.array(np.array([[1e-200]]))
    ball = exact_product.settle(exact_product.multiply(small, small))
    assert ball.middle[0, 0] == 0
    assert Fraction(float(ball.radius[0, 0])) >= Fraction(1, 10**400)


def test_numpys_own_functions_are_as_exact_as_the_midpoints_need() -> None:
    rng = np.random.default_rng(8)
    arguments = np.concatenate([rng.uniform(-40, 40, 3000), rng.standard_normal(1000) * 2.0**-30])
    limit = FUNCTION_ROUNDINGS * exact(UNIT_ROUNDOFF["float64"])
    with BallArithmetic().scope():
        for a, s, t in zip(arguments, sigmoid(arguments), np.tanh(arguments), strict=True):
            for computed, true in ((s, 1 / (1 + (-arb(a)).exp())), (t, arb(a).tanh())):
                assert abs(arb(computed) - true) <= limit * abs(true), a


def test_growth_is_at_least_the_exact_power() -> None:
    for unit in UNIT_ROUNDOFF.values():
        for k in (1, 2, 3, 17, 1000):
            assert Fraction(growth(float(unit), k)) >= 1 / (1 - unit) ** k - 1
    assert growth(2.0**-8, 10**7) == np.inf


def test_what_overflows_claims_nothing_and_is_not_compared() -> None:
    arithmetic = ArrayBallArithmetic.of("float64")
    with arithmetic.scope():
        large = arithmetic.array(np.array([[1e200]]))
        ball = arithmetic.settle(arithmetic.multiply(large, large))
    assert not ball.is_finite
    with pytest.raises(ValueError, match="not finite"):
        compare_arrays(ball, np.array([[1.0]]))


def test_a_number_just_outside_is_told_from_one_inside() -> None:
    ball = ArrayBall(np.array([[1.0, 2.0]]), np.array([[2.0**-20, 0.0]]))
    assert compare_arrays(ball, np.array([[1 + 2.0**-20, 2.0]])).error_over_bound <= 1
    outside = compare_arrays(ball, np.array([[1 + 2.0**-20 * 1.001, 2.0]]))
    assert outside.error_over_bound > 1
    assert outside.where == (0, 0)
    assert compare_arrays(ball, np.array([[1.0, 2 + 2.0**-51]])).error_over_bound == np.inf
    assert compare_arrays(ball, np.array([[np.nan, 2.0]])).error_over_bound == np.inf


@pytest.mark.parametrize("operation", ["_product", "_joined", "_matrix_product"])
def test_an_arithmetic_that_forgets_its_own_rounding_is_caught(operation: str, monkeypatch: Any) -> None:
    # Without the format's roundings only the midpoint's own keep the true value inside.
    honest = getattr(ArrayBallArithmetic, operation)

    def forgetful(self: Any, *arguments: Any) -> Any:
        result = honest(self, *arguments)
        if isinstance(result, tuple):
            return result[0], result[1] * 0.0
        result.radius = result.radius * 0.0
        return result

    program = library().spec(CELLS[0]).program()
    case = drawn(program, "float64", 3, steps=2)
    none = Rounding(Fraction(0))
    true = everything(program, case, BallArithmetic())
    compared(everything(program, case, ArrayBallArithmetic(none)), true)
    monkeypatch.setattr(ArrayBallArithmetic, operation, forgetful)
    with pytest.raises(AssertionError, match="leaves"):
        compared(everything(program, case, ArrayBallArithmetic(none)), true)
