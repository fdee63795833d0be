"""Torch modules that take targets and give their loss are judged by it: gradients, the state, the last state."""

from __future__ import annotations

import pytest

from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.consistency.loss_properties import loss_questions
from rnn_harness.validation.consistency.question import AskedCell, answers
from rnn_harness.validation.loading.torch_losses import torch_loss
from tests.helpers import HELPERS, torch_losses

ASKED = AskedCell("loss", "unknown", "a loss over a sequence", "float64", 0)


def records(name: str) -> dict[str, Record]:
    """The record of each question, by its name."""
    loss = torch_loss(name, vars(torch_losses)[name](5, 3))
    assert loss is not None
    made = (answer.record for answer in answers(loss_questions(loss), ASKED))
    return {record.check.rpartition(".")[2]: record for record in made}


def test_a_right_loss_breaks_nothing_and_is_tried_for_all() -> None:
    assert {record.outcome for record in records("Characters").values()} == {Outcome.AGREES}


def test_a_loss_of_vectors_alone_is_judged_by_its_gradients() -> None:
    decided = records("Regression")
    assert decided["loss-gradients"].outcome is Outcome.AGREES
    assert decided["state-used"].outcome is Outcome.NOT_RUN


@pytest.mark.parametrize(
    ("name", "check", "phrase"),
    [
        (
            "WrongBackward",
            "loss-gradients",
            "the gradients of Wxh, Whh are not the slopes of its own loss; those of Why",
        ),
        ("IgnoresItsState", "state-used", "state 1 that is given has no influence on its loss"),
        ("GivesTheFirstState", "split-sequence", "the last state is not that of 4 steps"),
    ],
)
def test_of_a_wrong_loss_the_fault_is_named(name: str, check: str, phrase: str) -> None:
    record = records(name)[check]
    assert record.outcome is Outcome.REFUTED
    assert phrase in record.reason


def test_gradients_that_are_cut_on_purpose_are_not_held_against_the_loss() -> None:
    assert torch_loss("Detaching", torch_losses.Detaching(5, 3)) is None


def test_a_cell_is_no_loss() -> None:
    from torch import nn

    assert torch_loss("GRUCell", nn.GRUCell(5, 3)) is None


@pytest.mark.deep("tests/unit/validation/test_torch_losses.py::test_a_right_loss_breaks_nothing_and_is_tried_for_all")
def test_a_loss_is_judged_where_nothing_else_can_be_driven() -> None:
    target = load_target(f"{HELPERS / 'torch_losses.py'}:Characters")
    verdict = collect_validation(
        "Characters", run_validation(target, ValidationRequest(dtypes=("float64",), examples=0))
    )
    outcomes = {record.check: record.outcome for record in verdict.checks}
    assert outcomes["consistency.loss-gradients"] is Outcome.AGREES


@pytest.mark.parametrize(("name", "outcome"), [("LoopsByHand", "consistent"), ("LoopsByHandWrong", "refuted")])
def test_a_model_without_known_layers_is_judged_by_its_loss(name: str, outcome: str) -> None:
    target = load_target(f"{HELPERS / 'torch_losses.py'}:{name}")
    events = run_validation(target, ValidationRequest(dtypes=("float64",), examples=0))
    assert collect_validation(name, events).outcome == outcome
