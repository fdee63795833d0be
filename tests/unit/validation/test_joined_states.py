"""Torch cells with three states, or with states of several widths."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import rnn_harness
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.joined_states import CellOfOneState, joined_states
from rnn_harness.validation.loading.target import target_of


class ContextCell(nn.Module):
    """A slow context next to the hidden state, narrower than it (SCRN)."""

    def __init__(self, input_size: int, hidden_size: int, context_size: int) -> None:
        super().__init__()
        self.into = nn.Linear(input_size, hidden_size)
        self.slow = nn.Linear(input_size, context_size, bias=False)
        self.aside = nn.Linear(context_size, hidden_size, bias=False)
        self.again = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, s = state
        s = 0.05 * self.slow(x) + 0.95 * s
        h = torch.sigmoid(self.aside(s) + self.into(x) + self.again(h))
        return h, (h, s)


class NestedCell(nn.Module):
    """An LSTM whose cell state is computed by another one."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 3 * hidden_size)
        self.inner = nn.LSTMCell(hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor, c: Tensor, m: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        i, f, o = self.gates(torch.cat([x, h], 1)).chunk(3, 1)
        c, m = self.inner(i.tanh(), (f.sigmoid() * c, m))
        return o.sigmoid() * c.tanh(), c, m


class TwoMemories(nn.Module):
    """It takes and gives its two memories in one tuple, beside the hidden state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = NestedCell(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor, memories: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, c, m = self.cell(x, h, *memories)
        return h, (c, m)


class ForgetsItsSecondMemory(TwoMemories):
    """It starts every step from an empty inner memory."""

    def forward(self, x: Tensor, h: Tensor, memories: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        c, m = memories
        return super().forward(x, h, (c, 0 * m))


class TwoMemoriesInOneState(nn.Module):
    """All of its states are one argument, the two memories one tuple in it."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = NestedCell(input_size, hidden_size)

    def forward(self, x: Tensor, state: tuple[tuple[Tensor, Tensor], Tensor]) -> tuple[tuple[Tensor, Tensor], Tensor]:
        (c, m), h = state
        h, c, m = self.cell(x, h, c, m)
        return (c, m), h


class NestedCellWithScores(TwoMemories):
    """It gives scores of another width in front of its three states."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.scores = nn.Linear(hidden_size, 7)

    def forward(self, x: Tensor, h: Tensor, memories: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, memories = super().forward(x, h, memories)
        return self.scores(h), (h, *memories)  # type: ignore[return-value]  # as many states as it takes, in one tuple


class FedBackCell(nn.Module):
    """A Jordan network: its state is its output, which has a width of its own."""

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(input_size + output_size, hidden_size)
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.tanh(self.hidden(torch.cat([x, y], 1)))
        return torch.sigmoid(self.out(h)), h


def test_states_of_two_widths_are_found_in_the_order_in_which_they_go_in() -> None:
    joined = joined_states(ContextCell(3, 4, 2), 4)
    assert joined is not None
    assert (joined.input_size, joined.widths, joined.handing.form.container) == (3, (4, 2), "tuple")
    assert joined.places == (1, 2)


def test_three_states_are_joined_whether_they_go_in_one_by_one_or_together() -> None:
    joined = joined_states(NestedCell(3, 4), 4)
    assert joined is not None
    assert (joined.widths, joined.handing.names) == ((4, 4, 4), ("h", "c", "m"))


@pytest.mark.parametrize(("cell", "groups"), [(TwoMemories, (1, 2)), (TwoMemoriesInOneState, (2, 1))])
def test_two_of_three_states_may_go_in_together(cell: type[nn.Module], groups: tuple[int, ...]) -> None:
    joined = joined_states(cell(3, 4), 4)
    assert joined is not None
    assert (joined.widths, joined.handing.groups, joined.places) == ((4, 4, 4), groups, (0, 1, 2))


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        (TwoMemories, ""),
        (TwoMemoriesInOneState, ""),
        (ForgetsItsSecondMemory, "state 3 of 3 that is given has no influence on anything that comes back"),
    ],
)
def test_a_cell_with_two_of_three_states_together_is_judged(cell: type[nn.Module], sentence: str) -> None:
    validation = rnn_harness.validate(cell, examples=0, dtypes=("float64",))
    assert validation.outcome == "consistent"
    (used,) = [record for record in validation.checks if record.check == "consistency.state-used"]
    assert used.reason == sentence


def test_what_only_an_output_of_another_width_shows_has_an_influence() -> None:
    validation = rnn_harness.validate(NestedCellWithScores, examples=0, dtypes=("float64",))
    (used,) = [record for record in validation.checks if record.check == "consistency.parameters-used"]
    assert (str(used.outcome), used.reason) == ("agrees", "")


def test_a_state_may_have_another_width_than_the_hidden_layer() -> None:
    joined = joined_states(FedBackCell(3, 5, 4), 5)
    assert joined is not None
    assert (joined.widths, joined.places) == ((4,), (0,))


def test_the_joined_cell_computes_what_the_cell_computes() -> None:
    cell = ContextCell(3, 4, 2).double()
    joined = joined_states(cell, 4)
    assert joined is not None
    x, h, s = (torch.randn(6, width, dtype=torch.float64) for width in (3, 4, 2))
    both = CellOfOneState(cell, joined)(x, torch.cat([h, s], 1))
    assert torch.equal(both, torch.cat(cell(x, (h, s))[1], 1))


def test_a_cell_of_one_or_two_states_of_its_hidden_size_is_driven_as_it_is() -> None:
    for cell in (nn.GRUCell, nn.LSTMCell):
        assert target_of("a cell", cell).capabilities.notes == ()


def test_a_cell_of_joined_states_has_fixed_sizes_and_says_so() -> None:
    capabilities = target_of("a cell", ContextCell, {"input_size": 3, "hidden_size": 4, "context_size": 2}).capabilities
    assert capabilities.fixed_sizes == CellSizes(3, 6)
    assert capabilities.notes == ("its states, of widths 4, 2, are judged side by side as one",)
