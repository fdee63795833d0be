"""A cell with layer normalisation of a spec file: the right one agrees, the one without it is named."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import rnn_harness
from rnn_harness.arithmetic.assumptions import LAYER_NORM_EPSILON
from rnn_harness.arithmetic.evaluate import evaluate
from rnn_harness.arithmetic.numpy_arithmetic import NumpyArithmetic
from rnn_harness.arithmetic.protocol import Values
from rnn_harness.specs import literature
from rnn_harness.specs.expression import Variable
from rnn_harness.validation import load_target
from rnn_harness.validation.identification.identify import identify
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.library_match import library_match
from rnn_harness.validation.judging.own_specs import load_spec_file
from rnn_harness.validation.judging.spec_file import spec_file_candidate
from rnn_harness.validation.spec_search.constant_below_root import with_constant_below_root
from rnn_harness.validation.spec_search.rewrites import rewrites
from tests.helpers import HELPERS

pytestmark = pytest.mark.usefixtures("equations_alone")

CELLS = HELPERS / "normalised_cells.py"
NORMALISED = """
id = "normalised"
title = "tanh RNN with layer normalisation (arXiv 1607.06450, equation 4)"
inputs = { x = "n" }
states = { h = "d" }
parameters = { W = "d n", U = "d d", g = "d", b = "d" }

[[equations]]
id = "L-1"
line = 1
printed = 'h_t = \\\\tanh(\\\\operatorname{LN}(W x_t + U h_{t-1}; g, b))'
""".replace("\\\\", "\\")


class Right(nn.Module):
    """As the equation says, with other names."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.first = nn.Linear(input_size, hidden_size, bias=False)
        self.second = nn.Linear(hidden_size, hidden_size, bias=False)
        self.norm = nn.LayerNorm(hidden_size)

    def normalised(self, a: Tensor) -> Tensor:
        return self.norm(a)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.normalised(self.first(x) + self.second(h)))


class Wrong(Right):
    """The numbers are not normalised, only scaled and shifted."""

    def normalised(self, a: Tensor) -> Tensor:
        return a * self.norm.weight + self.norm.bias


@pytest.mark.parametrize(("cell", "verdict"), [(Right, "agrees"), (Wrong, "refuted")])
def test_layer_normalisation_is_judged_and_its_absence_is_named(
    tmp_path: Path, cell: type[nn.Module], verdict: str
) -> None:
    path = tmp_path / "normalised.toml"
    path.write_text(NORMALISED, encoding="utf-8")
    validation = rnn_harness.validate(cell, str(path), examples=0, dtypes=("float64",))
    assert validation.outcome == verdict
    if verdict == "refuted":
        assert validation.diagnosis is not None
        assert validation.diagnosis.part == "forward: L-1"
        assert "is not normalised" in validation.diagnosis.difference


WRITTEN_OUT = (
    NORMALISED[: NORMALISED.index("[[equations]]")]
    + r"""
[[equations]]
id = "L-0"
line = 1
printed = 'a_t = W x_t + U h_{t-1} - \operatorname{mean}(W x_t + U h_{t-1})'

[[equations]]
id = "L-1"
line = 2
printed = 'h_t = \tanh(g \odot \frac{a_t}{\sqrt{\operatorname{mean}(a_t \odot a_t) + 0.00001}} + b)'
"""
)


def test_the_constant_of_a_function_is_open(tmp_path: Path) -> None:
    path = tmp_path / "normalised.toml"
    path.write_text(NORMALISED, encoding="utf-8")
    candidate = spec_file_candidate(load_target(f"{CELLS}:NormalisedRNN"), load_spec_file(str(path)), ("float64",))
    assert candidate.spec.model.constants == {"epsilon": "1/1000"}


def test_a_constant_that_the_spec_prints_is_not(tmp_path: Path) -> None:
    path = tmp_path / "normalised.toml"
    path.write_text(WRITTEN_OUT, encoding="utf-8")
    spec = load_spec_file(str(path))
    assert with_constant_below_root(spec, Fraction(1, 1000), is_printed_kept=True) is None
    assert with_constant_below_root(spec, Fraction(1, 1000)) is not None


NORMALISING = (
    "gru.dreamer.layernorm",
    "gru.layernorm",
    "gru.layernorm.apart",
    "gru.layernorm.candidate",
    "lstm.layernorm",
    "lstm.layernorm.apart",
    "lstm.layernorm.carried",
    "lstm.layernorm.gates",
)


@pytest.mark.parametrize("name", NORMALISING)
def test_a_spec_with_its_own_constant_below_the_root_gives_the_same_numbers(name: str) -> None:
    spec = next(spec for spec in literature() if spec.id == name)
    written = with_constant_below_root(spec, LAYER_NORM_EPSILON)
    assert written is not None
    generator = np.random.default_rng(0)
    program, sizes = spec.program(), {"n": 3, "d": 4}

    def drawn(variables: Iterable[Variable], *axes: int) -> dict[str, NDArray[np.float64]]:
        shapes = {v.name: tuple(axis.size(sizes) for axis in v.shape) for v in variables}
        return {name: generator.standard_normal((*axes, *shape)) for name, shape in shapes.items()}

    inputs, states = drawn(program.inputs, 2, 5), drawn(program.states, 5)
    values = Values(drawn(program.parameters), inputs, states, sizes)
    runs = [evaluate(version.program(), values, NumpyArithmetic()) for version in (spec, written)]
    for name in (output.name for output in program.outputs):
        first, second = (run.steps[-1][name] for run in runs)
        assert np.allclose(first, second, rtol=1e-13, atol=1e-13)


def test_all_specs_of_the_literature_that_normalise_are_among_them() -> None:
    open_ones = [spec.id for spec in literature() if with_constant_below_root(spec, Fraction(1, 1000)) is not None]
    assert sorted(open_ones) == sorted(NORMALISING)


@pytest.mark.parametrize("epsilon", ["1e-03", "1e-06", "1e-12"])
def test_a_cell_of_the_literature_is_known_with_its_own_constant(epsilon: str) -> None:
    target = load_target(f"{CELLS}:NormalisedGRU", {"eps": float(epsilon)})
    probe = probe_target(target)
    assert identify(target, probe) == ()
    match = library_match(probe)
    assert match is not None
    assert match.spec.id == "gru.dreamer.layernorm"
    assert float(Fraction(match.spec.model.constants["epsilon"])) == float(epsilon)


@pytest.mark.parametrize(
    ("cell", "spec"),
    [
        ("SeparatelyNormalisedGRU", "gru.layernorm.candidate"),
        pytest.param(
            "NormalisedLSTM",
            "lstm.layernorm",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_layer_norm_spec.py::test_the_cells_of_ba_are_known_with_the_constant_of_keras"
            ),
        ),
    ],
)
def test_the_cells_of_ba_are_known_with_the_constant_of_keras(cell: str, spec: str) -> None:
    match = library_match(probe_target(load_target(f"{CELLS}:{cell}")))
    assert match is not None
    assert match.spec.id == spec
    assert match.spec.model.constants["epsilon"] == "1/1000"
    assert "epsilon = 0.001;" in match.sentence()


@pytest.mark.parametrize(
    ("name", "equations"), [("gru.layernorm.candidate", (9, 10, 11)), ("lstm.layernorm", (13, 14, 15, 16, 18))]
)
def test_gains_that_all_normalisations_leave_out_are_among_the_mistakes(name: str, equations: tuple[int, ...]) -> None:
    program = next(spec for spec in literature() if spec.id == name).program()
    words = "the gains of all normalisations are left out"
    found = [rewrite for rewrite in rewrites(program) if words in rewrite.sentences]
    assert [rewrite.equations for rewrite in found] == [tuple(f"{name}-{number}" for number in equations)]
