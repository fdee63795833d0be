"""Torch modules that take targets and give their loss, as models of characters and of series have it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class Characters(nn.Module):
    """A simple RNN over characters, its loss inside, with the last state."""

    def __init__(self, vocabulary: int, hidden_size: int) -> None:
        super().__init__()
        self.Wxh = nn.Parameter(torch.zeros(vocabulary, hidden_size))
        self.Whh, self.Why = nn.Parameter(torch.eye(hidden_size)), nn.Parameter(torch.zeros(hidden_size, vocabulary))

    def activation(self, value: Tensor) -> Tensor:
        return torch.tanh(value)

    def start(self, h: Tensor) -> Tensor:
        return h

    def last(self, states: list[Tensor]) -> Tensor:
        return states[-1]

    def forward(self, inputs: Tensor, targets: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        loss, states = torch.zeros((), dtype=h.dtype), [self.start(h)]
        for token, target in zip(inputs, targets, strict=True):
            states.append(self.activation(self.Wxh[token] + states[-1] @ self.Whh))
            loss = loss + functional.cross_entropy(states[-1] @ self.Why, target)
        return loss, self.last(states[1:])


class _WrongTanh(torch.autograd.Function):
    """A tanh whose backward forgets the square."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        result = torch.tanh(value)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (result,) = ctx.saved_tensors
        product: Tensor = gradient * (1 - result)
        return product


class WrongBackward(Characters):
    """Wrong: the backward of its activation."""

    def activation(self, value: Tensor) -> Tensor:
        result: Tensor = _WrongTanh.apply(value)
        return result


class IgnoresItsState(Characters):
    """Wrong: it always starts from zeros."""

    def start(self, h: Tensor) -> Tensor:
        return torch.zeros_like(h)


class GivesTheFirstState(Characters):
    """Wrong: the state that comes back is that after the first step."""

    def last(self, states: list[Tensor]) -> Tensor:
        return states[0]


class Detaching(Characters):
    """Its gradient is cut after every step on purpose."""

    def activation(self, value: Tensor) -> Tensor:
        return torch.tanh(value)

    def forward(self, inputs: Tensor, targets: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        loss = torch.zeros((), dtype=h.dtype)
        for token, target in zip(inputs, targets, strict=True):
            h = self.activation(self.Wxh[token] + h.detach() @ self.Whh)
            loss = loss + functional.cross_entropy(h @ self.Why, target)
        return loss, h


class Regression(nn.Module):
    """A series in, a series of two numbers to be predicted, rows first; nothing but a loss comes back."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.out, self.hidden_size = nn.Linear(hidden_size, 2), hidden_size

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h, predicted = x.new_zeros(len(x), self.hidden_size), []
        for t in range(x.shape[1]):
            h = torch.tanh(self.x2h(x[:, t]) + self.h2h(h))
            predicted.append(self.out(h))
        return functional.mse_loss(torch.stack(predicted, 1), y).sqrt()


class LoopsByHand(nn.Module):
    """Layers of tokens in lists, looped over by hand; it gives scores, and the loss where there are targets."""

    def __init__(self, vocab_size: int = 11, hidden_size: int = 6) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, hidden_size)
        self.inner = nn.ModuleList(nn.Linear(hidden_size, hidden_size) for _ in range(2))
        self.recurrent = nn.ModuleList(nn.Linear(hidden_size, hidden_size, bias=False) for _ in range(2))
        self.head = nn.Linear(hidden_size, vocab_size)

    def activation(self, value: Tensor) -> Tensor:
        return torch.tanh(value)

    def forward(self, idx: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        embedded = self.embedding(idx)
        hidden = [torch.zeros_like(embedded[:, 0]) for _ in self.inner]
        outputs = []
        for u in embedded.unbind(1):
            value = u
            for k, (inner, recurrent) in enumerate(zip(self.inner, self.recurrent, strict=True)):
                hidden[k] = value = self.activation(inner(value) + recurrent(hidden[k]))
            outputs.append(value)
        scores = self.head(torch.stack(outputs, 1))
        if targets is None:
            return scores, None
        return scores, functional.cross_entropy(scores.flatten(0, 1), targets.flatten())


class LoopsByHandWrong(LoopsByHand):
    """One whose tanh has a wrong backward."""

    def activation(self, value: Tensor) -> Tensor:
        activated: Tensor = _WrongTanh.apply(value)
        return activated
