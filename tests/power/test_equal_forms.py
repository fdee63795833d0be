"""Right cells in equal forms are never refuted, and told how accurate they are; mistakes of that size still are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import rnn_harness
from rnn_harness.records.validation import FUNCTIONS_CHECK, Validation
from tests.helpers import equal_forms as forms

SEEDS = 20
BASES = (forms.FormRNN, forms.FormGRU, forms.FormLSTM)


def reasons(validation: Validation) -> list[str]:
    return [f"{record.check}: {record.reason}" for record in validation.checks if str(record.outcome) == "refuted"]


def accuracy(validation: Validation) -> str:
    return next(record.reason for record in validation.checks if record.check == FUNCTIONS_CHECK)


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize("name", forms.TANH)
def test_an_rnn_with_another_tanh_agrees(name: str) -> None:
    cell = forms.with_functions(forms.FormRNN, tanh=forms.TANH[name])
    validation = rnn_harness.validate(cell, examples=0, dtypes=("float64",))
    assert validation.outcome == "agrees", reasons(validation)


@pytest.mark.deep("tests/power/test_equal_forms.py::test_an_rnn_with_another_tanh_agrees")
@pytest.mark.parametrize("name", forms.TANH)
def test_an_rnn_with_another_tanh_agrees_on_drawn_cases_and_in_every_format(name: str) -> None:
    cell = forms.with_functions(forms.FormRNN, tanh=forms.TANH[name])
    validation = rnn_harness.validate(cell, examples=2)
    assert validation.outcome == "agrees", reasons(validation)


@pytest.mark.deep("tests/power/test_equal_forms.py::test_an_rnn_with_another_tanh_agrees")
@pytest.mark.parametrize("base", BASES[1:], ids=lambda base: base.__name__)
@pytest.mark.parametrize("name", forms.TANH)
def test_a_gated_cell_with_another_tanh_agrees(base: type[forms.FormRNN], name: str) -> None:
    validation = rnn_harness.validate(forms.with_functions(base, tanh=forms.TANH[name]), examples=2)
    assert validation.outcome == "agrees", reasons(validation)


@pytest.mark.deep("tests/power/test_equal_forms.py::test_an_rnn_with_another_tanh_agrees")
@pytest.mark.parametrize("base", BASES[1:], ids=lambda base: base.__name__)
@pytest.mark.parametrize("name", forms.SIGMOID)
def test_a_gated_cell_with_another_sigmoid_agrees(base: type[forms.FormRNN], name: str) -> None:
    validation = rnn_harness.validate(forms.with_functions(base, sigmoid=forms.SIGMOID[name]), examples=2)
    assert validation.outcome == "agrees", reasons(validation)


@pytest.mark.deep("tests/power/test_equal_forms.py::test_an_rnn_with_another_tanh_agrees")
def test_an_lstm_with_tanh_by_sigmoid_agrees_for_every_seed_and_is_told_the_same() -> None:
    cell = forms.with_functions(forms.FormLSTM, tanh=forms.TANH["2 sigmoid(2a) - 1"])
    validations = [rnn_harness.validate(cell, seed=seed, dtypes=("float64",)) for seed in range(SEEDS)]
    assert {validation.outcome for validation in validations} == {"agrees"}
    assert len({accuracy(validation) for validation in validations}) == 1


@pytest.mark.deep("tests/power/test_equal_forms.py::test_an_rnn_with_another_tanh_agrees")
def test_a_gru_that_steps_from_its_state_with_the_complement_of_the_gate_agrees() -> None:
    validation = rnn_harness.validate(forms.FromStateGRU, examples=2, dtypes=("float64",))
    assert validation.outcome == "agrees", reasons(validation)


@pytest.mark.usefixtures("in_float64")
def test_the_summary_says_where_tanh_is_accurate_against_one_alone() -> None:
    cell = forms.with_functions(forms.FormRNN, tanh=forms.TANH["2 sigmoid(2a) - 1"])
    validation = rnn_harness.validate(cell, examples=0, dtypes=("float64",))
    assert "accurate against 1, not against their own value: tanh near 0 has 41" in accuracy(validation)
    assert "accurate against 1" in str(validation)


@pytest.mark.usefixtures("in_float64")
def test_nothing_is_said_of_functions_that_are_as_accurate_as_their_format() -> None:
    validation = rnn_harness.validate(forms.FormRNN, examples=0, dtypes=("float64",))
    assert accuracy(validation) == ""
    assert "accurate against 1" not in str(validation)


WRONG = {
    "a slope off by a constant": (forms.SlopeTooLarge.apply, "1 + 9.54e-07 times what is right"),
    "a slope in float32": (forms.SlopeInFloat32.apply, "this is what float32 arithmetic gives"),
    "a tanh off by a millionth": (forms.off_by_a_millionth, "tanh accurate to about"),
    "a wrong constant": (forms.with_a_wrong_constant, "tanh accurate to about"),
}


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_as_small_as_a_rounding_is_refuted_and_no_false_reason_is_given(mistake: str) -> None:
    function, words = WRONG[mistake]
    validation = rnn_harness.validate(forms.with_functions(forms.FormRNN, function), examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert words in validation.diagnosis.difference
    assert ("float32 arithmetic" in validation.diagnosis.difference) == ("float32" in mistake)


TOLD = {
    "a cast to float32": (forms.cast_to_float32, "it computes in float32 although it takes float64"),
    "a slope whose constant is rounded to float32": (
        forms.SlopeOfFloat32.apply,
        "its gradients have a constant that is rounded to float32",
    ),
}


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize("habit", TOLD)
def test_float32_inside_is_told_and_not_refuted(habit: str) -> None:
    function, words = TOLD[habit]
    validation = rnn_harness.validate(forms.with_functions(forms.FormRNN, function), examples=0, dtypes=("float64",))
    assert validation.outcome == "agrees", reasons(validation)
    assert words in " ".join(str(validation).split())


class Plain(nn.Module):
    """A simple RNN without bias, with whatever else is registered."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, hidden_size, bias=False)
        self.h = nn.Linear(hidden_size, hidden_size, bias=False)
        self.register(hidden_size)

    def register(self, hidden_size: int) -> None:
        """Register parameters."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.x(x) + self.h(h))


class UnusedNorms(Plain):
    def register(self, hidden_size: int) -> None:
        self.norms = nn.ModuleList(nn.BatchNorm1d(hidden_size) for _ in range(5))


class ForgottenBias(Plain):
    def register(self, hidden_size: int) -> None:
        self.bias = nn.Parameter(torch.zeros(hidden_size))


class Scaled(Plain):
    def register(self, hidden_size: int) -> None:
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return super().forward(x, h) * self.scale


def test_norms_that_are_not_used_are_a_note() -> None:
    found = rnn_harness.identify(UnusedNorms)
    assert len(found) == 1
    assert (
        found[0]
        .sentence()
        .endswith("norms.0.weight, norms.0.bias, norms.1.weight and 7 more parameters without influence")
    )
    assert found[0].forgotten == ()


@pytest.mark.usefixtures("in_float64")
def test_a_bias_that_is_registered_where_it_belongs_and_not_used_is_refuted() -> None:
    validation = rnn_harness.validate(ForgottenBias, examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "bias" in validation.diagnosis.difference


def test_a_scalar_keeps_the_value_that_it_is_made_with() -> None:
    (found,) = rnn_harness.identify(Scaled)
    assert found.constants == (("scale", 1.0),)
    assert "with scale = 1" in found.sentence()
