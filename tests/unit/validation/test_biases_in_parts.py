"""A cell that holds a bias as several numbers adds more often than its equations, and may round as often."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnn_harness.arithmetic.compare import error_over_bound
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case, Dtype
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.specs import library, parse_spec
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.subject import Subject
from rnn_harness.validation import candidate_kernel, identify
from rnn_harness.validation.judging.spec_file import spec_file_candidate
from rnn_harness.validation.loading.target import target_of

TEXT = r"""
id = "own.rectified"
title = "A simple RNN with a ReLU"
inputs = { x = "n" }
states = { h = "d" }
parameters = { W = "d n", U = "d d", b = "d" }

[[equations]]
id = "own-1"
line = 1
printed = 'h_t = \operatorname{relu}(W x_t + U h_{t-1} + b)'
"""
RECTIFIED = parse_spec(TEXT, Path("own.toml"))


class FromTheLeft(nn.Module):
    """W x + b + U h + b..., added one by one from the left."""

    biases = 2

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(hidden_size, input_size))
        self.U = nn.Parameter(torch.randn(hidden_size, hidden_size))
        self.first = nn.Parameter(torch.randn(hidden_size))
        self.rest = nn.ParameterList([nn.Parameter(torch.randn(hidden_size)) for _ in range(self.biases - 1)])

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        total = x @ self.W.T + self.first + h @ self.U.T
        for bias in self.rest:
            total = total + bias
        return torch.relu(total)


class FromTheLeftOfThree(FromTheLeft):
    """The same with three biases."""

    biases = 3


class FromTheLeftOfOne(FromTheLeft):
    """The same with one."""

    biases = 1


def kernel_of(cell: type[nn.Module]) -> Kernel:
    return spec_file_candidate(target_of(cell.__name__, cell), RECTIFIED, ("float64", "float32")).kernel


@pytest.mark.parametrize(("cell", "parts"), [(FromTheLeft, 2), (FromTheLeftOfThree, 3), (FromTheLeftOfOne, 1)])
def test_as_many_parts_are_allowed_as_a_cell_has_biases(cell: type[nn.Module], parts: int) -> None:
    kernel = kernel_of(cell)
    assert kernel.options(kernel.settings[0]).bias_parts == parts
    assert kernel.options(kernel.settings[0]).rounding("float64").bias_parts == parts


@pytest.mark.parametrize(("bias", "parts"), [(True, 2), (False, 1)])
def test_torchs_cell_has_two_biases_for_one(bias: bool, parts: int) -> None:
    target = target_of("RNNCell", lambda n, d: nn.RNNCell(n, d, bias=bias))
    kernel = candidate_kernel(target, identify(target)[0])
    assert kernel.options(kernel.settings[0]).bias_parts == parts


def test_a_reference_holds_its_biases_as_they_stand() -> None:
    spec = library().spec("lstm.column")
    assert Evaluation.of(Subject.of(spec), Case(spec=spec.id, dtype="float64")).rounding.bias_parts == 1


def at_the_edge(dtype: str) -> tuple[Array, Array]:
    """Two factors whose product lies above 1 by nearly all that rounding takes away from it."""
    numbers = np.random.default_rng(5).uniform(1.9, 2, 4000).astype(dtype)
    inverses = (1 / numbers).astype(dtype)
    above = numbers.astype(np.longdouble) * inverses.astype(np.longdouble) - 1
    best = int(above.argmax())
    return numbers[best], inverses[best]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_cell_with_two_biases_is_not_refuted_where_each_of_its_roundings_takes_most(dtype: Dtype) -> None:
    """Four roundings of nearly u each, where its equation has a sum of three terms."""
    kernel = kernel_of(FromTheLeft)
    setting = Setting(dtype, "cpu")
    case = Case(spec=kernel.spec, n=1, d=1, B=1, T=1, dtype=dtype, seed=1)
    weight, x = at_the_edge(dtype)
    below_half = np.nextafter(np.array(np.finfo(dtype).eps / 2, dtype), 0, dtype=dtype)
    arrays = draw_arrays(case, kernel.subject(setting))
    parameters = {"W": weight, "U": below_half, "b": 2 * below_half}
    arrays = replace(
        arrays,
        parameters={name: np.full_like(arrays.parameters[name], value) for name, value in parameters.items()},
        inputs=np.full_like(arrays.inputs, x),
        states={name: np.ones_like(value) for name, value in arrays.states.items()},
    )
    evaluation = kernel.evaluation(setting, case).on(arrays)
    assert evaluation.run.outputs.item() == 1
    balls = np.stack([step["h"] for step in evaluation.balls.steps])
    share = error_over_bound(balls, evaluation.run.outputs)[0]
    assert 0.95 < share <= 1
    fewer = evaluation.judged_with(replace(evaluation.options, bias_parts=1))
    narrower = np.stack([step["h"] for step in fewer.balls.steps])
    assert error_over_bound(narrower, evaluation.run.outputs)[0] > 1.2
