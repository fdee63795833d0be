"""The less common variants: each is named by its features, and agrees with the equations generated for it."""

from __future__ import annotations

import pytest

import rnn_harness
from rnn_harness.evaluation.judging_options import LONG_BY_BEGINNINGS
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import Validation, identify, load_target
from rnn_harness.validation.judging.candidate_kernel import candidate_kernel
from tests.helpers import HELPERS, variants

FILE = HELPERS / "variants.py"


VARIANTS: dict[str, tuple[str, ...]] = {
    "Peepholes": ("diagonal peepholes, the output gate's on the new cell state", "input, forget, candidate"),
    "PeepholesOnTheOld": ("diagonal peepholes, the output gate's on the old cell state",),
    "FullPeepholes": ("full peepholes, the output gate's on the new cell state", "one bias a gate"),
    "Coupled": ("forget gate coupled to the input gate", "weights on [x, h]"),
    "HardGRU": ("reset after", "hard sigmoid (a/5 + 1/2) gates", "ReLU candidate"),
    "Limited": ("cell state kept within -3 and 3", "1.5 is added to the forget gate"),
    "InputCoupled": ("input gate coupled to the forget gate", "1 is added", "candidate, forget, output"),
    "Interleaved": ("gates interleaved input, forget, candidate, output", "weights on [x, h]"),
    "Shifted": ("1.5 is added to the forget gate", "two biases a gate"),
}


def _refuted_reasons(validation: Validation) -> list[str]:
    return [record.reason for record in validation.checks if record.outcome is Outcome.REFUTED]


JUDGED = ("FullPeepholes", "Interleaved")
"""What the default run judges too: states and layouts that the equations must be generated for."""


@pytest.mark.parametrize("name", VARIANTS)
def test_variant_is_named(name: str) -> None:
    (identification,) = identify(load_target(f"{FILE}:{name}"))
    sentence = identification.sentence()
    assert all(phrase in sentence for phrase in VARIANTS[name]), sentence


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize("name", JUDGED)
def test_variant_agrees_with_its_own_equations(name: str) -> None:
    validation = rnn_harness.validate(getattr(variants, name), examples=0, dtypes=("float64",))
    assert validation.outcome == "agrees", _refuted_reasons(validation)
    assert validation.identification is not None
    assert validation.identification.answer == "unique"


@pytest.mark.deep("tests/unit/validation/test_variants.py::test_variant_agrees_with_its_own_equations")
@pytest.mark.parametrize("name", VARIANTS)
def test_variant_agrees_on_drawn_cases_and_in_float32(name: str) -> None:
    validation = rnn_harness.validate(getattr(variants, name), examples=5)
    assert validation.outcome == "agrees", _refuted_reasons(validation)


def test_a_sequence_that_gives_its_last_state_alone_is_driven_by_its_beginnings() -> None:
    (identification,) = identify(load_target(f"{FILE}:LastAlone"))
    assert identification.spec == "rnn.tanh"
    assert str(identification.convention).endswith("for the output of the last step alone")
    # A thousand calls, each from the first step on, would hold the graphs of half a million steps.
    assert candidate_kernel(load_target(f"{FILE}:LastAlone"), identification).long_steps == LONG_BY_BEGINNINGS


def test_what_nothing_can_tell_apart_is_ambiguous_and_all_answers_are_given() -> None:
    identifications = identify(load_target(f"{FILE}:SigmoidCandidate"))
    assert [identification.assignment.gate_order("x") for identification in identifications] == ["ifog", "gfoi"]
    validation = rnn_harness.validate(variants.SigmoidCandidate, examples=0, dtypes=("float64",))
    assert validation.identification is not None
    assert validation.identification.answer == "ambiguous"
    assert validation.outcome == "agrees"
