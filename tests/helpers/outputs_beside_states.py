"""LSTM cells that give an output besides their states."""

from __future__ import annotations

import torch
from torch import Tensor, nn

Result = tuple[Tensor, tuple[Tensor, Tensor]]


class HiddenState(nn.Module):
    """Gives the hidden state once more."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(input_size, 4 * hidden_size), nn.Linear(hidden_size, 4 * hidden_size)

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor]) -> Result:
        h, c = states
        i, f, g, o = (self.x2h(x) + self.h2h(h)).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return self.output(h, c), (h, c)

    def output(self, h: Tensor, _c: Tensor) -> Tensor:
        return h


class CellState(HiddenState):
    """Gives the cell state in its place."""

    def output(self, _h: Tensor, c: Tensor) -> Tensor:
        return c


class NoState(HiddenState):
    """Gives their product."""

    def output(self, h: Tensor, c: Tensor) -> Tensor:
        return h * c


class OldStateBesideNewOutput(HiddenState):
    """Wrong: gives the new hidden state as its output, and the old one as its state."""

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor]) -> Result:
        output, (_, c) = super().forward(x, states)
        return output, (states[0], c)


class OldStateInAnArgument(nn.Module):
    """Wrong: as the one before, of a cell whose only state is an argument of its own."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, h_prev: Tensor) -> tuple[Tensor, Tensor]:
        return torch.tanh(self.x(x) + self.h(h_prev)), h_prev


class GatesReadAnEncoding(nn.Module):
    """Right: the gates of a decoder read the encoding of a sentence, which stays; the memory alone goes on."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.e2h = nn.Linear(input_size, 4 * hidden_size), nn.Linear(hidden_size, 4 * hidden_size)

    def forward(self, x: Tensor, carried: tuple[Tensor, Tensor]) -> Result:
        encoding, c = carried
        i, f, g, o = (self.x2h(x) + self.e2h(encoding)).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), (encoding, c)


class ConditionedOnASpeaker(nn.Module):
    """Right: a layer of a vocoder that reads who speaks, and hands that to the next layer."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.speaker = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, speaker: Tensor) -> tuple[Tensor, Tensor]:
        return torch.tanh(self.x(x) + self.speaker(speaker)), speaker


class GatedByAGoal(nn.Module):
    """Right: what a policy does between its observation and its goal, which stays."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.z = nn.Linear(input_size, 3 * hidden_size), nn.Linear(hidden_size, 3 * hidden_size)

    def forward(self, x: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
        xr, xz, xn = self.x(x).chunk(3, -1)
        hr, hz, hn = self.z(goal).chunk(3, -1)
        update = torch.sigmoid(xz + hz)
        return (1 - update) * torch.tanh(xn + torch.sigmoid(xr + hr) * hn) + update * goal, goal


class LayerOfSteps(nn.Module):
    """A sequence (T, B, n), step by step."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = HiddenState(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        steps = []
        for x_t in x:
            output, states = self.cell(x_t, (h, c))
            h, c = self.carried(*states)
            steps.append(output)
        return torch.stack(steps), h, c

    def carried(self, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        return h, c


class LayerThatExchangesItsStates(LayerOfSteps):
    """Wrong: after every step the states change places."""

    def carried(self, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        return c, h
