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
from rnn_harness.arithmetic.assumptions import (
    ABSOLUTE_FUNCTION_ROUNDINGS,
    COMPOSED_SLOPE_ROUNDINGS,
    FUNCTION_ROUNDINGS,
    UNDERFLOW,
    UNIT_ROUNDOFF,
)
from rnn_harness.arithmetic.numpy_arithmetic import sigmoid
from rnn_harness.array_types import Array
from rnn_harness.references import sigmoid as reference_sigmoid
from tests.helpers import equal_forms

COUNT = 12_000
TRUE: dict[str, Callable[[arb], arb]] = {
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "tanh": lambda x: x.tanh(),
    "exp": lambda x: x.exp(),
    "log": lambda x: x.log(),
}
LIBRARIES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "numpy": {"sigmoid": sigmoid, "tanh": np.tanh, "exp": np.exp, "log": np.log},
    "reference": {"sigmoid": reference_sigmoid},
    "torch": {name: getattr(torch, name) for name in TRUE},
}


def arguments(name: str, dtype: str) -> Array:
    rng = np.random.default_rng(5)
    spread = np.concatenate([rng.standard_normal(COUNT // 2) * 3, rng.uniform(-30, 30, COUNT // 2)])
    return (np.exp(spread) if name == "log" else spread).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("library", "name"), [(library, name) for library, names in LIBRARIES.items() for name in names]
)
def test_function_is_within_the_assumed_roundings(library: str, name: str, dtype: str) -> None:
    x = arguments(name, dtype)
    function = LIBRARIES[library][name]
    found = function(torch.from_numpy(x)).numpy() if library == "torch" else function(x)
    assert found.dtype == x.dtype
    unit, least = float(UNIT_ROUNDOFF[dtype]), float(UNDERFLOW[dtype])
    before, flint.ctx.prec = flint.ctx.prec, 120
    try:
        true = [TRUE[name](arb(float(value))) for value in x]
        errors = [
            float(abs(right - arb(float(value)))) / (unit * max(float(abs(right)), least))
            for right, value in zip(true, found, strict=True)
        ]
    finally:
        flint.ctx.prec = before
    worst = max(errors)
    assert 0 < worst <= FUNCTION_ROUNDINGS, f"{library} {name} {dtype}: {worst:.2f} u"


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
