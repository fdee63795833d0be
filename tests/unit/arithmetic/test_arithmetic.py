"""One expression in many arithmetics: they agree, and the balls' claims hold."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from rnn_harness.arithmetic import NumpyArithmetic, evaluate
from rnn_harness.arithmetic.assumptions import LOOSE_BOUND, REFERENCE_BITS
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.compare import effective_bits, error_over_bound, worst_bound, worst_error
from rnn_harness.arithmetic.numpy_arithmetic import sigmoid, tanh
from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case, Dtype
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.specs import library
from rnn_harness.specs.expression import Function
from rnn_harness.subjects.subject import Subject

LINKED = [spec.id for spec in library().cells if spec.reference is not None]


@functools.cache
def evaluation(spec: str, dtype: Dtype = "float64", seed: int = 11) -> Evaluation:
    return Evaluation.of(Subject.of(library().spec(spec)), Case(spec=spec, dtype=dtype, seed=seed, T=4, B=2))


def stacked(steps: Sequence[Mapping[str, Array]], name: str) -> Array:
    return np.stack([np.asarray(step[name]) for step in steps])


@pytest.mark.parametrize("spec", LINKED)
def test_every_arithmetic_lies_in_the_ball_of_its_own_precision(spec: str) -> None:
    dtypes: tuple[Dtype, ...] = ("float64", "float32")
    for dtype in dtypes:
        judged = evaluation(spec, dtype)
        torch_arithmetic = TorchArithmetic(dtype)
        runs = [
            evaluate(judged.program, judged.values, NumpyArithmetic(dtype)).steps,
            [
                {k: v.detach().numpy() for k, v in step.items()}
                for step in evaluate(judged.program, judged.values, torch_arithmetic).steps
            ],
        ]
        for name in runs[0][0]:
            balls = stacked(judged.balls.steps, name)
            for steps in runs:
                assert error_over_bound(balls, stacked(steps, name))[0] <= 1, (dtype, name)


@pytest.mark.parametrize("spec", LINKED)
def test_float16_and_longdouble_evaluations_lie_in_their_balls_too(spec: str) -> None:
    judged = evaluation(spec)
    half = BallArithmetic.of("float16")
    coarse = {k: v.astype(np.float16) for k, v in judged.values.parameters.items()}
    values = type(judged.values)(
        coarse,
        {k: v.astype(np.float16) for k, v in judged.values.inputs.items()},
        {k: v.astype(np.float16) for k, v in judged.values.states.items()},
        judged.values.sizes,
    )
    balls = evaluate(judged.program, values, half).steps
    rough = evaluate(judged.program, values, NumpyArithmetic(np.float16)).steps
    exact = evaluate(judged.program, judged.values, BallArithmetic()).steps
    fine = evaluate(judged.program, judged.values, NumpyArithmetic(np.longdouble)).steps
    for name in rough[0]:
        assert error_over_bound(stacked(balls, name), stacked(rough, name))[0] <= 1
        assert worst_error(stacked(exact, name), stacked(fine, name).astype(float)) <= 2 * np.spacing(
            max(1.0, float(np.abs(stacked(fine, name)).max()))
        )


def test_true_values_carry_far_more_bits_than_float64() -> None:
    judged = evaluation("lstm.column")
    steps = evaluate(judged.program, judged.values, BallArithmetic()).steps
    balls = stacked(steps, "h")
    assert worst_bound(balls) < 2.0 ** -(REFERENCE_BITS - 20)


@pytest.mark.parametrize("spec", LINKED)
def test_bounds_bite(spec: str) -> None:
    shares = []
    for seed in range(8):
        judged = evaluation(spec, "float32", seed)
        steps = evaluate(judged.program, judged.values, NumpyArithmetic(np.float32)).steps
        shares += [error_over_bound(stacked(judged.balls.steps, name), stacked(steps, name))[0] for name in steps[0]]
    assert max(shares) * LOOSE_BOUND > 1


def _any_order(weights: Array, x: Array, rng: np.random.Generator) -> np.float32:
    """An inner product in float32, its terms in a random order, summed by random chunks."""
    order = rng.permutation(len(x))
    terms = [np.float32(w) * np.float32(v) for w, v in zip(weights[order], x[order], strict=True)]
    while len(terms) > 1:
        i = int(rng.integers(0, len(terms) - 1))
        terms[i : i + 2] = [np.float32(terms[i] + terms[i + 1])]
    return terms[0]


def test_sums_in_any_order_stay_in_the_ball() -> None:
    rng = np.random.default_rng(0)
    arithmetic = BallArithmetic.of("float32")
    worst = 0.0
    for _ in range(40):
        n = int(rng.integers(2, 24))
        scale = 2.0 ** rng.integers(-3, 12, n)
        weights = (rng.standard_normal((1, n)) * scale).astype(np.float32)
        x = (rng.standard_normal((1, n)) * np.sign(rng.standard_normal(n))).astype(np.float32)
        with arithmetic.scope():
            ball = arithmetic.settle(arithmetic.matrix_vector(arithmetic.array(weights), arithmetic.array(x)))
        for _ in range(20):
            found = np.array([[_any_order(weights[0], x[0], rng)]])
            worst = max(worst, error_over_bound(ball, found)[0])
    assert 0 < worst <= 1


def test_a_bias_may_be_added_first_or_last() -> None:
    # The partial sums are larger than the result: a bound made from one order would refuse the other.
    arithmetic = BallArithmetic.of("float32")
    rng = np.random.default_rng(1)
    for _ in range(50):
        a, b, c = (np.float32(v) for v in rng.standard_normal(3) * [1e3, 1e3, 1])
        with arithmetic.scope():
            terms = [arithmetic.array(np.array([[v]])) for v in (a, b, c)]
            ball = arithmetic.settle(arithmetic.add(arithmetic.add(terms[0], terms[1]), terms[2]))
        for rounded in ((a + b) + c, a + (b + c), (a + c) + b):
            assert error_over_bound(ball, np.array([[rounded]]))[0] <= 1


def test_a_fault_of_one_part_in_a_thousand_leaves_the_ball() -> None:
    judged = evaluation("gru.keep.column", "float32")
    steps = evaluate(judged.program, judged.values, NumpyArithmetic(np.float32)).steps
    wrong = stacked(steps, "h") * np.float32(1.001)
    assert error_over_bound(stacked(judged.balls.steps, "h"), wrong)[0] > 10


@pytest.mark.parametrize(("function", "in_numpy"), [(Function.SIGMOID, sigmoid), (Function.TANH, tanh)])
def test_balls_of_wide_arguments_hold_every_value_and_stay_narrow(
    function: Function, in_numpy: Callable[[Array], Array]
) -> None:
    arithmetic = BallArithmetic()
    for middle in (-30.0, -3.0, -0.25, 0.0, 1.0, 20.0):
        for radius in (0.0, 0.001, 0.5):
            with arithmetic.scope():
                ball = arithmetic.apply(function, np.array([[arb(middle, radius)]], dtype=object))[0, 0]
            ends = [float(in_numpy(np.array([middle + t * radius]))[0]) for t in np.linspace(-1, 1, 9)]
            assert all(ball.overlaps(arb(v, 4 * np.spacing(max(abs(v), 2.0**-1022)))) for v in ends)
            assert float(arb(ball.rad())) <= 1.001 * radius + 2.0**-150


@pytest.mark.parametrize("function", [sigmoid, tanh], ids=["sigmoid", "tanh"])
def test_complex_functions_give_the_derivative_and_never_overflow(function: Callable[[Array], Array]) -> None:
    x = np.array([-800.0, -20.0, -1.0, 0.0, 0.5, 30.0, 800.0])
    with np.errstate(all="raise", under="ignore"):
        value = function(x + 1e-200j)
    y = function(x)
    slope = y * (1 - y) if function is sigmoid else (1 - y) * (1 + y)
    assert np.isfinite(value).all()
    middle = np.abs(x) < 10
    assert np.allclose(value.imag[middle] / 1e-200, slope[middle], rtol=2.0**-45, atol=0)


def test_share_and_bits_read_what_was_put_in() -> None:
    balls = np.array([arb(1, 0.5), arb(2, 0.25)], dtype=object)
    assert error_over_bound(balls, np.array([1.25, 2.0]))[0] == pytest.approx(0.5, rel=2.0**-20)
    share, place = error_over_bound(balls, np.array([1.0, 3.0]))
    assert share == pytest.approx(4.0, rel=2.0**-20)
    assert place == (1,)
    assert error_over_bound(balls, np.array([np.nan, 2.0]))[0] == np.inf
    assert error_over_bound(np.array([arb(1)], dtype=object), np.array([1.0]))[0] == 0.0
    assert error_over_bound(np.array([arb(1)], dtype=object), np.array([1.0 + 2.0**-50]))[0] == np.inf
    assert effective_bits(balls, np.array([1.0, 2.0 + 2.0**-9])) == pytest.approx(10, abs=1e-9)


def test_operands_rounded_like_tf32_read_as_about_ten_bits() -> None:
    rng = np.random.default_rng(3)
    weights, x = rng.standard_normal((32, 64)), rng.standard_normal((1, 64))

    def cut(value: Array) -> Array:
        mantissa, exponent = np.frexp(value)
        return np.ldexp(np.rint(mantissa * 2.0**11) / 2.0**11, exponent)

    arithmetic = BallArithmetic()
    with arithmetic.scope():
        exact = arithmetic.settle(arithmetic.matrix_vector(arithmetic.array(weights), arithmetic.array(x)))
    assert 9 < effective_bits(exact, cut(x) @ cut(weights).T) < 13


def test_numbers_are_exact_rationals() -> None:
    arithmetic = BallArithmetic()
    with arithmetic.scope():
        assert arithmetic.number(Fraction(1, 2))[0, 0] == arb(0.5)
        assert arithmetic.number(Fraction(1, 10))[0, 0].contains(arb(1) / 10)


def test_all_entries_at_once_are_moved_through_a_quotient_as_by_a_difference() -> None:
    from rnn_harness.arithmetic.entry_step import EntryArithmetic, Moved

    arithmetic = EntryArithmetic(1)
    x, y = Moved(np.array([[3.0]]), np.array([[[1.0]]])), Moved(np.array([[2.0]]), np.array([[[0.5]]]))
    quotient = arithmetic.divide(x, y)
    assert isinstance(quotient, Moved)
    assert quotient.imaginary is not None
    assert quotient.real[0, 0] == 1.5
    assert quotient.imaginary[0, 0, 0] == (1.0 - 1.5 * 0.5) / 2.0
