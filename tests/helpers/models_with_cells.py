"""Models that call cells step by step, or give scores of tokens: right ones, and next to each a mistake in it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

TOKENS = 9


class Forecaster(nn.Module):
    """Two cells on top of each other; each step gives a number."""

    def __init__(self, inputs: int = 3, units: int = 7) -> None:
        super().__init__()
        self.units = units
        self.lower, self.upper = nn.LSTMCell(inputs, units), nn.LSTMCell(units, units)
        self.head = nn.Linear(units, 1)

    def forward(self, series: Tensor) -> Tensor:
        zeros = series.new_zeros(series.shape[1], self.units)
        low, high = (zeros, zeros), (zeros, zeros)
        steps = []
        for x in series:
            low = self.lower(x, low)
            high = self.upper(self.read(low), high)
            steps.append(self.head(high[0]))
        return torch.stack(steps)

    def read(self, state: tuple[Tensor, Tensor]) -> Tensor:
        return state[0]


class ReadsTheWrongState(Forecaster):
    def read(self, state: tuple[Tensor, Tensor]) -> Tensor:
        return state[1]


class ReadsWhatIsKept(Forecaster):
    """The upper cell reads the cell state of the lower one, which no gate has shut away."""

    def read(self, state: tuple[Tensor, Tensor]) -> Tensor:
        return state[1]


class NextToken(nn.Module):
    """Log-probabilities of the token that comes next: (B, T) -> (B, T, tokens)."""

    axis = -1

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, 4)
        self.rnn = nn.GRU(4, 5, batch_first=True)
        self.head = nn.Linear(5, TOKENS)

    def forward(self, tokens: Tensor) -> Tensor:
        return torch.log_softmax(self.head(self.rnn(self.embedding(tokens))[0]), self.axis)


class NextTokenOverTime(NextToken):
    axis = 1


class SideBySide(nn.Module):
    """Two cells that read the same input, each for one half of the output; their last states are given back, too."""

    def __init__(self, inputs: int = 4, units: int = 6) -> None:
        super().__init__()
        self.units = units
        self.cells = nn.ModuleList(nn.GRUCell(inputs, units) for _ in range(2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        states = [x.new_zeros(x.shape[1], self.units) for _ in self.cells]
        steps = []
        for x_t in x:
            states = [cell(x_t, state) for cell, state in zip(self.cells, states, strict=True)]
            steps.append(self.output(states))
        return torch.stack(steps), torch.stack(states)

    def output(self, states: list[Tensor]) -> Tensor:
        return torch.cat(states, -1)


class TopCellReadsTheInput(SideBySide):
    """A stack of which every cell reads the input, and not the state of the cell below."""

    def output(self, states: list[Tensor]) -> Tensor:
        return states[-1]


class TagsAndSummary(SideBySide):
    """One cell summarises the sequence in its last state, the other gives every step its tag."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        tags, states = super().forward(x)
        return tags, states[0]

    def output(self, states: list[Tensor]) -> Tensor:
        return states[1]


class OscillatorCell(nn.Module):
    """A step of coupled oscillators: one layer takes the input beside velocity and position."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.force = nn.Linear(inputs + 2 * units, units)

    def forward(self, x: Tensor, position: Tensor, velocity: Tensor) -> tuple[Tensor, Tensor]:
        push = torch.tanh(self.force(torch.cat([x, velocity, position], dim=1)))
        velocity = velocity + 0.125 * (push - 2.0 * position - 4.0 * velocity)
        return position + 0.125 * velocity, velocity


class Oscillators(nn.Module):
    """Two numbers made of the last position; only the layer of its cell tells how wide an input is."""

    def __init__(self, inputs: int = 3, units: int = 16) -> None:
        super().__init__()
        self.units = units
        self.cell = OscillatorCell(inputs, units)
        self.head = nn.Linear(units, 2)

    def forward(self, x: Tensor) -> Tensor:
        position = velocity = x.new_zeros(x.size(1), self.units)
        for step in x:
            position, velocity = self.cell(step, position, velocity)
        return self.head(position)
