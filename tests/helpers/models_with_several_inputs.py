"""Models whose inputs of a step have widths of their own: actions, observations, and where an episode goes on."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Dynamics(nn.Module):
    """Steps first: observations (T, B, 12), actions (T, B, 3) and 1 where an episode goes on (T, B, 1)."""

    def __init__(self, embedded: int = 12, actions: int = 3, width: int = 14, latents: int = 6) -> None:
        super().__init__()
        self.width, self.latents = width, latents
        self.before = nn.Linear(latents + actions, width)
        self.cell = nn.GRUCell(width, width)
        self.after = nn.Linear(width + embedded, latents)

    def latent(self, mean: Tensor) -> Tensor:
        return mean

    def belief(self, h: Tensor) -> Tensor:
        return h

    def forward(self, observed: Tensor, acted: Tensor, going_on: Tensor) -> tuple[Tensor, Tensor]:
        rows = observed.shape[1]
        h, z = observed.new_zeros(rows, self.width), observed.new_zeros(rows, self.latents)
        beliefs, latents = [], []
        for t in range(len(observed)):
            h, z = self.belief(h) * going_on[t], z * going_on[t]
            h = self.cell(functional.relu(self.before(torch.cat([z, acted[t]], -1))), h)
            z = self.latent(self.after(torch.cat([h, observed[t]], -1)))
            beliefs.append(h)
            latents.append(z)
        return torch.stack(beliefs), torch.stack(latents)


class DynamicsNotCarried(Dynamics):
    """Every step starts from zero."""

    def belief(self, h: Tensor) -> Tensor:
        return torch.zeros_like(h)


class SampledDynamics(Dynamics):
    """What goes on is drawn, in evaluation too; a rectifier stands behind it."""

    def latent(self, mean: Tensor) -> Tensor:
        return mean + torch.randn_like(mean)


class Customers(nn.Module):
    """A sequence of months (B, T, 6), and what is known of every customer (B, 9)."""

    def __init__(self, features: int = 6, known: int = 9, hidden: int = 8) -> None:
        super().__init__()
        self.rnn = nn.GRU(features, hidden, batch_first=True)
        self.known = nn.Linear(known, 7)
        self.head = nn.Linear(hidden + 7, 2)

    def last(self, outputs: Tensor) -> Tensor:
        return outputs[:, -1]

    def forward(self, months: Tensor, customer: Tensor) -> Tensor:
        return self.head(torch.cat([self.last(self.rnn(months)[0]), torch.tanh(self.known(customer))], -1))


class CustomersFirstMonth(Customers):
    """Its head reads the first month alone."""

    def last(self, outputs: Tensor) -> Tensor:
        return outputs[:, 0]


class Continuation(nn.Module):
    """A decoder that starts from the state of an encoder, over steps of another width."""

    def __init__(self, past: int = 4, future: int = 3, hidden: int = 8) -> None:
        super().__init__()
        self.encoder = nn.LSTM(past, hidden, batch_first=True)
        self.decoder = nn.LSTM(future, hidden, batch_first=True)

    def forward(self, past: Tensor, future: Tensor) -> Tensor:
        outputs: Tensor = self.decoder(future, self.encoder(past)[1])[0]
        return outputs
