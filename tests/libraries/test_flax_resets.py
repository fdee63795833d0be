"""Recurrent parts of policies in flax.linen: a flag beside the inputs, at which a row's carry is begun anew."""

from __future__ import annotations

import pytest

from rnn_harness.validation import load_target
from rnn_harness.validation.consistency.consistency_property import Draw, Violation
from rnn_harness.validation.consistency.driven_cell import make_cell, numbered_states
from rnn_harness.validation.consistency.unknown_cell import PROPERTIES
from rnn_harness.validation.loading.adapters.adapter import HoldsParts
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.models.check_resets import check_resets
from rnn_harness.validation.models.understand import understand
from tests.helpers import HELPERS


@pytest.mark.deep(
    "tests/unit/validation/test_restarts.py::test_a_reset_must_forget_the_state_that_is_given",
)
@pytest.mark.parametrize(
    ("name", "is_wrong"), [("Scanned", False), ("Faded", True), ("ScannedPair", False), ("OneStateKept", True)]
)
def test_the_carry_that_is_given_must_not_matter_at_a_reset(name: str, is_wrong: bool) -> None:
    pytest.importorskip("flax")
    target = load_target(f"{HELPERS / 'flax_resets.py'}:{name}")
    n, d = target.capabilities.fixed_sizes or (5, 3)
    convention = find_convention(target.make_module(n, d), n, d, target.capabilities.calling_convention)
    assert convention.sequence
    cell = make_cell(
        target.make_module, target.capabilities, convention, (n, d), "float64", numbered_states(convention)
    )
    (prop,) = (prop for prop in PROPERTIES if prop.name == "reset")
    assert isinstance(prop.decide(Draw(cell, 1)), Violation) == is_wrong


@pytest.mark.parametrize(
    ("name", "part", "words"),
    [
        ("Policy", "GRUCell", "is forgotten"),
        ("PolicyOfPair", "LSTMCell", "is forgotten"),
        ("FadedPolicy", "GRUCell", "forgets no state"),
        ("TurnedPolicy", "GRUCell", "is turned around"),
    ],
)
def test_a_policy_of_a_carry_and_a_pair_is_driven_with_its_resets(name: str, part: str, words: str) -> None:
    pytest.importorskip("flax")
    model = understand(load_target(f"{HELPERS / 'flax_resets.py'}:{name}"))
    assert isinstance(model.module, HoldsParts)
    assert [held.class_name for held in model.module.held_parts] == [part]
    assert [argument.role for argument in model.arguments.arguments][:2] == ["sequence", "state"]
    assert words in " ".join(statement.sentence for statement in check_resets(model.with_numbers(1)))
