"""Models of tokens with the same weights under other names: what carries over, and what does not."""

from __future__ import annotations

import torch
from torch import Tensor, nn

TOKENS = 9


class Stack(nn.Module):
    """Two layers of torch in one module; steps come first."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, 3)
        self.rnn = nn.GRU(3, 4, num_layers=2)
        self.head = nn.Linear(4, TOKENS)

    def forward(self, tokens: Tensor) -> Tensor:
        scores: Tensor = self.head(self.rnn(self.embedding(tokens))[0])
        return scores


class Layers(nn.Module):
    """The same in two modules, with other names; rows come first."""

    has_bias = True
    sum_of_layers = False

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(TOKENS, 3)
        self.lower = nn.GRU(3, 4, batch_first=True)
        self.upper = nn.GRU(4, 4, batch_first=True)
        self.out = nn.Linear(4, TOKENS, bias=self.has_bias)

    def forward(self, tokens: Tensor) -> Tensor:
        low = self.lower(self.words(tokens))[0]
        high = self.upper(low)[0]
        scores: Tensor = self.out(high + low if self.sum_of_layers else high)
        return scores


class WithoutBias(Layers):
    has_bias = False


class SumOfLayers(Layers):
    sum_of_layers = True


def saved_stack(path: str) -> dict[str, Tensor]:
    """Save the weights of a stack, as a model that is trained on several devices does."""
    torch.manual_seed(0)
    state = Stack().state_dict()
    torch.save({f"module.{name}": value for name, value in state.items()}, path)
    return state
