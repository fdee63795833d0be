"""However a cell is constructed and called, it is driven; outputs that lie otherwise than the inputs are a finding."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnn_harness.errors import UsageError
from rnn_harness.records.events import RecordMade, TargetDiagnosed
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import (
    Identification,
    ValidationRequest,
    collect_validation,
    identify,
    load_target,
    read_options,
    run_validation,
    target_of,
)
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.validate import judge_target
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.layout_faults import WrongLayout
from tests.helpers import called_cells

CELLS = called_cells.__file__


def identified(name: str, *options: str) -> Identification:
    """The first cell that a target equals."""
    return identify(load_target(f"{CELLS}:{name}", read_options(list(options))))[0]


@pytest.mark.parametrize(
    ("name", "spec", "how"),
    [
        ("LastOnly", "gru.reset_after", "a sequence, batch first, and no state, for the output of the last step alone"),
        ("DocumentedTimeFirstOut", "gru.reset_after", "a sequence, batch first, and one state"),
        ("FeaturesFirst", "gru.reset_after", "a sequence, features by batch by time, and one state"),
        ("MaskThenState", "gru.reset_after", "a sequence, batch first, and one state, with a mask of ones"),
        ("KeywordsOnly", "gru.reset_after", "one step, and one state"),
        ("Widths", "rnn.tanh", "one step, and one state"),
        ("GatesByAxis", "lstm.column", "one step, and two states"),
        (
            "ToItsLength",
            "rnn.tanh",
            "a sequence, batch first, and no state, with full lengths, for the output of the last step alone",
        ),
        ("StackedStates", "lstm.column", "one step, and two states as a tuple"),
        ("MappedStates", "lstm.column", "one step, and two states in a dictionary (out, memory)"),
        ("FieldStates", "lstm.column", "one step, and two states as fields (short, long) before the input"),
        ("Single", "rnn.tanh", "a sequence, batch first, and no state"),
        ("Configured", "rnn.tanh", "one step, and one state"),
        ("NoArguments", "rnn.tanh", "one step, and one state"),
        ("factory", "gru.reset_after", "a sequence, time first, and one state"),
        ("normed", "rnn.tanh", "one step, and one state"),
        ("pruned", "rnn.tanh", "one step, and one state"),
        ("SideBySide", "lstm.column", "one step, and two states as one tensor (B, 2 d)"),
        pytest.param(
            "scripted_layer",
            "gru.reset_after",
            "a sequence, time first, and one state",
            marks=pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
        ),
        pytest.param(
            "scripted",
            "rnn.tanh",
            "a sequence, time first, and one state",
            marks=pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
        ),
    ],
)
def test_a_right_cell_is_driven_however_it_is_called(name: str, spec: str, how: str) -> None:
    identification = identified(name)
    assert identification.spec == spec
    assert str(identification.convention) == f"called with {how}"


def test_two_states_in_one_tensor_are_held_to_their_order() -> None:
    target = load_target(f"{CELLS}:SideBySideExchanged")
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation("exchanged", run_validation(target, request))
    assert validation.diagnosis is not None
    assert (validation.outcome, validation.diagnosis.part) == ("refuted", "forward: order of the states")


def test_an_axis_of_length_one_has_no_place_in_the_words_about_the_order() -> None:
    convention = identified("KeywordsOnly").convention
    assert str(replace(convention, input_axes="1Bn")) == str(convention)


def test_a_configuration_is_named_by_an_option() -> None:
    assert identified("OfDictionary", "cfg=chosen").model.candidate == "relu"


def test_a_cell_that_is_prepared_for_quantisation_holds_no_packed_weights() -> None:
    (match,) = identify(load_target("torch.ao.nn.quantizable:LSTMCell"))
    assert match.spec == "lstm.column"


def test_false_as_an_option_is_no_text() -> None:
    assert read_options(["bidirectional=false", "bias=true", "name=falsehood"]) == {
        "bidirectional": False,
        "bias": True,
        "name": "falsehood",
    }


def test_a_cell_in_float32_alone_is_judged_in_float32() -> None:
    probe = probe_target(load_target(f"{CELLS}:Single"))
    assert probe.dtype == "float32"
    assert list(probe.refusals) == ["float64"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("LastRow", "the outputs of the last row of the batch"),
        ("TimeFirstOut", "the outputs are time first though the inputs are batch first"),
        ("Viewed", "batch and time are mixed up"),
        ("Backwards", "the outputs run backwards in time"),
        ("Late", "the outputs are one step late"),
    ],
)
def test_a_fault_of_layout_is_a_finding(name: str, words: str) -> None:
    with pytest.raises(WrongLayout, match=words):
        probe_target(load_target(f"{CELLS}:{name}"))


def test_a_carry_that_comes_back_in_another_order_is_refuted() -> None:
    events = list(judge_target(load_target(f"{CELLS}:ExchangedCarry"), ValidationRequest()))
    (record,) = [event.record for event in events if isinstance(event, RecordMade)]
    (diagnosis,) = [event.diagnosis for event in events if isinstance(event, TargetDiagnosed)]
    assert record.outcome is Outcome.REFUTED
    assert diagnosis.part == "forward: order of the states"


def test_states_that_are_named_may_come_back_in_any_order() -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    events = judge_target(load_target(f"{CELLS}:NamedStatesInAnyOrder"), request)
    records = [event.record for event in events if isinstance(event, RecordMade)]
    assert Outcome.AGREES in {record.outcome for record in records}
    assert Outcome.REFUTED not in {record.outcome for record in records}


class Refusing(nn.Module):
    """Computes something, and raises an error in every call."""

    def __init__(self) -> None:
        super().__init__()
        self.computed: list[weakref.ref[torch.Tensor]] = []

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        large = torch.zeros(1000) + h.sum()
        self.computed.append(weakref.ref(large))
        raise RuntimeError(f"not for {tuple(x.shape)}")


def test_what_a_call_computed_before_it_failed_is_not_kept() -> None:
    module = Refusing()
    with pytest.raises(UsageError, match="raised RuntimeError: not for") as refused:
        find_convention(module, 3, 4)
    assert refused.value.__traceback__ is not None
    assert len(module.computed) > 10
    assert [tensor for kept in module.computed if (tensor := kept()) is not None] == []


class WithoutNumbers(nn.Module):
    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.cell, self.change = nn.RNNCell(3, 4), change

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.change(self.cell(x, h))


@pytest.mark.parametrize("change", [Tensor.to_sparse, lambda h: h.to("meta")], ids=["sparse", "meta"])
def test_what_gives_no_array_of_numbers_is_not_driven(change: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(UsageError, match="no way of calling it gave states of size 4"):
        find_convention(WithoutNumbers(change), 3, 4)


class KeepsItsState(nn.Module):
    """Hands the state of its last call to the next one, of however many rows that may be."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.state: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        outputs, self.state = self.lstm(x, self.state)
        return outputs[..., :1]


def test_a_packed_sequence_never_meets_a_state_that_was_kept_of_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch 2.13 does not compare their sizes, and writes where it must not."""
    forward, kept = nn.LSTM.forward, []

    def watched(self: nn.LSTM, x: Tensor | PackedSequence, state: Any = None) -> Any:
        if isinstance(x, PackedSequence):
            kept.append(None if state is None else state[0].shape[1])
        return forward(self, x, state)

    monkeypatch.setattr(nn.LSTM, "forward", watched)
    with pytest.raises(UsageError):
        find_convention(KeepsItsState(3, 4), 3, 4)
    assert kept
    assert set(kept) == {None}


class OfAnotherVersion(nn.Module):
    """A cell that calls a function of torch by an argument that it no longer has."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, 2 * hidden_size), nn.Linear(hidden_size, 2 * hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        total = self.x(x) + self.h(h)
        gate, candidate = torch.split(total, split_size=h.shape[-1], dim=1)  # type: ignore[call-arg]
        return torch.sigmoid(gate) * torch.tanh(candidate)


def test_an_argument_that_a_line_of_the_cell_gives_to_a_function_that_has_none_such_is_told() -> None:
    with pytest.raises(UsageError) as raised:
        probe_target(target_of("cell", OfAnotherVersion))
    assert "forward(x (7, 5), state (7, 3)) raised TypeError: split() got an unexpected keyword argument" in str(
        raised.value
    )


class OfFourPlanes(nn.Module):
    """A convolutional cell with three states, each an argument."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.x, self.h = nn.Conv2d(channels, hidden, 3), nn.Conv2d(hidden, hidden, 3)

    def forward(self, x_t: Tensor, h_t: Tensor, c_t: Tensor, m_t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.x(x_t) + self.h(h_t), c_t + h_t, m_t + c_t


def test_the_arguments_that_no_call_fits_are_told_with_what_is_expected() -> None:
    with pytest.raises(UsageError, match=r"forward\(x_t, h_t, c_t, m_t\); expected an input and at most two states"):
        find_convention(OfFourPlanes(5, 3), 5, 3)
