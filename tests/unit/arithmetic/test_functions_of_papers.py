"""Functions that papers print beside sigmoid and tanh: every arithmetic gives them, and their derivatives are right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from rnn_harness.arithmetic import NumpyArithmetic, Values, evaluate
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic
from rnn_harness.array_types import Array
from rnn_harness.derivatives import derive, differentiate
from rnn_harness.specs import Spec, SpecError, literature, parse_spec
from rnn_harness.specs.notation import NotationError

_rng = np.random.default_rng(4)
X, STATE, W, U, B_ARRAY, G_ARRAY = (
    _rng.standard_normal(shape).astype(np.float32).astype(np.float64)
    for shape in ((2, 3, 5), (3, 4), (4, 5), (4, 4), (4,), (4,))
)
B, G = torch.tensor(B_ARRAY), torch.tensor(G_ARRAY)
FORMULAS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    r"\exp(a_t)": torch.exp,
    r"\operatorname{softplus}(a_t)": lambda a: torch.logaddexp(a, torch.zeros_like(a)),
    r"\sqrt{1 + a_t^2}": lambda a: torch.sqrt(1 + a * a),
    r"(a_t + 1)^2": lambda a: (a + 1) ** 2,
    r"\max(a_t, b)": lambda a: torch.maximum(a, B),
    r"\max(0, a_t)": torch.relu,
    r"\min(a_t, 2 b)": lambda a: torch.minimum(a, 2 * B),
    r"\operatorname{abs}(a_t)": torch.abs,
    r"\operatorname{hardtanh}(a_t)": torch.nn.functional.hardtanh,
    r"\operatorname{hardsigmoid}(2 a_t)": lambda a: (2 * a / 6 + 0.5).clamp(0, 1),
    r"\text{LN}(a_t)": lambda a: torch.nn.functional.layer_norm(a, (4,)),
    r"\operatorname{LN}(a_t; g, b)": lambda a: torch.nn.functional.layer_norm(a, (4,), G, B),
    r"\frac{a_t}{1 + \operatorname{abs}(a_t)}": lambda a: a / (1 + a.abs()),
    r"\operatorname{softmax}(a_t)": lambda a: torch.softmax(a, -1),
    r"1.5 a_t - 0.25": lambda a: 1.5 * a - 0.25,
}


def _spec(formula: str) -> Spec:
    gain = ', g = "d"' if "g," in formula else ""
    shift = "" if "b" in formula.replace("abs", "") else " + b"
    return parse_spec(
        f"""id = "mine"
title = "mine"
inputs = {{ x = "n" }}
states = {{ h = "d" }}
parameters = {{ W = "d n", U = "d d", b = "d"{gain} }}
[[equations]]
id = "F-001"
line = 1
printed = 'a_t = W x_t + U h_{{t-1}}'
[[equations]]
id = "F-002"
line = 2
printed = 'h_t = {formula}{shift}'
""",
        Path("mine.toml"),
    )


def _values(spec: Spec) -> Values:
    arrays = {"W": W, "U": U, "b": B_ARRAY, "g": G_ARRAY}
    parameters = {v.name: arrays[v.name] for v in spec.program().parameters}
    return Values(parameters, {"x": X}, {"h": STATE}, {"n": 5, "d": 4})


def _by_torch(formula: str, spec: Spec, leaves: dict[str, torch.Tensor]) -> torch.Tensor:
    h = leaves["h"]
    steps = []
    for x in torch.tensor(X):
        h = FORMULAS[formula](x @ leaves["W"].T + h @ leaves["U"].T)
        h = h if "b" in formula.replace("abs", "") else h + leaves["b"]
        steps.append(h)
    return torch.stack(steps)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_function_is_that_of_torch_and_so_are_its_gradients(formula: str) -> None:
    spec = _spec(formula)
    leaves = {name: torch.tensor(v, requires_grad=True) for name, v in (("W", W), ("U", U), ("b", B_ARRAY))}
    leaves["h"] = torch.tensor(STATE, requires_grad=True)
    expected = _by_torch(formula, spec, leaves)
    arithmetic = NumpyArithmetic()
    trajectory = evaluate(spec.program(), _values(spec), arithmetic)
    actual = np.stack([step["h"] for step in trajectory.steps])
    np.testing.assert_allclose(actual, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    weights = np.cos(np.arange(expected.numel())).reshape(expected.shape)
    (expected * torch.tensor(weights)).sum().backward()
    gradients = differentiate(derive(spec.program()), trajectory, {"h": weights}, {"h": 0 * STATE}, arithmetic)
    assert leaves["W"].grad is not None
    assert leaves["h"].grad is not None
    np.testing.assert_allclose(gradients.parameters["W"], leaves["W"].grad.numpy(), rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(gradients.states["h"], leaves["h"].grad.numpy(), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("formula", FORMULAS)
def test_what_float32_and_torch_compute_lies_in_the_ball(formula: str) -> None:
    spec = _spec(formula)
    values = _values(spec)
    balls = evaluate(spec.program(), values, BallArithmetic.of("float32"))
    for computed in (_in_numpy(spec, values), _in_torch(spec, values)):
        for step, numbers in zip(balls.steps, computed, strict=True):
            for ball, number in zip(step["h"].flat, numbers.flat, strict=True):
                assert ball.contains(float(number))
                assert float(ball.rad()) < 1e-3 * (1 + abs(float(number)))


def _in_numpy(spec: Spec, values: Values) -> list[Array]:
    return [step["h"] for step in evaluate(spec.program(), values, NumpyArithmetic(np.float32)).steps]


def _in_torch(spec: Spec, values: Values) -> list[Array]:
    return [step["h"].detach().numpy() for step in evaluate(spec.program(), values, TorchArithmetic("float32")).steps]


@pytest.mark.parametrize("formula", [r"\max(0, a_t)", r"\max(a_t, 0)"])
def test_a_maximum_with_zero_is_a_relu(formula: str) -> None:
    assert _spec(formula).program() == _spec(r"\operatorname{relu}(a_t)").program()


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (r"\operatorname{Norm}(a_t)", "function Norm has no meaning here"),
        (r"\operatorname{LOG}(a_t)", "function LOG has no meaning here"),
        (r"\max(a_t)", "max has 1 arguments; expected 2"),
        (r"(a_t)^3", "column"),
    ],
)
def test_what_cannot_be_read_is_refused(formula: str, message: str) -> None:
    with pytest.raises((SpecError, NotationError), match=message):
        _spec(formula).program()


@pytest.mark.parametrize("name", ["fastgrnn", "fastgrnn.direct", "fastrnn"])
def test_single_numbers_that_are_added_have_a_bound(name: str) -> None:
    program = next(spec for spec in literature() if spec.id == name).program()
    sizes = {"n": 5, "d": 4}
    rng = np.random.default_rng(2)
    parameters = {
        v.name: rng.standard_normal(tuple(axis.size(sizes) for axis in v.shape)).astype(np.float32).astype(np.float64)
        if v.shape
        else np.asarray(np.float64(np.float32(rng.standard_normal())))
        for v in program.parameters
    }
    values = Values(parameters, {"x": X}, {"h": STATE}, sizes)
    balls = evaluate(program, values, BallArithmetic.of("float32"))
    computed = evaluate(program, values, NumpyArithmetic(np.float32))
    for step, numbers in zip(balls.steps, computed.steps, strict=True):
        for ball, number in zip(step["h"].flat, numbers["h"].flat, strict=True):
            assert ball.contains(float(number))
