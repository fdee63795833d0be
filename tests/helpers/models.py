"""Models around recurrent cells: right ones, and next to each the same with one mistake in its wiring."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

WORDS, LETTERS, ANSWERS = 12, 9, 4


class Tagger(nn.Module):
    """Gives each word of a sentence a tag: ids (batch, seq_len) -> scores (batch, seq_len, tags)."""

    batch_first = True

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 6)
        self.drop = nn.Dropout(0.3)
        self.rnn = nn.LSTM(6, 8, num_layers=2, dropout=0.2, batch_first=self.batch_first)
        self.head = nn.Linear(8, ANSWERS)

    def forward(self, ids: Tensor) -> Tensor:
        steps, _ = self.rnn(self.drop(self.embedding(ids)))
        scores: Tensor = self.head(steps)
        return scores


class TaggerAlongTheBatch(Tagger):
    batch_first = False


class TimeFirstTagger(nn.Module):
    """The same with time first, and nothing said about it."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 6)
        self.rnn = nn.GRU(6, 8)
        self.head = nn.Linear(8, ANSWERS)

    def forward(self, ids: Tensor) -> Tensor:
        scores: Tensor = self.head(self.rnn(self.embedding(ids))[0])
        return scores


class Classifier(nn.Module):
    """One answer for a batch of series, (batch, time, sensors)."""

    def __init__(self, sensors: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(sensors)
        self.rnn = nn.GRU(sensors, 8, batch_first=True)
        self.head = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, ANSWERS))

    def read(self, steps: Tensor) -> Tensor:
        return steps[:, -1]

    def forward(self, series: Tensor) -> Tensor:
        steps, _ = self.rnn(self.norm(series))
        answer: Tensor = self.head(self.read(steps))
        return answer


class MeanClassifier(Classifier):
    def read(self, steps: Tensor) -> Tensor:
        return steps.mean(1)


class LastRowForLastStep(Classifier):
    def read(self, steps: Tensor) -> Tensor:
        return steps[-1]


class MeanOverRows(Classifier):
    def read(self, steps: Tensor) -> Tensor:
        return steps.mean(0)


class FirstStep(Classifier):
    def read(self, steps: Tensor) -> Tensor:
        return steps[:, 0]


class Detached(Classifier):
    def read(self, steps: Tensor) -> Tensor:
        return steps[:, -1].detach()


class Mingled(Classifier):
    """One answer for each step."""

    def read(self, steps: Tensor) -> Tensor:
        return steps.transpose(0, 1).reshape(steps.shape)


class BothDirections(nn.Module):
    """A sentence as the final states of both directions."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.encoder = nn.LSTM(inputs, units, 2, batch_first=True, bidirectional=True)

    def read(self, steps: Tensor, final: Tensor) -> Tensor:
        return torch.cat([final[-2], final[-1]], 1)

    def forward(self, sentence: Tensor) -> Tensor:
        steps, (final, _) = self.encoder(sentence)
        return self.read(steps, final)


class BothDirectionsByStep(BothDirections):
    def read(self, steps: Tensor, final: Tensor) -> Tensor:
        half = steps.shape[2] // 2
        return torch.cat([steps[:, -1, :half], steps[:, 0, half:]], 1)


class ReverseAtItsFirstStep(BothDirections):
    def read(self, steps: Tensor, final: Tensor) -> Tensor:
        return steps[:, -1]


class OneDirectionAlone(BothDirections):
    def read(self, steps: Tensor, final: Tensor) -> Tensor:
        return final[-1]


class StatesOfTheLowerLayer(BothDirections):
    def read(self, steps: Tensor, final: Tensor) -> Tensor:
        return torch.cat([final[0], final[1]], 1)


class TwoWays(nn.Module):
    """Two cells of which one reads a sequence, (B, T, n), from its end: (B, T, 2 units)."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.onward, self.back = nn.GRUCell(inputs, units), nn.GRUCell(inputs, units)

    def turn(self, states: list[Tensor]) -> list[Tensor]:
        return states[::-1]

    def forward(self, x: Tensor) -> Tensor:
        h, g = x.new_zeros(len(x), self.units), x.new_zeros(len(x), self.units)
        onward, back = [], []
        for t in range(x.shape[1]):
            h, g = self.onward(x[:, t], h), self.back(x[:, self.place(t)], g)
            onward.append(h)
            back.append(g)
        return torch.cat([torch.stack(onward, 1), torch.stack(self.turn(back), 1)], 2)

    def place(self, t: int) -> int:
        return -1 - t


class TwoWaysNotTurned(TwoWays):
    def turn(self, states: list[Tensor]) -> list[Tensor]:
        return states


class Layers(nn.Module):
    """Two LSTM cells on each other: x (T, B, n), states h and c, each (2, B, d)."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.project = nn.Linear(inputs, units)
        self.layers = self.made(units)

    def made(self, units: int) -> nn.ModuleList:
        return nn.ModuleList([nn.LSTMCell(units, units), nn.LSTMCell(units, units)])

    def states(self, h: Tensor, c: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        return [h[0], h[1]], [c[0], c[1]]

    def given(self, h: list[Tensor], c: list[Tensor], layer: int) -> tuple[Tensor, Tensor]:
        return h[layer], c[layer]

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, c = self.states(*state)
        steps = []
        for x_t in x:
            y = self.project(x_t)
            for layer, cell in enumerate(self.layers):
                h[layer], c[layer] = cell(y, self.given(h, c, layer))
                y = h[layer]
            steps.append(self.output(h))
        return torch.stack(steps), (self.returned(h), self.returned(c))

    def output(self, h: list[Tensor]) -> Tensor:
        return h[-1]

    def returned(self, states: list[Tensor]) -> Tensor:
        return torch.stack(states)


class OneLayerTwice(Layers):
    def made(self, units: int) -> nn.ModuleList:
        return nn.ModuleList([nn.LSTMCell(units, units)] * 2)


class SharedOnPurpose(Layers):
    """Both layers share their weights, to save parameters."""

    def made(self, units: int) -> nn.ModuleList:
        return nn.ModuleList([nn.LSTMCell(units, units)] * 2)


class LowerLayersCellState(Layers):
    def given(self, h: list[Tensor], c: list[Tensor], layer: int) -> tuple[Tensor, Tensor]:
        return h[layer], c[0]


class FirstStateForBoth(Layers):
    def states(self, h: Tensor, c: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        return [h[0], h[0]], [c[0], c[0]]


class Residual(nn.Module):
    """Three layers, each added to what it reads."""

    def __init__(self, units: int = 6) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.RNN(units, units) for _ in range(3))

    def layer(self, index: int) -> nn.Module:
        return self.layers[index]

    def forward(self, x: Tensor, states: Any = None) -> tuple[Tensor, list[Tensor]]:
        states, finals = states or [None] * 3, []
        for index in range(3):
            y, final = self.layer(index)(x, self.state(states, index))
            x = x + y
            finals.append(final)
        return x, finals

    def state(self, states: Any, index: int) -> Any:
        return states[index]


class FirstLayerForAll(Residual):
    def layer(self, index: int) -> nn.Module:
        return self.layers[0]


class StateIgnored(Residual):
    def state(self, states: Any, index: int) -> Any:
        return None


class Translator(nn.Module):
    """An encoder, and a decoder that goes on from its state word by word."""

    def __init__(self) -> None:
        super().__init__()
        self.source, self.target = nn.Embedding(WORDS, 6), nn.Embedding(LETTERS, 6)
        self.encoder, self.decoder = nn.GRU(6, 8), nn.GRU(6, 8)
        self.head = nn.Linear(8, LETTERS)

    def carried(self, old: Tensor, new: Tensor) -> Tensor:
        return new

    def forward(self, sentence: Tensor, translation: Tensor) -> Tensor:
        _, state = self.encoder(self.source(sentence))
        scores = []
        for word in translation:
            steps, new = self.decoder(self.target(word)[None], state)
            state = self.carried(state, new)
            scores.append(self.head(steps[0]))
        return torch.stack(scores)


class TranslatorFromTheStart(Translator):
    def carried(self, old: Tensor, new: Tensor) -> Tensor:
        return old


class FunctionalDropout(nn.Module):
    """Dropout as a function, in training."""

    always = False

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(inputs, units)

    def forward(self, x: Tensor) -> Tensor:
        steps: Tensor = functional.dropout(self.rnn(x)[0], 0.4, self.always or self.training)
        return steps


class DropoutInEvaluation(FunctionalDropout):
    always = True


class Memory(nn.Module):
    """Goes on from where the call before ended."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.rnn = nn.LSTM(inputs, units)
        self.hidden: Any = None

    def forward(self, x: Tensor) -> Tensor:
        steps, state = self.rnn(x, self.hidden)
        self.hidden = tuple(part.detach() for part in state)
        output: Tensor = steps
        return output


class Gate(nn.Module):
    """A cell of its own."""

    activation: staticmethod[[Tensor], Tensor] = staticmethod(torch.tanh)

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(inputs, units), nn.Linear(units, units)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.activation(self.x(x) + self.h(h))


class GateThatSubtracts(Gate):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.activation(self.x(x) - self.h(h))


class AroundACell(nn.Module):
    """A model around a cell of the user's: x (B, T, n) -> (B, answers)."""

    cell: type[Gate] = Gate

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.units, self.gate, self.head = units, self.cell(inputs, units), nn.Linear(units, ANSWERS)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(len(x), self.units)
        for t in range(x.shape[1]):
            h = self.gate(x[:, t], h)
        answer: Tensor = self.head(h)
        return answer


class AroundAWrongCell(AroundACell):
    cell = GateThatSubtracts


class Projected(nn.Module):
    """An LSTM with a projection, both directions, two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(5, 8, 2, bidirectional=True, proj_size=3)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x)[0]


class Captions(nn.Module):
    """What a picture shows is the first step, and comes first among the arguments: features (B, n), captions (B, T)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.rnn, self.head = (
            nn.Embedding(WORDS, 6),
            nn.GRU(6, 8, batch_first=True),
            nn.Linear(8, WORDS),
        )

    def forward(self, features: Tensor, captions: Tensor) -> Tensor:
        steps, _ = self.rnn(torch.cat([features[:, None], self.embedding(captions)], 1))
        scores: Tensor = self.head(steps)
        return scores
