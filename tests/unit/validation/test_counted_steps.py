"""A layer that counts its steps from the start of a call is not said to hand back a wrong state; one that does is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import rnn_harness
from rnn_harness.records.record import Record


class Clockwork(nn.Module):
    """A simple RNN of which every second unit moves in every second step."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w, self.u = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs, states = [], [h]
        for number in range(len(x)):
            moves = torch.arange(h.shape[1]) % 2 * (number % 2) == 0
            h = torch.where(moves, torch.tanh(self.w(x[number]) + self.u(h)), h)
            outputs.append(h)
            states.append(h)
        return torch.stack(outputs), self.final(states)

    def final(self, states: list[Tensor]) -> Tensor:
        return states[-1]


class ClockworkOneLate(Clockwork):
    """It hands back the state before the last step."""

    def final(self, states: list[Tensor]) -> Tensor:
        return states[-2]


class DropsItsState(Clockwork):
    """A simple RNN that begins with zeros after every third step."""

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs = []
        for number in range(len(x)):
            kept = h * (number % 3 != 0) if number else h
            h = torch.tanh(self.w(x[number]) + self.u(kept))
            outputs.append(h)
        return torch.stack(outputs), h


def split_sequence(cell: type[nn.Module]) -> Record:
    validation = rnn_harness.validate(cell, examples=0, dtypes=("float64",))
    (record,) = [record for record in validation.checks if record.check == "consistency.split-sequence"]
    return record


def test_a_clock_is_no_wrong_state() -> None:
    record = split_sequence(Clockwork)
    assert record.outcome == "not run"
    assert "in two pieces it gives the same after 2 steps" in record.reason


def test_a_clock_does_not_hide_a_state_that_is_late() -> None:
    assert split_sequence(ClockworkOneLate).outcome == "refuted"


def test_a_state_that_is_dropped_after_some_steps_is_no_clock() -> None:
    assert split_sequence(DropsItsState).outcome == "refuted"
