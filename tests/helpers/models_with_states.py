"""Models that are given states, and how they hand them on: right ones, and next to each the same with one mistake."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.helpers.models import ANSWERS, Classifier, Layers, TwoWays


class LowerLayersOutput(Layers):
    def output(self, h: list[Tensor]) -> Tensor:
        return h[0]


class TopLayersStateForBoth(Layers):
    def returned(self, states: list[Tensor]) -> Tensor:
        return torch.stack([states[-1], states[-1]])


class LayersExchanged(Layers):
    def returned(self, states: list[Tensor]) -> Tensor:
        return torch.stack(states[::-1])


class OneCellForBothWays(TwoWays):
    def __init__(self, inputs: int, units: int) -> None:
        super().__init__(inputs, units)
        self.forth = nn.GRUCell(inputs, units)

    def forward(self, x: Tensor) -> Tensor:
        outputs = []
        for steps in (x.unbind(1), x.flip(1).unbind(1)):
            h, states = x.new_zeros(len(x), self.units), []
            for x_t in steps:
                h = self.forth(x_t, h)
                states.append(h)
            outputs.append(torch.stack(states, 1))
        return torch.cat([outputs[0], outputs[1].flip(1)], 2)


class ListsOfBothWays(nn.Module):
    """Two layers that read in both directions, with a list of cells for each: x (B, T, n)."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.units = units
        sizes = (inputs, 2 * units)
        self.forth = nn.ModuleList([nn.GRUCell(size, units) for size in sizes])
        self.back = nn.ModuleList([nn.GRUCell(size, units) for size in sizes])

    def backward_cell(self, layer: int) -> nn.Module:
        return self.back[layer]

    def scan(self, cell: nn.Module, steps: list[Tensor]) -> list[Tensor]:
        h, states = steps[0].new_zeros(len(steps[0]), self.units), []
        for x_t in steps:
            h = cell(x_t, h)
            states.append(h)
        return states

    def forward(self, x: Tensor) -> Tensor:
        steps = list(x.unbind(1))
        for layer, cell in enumerate(self.forth):
            back = self.scan(self.backward_cell(layer), steps[::-1])[::-1]
            steps = [torch.cat(pair, -1) for pair in zip(self.scan(cell, steps), back, strict=True)]
        return torch.stack(steps, 1)


class OneListForBothWays(ListsOfBothWays):
    def backward_cell(self, layer: int) -> nn.Module:
        return self.forth[layer]


class TwoWaysOffByOne(TwoWays):
    def place(self, t: int) -> int:
        return -t


class OptionalStates(nn.Module):
    """Two layers; their states (2, B, d), each may be left out, and the outputs alone come back."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.cells = nn.ModuleList([nn.LSTMCell(inputs, units), nn.LSTMCell(units, units)])

    def row(self, layer: int) -> int:
        return layer

    def forward(self, x: Tensor, h0: Tensor | None = None, c0: Tensor | None = None) -> Tensor:
        """X (T, B, n)."""
        zeros = x.new_zeros(2, x.shape[1], self.units)
        h0, c0 = zeros if h0 is None else h0, zeros if c0 is None else c0
        for layer, cell in enumerate(self.cells):
            state, steps = (h0[self.row(layer)], c0[self.row(layer)]), []
            for x_t in x:
                state = cell(x_t, state)
                steps.append(state[0])
            x = torch.stack(steps)
        return x


class FirstOptionalStateForAll(OptionalStates):
    def row(self, layer: int) -> int:
        return 0


class Policy(nn.Module):
    """One step of an agent: obs (B, n), state (h, c), done (B,) where an episode has ended."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.encoder, self.core = nn.Linear(inputs, units), nn.LSTMCell(units, units)
        self.actions = nn.Linear(units, ANSWERS)

    def kept(self, state: tuple[Tensor, Tensor], done: Tensor) -> tuple[Tensor, Tensor]:
        going_on = 1 - done.to(state[0].dtype).unsqueeze(-1)
        return state[0] * going_on, state[1] * going_on

    def scores(self, h: Tensor) -> Tensor:
        return functional.log_softmax(self.actions(h), dim=1)

    def forward(
        self, obs: Tensor, state: tuple[Tensor, Tensor], done: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        if done is not None:
            state = self.kept(state, done)
        h, c = self.core(torch.tanh(self.encoder(obs)), state)
        return self.scores(h), (h, c)


class ResetTurnedAround(Policy):
    def kept(self, state: tuple[Tensor, Tensor], done: Tensor) -> tuple[Tensor, Tensor]:
        return super().kept(state, 1 - done.to(state[0].dtype))


class ResetOfOneState(Policy):
    def kept(self, state: tuple[Tensor, Tensor], done: Tensor) -> tuple[Tensor, Tensor]:
        return super().kept(state, done)[0], state[1]


class ScoresOverTheBatch(Policy):
    def scores(self, h: Tensor) -> Tensor:
        return functional.log_softmax(self.actions(h), dim=0)


class ListOfStates(nn.Module):
    """One step of two cells on each other, whose states are a list."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.cells = nn.ModuleList([nn.GRUCell(inputs, units), nn.GRUCell(units, units)])

    def mine(self, states: list[Tensor]) -> list[Tensor]:
        return list(states)

    def forward(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        states = self.mine(states)
        for layer, cell in enumerate(self.cells):
            x = states[layer] = cell(x, states[layer])
        return x, states


class ReplacesTheCallersStates(ListOfStates):
    def mine(self, states: list[Tensor]) -> list[Tensor]:
        return states


class DeadLayer(Classifier):
    """A second layer is called, and its outputs are dropped."""

    def __init__(self, sensors: int) -> None:
        super().__init__(sensors)
        self.second = nn.GRU(8, 8, batch_first=True)

    def read(self, steps: Tensor) -> Tensor:
        self.second(steps)
        return steps[:, -1]


class Halved(torch.autograd.Function):
    """The identity; half of the gradient is lost."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] / 2


class TwoAnswers(nn.Module):
    """An answer and a value for a batch of series, (batch, time, sensors); the value's gradient stops at the layer."""

    def __init__(self, sensors: int) -> None:
        super().__init__()
        self.rnn, self.head, self.value = nn.GRU(sensors, 8, batch_first=True), nn.Linear(8, ANSWERS), nn.Linear(8, 1)

    def handed(self, last: Tensor) -> Tensor:
        return last.detach()

    def forward(self, series: Tensor) -> tuple[Tensor, Tensor]:
        last = self.rnn(series)[0][:, -1]
        return self.head(last), self.value(self.handed(last))


class HalfTheGradientOfOneAnswer(TwoAnswers):
    def handed(self, last: Tensor) -> Tensor:
        return Halved.apply(last)


class SqueezesARow(Classifier):
    """Its answer loses the axis of a batch of one row."""

    def read(self, steps: Tensor) -> Tensor:
        return steps[:, -1].squeeze()


class LargeBatchesHalved(Classifier):
    def read(self, steps: Tensor) -> Tensor:
        return steps[:, -1] / (2 if len(steps) > 64 else 1)


class KeepsForTheBackward(torch.autograd.Function):
    """A sine that keeps its argument where the next call keeps its own."""

    kept: Tensor

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        KeepsForTheBackward.kept = x
        return torch.sin(x)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * torch.cos(KeepsForTheBackward.kept)


class OneCacheForAllCalls(Classifier):
    def read(self, steps: Tensor) -> Tensor:
        return KeepsForTheBackward.apply(steps[:, -1])


class TwoCells(nn.Module):
    """Two cells on each other, step by step: x (T, B, n)."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.first, self.second = nn.GRUCell(inputs, units), nn.GRUCell(units, units)

    def states(self, h: Tensor, g: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.first(x, h)
        return h, self.second(h, g)

    def forward(self, x: Tensor) -> Tensor:
        h = g = x.new_zeros(x.shape[1], self.units)
        outputs = []
        for x_t in x:
            h, g = self.states(h, g, x_t)
            outputs.append(g)
        return torch.stack(outputs)


class LowerStateForBoth(TwoCells):
    def states(self, h: Tensor, g: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.first(x, h)
        return h, self.second(h, h)


class OneStateThroughBoth(TwoCells):
    """One state goes through both cells in each step, as in a conditional unit."""

    def states(self, h: Tensor, g: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.second(torch.tanh(x[:, : self.units]), self.first(x, h))
        return h, h


class LearnedStart(nn.Module):
    """A layer that starts from a learned state: x (batch, time, sensors)."""

    def __init__(self, sensors: int, units: int = 8) -> None:
        super().__init__()
        self.rnn, self.start = nn.GRU(sensors, units, batch_first=True), nn.Parameter(torch.zeros(1, 1, units))
        self.head = nn.Linear(units, ANSWERS)

    def initial(self) -> Tensor:
        return self.start

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.rnn(x, self.initial().expand(1, len(x), -1).contiguous())[0])
        return outputs


class StartNeverLearned(LearnedStart):
    def initial(self) -> Tensor:
        return self.start.data


class Continued(nn.Module):
    """One layer goes on from the states of another over the same sequence: x (T, B, n)."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.first, self.second = nn.LSTM(inputs, units), nn.LSTM(inputs, units)

    def handed(self, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        return h, c

    def forward(self, x: Tensor) -> Tensor:
        _, (h, c) = self.first(x)
        outputs: Tensor = self.second(x, self.handed(h, c))[0]
        return outputs


class ContinuedWithExchangedStates(Continued):
    def handed(self, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        return c, h


class ContinuedFromBothWays(nn.Module):
    """A decoder of twice as many units starts from the last states of both directions: x (B, T, n)."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.forth, self.back = nn.LSTM(inputs, units, batch_first=True), nn.LSTM(inputs, units, batch_first=True)
        self.decoder = nn.LSTM(inputs, 2 * units, batch_first=True)

    def joined(self, forth: tuple[Tensor, Tensor], back: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return torch.cat([forth[0], back[0]], 2), torch.cat([forth[1], back[1]], 2)

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.decoder(x, self.joined(self.forth(x)[1], self.back(x.flip(1))[1]))[0]
        return outputs


class ContinuedFromMixedStates(ContinuedFromBothWays):
    def joined(self, forth: tuple[Tensor, Tensor], back: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return torch.cat([forth[0], forth[1]], 2), torch.cat([back[0], back[1]], 2)
