"""Layers of several cells whose states are one tensor (L, B, d), and one layer that mixes the rows of its state."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Stack(nn.Module):
    """Simple RNNs one above the other; their states go in and come back as one tensor."""

    def __init__(self, input_size: int, hidden_size: int, depth: int = 3) -> None:
        super().__init__()
        self.depth, self.hidden_size = depth, hidden_size
        sizes = [input_size] + [hidden_size] * (depth - 1)
        self.inputs = nn.ModuleList(nn.Linear(size, hidden_size) for size in sizes)
        self.recurrent = nn.ModuleList(nn.Linear(hidden_size, hidden_size) for _ in sizes)

    def run(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        finals = []
        for layer in range(self.depth):
            h, outputs = state[layer], []
            for x_t in x:
                h = torch.tanh(self.inputs[layer](x_t) + self.recurrent[layer](h))
                outputs.append(h)
            x = torch.stack(outputs)
            finals.append(h)
        return x, torch.stack(finals)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if state is None:
            state = x.new_zeros(self.depth, x.shape[1], self.hidden_size)
        return self.run(x, state)


class StackThatWantsItsStates(Stack):
    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        return self.run(x, state)


class StackOfTwo(Stack):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, 2)


class MixesRowsOfItsState(nn.Module):
    """One layer that starts every row from the mean of the states that are given."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        h, outputs = h.mean(0).expand_as(h), []
        for x_t in x:
            h = torch.tanh(self.x2h(x_t) + self.h2h(h))
            outputs.append(h)
        return torch.stack(outputs), h


class StepOfAStack(nn.Module):
    """One step of simple RNNs one above the other; the only entry of a tuple holds the states of all layers."""

    def __init__(self, input_size: int, hidden_size: int, depth: int = 3) -> None:
        super().__init__()
        sizes = [input_size] + [hidden_size] * (depth - 1)
        self.layers = nn.ModuleList(nn.Linear(size + hidden_size, hidden_size) for size in sizes)

    def forward(self, x: Tensor, state: tuple[Tensor]) -> tuple[Tensor, tuple[Tensor]]:
        states = []
        for index, layer in enumerate(self.layers):
            x = torch.tanh(layer(torch.cat([x, state[0][index].expand(len(x), -1)], -1)))
            states.append(x)
        return x, (torch.stack(states),)


class StepOfOneLayer(StepOfAStack):
    """The same with one layer, (1, B, d)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, 1)
