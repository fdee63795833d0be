"""Cells that are called in unusual ways, right ones and wrong ones; sizes are (input_size, hidden_size)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import prune


class GRULayer(nn.Module):
    """A GRU over a batch-first sequence; subclasses change how it is called."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(input_size, hidden_size)

    def steps(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs = []
        for x_t in x.unbind(1):
            h = self.cell(x_t, h)
            outputs.append(h)
        return torch.stack(outputs, 1), h

    def zeros(self, x: Tensor) -> Tensor:
        return x.new_zeros(len(x), self.cell.hidden_size)


class LastOnly(GRULayer):
    def forward(self, x: Tensor) -> Tensor:
        return self.steps(x, self.zeros(x))[0][:, -1]


class LastRow(GRULayer):
    """Wrong: the last row of the batch in the place of the last step."""

    def forward(self, x: Tensor) -> Tensor:
        return self.steps(x, self.zeros(x))[0][-1]


class TimeFirstOut(GRULayer):
    """Wrong: batch first goes in, time first comes out."""

    def forward(self, x: Tensor, h: Tensor) -> Any:
        outputs, last = self.steps(x, h)
        return outputs.transpose(0, 1), last


class DocumentedTimeFirstOut(GRULayer):
    """As is documented: x (B, T, n) goes in, (T, B, d) comes out."""

    def forward(self, x: Tensor, h: Tensor) -> Any:
        outputs, last = self.steps(x, h)
        return outputs.transpose(0, 1), last


class Viewed(GRULayer):
    """Wrong: the memory of the input is read in another shape."""

    def forward(self, x: Tensor, h: Tensor) -> Any:
        return self.steps(x.reshape(x.shape[1], x.shape[0], -1).transpose(0, 1), h)


class Backwards(GRULayer):
    """Wrong: the outputs in the other order."""

    def forward(self, x: Tensor, h: Tensor) -> Any:
        outputs, last = self.steps(x, h)
        return outputs.flip(1), last


class Late(GRULayer):
    """Wrong: the states before each step."""

    def forward(self, x: Tensor, h: Tensor) -> Any:
        outputs, last = self.steps(x, h)
        return torch.cat([h.unsqueeze(1), outputs[:, :-1]], 1), last


class FeaturesFirst(GRULayer):
    def forward(self, x: Tensor, h: Tensor) -> Any:
        outputs, last = self.steps(x.permute(1, 2, 0), h)
        return outputs.permute(2, 0, 1), last


class MaskThenState(GRULayer):
    def forward(self, x: Tensor, mask: Tensor, h: Tensor) -> Any:
        kept = mask.unsqueeze(-1)
        outputs, state = [], h
        for x_t, m in zip(x.unbind(1), kept.unbind(1), strict=True):
            state = m * self.cell(x_t, state) + (1 - m) * state
            outputs.append(state)
        return torch.stack(outputs, 1), state


class KeywordsOnly(nn.Module):
    def __init__(self, *, d_in: int, d_model: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(d_in, d_model)

    def forward(self, *, x: Tensor, scale: float = 1.0, hidden: Tensor | None = None) -> Tensor:
        return self.cell(scale * x, hidden)


class Widths(nn.Module):
    """The hidden size comes first."""

    def __init__(self, p: int, q: int) -> None:
        super().__init__()
        self.w = nn.Linear(p + q, p)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.tanh(self.w(torch.cat([a, b], -1)))


class GatesByAxis(nn.Module):
    """An LSTM whose weights (G, D, H) and biases (G, 1, H) have an axis of gates; its sizes are called D and H."""

    def __init__(self, D: int, H: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(4, D, H) / 2)
        self.U = nn.Parameter(torch.randn(4, H, H) / 2)
        self.b = nn.Parameter(torch.randn(4, 1, H) / 2)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, o, g = torch.einsum("bd,gdh->gbh", x, self.W) + h @ self.U + self.b
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class ToItsLength(nn.Module):
    """A simple RNN that needs to know how long its rows are, and gives the state after the last step of each."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.layer = nn.RNNCell(input_size, hidden_size)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        h = x.new_zeros(len(x), self.layer.hidden_size)
        outputs = torch.stack([h := self.layer(step, h) for step in x.unbind(1)], 1)
        return outputs[torch.arange(len(x)), lengths.long() - 1]


class LSTMStep(nn.Module):
    """An LSTM on one pair of states, which subclasses wrap."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(input_size, hidden_size)


class StackedStates(LSTMStep):
    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        return torch.stack(self.cell(x, (s[0], s[1])))


class MappedStates(LSTMStep):
    def forward(self, x: Tensor, s: dict[str, Tensor]) -> Any:
        h, c = self.cell(x, (s["out"], s["memory"]))
        return {"out": h, "memory": c}


@dataclass
class Memory:
    short: Tensor
    long: Tensor


class FieldStates(LSTMStep):
    def forward(self, memory: Memory, x: Tensor) -> Any:
        h, c = self.cell(x, (memory.short, memory.long))
        return Memory(h, c), h


class ExchangedCarry(LSTMStep):
    """Wrong: the carry (c, h) comes back as (h, c)."""

    def forward(self, carry: tuple[Tensor, Tensor], x: Tensor) -> Any:
        c, h = carry
        h, c = self.cell(x, (h, c))
        return (h, c), h


class NamedStatesInAnyOrder(LSTMStep):
    """Right: whoever calls it names both states."""

    def forward(self, x: Tensor, c: Tensor, h: Tensor) -> Any:
        return self.cell(x, (h, c))


class Single(nn.Module):
    """In float32 alone."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size, self.rnn = hidden_size, nn.RNN(input_size, hidden_size, batch_first=True)

    def forward(self, x: Tensor) -> Any:
        return self.rnn(x, torch.zeros(1, len(x), self.hidden_size))


@dataclass
class Settings:
    in_dim: int = 8
    hidden_dim: int = 4
    bias: bool = True


class Configured(nn.Module):
    def __init__(self, settings_config: Settings) -> None:
        super().__init__()
        self.cell = nn.RNNCell(settings_config.in_dim, settings_config.hidden_dim, settings_config.bias)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.cell(x, h)


class OfDictionary(nn.Module):
    def __init__(self, cfg: dict[str, int]) -> None:
        super().__init__()
        self.cell = nn.RNNCell(cfg["n_in"], cfg["n_hidden"], nonlinearity=("tanh", "relu")[cfg["kind"]])

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.cell(x, h)


chosen = {"n_in": 9, "n_hidden": 4, "kind": 1}


class NoArguments(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(6, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.x(x) + self.h(h))


def factory() -> nn.Module:
    return nn.GRU(6, 4)


def normed(input_size: int, hidden_size: int) -> nn.Module:
    return nn.utils.parametrizations.weight_norm(nn.RNNCell(input_size, hidden_size), "weight_hh")


def pruned(input_size: int, hidden_size: int) -> nn.Module:
    cell = nn.RNNCell(input_size, hidden_size)
    return cast(nn.Module, prune.l1_unstructured(cell, "weight_hh", 0.3))  # a tensor with a graph: it has no copy


def scripted(input_size: int, hidden_size: int) -> Any:
    return torch.jit.script(LastOnlyScripted(input_size, hidden_size))


def scripted_layer(input_size: int, hidden_size: int) -> Any:
    return torch.jit.script(nn.GRU(input_size, hidden_size))


class LastOnlyScripted(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs, last = self.rnn(x, h.unsqueeze(0))
        return outputs, last[0]


class SideBySide(nn.Module):
    """An LSTM whose two states are one tensor (B, 2 d), the cell state first."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(input_size, hidden_size)

    def taken_apart(self, states: Tensor) -> tuple[Tensor, Tensor]:
        c, h = states.chunk(2, 1)
        return h, c

    def forward(self, x: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
        h, c = self.cell(x, self.taken_apart(states))
        return h, torch.cat([c, h], 1)


class SideBySideExchanged(SideBySide):
    """Its states come back in another order than they go in."""

    def taken_apart(self, states: Tensor) -> tuple[Tensor, Tensor]:
        h, c = states.chunk(2, 1)
        return h, c
