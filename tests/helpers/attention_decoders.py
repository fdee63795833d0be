"""Decoders with attention, whose forward loops over a target and whose step is a method of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AttentionDecoder(nn.Module):
    """Attends over the encoder's outputs (B, S, d) in every step; teacher forcing over a target (B, T)."""

    axis = 1

    def __init__(self, vocab_size: int = 20, hidden_size: int = 6) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, hidden_size)
        self.query, self.key = nn.Linear(hidden_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.score = nn.Linear(hidden_size, 1)
        self.gru = nn.GRU(2 * hidden_size, hidden_size, batch_first=True)
        self.out = nn.Linear(hidden_size, vocab_size)

    def forward(self, encoder_outputs: Tensor, encoder_hidden: Tensor, target: Tensor) -> Tensor:
        hidden, scores = encoder_hidden, []
        for token in target.split(1, 1):
            score, hidden, _ = self.forward_step(token, hidden, encoder_outputs)
            scores.append(score)
        return torch.cat(scores, 1)

    def forward_step(self, token: Tensor, hidden: Tensor, encoder_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query = hidden.permute(1, 0, 2)
        scores = self.score(torch.tanh(self.query(query) + self.key(encoder_outputs))).squeeze(2)
        weights = torch.softmax(scores, self.axis)
        context = torch.bmm(weights[:, None], encoder_outputs)
        output, hidden = self.gru(torch.cat([self.embedding(token), context], 2), hidden)
        return self.out(output), hidden, weights


class AttendsOverRows(AttentionDecoder):
    """Wrong: the weights add up to one over the rows of the batch."""

    axis = 0
