"""What is no plain cell is driven as one, and told how; what cannot be is told with lines to paste."""

from __future__ import annotations

import pytest

from rnn_harness.cases.case import Case
from rnn_harness.errors import UsageError
from rnn_harness.records.validation import Validation
from rnn_harness.validation import (
    ValidationRequest,
    candidate_kernel,
    collect_validation,
    identify,
    judge_case,
    load_target,
    run_validation,
)
from rnn_harness.validation.identification.probe import probe_target
from tests.helpers import HELPERS

KINDS = HELPERS / "further_kinds.py"


def _validation(name: str) -> Validation:
    target = load_target(f"{KINDS}:{name}")
    return collect_validation(name, run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))


@pytest.mark.parametrize(
    ("name", "spec", "note"),
    [
        ("LSTMOfGates", "lstm.column", "its pre-activations are made for it: gates = W x + U h + b"),
        ("CellBeforeHidden", "lstm.column", "its pre-activations are made for it: gates = W x + U h + b"),
        ("GRUOfTwoSums", "gru.reset_after", "its pre-activations are made for it: gi = W x + b, gh = U h + b_h"),
    ],
)
def test_an_autograd_function_of_preactivations_is_identified(name: str, spec: str, note: str) -> None:
    target = load_target(f"{KINDS}:{name}")
    assert [match.spec for match in identify(target)] == [spec]
    assert target.capabilities.notes == (note,)


def test_a_vector_of_weights_beside_the_preactivations_is_a_parameter() -> None:
    probe = probe_target(load_target(f"{KINDS}:PeepholeOfGates"))
    assert set(probe.parameters) == {"W", "U", "b", "vector_w_co"}
    assert probe.ignored == ()


@pytest.mark.parametrize(("name", "differs"), [("LSTMOfGates", False), ("LSTMOfGatesWithoutSlope", True)])
def test_the_backward_of_an_autograd_function_is_the_one_that_is_judged(name: str, differs: bool) -> None:
    target = load_target(f"{KINDS}:{name}")
    kernel = candidate_kernel(target, identify(target)[0])
    judged = judge_case(kernel, "backward.bound", Case(spec=kernel.spec, dtype="float64", T=2, seed=1))
    assert judged is not None
    assert judged.agrees is not differs


@pytest.mark.deep(
    "tests/unit/validation/test_further_kinds.py::test_the_backward_of_an_autograd_function_is_the_one_that_is_judged"
)
@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("LSTMOfGates", "agrees"),
        ("CellBeforeHidden", "agrees"),
        ("PeepholeOfGates", "consistent"),
        ("GRUOfTwoSums", "agrees"),
        ("TanhOfWeights", "agrees"),
        ("LSTMOfGatesWithoutSlope", "refuted"),
    ],
)
def test_every_check_judges_an_autograd_function(name: str, outcome: str) -> None:
    assert _validation(name).outcome == outcome


def test_of_an_autograd_function_that_is_no_step_a_wrapper_is_printed() -> None:
    with pytest.raises(UsageError, match=r"NoStep\.apply\(logits, labels\) gave no states") as refusal:
        load_target(f"{KINDS}:NoStep")
    assert "return NoStep.apply(self.W(x) + self.U(h), c)" in str(refusal.value)


def test_several_inputs_are_judged_side_by_side() -> None:
    validation = _validation("DecayedGRU")
    assert validation.outcome == "consistent", validation.diagnosis
    target = load_target(f"{KINDS}:DecayedGRU")
    assert target.capabilities.notes == ("its inputs x, m, delta are judged side by side as one, of any numbers",)


def test_a_gradient_that_is_cut_behind_one_of_several_inputs_is_refuted() -> None:
    validation = _validation("DecayedGRUWithoutSlope")
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert validation.diagnosis.part.startswith("backward")


def test_the_fixed_weights_of_a_reservoir_are_judged_as_its_weights() -> None:
    validation = _validation("Reservoir")
    assert (validation.outcome, validation.spec) == ("agrees", "rnn.tanh")
    assert validation.identification is not None
    assert "its fixed tensors w_in, w, bias are judged as its weights" in validation.identification.sentence
    assert "it is judged as made for inference" in validation.identification.sentence


def test_a_class_with_its_loss_inside_is_told_what_is_judged() -> None:
    with pytest.raises(
        UsageError, match=r"CharacterModel\.loss: it takes targets \(inputs, targets, hprev\)"
    ) as refusal:
        load_target(f"{KINDS}:CharacterModel")
    assert "def step(x, h_prev, Wx, Wh, b):" in str(refusal.value)
