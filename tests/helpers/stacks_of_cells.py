"""Stacks of cells and layers, right and wrong: states of the layer below, outputs of another layer or step."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LayerByLayer(nn.Module):
    """LSTM layers on top of each other, each from zeros; gives the top layer's outputs."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.cells = nn.ModuleList([nn.LSTMCell(input_size, hidden_size), nn.LSTMCell(hidden_size, hidden_size)])

    def first_states(self, x: Tensor, states: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        zeros = x.new_zeros(x.shape[1], self.hidden_size)
        return zeros, zeros

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        states = None
        for cell in self.cells:
            states = h, c = self.first_states(x, states)
            outputs = []
            for step in x:
                states = h, c = cell(step, (h, c))
                outputs.append(h)
            x = torch.stack(outputs)
        assert states is not None
        return x, states


class LayerFromLayerBelow(LayerByLayer):
    """LSTM layers on top of each other."""

    def first_states(self, x: Tensor, states: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        return super().first_states(x, states) if states is None else states


class ReaderAndWriter(nn.Module):
    """An encoder that hands its final states to a decoder, which reads the encoder's outputs, too."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.encoder = nn.LSTM(input_size, hidden_size)
        self.decoder = nn.LSTM(hidden_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        outputs, states = self.encoder(x)
        decoded: Tensor = self.decoder(outputs, states)[0]
        return decoded


class StepByStep(nn.Module):
    """GRU cells on top of each other; returns the top layer's outputs, and the final states of all."""

    shown = -1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        sizes = (input_size, hidden_size, hidden_size)
        self.cells = nn.ModuleList(nn.GRUCell(size, hidden_size) for size in sizes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        states = [x.new_zeros(x.shape[1], self.hidden_size)] * len(self.cells)
        outputs = []
        for step in x:
            for number, cell in enumerate(self.cells):
                states[number] = step = cell(step, states[number])
            outputs.append(states[self.shown])
        return torch.stack(outputs), torch.stack(states)


class StepByStepOfFirst(StepByStep):
    """GRU cells on top of each other; returns the top layer's outputs, and the final states of all."""

    shown = 0


class LastStep(nn.Module):
    """Returns the hidden state at the last valid step of every sequence."""

    before = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gru = nn.GRU(input_size, hidden_size, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        outputs, _ = self.gru(x)
        places = (lengths - self.before).clamp(min=0).view(-1, 1, 1).expand(-1, 1, outputs.shape[2])
        return outputs.gather(1, places).squeeze(1)


class StepBeforeLast(LastStep):
    """Returns the hidden state at the last valid step of every sequence."""

    before = 2


class BeforeTheEnd(StepBeforeLast):
    """Returns the hidden state before the token that ends every sequence."""
