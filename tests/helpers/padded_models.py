"""Models and layers of torch that agree on whole sequences, and not all of which leave out the padding of others."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class PackedFinal(nn.Module):
    """The final state of two layers, over packed rows."""

    def __init__(self, n: int = 5, d: int = 3) -> None:
        super().__init__()
        self.rnn = nn.RNN(n, d, 2, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        final: Tensor = self.rnn(packed)[1][-1]
        return final


class GatheredFinal(PackedFinal):
    """The same, picked out of the outputs."""

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        outputs: Tensor = self.rnn(x)[0]
        return outputs[torch.arange(len(x)), lengths - 1]


class PaddedFinal(PackedFinal):
    """The final state after the padding: the lengths are not read."""

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        final: Tensor = self.rnn(x)[1][-1]
        return final


class MeanOfSteps(nn.Module):
    """Tokens, a layer, the mean over the steps of each row, and a head."""

    def __init__(self, vocabulary: int = 11) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 5, padding_idx=0)
        self.rnn = nn.RNN(5, 3, batch_first=True)
        self.head = nn.Linear(3, 2)

    def forward(self, tokens: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        outputs = self.rnn(self.embedding(tokens))[0]
        counted = self.counted(tokens, attention_mask).to(outputs.dtype)[..., None]
        logits: Tensor = self.head((outputs * counted).sum(1) / counted.sum(1))
        return logits

    def counted(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        return torch.ones_like(tokens) if mask is None else mask


class MeanOverPadding(MeanOfSteps):
    """The same over all steps: the mask is not read."""

    def counted(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        return torch.ones_like(tokens)


class MeanOfTokens(nn.Module):
    """The same with other names, and the mask read from the tokens."""

    def __init__(self, vocabulary: int = 11) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, 5, padding_idx=0)
        self.layer = nn.RNN(5, 3, batch_first=True)
        self.out = nn.Linear(3, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        outputs = self.layer(self.words(tokens))[0]
        counted = (tokens != 0).to(outputs.dtype)[..., None]
        logits: Tensor = self.out((outputs * counted).sum(1) / counted.sum(1))
        return logits


class MeanOfAllTokens(MeanOfTokens):
    """The same, and padding is a token like any other."""

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.out(self.layer(self.words(tokens))[0].mean(1))
        return logits


class TwoStates(nn.Module):
    """One layer that may be told the lengths of its rows."""

    def __init__(self, n: int, d: int) -> None:
        super().__init__()
        self.rnn = nn.LSTM(n, d, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        if lengths is None:
            outputs, states = self.rnn(x)
            return outputs, states
        packed, states = self.rnn(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        return pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])[0], states


class TwoStatesPastTheEnd(TwoStates):
    """The same, whose states are those after the padding."""

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        outputs, states = self.rnn(x)
        return outputs, states


class KeptByMask(nn.Module):
    """A loop over steps in which a row that has ended keeps its state."""

    def __init__(self, n: int, d: int) -> None:
        super().__init__()
        self.cell, self.hidden_size = nn.RNNCell(n, d), d

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        h = x.new_zeros(len(x), self.hidden_size)
        outputs = []
        for step in range(x.shape[1]):
            h = self.kept(self.cell(x[:, step], h), h, None if mask is None else mask[:, step, None].to(x.dtype))
            outputs.append(h)
        return torch.stack(outputs, 1), h

    def kept(self, new: Tensor, old: Tensor, counts: Tensor | None) -> Tensor:
        return new if counts is None else counts * new + (1 - counts) * old


class MaskNotRead(KeptByMask):
    """The same, which goes on past the ends."""

    def kept(self, new: Tensor, old: Tensor, counts: Tensor | None) -> Tensor:
        return new
