"""Cells whose parameters have the names of nn.LSTM and nn.GRU, and that compute something else with them."""

from __future__ import annotations

import pytest
import torch

from rnn_harness import identify
from rnn_harness.validation.judging.borrowed_names import note_on_names


class ForgetFirstLSTM(torch.nn.LSTMCell):
    """An LSTM whose forget gate comes first."""

    def forward(  # type: ignore[override]
        self, x: torch.Tensor, states: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Do one step."""
        h, c = states
        gates = x @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh
        f, i, g, o = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class ResetBeforeGRU(torch.nn.GRUCell):
    """A GRU whose reset gate acts before the recurrent product."""

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Do one step."""
        of_x = (x @ self.weight_ih.T + self.bias_ih).chunk(3, 1)
        W_r, W_z, W_n = self.weight_hh.chunk(3)
        b_r, b_z, b_n = self.bias_hh.chunk(3)
        r = torch.sigmoid(of_x[0] + h @ W_r.T + b_r)
        z = torch.sigmoid(of_x[1] + h @ W_z.T + b_z)
        return (1 - z) * torch.tanh(of_x[2] + (r * h) @ W_n.T + b_n) + z * h


class KerasNamedGRU(torch.nn.Module):
    """A GRU with the names of Keras, whose reset gate comes first."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.kernel = torch.nn.Parameter(torch.randn(input_size, 3 * hidden_size))
        self.recurrent_kernel = torch.nn.Parameter(torch.randn(hidden_size, 3 * hidden_size))

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """Do one step."""
        of_x, of_h = (x @ self.kernel).chunk(3, 1), (h @ self.recurrent_kernel).chunk(3, 1)
        r, z = torch.sigmoid(of_x[0] + of_h[0]), torch.sigmoid(of_x[1] + of_h[1])
        return z * h + (1 - z) * torch.tanh(of_x[2] + r * of_h[2])


@pytest.mark.parametrize(
    ("cell", "note"),
    [
        (ForgetFirstLSTM, "names of nn.LSTM, whose weights are stacked input, forget, candidate, output"),
        (ResetBeforeGRU, "names of nn.GRU, whose weights are those of gru.reset_after"),
        (KerasNamedGRU, "names of keras.layers.GRU, whose weights are stacked update, reset, candidate"),
    ],
)
def test_weights_that_fit_by_name_and_give_another_function_are_told(cell: type[torch.nn.Module], note: str) -> None:
    (told,) = note_on_names(identify(cell)[0])
    assert note in told


@pytest.mark.parametrize("cell", [torch.nn.LSTMCell, torch.nn.GRUCell, torch.nn.RNNCell, torch.nn.LSTM])
def test_nothing_is_told_of_what_torch_ships(cell: type[torch.nn.Module]) -> None:
    assert note_on_names(identify(cell)[0]) == ()
