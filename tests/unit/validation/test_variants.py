"""The less common variants: each is named by its features, and agrees with the equations generated for it."""

from __future__ import annotations

import pytest

import rnn_harness
from rnn_harness.errors import UsageError
from rnn_harness.validation import identify, load_target
from tests.helpers import HELPERS, variants

FILE = HELPERS / "variants.py"


@pytest.mark.parametrize(
    ("name", "phrases"),
    [
        ("Peepholes", ("diagonal peepholes, the output gate's on the new cell state", "input, forget, candidate")),
        ("PeepholesOnTheOld", ("diagonal peepholes, the output gate's on the old cell state",)),
        ("FullPeepholes", ("full peepholes, the output gate's on the new cell state", "one bias a gate")),
        ("Coupled", ("forget gate coupled to the input gate", "weights on [x, h]")),
        ("HardGRU", ("reset after", "hard sigmoid (a/5 + 1/2) gates", "ReLU candidate")),
        ("Limited", ("cell state kept within -3 and 3", "1.5 is added to the forget gate")),
        ("InputCoupled", ("input gate coupled to the forget gate", "1 is added", "candidate, forget, output")),
        ("Interleaved", ("gates interleaved input, forget, candidate, output", "weights on [x, h]")),
        ("Shifted", ("1.5 is added to the forget gate", "two biases a gate")),
    ],
)
def test_variant_is_named_and_agrees_with_its_own_equations(name: str, phrases: tuple[str, ...]) -> None:
    (identification,) = identify(load_target(f"{FILE}:{name}"))
    assert all(phrase in identification.sentence() for phrase in phrases), identification.sentence()
    validation = rnn_harness.validate(getattr(variants, name), examples=1)
    assert validation.outcome == "agrees", [r.reason for r in validation.checks if str(r.outcome) == "refuted"]


def test_a_sequence_that_gives_its_last_state_alone_cannot_be_driven() -> None:
    with pytest.raises(UsageError, match="of a sequence it gives the last state alone; return the states of all steps"):
        identify(load_target(f"{FILE}:LastAlone"))


def test_what_nothing_can_tell_apart_is_ambiguous_and_all_answers_are_given() -> None:
    identifications = identify(load_target(f"{FILE}:SigmoidCandidate"))
    assert [identification.assignment.gate_order("x") for identification in identifications] == ["ifog", "gfoi"]
    validation = rnn_harness.validate(variants.SigmoidCandidate, examples=0, dtypes=("float64",))
    assert validation.identification is not None
    assert validation.identification.answer == "ambiguous"
    assert validation.outcome == "agrees"
