"""What keeps a state that a method makes before the first call is driven as whoever wrote it calls it."""

from __future__ import annotations

import pytest
import torch

from rnn_harness.errors import UsageError
from rnn_harness.validation import load_target
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.kept_state import kept_state
from rnn_harness.validation.loading.fresh_state import with_fresh_state
from rnn_harness.validation.loading.made_states import with_made_state
from rnn_harness.validation.loading.stream_of_steps import as_stream_of_steps
from rnn_harness.validation.models.understand import understand
from tests.helpers import HELPERS, made_states

FILE = HELPERS / "made_states.py"


@pytest.mark.parametrize(
    ("name", "part"),
    [("Tagger", "lstm"), ("TaggerOfRows", "lstm"), ("OfABatch", "lstm"), ("TokenByToken", "gru")],
)
def test_a_model_is_called_with_the_state_that_it_needs(name: str, part: str) -> None:
    model = understand(load_target(f"{FILE}:{name}"))
    assert [each.name for each in model.parts] == [part]
    assert [call.name for call in model.with_numbers(0).baseline.of(part)] == [part]


def test_a_state_is_made_once_and_carried_on() -> None:
    cell = with_made_state(made_states.Step(5, 3).double())
    with torch.no_grad():
        first, second = (cell(torch.ones(2, 5, dtype=torch.float64)) for _ in range(2))
    assert not torch.equal(first, second)
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        cell(torch.ones(4, 5, dtype=torch.float64))


def test_what_makes_its_state_itself_is_left_alone() -> None:
    model = with_made_state(made_states.MakesItsStateItself(11, 5, 3, 4))
    assert not model._forward_pre_hooks


def test_a_step_that_keeps_its_state_is_a_stream() -> None:
    target = load_target(f"{FILE}:Step")
    with pytest.raises(UsageError, match="state"):
        probe_target(target)
    stream = as_stream_of_steps(target)
    assert stream is not None
    probe = probe_target(with_fresh_state(stream))
    assert probe.convention.sequence
    assert probe.rows_are_apart()


def test_a_reset_for_one_row_where_it_is_given_none_is_asked_for_all_rows() -> None:
    stream = as_stream_of_steps(load_target(f"{FILE}:Step"))
    assert stream is not None
    kept = kept_state(stream)
    assert kept is not None
    assert kept.is_for_a_stream
    assert kept.fault is None
