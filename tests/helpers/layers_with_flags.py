"""Layers over sequences (T, B, n) whose state is forgotten where a flag (T, B) says that an episode has ended."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ForgetsBefore(nn.Module):
    """Right: the state is forgotten before the step that has the flag."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size, self.cell = hidden_size, nn.GRUCell(input_size, hidden_size)

    def flag(self, dones: Tensor, step: int) -> Tensor:
        return dones[step]

    def forward(self, x: Tensor, h: Tensor, dones: Tensor) -> tuple[Tensor, Tensor]:
        outputs = []
        for step in range(len(x)):
            h = h * (~self.flag(dones.bool(), step)).to(h.dtype).unsqueeze(-1)
            h = self.cell(x[step], h)
            outputs.append(h)
        return torch.stack(outputs), h


class ForgetsAfter(ForgetsBefore):
    """Right: it is forgotten after that step."""

    def flag(self, dones: Tensor, step: int) -> Tensor:
        return dones[step - 1] if step else dones[0]


class FirstFlagAlone(ForgetsBefore):
    """Wrong: the flag of the first step is taken at every step."""

    def flag(self, dones: Tensor, step: int) -> Tensor:
        return dones[0]


class AtTheBeginningAlone(ForgetsBefore):
    """Wrong: flags inside of the sequence are not read."""

    def flag(self, dones: Tensor, step: int) -> Tensor:
        return dones[0] & (step == 0)


class OfTorch(nn.GRU):
    """Right: a layer of torch that clears the rows that its flags choose, as booleans."""

    def forward(self, x: Tensor, hx: Tensor, dones: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        outputs = []
        for step in range(len(x)):
            hx = torch.where(dones[step][:, None], torch.zeros_like(hx), hx)
            output, hx = super().forward(x[step : step + 1], hx)
            outputs.append(output)
        return torch.cat(outputs), hx


class Policy(nn.Module):
    """A policy around such a layer, which takes its flags as booleans alone."""

    def __init__(self, observation_dim: int, action_dim: int, gru_hidden_dim: int = 8) -> None:
        super().__init__()
        self.base, self.gru = nn.Linear(observation_dim, 6), OfTorch(6, gru_hidden_dim)
        self.actor = nn.Linear(gru_hidden_dim, action_dim)

    def forward(self, x: Tensor, hx: Tensor, dones: Tensor) -> tuple[Tensor, Tensor]:
        x, hx = self.gru(torch.tanh(self.base(x)), hx, dones)
        return self.actor(x), hx
