"""Torch modules whose weights are made at their first call, and layers with the features before the time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class LazyLSTMCell(nn.Module):
    """A cell of lazy layers, which learns its input size."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.x2g = nn.LazyLinear(4 * hidden_size)
        self.h2g = nn.LazyLinear(4 * hidden_size, bias=False)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """One step."""
        h, c = state
        i, f, g, o = (self.x2g(x) + self.h2g(h)).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class BuiltLayer(nn.Module):
    """A layer that makes its weights where it sees its first inputs, as layers of Keras do."""

    built = False

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    def build(self, size: int) -> None:
        """Make the weights."""
        self.kernel = nn.Parameter(torch.randn(size, self.units))
        self.recurrent = nn.Parameter(torch.randn(self.units, self.units))
        self.built = True

    def forward(self, x: Tensor, h0: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Go over (B, T, n)."""
        if not self.built:
            self.build(x.shape[-1])
        h = x.new_zeros(len(x), self.units) if h0 is None else h0
        outputs = []
        for step in x.unbind(1):
            h = torch.tanh(step @ self.kernel + h @ self.recurrent)
            outputs.append(h)
        return torch.stack(outputs, 1), h


class BuiltWithFirstState(BuiltLayer):
    """The same, with the first state in the place of the last one."""

    def forward(self, x: Tensor, h0: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Go over (B, T, n)."""
        outputs, _ = super().forward(x, h0)
        return outputs, outputs[:, 0]


class LazyHead(nn.Module):
    """A model whose output layer learns how wide the states are."""

    def __init__(self, n_features: int, hidden_size: int = 8) -> None:
        super().__init__()
        self.rnn = nn.GRU(n_features, hidden_size, batch_first=True)
        self.head = nn.LazyLinear(2)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the last step."""
        return torch.as_tensor(self.head(self.rnn(x)[0][:, -1]))


class OneHotLanguageModel(nn.Module):
    """A model of tokens without an embedding."""

    def __init__(self, vocab_size: int, num_hiddens: int) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.rnn = nn.GRU(vocab_size, num_hiddens)
        self.head = nn.LazyLinear(vocab_size)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of every step, of tokens (B, T)."""
        ones = nn.functional.one_hot(tokens.T, self.vocab_size).type_as(next(self.rnn.parameters()))
        return torch.as_tensor(self.head(self.rnn(ones)[0]))


class ChannelsFirst(nn.Module):
    """A layer between convolutions: (B, n, T) in, (B, d, T) out."""

    def __init__(self, in_channels: int, hidden_size: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(in_channels, hidden_size, batch_first=True)

    def arranged(self, x: Tensor) -> Tensor:
        """Return inputs as the layer takes them."""
        return x.transpose(1, 2)

    def forward(self, x: Tensor) -> Any:
        """Go over the last axis."""
        return self.rnn(self.arranged(x))[0].transpose(1, 2)


class ChannelsMixed(ChannelsFirst):
    """The same with a reshape in the place of a transpose."""

    def arranged(self, x: Tensor) -> Tensor:
        """Return inputs as the layer takes them."""
        return x.reshape(len(x), x.shape[2], x.shape[1])


class ChannelsMixedTwice(ChannelsMixed):
    """The same with a reshape of the outputs, too."""

    def forward(self, x: Tensor) -> Any:
        """Go over the last axis."""
        outputs = self.rnn(self.arranged(x))[0]
        return outputs.reshape(len(x), outputs.shape[2], outputs.shape[1])


class ChannelsToBatchFirst(ChannelsFirst):
    """(B, n, T) in, (B, T, d) out."""

    def forward(self, x: Tensor) -> Any:
        """Go over the last axis."""
        return self.rnn(self.arranged(x))[0]
