"""Layers of torch take rows of different lengths as packed sequences, and are judged on them; others refuse lengths."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnn_harness.errors import Refused
from rnn_harness.references import get_reference
from rnn_harness.validation import identify, target_of
from rnn_harness.validation.judging.candidate_kernel import candidate_kernel
from rnn_harness.validation.loading.packed_states import states_of_packed_rows_are_checked

LENGTHS = np.array([4, 1, 3])


class Wrapped(nn.Module):
    """A layer inside another module, which takes sequences alone."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner = nn.RNN(input_size, hidden_size, batch_first=True)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs, last = self.inner(x, h)
        return outputs, last


class RowsFirst(nn.RNN):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, batch_first=True)


@pytest.mark.parametrize("layer", [nn.RNN, RowsFirst], ids=["time first", "batch first"])
def test_every_row_of_a_packed_batch_gives_what_it_gives_by_itself(layer: type[nn.RNN]) -> None:
    target = target_of("layer", layer)
    driver = candidate_kernel(target, identify(target)[0]).build(get_reference("rnn"))
    torch.manual_seed(0)
    leaves = {name: value.detach().double() for name, value in layer(2, 3).named_parameters()}
    inputs, state = torch.randn(4, 3, 2).double(), torch.randn(3, 3).double()
    outputs, finals = driver.run(leaves, inputs, {"h": state}, LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone, last = driver.run(leaves, inputs[:length, row : row + 1], {"h": state[row : row + 1]}, None)
        torch.testing.assert_close(outputs[:length, row : row + 1], alone)
        torch.testing.assert_close(finals["h"][row : row + 1], last["h"])
        assert not outputs[length:, row].any()
    with pytest.raises(Refused, match="torch packs no row of length 0"):
        driver.run(leaves, inputs, {"h": state}, np.array([4, 0, 3]))


@pytest.mark.parametrize(
    ("cell", "reason"),
    [(nn.RNNCell, "it takes single steps: rows of different lengths are its caller's"), (Wrapped, "no common way")],
    ids=["a step", "a module of somebody's"],
)
def test_what_takes_no_packed_rows_refuses_lengths(cell: type[nn.Module], reason: str) -> None:
    target = target_of("cell", cell)
    driver = candidate_kernel(target, identify(target)[0]).build(get_reference("rnn"))
    leaves = {name: value.detach().double() for name, value in cell(2, 3).named_parameters()}
    with pytest.raises(Refused, match=reason):
        driver.run(leaves, torch.zeros(4, 3, 2).double(), {"h": torch.zeros(3, 3).double()}, LENGTHS)


def test_packed_rows_with_the_states_of_other_rows_are_refused_where_torch_reads_beyond_their_end() -> None:
    layer, x = nn.LSTM(5, 20), torch.randn(4, 7, 5)
    packed = nn.utils.rnn.pack_padded_sequence(x, [4] * 7)
    with states_of_packed_rows_are_checked(), pytest.raises(RuntimeError, match=r"Expected hidden size \(1, 7, ...\)"):
        layer(packed, (torch.zeros(1, 1, 20), torch.zeros(1, 1, 20)))
    with states_of_packed_rows_are_checked():
        assert layer(packed, (torch.zeros(1, 7, 20), torch.zeros(1, 7, 20)))[0].data.shape == (28, 20)
