"""Calls that other hands wrote: weights in a dictionary, children of a tree, a first step without a state, spikes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import rnn_harness
from rnn_harness.errors import UsageError
from rnn_harness.records.validation import Validation
from tests.helpers import functions_of_dictionaries as steps
from tests.helpers.handwritten.layers_from_weights import (
    LayerOfList,
    LayerOfListWithoutBias,
    SumOfCells,
    SumOfCellsWithoutFirst,
)

pytestmark = pytest.mark.usefixtures("equations_alone")


def validated(cell: object) -> Validation:
    return rnn_harness.validate(cell, examples=0, dtypes=("float64",))


@pytest.mark.parametrize(
    ("step", "spec"),
    [
        pytest.param(
            "lstm_step",
            "lstm.column",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_calls_of_other_hands.py::"
                "test_the_maker_of_a_family_is_taken_before_that_of_a_usual_name"
            ),
        ),
        ("gru_step", "gru.keep.column"),
    ],
)
def test_tensors_of_float32_in_a_dictionary_are_made_float64(step: str, spec: str) -> None:
    validation = validated(getattr(steps, step))
    assert (validation.outcome, validation.spec) == ("agrees", spec)


def test_the_maker_of_a_family_is_taken_before_that_of_a_usual_name() -> None:
    validation = validated(steps.gru_step_without_reset)
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert validation.diagnosis.difference == "the reset gate is not used"


class ChildSum(nn.Module):
    """A node of a tree: x (n,), the states (K, d) of its children; its own state (d,)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w, self.u = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, child_h: Tensor) -> Tensor:
        return torch.tanh(self.w(x) + self.u(child_h.sum(0)))


class MeanOverRows(ChildSum):
    """A simple RNN that takes the mean of all rows of a batch off each."""

    def forward(self, x: Tensor, child_h: Tensor) -> Tensor:
        total = self.w(x) + self.u(child_h)
        return torch.tanh(total - total.mean(0))


def test_the_children_of_a_node_are_no_rows_that_are_mixed() -> None:
    with pytest.raises(UsageError, match="adds up the states of several children"):
        validated(ChildSum)


def test_rows_that_are_mixed_are_refuted_all_the_same() -> None:
    validation = validated(MeanOverRows)
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert validation.diagnosis.part == "behaviour: position"


class FirstStepProjects(nn.Module):
    """A cell whose first step, without a state, is a projection (Chan, Ke and Im, 2020)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.vn, self.vz = nn.Linear(input_size, hidden_size), nn.Linear(input_size, hidden_size)
        self.hn, self.hz = nn.Linear(hidden_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def forward(self, word: Tensor, hidden: Tensor | None = None) -> Tensor:
        feature = self.vn(word)
        if hidden is None:
            return feature
        share = torch.sigmoid(feature) * torch.sigmoid(self.hz(hidden) + self.vz(word))
        return torch.lerp(hidden, torch.tanh(self.hn(hidden) + feature), share)


def test_a_first_step_without_a_state_does_not_hide_the_cell() -> None:
    assert validated(FirstStepProjects).outcome == "consistent"


class Spiking(torch.autograd.Function):
    """One above zero, with the slope of a fast sigmoid for a gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        slope: Tensor = gradient / (1 + 10 * x.abs()) ** 2
        return slope


class IntegrateAndFire(nn.Module):
    """Leaky neurons that are reset by subtraction; a sequence without a state gives spikes and potentials."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.fc = nn.Linear(input_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        current = self.fc(x)
        potential = spike = torch.zeros_like(current[0])
        spikes, potentials = [], []
        for step in current:
            potential = 0.9 * potential + step - spike
            spike = Spiking.apply(potential - 1)
            spikes.append(spike)
            potentials.append(potential)
        return torch.stack(spikes), torch.stack(potentials)


def test_a_surrogate_gradient_of_spikes_is_no_wrong_slope() -> None:
    validation = validated(IntegrateAndFire)
    assert validation.outcome == "consistent", validation.diagnosis
    reasons = {record.check: record.reason for record in validation.checks}
    assert "its outputs jump, as spikes do" in reasons["consistency.long-gradients"]


@pytest.mark.parametrize(("layer", "outcome"), [(SumOfCells, "agrees"), (SumOfCellsWithoutFirst, "refuted")])
def test_the_gradients_of_a_layer_are_its_own_and_not_those_of_one_of_its_cells(layer: type, outcome: str) -> None:
    validation = rnn_harness.validate(layer, examples=0, dtypes=("float32",))
    assert validation.outcome == outcome, validation.diagnosis


class TypedMemory(nn.Module):
    """A strongly typed LSTM (Balduzzi and Ghifary, 2016): its state is the last input and the cell state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.lin = nn.Linear(2 * input_size, 3 * hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size

    def zero_state(self, rows: int) -> tuple[Tensor, Tensor]:
        weight = self.lin.weight
        return weight.new_zeros(rows, self.input_size), weight.new_zeros(rows, self.hidden_size)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        x_prev, c = self.zero_state(x.size(0)) if state is None else state
        z, f, o = self.lin(torch.cat((x_prev, x), 1)).chunk(3, 1)
        c = f.sigmoid() * c + (1 - f.sigmoid()) * z
        return c * o.tanh(), (x, c)


class TypedMemoryOfRows(TypedMemory):
    """One whose forget gate takes the mean over the batch."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        x_prev, c = self.zero_state(x.size(0)) if state is None else state
        z, f, o = self.lin(torch.cat((x_prev, x), 1)).chunk(3, 1)
        f = f.mean(0, keepdim=True).sigmoid()
        c = f * c + (1 - f) * z
        return c * o.tanh(), (x, c)


class MemoryBeside(nn.Module):
    """A cell with a memory whose width it keeps; no axis of a weight is as wide."""

    def __init__(self, input_size: int, hidden_size: int, memory_size: int = 9) -> None:
        super().__init__()
        self.memory_size = memory_size
        self.g = nn.Linear(input_size + hidden_size + memory_size, hidden_size)
        self.write = nn.Linear(hidden_size, 2 * memory_size + 1)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, memory = state
        h = torch.relu(self.g(torch.cat([x, h, memory], 1)))
        share, erase, _ = self.write(h).split([self.memory_size, self.memory_size, 1], 1)
        return h, (h, memory + share.tanh() - erase.sigmoid() * memory)


@pytest.mark.parametrize(
    ("cell", "outcome"), [(TypedMemory, "consistent"), (MemoryBeside, "consistent"), (TypedMemoryOfRows, "refuted")]
)
def test_states_of_other_widths_are_those_that_a_first_call_or_a_number_of_the_cell_shows(
    cell: type[nn.Module], outcome: str
) -> None:
    validation = validated(cell)
    assert validation.outcome == outcome, validation.diagnosis


@pytest.mark.parametrize(("layer", "outcome"), [(LayerOfList, "agrees"), (LayerOfListWithoutBias, "refuted")])
def test_a_class_that_is_made_from_a_list_of_weights_is_made_from_each(layer: type, outcome: str) -> None:
    validation = validated(layer)
    assert validation.outcome == outcome, validation.diagnosis


class LogSpace(nn.Module):
    """A minimal GRU that is computed in the logarithms of its states, which are positive (Feng et al., 2024)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.z, self.h = nn.Linear(input_size, hidden_size), nn.Linear(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        gate, candidate = self.z(x), self.h(x)
        log_g = torch.where(candidate >= 0, (candidate.relu() + 0.5).log(), nn.functional.logsigmoid(candidate))
        return torch.logaddexp(nn.functional.logsigmoid(-gate) + h.log(), nn.functional.logsigmoid(gate) + log_g).exp()


class LogarithmOfAGate(LogSpace):
    """One that takes the logarithm of what may be negative whatever its state is."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.h(x).log() + h)


def test_states_that_must_be_positive_are_no_mistake() -> None:
    with pytest.raises(UsageError, match="gives NaN for states with negative numbers and none for positive ones"):
        validated(LogSpace)


def test_nan_that_comes_from_elsewhere_is_refuted() -> None:
    validation = validated(LogarithmOfAGate)
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "it gives NaN" in validation.diagnosis.difference
