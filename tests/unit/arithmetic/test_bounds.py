"""The rounding bound is a theorem: nothing correct leaves it, in any order of summation, at any precision."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb

from rnn_harness.arithmetic import NumpyArithmetic, Values, evaluate
from rnn_harness.arithmetic.assumptions import LOOSE_BOUND
from rnn_harness.arithmetic.ball import BallArithmetic, precision
from rnn_harness.arithmetic.ball_functions import sigmoid, tanh
from rnn_harness.arithmetic.compare import error_over_bound
from rnn_harness.derivatives import Cotangents, derive, differentiate
from rnn_harness.specs import library
from rnn_harness.specs.expression import Apply, Component, Function, Variable, walk
from rnn_harness.specs.program import Program

SIZES = {"n": 3, "d": 4, "k": 3, "m": 2}
CELLS = [spec.id for spec in library().cells]


def drawn(program: Program, dtype: str, seed: int, steps: int = 3) -> tuple[Values, dict[str, Any], dict[str, Any]]:
    """Random values in the format, and cotangents of outputs and final states."""
    rng = np.random.default_rng(seed)
    nodes = [node for a in program.assignments for node in walk(a.expression)]
    positive = any(isinstance(node, Apply) and node.function is Function.LOG for node in nodes)

    def normal(variable: Variable, *lead: int) -> Any:
        shape = (*lead, *(size.size(SIZES) for size in variable.shape))
        value = rng.standard_normal(shape if variable.shape else (*lead, 1))
        return (np.exp(value) if positive else value).astype(dtype)

    values = Values(
        {v.name: normal(v) for v in program.parameters},
        {v.name: normal(v, steps, 2) for v in program.inputs},
        {v.name: normal(v, 2) for v in program.states},
        SIZES,
        {n.index: rng.integers(0, SIZES["k"], (steps, 2)) for n in nodes if isinstance(n, Component)},
    )
    outputs = {v.name: normal(v, steps, 2) for v in program.outputs}
    return values, outputs, {v.name: normal(v, 2) for v in program.states}


def everything(
    program: Program, case: tuple[Values, dict[str, Any], dict[str, Any]], arithmetic: Any
) -> dict[str, Any]:
    """All forward values and all gradients, by name."""
    values, outputs, finals = case
    run = evaluate(program, values, arithmetic)
    cotangents: Cotangents[Any] = differentiate(derive(program), run, outputs, finals, arithmetic)
    rows: dict[str, Any] = {f"{name}[{t}]": v for t, step in enumerate(run.steps) for name, v in step.items()}
    rows |= {f"d {name}[{t}]": v for name, steps in cotangents.inputs.items() for t, v in enumerate(steps)}
    return rows | {f"d {k}": v for part in (cotangents.states, cotangents.parameters) for k, v in part.items()}


def bounded(dtype: str) -> BallArithmetic:
    return BallArithmetic.of(dtype)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("spec", CELLS)
def test_no_order_of_summation_leaves_the_ball(spec: str, dtype: str, shuffled: Any) -> None:
    program = library().spec(spec).program()
    case = drawn(program, dtype, 3)
    balls = everything(program, case, bounded(dtype))
    for seed in range(3):
        found = everything(program, case, shuffled(dtype, seed))
        assert found.keys() == balls.keys()
        for name, value in found.items():
            assert error_over_bound(balls[name], np.broadcast_to(value, balls[name].shape))[0] <= 1, (name, seed)


@pytest.mark.parametrize("spec", CELLS)
def test_bounds_are_no_wider_than_a_hundred_errors(spec: str) -> None:
    program = library().spec(spec).program()
    worst = []
    for seed in range(6):
        case = drawn(program, "float32", seed)
        balls = everything(program, case, bounded("float32"))
        found = everything(program, case, NumpyArithmetic(np.float32))
        worst.append(max(error_over_bound(balls[k], np.broadcast_to(v, balls[k].shape))[0] for k, v in found.items()))
    assert np.median(worst) * LOOSE_BOUND > 1


@pytest.mark.parametrize("spec", CELLS)
def test_the_middle_of_a_wide_ball_is_the_true_value(spec: str) -> None:
    program = library().spec(spec).program()
    case = drawn(program, "float16", 5)
    wide, exact = (everything(program, case, one) for one in (bounded("float16"), BallArithmetic()))
    for name, balls in wide.items():
        for ball, true in zip(balls.flat, np.broadcast_to(exact[name], balls.shape).flat, strict=True):
            with BallArithmetic().scope():
                assert abs(ball.mid() - true) <= arb(2) ** -150 * (1 + abs(true)), name


def test_long_sums_at_low_precision_keep_a_positive_bound() -> None:
    # gamma_k = k u / (1 - k u) would be infinite at k = 1/u = 256 and negative beyond.
    arithmetic = bounded("bfloat16")
    radii = []
    for terms in (255, 256, 257, 600):
        with arithmetic.scope():
            row = arithmetic.array(np.ones((1, terms)))
            ball = arithmetic.settle(arithmetic.dot(row, row))[0, 0]
        radii.append(float(arb(ball.rad())) / terms)
    assert radii == sorted(radii)
    # A running sum of ones in bfloat16 stops at 256: every later 1 is lost.
    assert all(r >= 1 - 256 / terms for r, terms in zip(radii, (255, 256, 257, 600), strict=True))


def test_a_constant_that_the_format_cannot_hold_is_rounded() -> None:
    arithmetic = bounded("float32")
    with arithmetic.scope():
        third, half = arithmetic.number(Fraction(1, 3)), arithmetic.number(Fraction(1, 2))
    assert error_over_bound(third, np.array([[np.float32(1) / np.float32(3)]]))[0] <= 1
    assert half[0, 0].is_exact()


@pytest.mark.parametrize("function", [Function.SOFTMAX, Function.LOG, Function.SIGMOID, Function.TANH])
def test_functions_of_wide_balls_hold_the_function_of_every_member(function: Function) -> None:
    rng = np.random.default_rng(2)
    arithmetic, plain = BallArithmetic(), NumpyArithmetic(np.float64)
    for _ in range(30):
        middle = rng.standard_normal((1, 3)) * 3 + (10 if function is Function.LOG else 0)
        radius = np.abs(rng.standard_normal((1, 3))) * rng.choice([2.0**-20, 0.1, 1.0])
        with arithmetic.scope():
            balls = np.array([[arb(m, r) for m, r in zip(middle[0], radius[0], strict=True)]], dtype=object)
            if function is Function.LOG and not all(ball > 0 for ball in balls.flat):
                continue
            enclosed = arithmetic.apply(function, balls)
        for corner in rng.uniform(-1, 1, (20, 3)) * rng.choice([0.5, 1.0]):
            value = plain.apply(function, middle + np.clip(corner, -0.999, 0.999) * radius)
            slack = 16 * np.spacing(np.abs(value))
            assert all(b.overlaps(arb(v, s)) for b, v, s in zip(enclosed.flat, value.flat, slack.flat, strict=True))


@pytest.mark.parametrize("exponent", [19, 20, 21, 64, 300, 400, 1000])
@pytest.mark.parametrize("wide", [False, True], ids=["exact", "wide"])
def test_functions_of_huge_arguments_are_at_their_limits(exponent: int, wide: bool) -> None:
    with precision(200):
        x = arb(2) ** exponent
        x = x + arb(0, x / 2**50) if wide else x
        for found, limit in ((sigmoid(x), 1), (sigmoid(-x), 0), (tanh(x), 1), (tanh(-x), -1)):
            assert found.is_finite()
            gap = abs(found - limit).abs_upper()
            assert 0 < gap < arb(2) ** -190
            assert not found.is_exact()


def test_quotients_of_wide_balls_hold_every_quotient_around_the_middle_one() -> None:
    rng = np.random.default_rng(4)
    arithmetic = BallArithmetic()
    for _ in range(50):
        x, y = rng.standard_normal(2) * 2 + np.array([0, 6])
        r, s = rng.uniform(0, 1, 2)
        with arithmetic.scope():
            ball = arithmetic.divide(*(np.array([[arb(m, w)]], dtype=object) for m, w in ((x, r), (y, s))))[0, 0]
            assert ball.mid().overlaps((arb(x) / arb(y)).mid()) or abs(ball.mid() - arb(x) / arb(y)) < arb(2) ** -150
        for a in (-1, 0, 1):
            for b in (-1, 0, 1):
                assert ball.overlaps(arb((x + a * r) / (y + b * s), 2.0**-48))


def test_what_has_no_finite_bound_admits_nothing() -> None:
    arithmetic = BallArithmetic()
    with arithmetic.scope():
        reaching_zero = arithmetic.apply(Function.LOG, np.array([[arb(1, 2)]], dtype=object))
    assert error_over_bound(reaching_zero, np.array([[0.0]]))[0] == np.inf
