"""NumPy layers with a mask are driven with a mask of ones, and asked what the mask holds."""

from __future__ import annotations

import pytest

from rnn_harness.validation import load_target
from rnn_harness.validation.cells.capabilities import CellSizes, PaddingArgument
from rnn_harness.validation.consistency.consistency_property import Draw, Violation
from rnn_harness.validation.consistency.driven_cell import make_cell
from rnn_harness.validation.consistency.length_properties import LENGTH_PROPERTIES
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.target import Target
from tests.helpers import HELPERS


def loaded(name: str) -> Target:
    return load_target(f"{HELPERS / 'masked_layers.py'}:{name}")


def decided(name: str) -> str:
    """What is said of lengths; empty where nothing is broken."""
    target = loaded(name)
    convention = find_convention(target.make_module(5, 3), 5, 3, target.capabilities.calling_convention)
    cell = make_cell(target.make_module, target.capabilities, convention, CellSizes(5, 3), "float64", ("h", "c"))
    violation = LENGTH_PROPERTIES[0].decide(Draw(cell, 1))
    return f"{violation.part}: {violation.sentence}" if isinstance(violation, Violation) else ""


def test_a_mask_says_which_steps_are_padding_where_its_documentation_does() -> None:
    assert loaded("masked_forward").capabilities.padding == PaddingArgument("mask", 1)
    assert loaded("MaskedLSTM").capabilities.padding == PaddingArgument("mask", 1, is_documented=False)


def test_states_with_a_default_are_given_to_a_layer_of_numpy() -> None:
    convention = loaded("MaskedLSTM").capabilities.calling_convention
    assert convention is not None
    assert convention.states == 2


@pytest.mark.parametrize("name", ["masked_forward", "MaskedLSTM", "ObservedRNN"])
def test_a_mask_that_holds_every_state_or_none_breaks_nothing(name: str) -> None:
    assert decided(name) == ""


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("forgetting_forward", "the state that comes back is that of the padded end"),
        ("ForgettingLSTM", "the h past a row's end stays what it was, and the c does not"),
        ("ZeroingLSTM", "the c past a row's end stays what it was, and the h does not"),
    ],
)
def test_a_mask_that_holds_one_state_of_two_is_refuted(name: str, sentence: str) -> None:
    assert sentence in decided(name)
