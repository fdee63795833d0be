"""Rows that come back in another order are named as that: a permutation applied twice, its inverse left out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnn_harness.validation import load_target
from rnn_harness.validation.cells.row_exchange import ORDER_OF_ROWS, exchange_in_words, exchanged_rows
from rnn_harness.validation.consistency.consistency_property import Draw, Violation
from rnn_harness.validation.consistency.driven_cell import make_cell, numbered_states
from rnn_harness.validation.consistency.length_properties import LENGTH_PROPERTIES
from rnn_harness.validation.identification.probe import probe_target

CYCLE = [1, 2, 3, 0]


class SortsItsRows(nn.Module):
    """Sorts the rows by their lengths, packs them, and puts them back into their order."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gru = nn.GRU(input_size, hidden_size, batch_first=True)

    def back(self, order: Tensor) -> Tensor:
        return order.argsort()

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        falling, order = lengths.sort(descending=True, stable=True)
        packed, last = self.gru(pack_padded_sequence(x[order], falling, batch_first=True))
        outputs, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
        back = self.back(order)
        return outputs[back], last[:, back]


class SortsItsRowsTwice(SortsItsRows):
    """Wrong: the same permutation once more, in the place of its inverse."""

    def back(self, order: Tensor) -> Tensor:
        return order


class GivesSortedRows(SortsItsRows):
    """Gives its outputs with the longest row first, as a documentation may say."""

    def back(self, order: Tensor) -> Tensor:
        return torch.arange(len(order))


def _violation(layer: type[nn.Module]) -> Violation | None:
    target = load_target(f"{__file__}:{layer.__name__}")
    probe = probe_target(target)
    states = numbered_states(probe.convention)
    cell = make_cell(target.make_module, target.capabilities, probe.convention, probe.sizes, "float64", states)
    outcome = LENGTH_PROPERTIES[0].decide(Draw(cell, 1))
    return outcome if isinstance(outcome, Violation) else None


def test_a_permutation_in_the_place_of_its_inverse_is_named() -> None:
    violation = _violation(SortsItsRowsTwice)
    assert violation is not None
    assert violation.part == ORDER_OF_ROWS
    assert "the rows of the batch are exchanged: row 1 of what comes back is that of row 4" in violation.sentence


@pytest.mark.parametrize("layer", [SortsItsRows, GivesSortedRows])
def test_rows_in_their_own_order_or_that_of_their_lengths_are_not_refuted(layer: type[nn.Module]) -> None:
    assert _violation(layer) is None


def test_an_exchange_is_read_off_rows_that_are_all_there() -> None:
    rows = torch.arange(8.0).reshape(4, 2)
    places = exchanged_rows(rows[CYCLE], rows, 1e-12)
    assert places == CYCLE
    assert exchange_in_words(places).startswith("the rows of the batch are exchanged: row 1 of what comes back is that")


def test_rows_that_are_right_lacking_or_alike_are_no_exchange() -> None:
    rows = torch.arange(8.0).reshape(4, 2)
    for computed, expected in ((rows, rows), (rows[CYCLE] + 1, rows), (torch.ones(4, 2), torch.ones(4, 2))):
        assert exchanged_rows(computed, expected, 1e-12) == []
