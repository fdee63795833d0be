"""The assumed constants are measured, and every one of them carries its reason."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flint
import numpy as np
import pytest
import torch
from flint import arb

from rnn_harness.arithmetic import assumptions
from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.assumptions import (
    ABSOLUTE_FUNCTION_ROUNDINGS,
    COMPOSED_SLOPE_ROUNDINGS,
    FUNCTION_ROUNDINGS,
    SOFTPLUS_END,
    UNDERFLOW,
    UNIT_ROUNDOFF,
)
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.numpy_arithmetic import sigmoid, softplus
from rnn_harness.array_types import Array
from rnn_harness.references import sigmoid as reference_sigmoid
from rnn_harness.specs.expression import Function
from tests.helpers import equal_forms

COUNT, MANY = 3_000, 100_000
"""Arguments of every sort that are tried, and how many in the measurement that the constant quotes."""
TRUE: dict[str, Callable[[arb], arb]] = {
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "tanh": lambda x: x.tanh(),
    "exp": lambda x: x.exp(),
    "log": lambda x: x.log(),
    "softplus": lambda x: x.exp().log1p(),
}
LIBRARIES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "numpy": {"sigmoid": sigmoid, "tanh": np.tanh, "exp": np.exp, "log": np.log, "softplus": softplus},
    "reference": {"sigmoid": reference_sigmoid},
    "torch": {
        **{name: getattr(torch, name) for name in ("sigmoid", "tanh", "exp", "log")},
        "softplus": torch.nn.functional.softplus,
    },
}
LARGEST_ARGUMENT = {"float32": 80.0, "float64": 700.0}
"""Beyond, exp leaves the format."""
MOST_MEASURED = 4.5
"""The largest error that the constant's comment quotes, in u, rounded upward."""


def arguments(name: str, dtype: str, count: int = COUNT) -> Array:
    """Arguments as gates have them, evenly spread, near 0, and in the tails; of log, exp of these."""
    rng = np.random.default_rng(5)
    near_zero = rng.choice([-1, 1], count) * 2.0 ** rng.uniform(-40, -1, count)
    largest = LARGEST_ARGUMENT[dtype]
    tails = rng.uniform(-largest, largest, count)
    spread = np.concatenate([rng.standard_normal(count) * 3, rng.uniform(-30, 30, count), near_zero, tails])
    return (np.exp(spread) if name == "log" else spread).astype(dtype)


def largest_error(name: str, x: Array, found: Array) -> float:
    """The largest error of a function's values, in u of the true ones."""
    unit, least = float(UNIT_ROUNDOFF[str(x.dtype)]), float(UNDERFLOW[str(x.dtype)])
    assert found.dtype == x.dtype
    before, flint.ctx.prec = flint.ctx.prec, 120
    try:
        true = [TRUE[name](arb(float(value))) for value in x]
        return max(
            float(abs(right - arb(float(value)))) / (unit * max(float(abs(right)), least))
            for right, value in zip(true, found, strict=True)
        )
    finally:
        flint.ctx.prec = before


def _measured(library: str, name: str, dtype: str, count: int) -> float:
    x = arguments(name, dtype, count)
    if (library, name) == ("torch", "softplus"):
        x = x[x <= SOFTPLUS_END]
    function = LIBRARIES[library][name]
    return largest_error(name, x, function(torch.from_numpy(x)).numpy() if library == "torch" else function(x))


FUNCTIONS = [(library, name) for library, names in LIBRARIES.items() for name in names]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("library", "name"), FUNCTIONS)
def test_function_is_within_the_assumed_roundings(library: str, name: str, dtype: str) -> None:
    assert 0 < _measured(library, name, dtype, COUNT) <= FUNCTION_ROUNDINGS


@pytest.mark.deep("tests/unit/arithmetic/test_assumptions.py::test_function_is_within_the_assumed_roundings")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("library", "name"), FUNCTIONS)
def test_function_is_well_within_the_assumed_roundings_over_many_arguments(library: str, name: str, dtype: str) -> None:
    assert 0 < _measured(library, name, dtype, MANY // 4) <= MOST_MEASURED


@pytest.mark.deep("tests/unit/arithmetic/test_assumptions.py::test_function_is_within_the_assumed_roundings")
@pytest.mark.filterwarnings("ignore")  # torch's own, when it compiles
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_functions_are_within_the_assumed_roundings(dtype: str) -> None:
    names = ("sigmoid", "tanh", "exp", "softplus")
    x = arguments("tanh", dtype)
    x = x[x <= SOFTPLUS_END]
    compiled = torch.compile(lambda value: tuple(LIBRARIES["torch"][name](value) for name in names))
    for name, values in zip(names, compiled(torch.from_numpy(x)), strict=True):
        assert 0 < largest_error(name, x, values.numpy()) <= FUNCTION_ROUNDINGS, name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sigmoid_by_powers_of_two_is_accurate_against_one_and_not_against_its_value(dtype: str) -> None:
    """As Triton computes exp: the argument of exp2 is rounded, so that the error grows with its size."""
    x = arguments("sigmoid", dtype)
    by_powers = 1 / (1 + np.exp2(-x * x.dtype.type(np.log2(np.e))))
    assert by_powers.dtype == x.dtype
    assert largest_error("sigmoid", x, by_powers) > 5 * FUNCTION_ROUNDINGS
    true = 1 / (1 + np.exp(-x.astype(np.longdouble)))
    error = np.abs(by_powers - true) / float(UNIT_ROUNDOFF[dtype])
    assert (error - FUNCTION_ROUNDINGS * true).max() <= ABSOLUTE_FUNCTION_ROUNDINGS


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_softplus_of_torch_and_its_slope_are_within_the_bounds_beyond_20(dtype: str) -> None:
    beyond = np.nextafter(np.array([SOFTPLUS_END], dtype), np.inf, dtype=dtype)
    numbers = np.concatenate([beyond, np.linspace(21, 45, 100, dtype=dtype)])
    x = torch.tensor(numbers, requires_grad=True)
    values = torch.nn.functional.softplus(x)
    values.sum().backward()
    assert x.grad is not None
    results = {Function.SOFTPLUS: values.detach().numpy(), Function.SOFTPLUS_SLOPE: x.grad.numpy()}
    assert np.array_equal(results[Function.SOFTPLUS], numbers)
    assert (results[Function.SOFTPLUS_SLOPE] == 1).all()
    arithmetic = BallArithmetic.of(dtype)
    arrays = ArrayBallArithmetic.of(dtype)
    with arithmetic.scope(), arrays.scope():
        for function, computed in results.items():
            balls = arithmetic.apply(function, arithmetic.array(numbers[None]))
            assert all(ball.contains(arb(float(value))) for ball, value in zip(balls[0], computed, strict=True))
            wide = arrays.apply(function, arrays.array(numbers[None]))
            assert (abs(wide.middle[0] - computed) <= wide.radius[0]).all()
    if dtype == "float64":
        assert 9e5 < largest_error("softplus", numbers[:1], results[Function.SOFTPLUS][:1]) < 9.3e5


def test_bounds_of_a_sigmoid_and_of_a_softplus_up_to_20_are_not_wider_for_it() -> None:
    """An error of exp(-20) is seen in both; the softplus itself is wider beyond by no more than that."""
    off = float(np.exp(-20.0))
    arithmetic, arrays = BallArithmetic.of("float64"), ArrayBallArithmetic.of("float64")
    for function, argument, is_wide in (
        (Function.SIGMOID, 21.0, False),
        (Function.SOFTPLUS, 20.0, False),
        (Function.SOFTPLUS_SLOPE, 20.0, False),
        (Function.SOFTPLUS, 20.001, True),
        (Function.SOFTPLUS_SLOPE, 20.001, True),
    ):
        number = np.array([[argument]])
        with arithmetic.scope(), arrays.scope():
            radius = float(arb(arithmetic.apply(function, arithmetic.array(number))[0, 0].rad()))
            wide = float(arrays.apply(function, arrays.array(number)).radius[0, 0])
        assert (0.99 * off < radius <= wide < 1.01 * off) if is_wide else (wide < 1e-4 * off), function


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_units_are_those_of_the_formats(dtype: str) -> None:
    assert float(UNIT_ROUNDOFF[dtype]) == np.finfo(dtype).eps / 2
    limits = np.finfo(dtype)
    kept = dtype == "float16"  # its subnormal numbers are; half their spacing is lost
    lost = float(limits.smallest_subnormal) / 2 if kept else float(limits.smallest_normal)
    assert float(UNDERFLOW[dtype]) == lost


def test_bfloat16_unit_is_that_of_torch() -> None:
    assert float(UNIT_ROUNDOFF["bfloat16"]) == torch.finfo(torch.bfloat16).eps / 2
    assert float(UNDERFLOW["bfloat16"]) == torch.finfo(torch.bfloat16).smallest_normal


def test_every_constant_is_followed_by_its_reason() -> None:
    body = ast.parse(Path(assumptions.__file__).read_text(encoding="utf-8")).body
    for here, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(here, ast.Assign | ast.AnnAssign):
            assert isinstance(after, ast.Expr), ast.unparse(here)
            assert isinstance(after.value, ast.Constant)
            assert len(str(after.value.value)) > 60, ast.unparse(here)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "form"),
    [("tanh", form) for form in equal_forms.TANH] + [("sigmoid", form) for form in equal_forms.SIGMOID],
)
def test_a_function_put_together_out_of_others_is_within_the_assumed_roundings_of_one(
    name: str, form: str, dtype: str
) -> None:
    function = (equal_forms.TANH if name == "tanh" else equal_forms.SIGMOID)[form]
    spread = np.concatenate([np.random.default_rng(6).standard_normal(2000) * size for size in (1e-3, 0.1, 1, 4)])
    x = torch.tensor(spread.astype(dtype), requires_grad=True)
    value = function(x)
    value.sum().backward()
    assert x.grad is not None
    exact = x.detach().numpy().astype(np.longdouble)
    true = np.tanh(exact) if name == "tanh" else 1 / (1 + np.exp(-exact))
    slope = 1 - true**2 if name == "tanh" else true * (1 - true)
    unit = float(UNIT_ROUNDOFF[dtype])
    error = np.abs(value.detach().numpy() - true) / unit
    assert (error - FUNCTION_ROUNDINGS * np.abs(true)).max() <= ABSOLUTE_FUNCTION_ROUNDINGS
    near_zero = np.abs(exact) < 0.1
    slope_error = np.abs(x.grad.numpy() - slope)[near_zero] / unit
    # The slope, 1 - tanh^2 or s (1 - s), and its product with what comes from behind: three roundings of that many.
    assert slope_error.max() <= 3 * COMPOSED_SLOPE_ROUNDINGS
