"""States that are one tensor (k, B, d), and sequences as wide as states: neither is taken for something else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.library_match import library_match
from rnn_harness.validation.loading.joined_states import layered_states
from rnn_harness.validation.loading.target import target_of


class FourInOne(nn.Module):
    """An sLSTM whose states are one tensor, which it makes itself where it is given none."""

    def __init__(self, dim_in: int = 4, dim: int = 5) -> None:
        super().__init__()
        self.units = dim
        self.kernel = nn.Linear(dim_in + dim, 4 * dim)

    def forward(self, inputs: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if state is None:
            state = inputs.new_zeros(4, len(inputs), self.units)
        h, m, n, c = state
        o, i, z, f = self.kernel(torch.cat([h, inputs], 1)).chunk(4, 1)
        kept = nn.functional.logsigmoid(f) + m
        m = torch.maximum(kept, i)
        old, new = torch.exp(kept - m), torch.exp(i - m)
        c, n = old * c + new * torch.tanh(z), old * n + new
        h = torch.sigmoid(o) * c / n
        return h, torch.stack([h, m, n, c])


class WantsFourInOne(FourInOne):
    """The same, which has to be given its states."""

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        return super().forward(inputs, state)


class SevenInOne(nn.Module):
    """A cell of seven states, more than can be handed over: it is no layer that forgets everything at once."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.units = hidden_size

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if state is None:
            state = x.new_zeros(7, len(x), self.units)
        first, second, third, fourth, *others, last = state
        h = torch.tanh(self.x(x) + self.h(first) * second + third * fourth)
        return h, torch.stack([h, first, second, third, *others, h - last])


class ThreeLayers(nn.Module):
    """A stack over a sequence, whose layers are one parameter: a row of a step is no step of it."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, hidden_size)
        self.h = nn.Parameter(torch.randn(3, hidden_size, hidden_size) / 2)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        outputs = []
        for x_t in x:
            below, new = self.x(x_t), []
            for h, weight in zip(state, self.h, strict=True):
                below = torch.tanh(below + h @ weight)
                new.append(below)
            state = torch.stack(new)
            outputs.append(below)
        return torch.stack(outputs), state


class OneStateOfAnyAxes(nn.Module):
    """A simple RNN of plain products."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.x(x) + self.h(h))


class AsWideAsItsState(nn.Module):
    """A layer of one width, whose loop runs over anything: two states in a tuple, or one step's rows."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.update, self.new = nn.Linear(2 * width, width), nn.Linear(2 * width, width)
        self.reset = nn.Linear(width, width)

    def forward(self, xs: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        hs = []
        for x in xs:
            z, r = torch.sigmoid(self.update(torch.cat([x, h], 1))), torch.sigmoid(x + self.reset(h))
            h = h + z * (torch.tanh(self.new(torch.cat([x, r * h], 1))) - h)
            hs.append(h)
        return torch.stack(hs), h


class RowsOfOneUnitTogether(nn.Module):
    """An SRU whose kernel keeps the rows of one unit together, and its biases and peepholes by gates."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(width, 3 * width) / 2)
        self.peepholes = nn.Parameter(torch.randn(2, 1, width))
        self.bias = nn.Parameter(torch.randn(2, 1, width))

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        u, f, r = (x @ self.kernel).unflatten(1, (-1, 3)).unbind(2)
        f, r = torch.sigmoid(torch.stack([f, r]) + self.peepholes * c + self.bias)
        c = u + f * (c - u)
        return x + r * (c - x), c


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (FourInOne, "slstm"),
        (WantsFourInOne, "slstm"),
        (AsWideAsItsState, "mut2.direct"),
        (RowsOfOneUnitTogether, "sru"),
    ],
)
def test_a_cell_of_another_hand_is_identified(cell: type[nn.Module], name: str) -> None:
    match = library_match(probe_target(target_of("cell", cell)))
    assert match is not None
    assert match.spec.id == name


def test_a_cell_of_too_many_states_is_no_layer_without_any() -> None:
    with pytest.raises(UsageError, match="cannot drive"):
        probe_target(target_of("cell", SevenInOne))


def test_a_state_that_may_have_any_axes_in_front_is_one_state() -> None:
    assert layered_states(nn.GRUCell(5, 3), CellSizes(5, 3)) is None
    assert layered_states(OneStateOfAnyAxes(5, 3), CellSizes(5, 3)) is None


def test_rows_that_are_steps_are_told_from_rows_that_are_apart() -> None:
    cell = ThreeLayers(5, 3)
    states = torch.zeros(3, 7, 3)
    assert cell(torch.zeros(7, 5), states)[1].shape == states.shape, "it takes one step's rows for steps"
    assert layered_states(cell, CellSizes(5, 3)) is None
