"""Layers that forget their state where a flag of a step is set: at the first step, and inside of a sequence."""

from __future__ import annotations

import pytest
import torch

from rnn_harness.validation import load_target
from rnn_harness.validation.consistency.consistency_property import Draw, Violation
from rnn_harness.validation.consistency.driven_cell import make_cell
from rnn_harness.validation.consistency.unknown_cell import PROPERTIES
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.models.find_arguments import find_arguments
from tests.helpers import layers_with_flags, writing_cells


def answer(name: str, file: str = layers_with_flags.__file__) -> str | None:
    """What is said of the resets of a layer; None where they are as they should be."""
    target = load_target(f"{file}:{name}")
    convention = find_convention(target.make_module(5, 3), 5, 3)
    assert convention.sequence
    cell = make_cell(target.make_module, target.capabilities, convention, (5, 3), "float64", ("h",))
    (prop,) = (prop for prop in PROPERTIES if prop.name == "reset")
    violation = prop.decide(Draw(cell, 1))
    return violation.sentence if isinstance(violation, Violation) else None


@pytest.mark.parametrize("name", ["ForgetsBefore", "ForgetsAfter"])
def test_a_layer_may_forget_before_the_step_or_after_it(name: str) -> None:
    assert answer(name) is None


def test_a_layer_that_clears_the_states_it_holds_forgets_them() -> None:
    assert answer("ClearsInALayer", writing_cells.__file__) is None


@pytest.mark.parametrize("name", ["FirstFlagAlone", "AtTheBeginningAlone"])
def test_a_flag_inside_of_a_sequence_must_be_read(name: str) -> None:
    sentence = answer(name)
    assert sentence is not None
    assert sentence.startswith("where dones is 1 at a later step than the first, what came before must not matter")


def test_a_policy_around_a_layer_of_torch_is_given_a_state_of_one_layer_and_flags_that_are_booleans() -> None:
    policy = layers_with_flags.Policy(5, 3).double()
    x, state, flags = find_arguments(policy, (), torch.float64).arguments
    assert state.value.shape == (1, x.value.shape[1], 8)
    assert flags.value.dtype == torch.bool
    assert flags.value.shape == x.value.shape[:2]
