"""Cells that equal no known one and are right: whatever a property says of recurrent cells, none of them breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class SineCell(nn.Module):
    """One step: the sine of a sum, with a gain for each unit."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.gain = nn.Parameter(torch.ones(hidden_size))
        self.input_size, self.hidden_size = input_size, hidden_size

    def recurrent(self, h: Tensor) -> Tensor:
        return self.h2h(h)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return self.gain * torch.sin(self.x2h(x) + self.recurrent(h))

    def forward(self, x: Tensor, h: Tensor) -> Any:  # a layer gives its outputs and its states
        return self.step(x, h)


class SineLayer(SineCell):
    """All steps, batch first; subclasses change what stands between two steps, and what is given back."""

    def between(self, h: Tensor, step: int) -> Tensor:
        return h

    def given_back(self, states: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(states), 1)

    def last(self, states: Sequence[Tensor]) -> Tensor:
        return states[-1]

    def run(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        states = []
        for step, xt in enumerate(x.unbind(1)):
            h = self.step(xt, self.between(h, step))
            states.append(h)
        return self.given_back(states), self.last(states)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return self.run(x, h)


class BackwardLayer(SineLayer):
    """It reads backwards in time, and its outputs are turned back."""

    def run(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs, last = super().run(x.flip(1), h)
        return outputs.flip(1), last


class BothDirections(nn.Module):
    """Two directions, added up; its states are its own."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.forth, self.back = SineLayer(input_size, hidden_size), SineLayer(input_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[0], self.forth.hidden_size)
        return self.forth(x, h)[0] + self.back(x.flip(1), h)[0].flip(1)


class LearnedInitialState(SineLayer):
    """A state that is left out starts from a parameter, which has no influence otherwise."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.initial = nn.Parameter(torch.ones(hidden_size))

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.run(x, self.initial.expand(x.shape[0], -1) if h is None else h)


class RoundedWeights(SineCell):
    """Weights of eight bits with the gradient of straight ones: the function jumps where they change."""

    def recurrent(self, h: Tensor) -> Tensor:
        weight = self.h2h.weight
        scale = weight.detach().abs().max() / 127
        rounded = torch.round(weight / scale) * scale
        return functional.linear(h, weight + (rounded - weight).detach(), self.h2h.bias)


class Normalised(SineCell):
    """A normalisation over the units, and one that is registered and never called."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.norm, self.spare = nn.LayerNorm(hidden_size), nn.LayerNorm(hidden_size)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return super().step(x, self.norm(h))


class BatchNormalised(SineCell):
    """A normalisation over the batch, which keeps statistics in training."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.norm = nn.BatchNorm1d(hidden_size)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return self.norm(super().step(x, h))


class Rectified(SineCell):
    """A state that grows without a limit, with a kink."""

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return functional.relu(self.x2h(x) + self.h2h(h)) + 0.1 * self.gain * h


class Windowed(SineCell):
    """Every output looks at the input before its own, which no state keeps."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.window = nn.Conv1d(input_size, input_size, 2, padding=1)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """X (B, T, n)."""
        seen = self.window(x.transpose(1, 2))[..., :-1].transpose(1, 2)
        states = []
        for xt in seen.unbind(1):
            h = self.step(xt, h)
            states.append(h)
        return torch.stack(states, 1), h


class ShiftedWindow(SineCell):
    """Reads the input before its own by shifting the sequence, with zeros before the first step."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(2 * input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """X (T, B, n)."""
        before = functional.pad(x, (0, 0, 0, 0, 1, 0))[:-1]
        states = []
        for xt in torch.cat([before, x], -1).unbind(0):
            h = self.step(xt, h)
            states.append(h)
        return torch.stack(states), h


class RandomInTraining(SineLayer):
    """Dropout of the state in training alone, with another mask at every step."""

    def between(self, h: Tensor, step: int) -> Tensor:
        return functional.dropout(h, 0.3, self.training)


class SinglePrecisionInside(SineCell):
    """Its product is computed in float32 whatever it is given."""

    def recurrent(self, h: Tensor) -> Tensor:
        return functional.linear(h.float(), self.h2h.weight.float()).to(h.dtype) + self.h2h.bias


class WithLengths(SineLayer):
    """Rows of several lengths: outputs past a row's end are zero, the state is that of its last step."""

    def at_end(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        return outputs[torch.arange(len(outputs)), lengths - 1]

    def forward(self, x: Tensor, h: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        outputs, last = self.run(x, h)
        if lengths is None:
            return outputs, last
        inside = torch.arange(x.shape[1])[None] < lengths[:, None]
        return outputs * inside[..., None], self.at_end(outputs, lengths)


class Packed(nn.Module):
    """Rows of several lengths, packed inside."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner = nn.GRU(input_size, hidden_size, batch_first=True)

    def forward(self, x: Tensor, h: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """H (1, B, d)."""
        if lengths is None:
            return self.inner(x, h)
        packed, last = self.inner(pack_padded_sequence(x, lengths, batch_first=True), h)
        return pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])[0], last


class WithMask(SineLayer):
    """Steps that a mask (B, T) leaves out keep the state."""

    def forward(self, x: Tensor, h: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        states = []
        for step, xt in enumerate(x.unbind(1)):
            new = self.step(xt, h)
            h = new if mask is None else torch.where(mask[:, step, None].bool(), new, h)
            states.append(h)
        return self.given_back(states), h


class WithReset(SineCell):
    """A row whose episode is done starts from zero."""

    def after(self, h: Tensor, new: Tensor, done: Tensor | None) -> Tensor:
        return new

    def forward(self, x: Tensor, h: Tensor, done: Tensor | None = None) -> Tensor:
        """Done (B, 1)."""
        return self.after(h, self.step(x, h if done is None else h * (1 - done)), done)


class TwoStates(SineCell):
    """Two states as arguments of their own, each zero where it is left out."""

    def missing(self, x: Tensor, other: Tensor | None) -> Tensor:
        return x.new_zeros(x.shape[0], self.hidden_size)

    def given_back(self, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        return h, c

    def forward(
        self, x: Tensor, h: Tensor | None = None, c: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """X (B, T, n)."""
        first = self.missing(x, None if c is None else c) if h is None else h
        second = self.missing(x, h) if c is None else c
        outputs = []
        for xt in x.unbind(1):
            second = 0.5 * second + torch.sin(self.x2h(xt) + first)
            first = self.step(xt, first) * torch.tanh(second)
            outputs.append(first)
        return torch.stack(outputs, 1), self.given_back(first, second)


class FadesWithUnits(SineCell):
    """As many layers as units, of which the first alone sees the input: its weights count less and less."""

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        value = torch.sin(self.x2h(x))
        for _ in range(self.hidden_size):
            value = torch.sin(0.01 * self.h2h(value) + self.gain * h)
        return value


class SpareParameter(SineCell):
    """A parameter that is registered and never read."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.spare = nn.Parameter(torch.zeros(hidden_size))


class WithScores(SineCell):
    """A step with a read-out next to its state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.head = nn.Linear(hidden_size, 5)

    def scores(self, h: Tensor) -> Tensor:
        return functional.log_softmax(self.head(h), 1)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        h = self.step(x, h)
        return h, self.scores(h)


class NamesItsAxes(SineLayer):
    """It names the axes of its input, and takes them so."""

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        B, T, _ = x.shape
        outputs, last = self.run(x, h)
        return outputs.reshape(B, T, -1), last


class NamesItsAxesLater(SineLayer):
    """It names the axes of what it made of its input."""

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        x = x.transpose(0, 1)
        T, B, _ = x.shape
        outputs, last = self.run(x.transpose(0, 1), h)
        return outputs.reshape(B, T, -1), last


class StateInADictionary(SineCell):
    """Its state is held by a dictionary, and the next one by another."""

    def kept(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        return dict(state)

    def forward(self, x: Tensor, state: dict[str, Tensor]) -> dict[str, Tensor]:  # type: ignore[override]
        new, state = self.step(x, state["h"]), self.kept(state)
        state["h"] = new
        return state


class MatrixMemory(nn.Module):
    """The mLSTM of arXiv 2405.04517: a matrix of keys and values, and exponential gates kept in range by m."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(input_size, hidden_size) for _ in range(4))
        self.i, self.f = nn.Linear(input_size, 1), nn.Linear(input_size, 1)
        self.input_size, self.hidden_size = input_size, hidden_size

    def exponential_gates(self, i: Tensor, f: Tensor, m: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The gates in the exponent's range, the next m, and what 1 has become."""
        f = functional.logsigmoid(f)
        top = torch.maximum(f + m, i)
        return torch.exp(i - top), torch.exp(f + m - top), top, torch.exp(-top)

    def forward(self, x: Tensor) -> Tensor:
        rows, d = x.shape[0], self.hidden_size
        memory, norm, m = x.new_zeros(rows, d, d), x.new_zeros(rows, d), x.new_full((rows, 1), -1e4)
        outputs = []
        for x_t in x.unbind(1):
            q, k, v = self.q(x_t), self.k(x_t) / d**0.5, self.v(x_t)
            i, f, m, one = self.exponential_gates(self.i(x_t), self.f(x_t), m)
            memory = f.unsqueeze(-1) * memory + i.unsqueeze(-1) * v.unsqueeze(-1) * k.unsqueeze(-2)
            norm = f * norm + i * k
            below = torch.maximum((norm * q).sum(-1, keepdim=True).abs(), one)
            outputs.append(torch.sigmoid(self.o(x_t)) * (memory @ q.unsqueeze(-1)).squeeze(-1) / below)
        return torch.stack(outputs, 1)


class ExponentialGates(nn.Module):
    """An LSTM with exponential gates and no norm: its memory grows until no format holds it, and its state does not."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(torch.cat([x, h], 1)).chunk(4, 1)
        c = torch.exp(f) * c + torch.exp(i) * torch.sin(g)
        return torch.sigmoid(o) * torch.tanh(c), c
