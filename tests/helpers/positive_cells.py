"""Minimal GRUs of positive states that sum in logarithms, as they are published; and mistakes in that."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PositiveMinGRU(nn.Module):
    """All steps of a sequence (B, T, n) by one sum of exponentials; it goes on from its last outputs (B, 1, d)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.candidate_and_gate = nn.Linear(dim, 2 * dim, bias=False)

    def log_update(self, gate: Tensor) -> Tensor:
        """The logarithm of what is written of the candidate."""
        return nn.functional.logsigmoid(gate)

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        candidate, gate = self.candidate_and_gate(x).chunk(2, -1)
        positive = torch.where(candidate >= 0, (candidate.relu() + 0.5).log(), nn.functional.logsigmoid(candidate))
        decay, new = nn.functional.logsigmoid(-gate), self.log_update(gate) + positive
        if h is not None:
            decay = nn.functional.pad(decay, (0, 0, 1, 0))
            new = torch.cat((h.log(), new), 1)
        total = decay.cumsum(1)
        outputs = (total + (new - total).logcumsumexp(1)).exp()[:, -x.shape[1] :]
        return outputs, outputs[:, -1:]


class WritesWhatItKeeps(PositiveMinGRU):
    """Writes as much of the candidate as it keeps of the state."""

    def log_update(self, gate: Tensor) -> Tensor:
        return nn.functional.logsigmoid(-gate)


class _HalfOfTheGradient(torch.autograd.Function):
    @staticmethod
    def forward(_context: object, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(_context: object, gradient: Tensor) -> Tensor:
        return gradient / 2


class HalvesTheGradientOfItsGate(PositiveMinGRU):
    """Gives the right outputs, and half of the gradient through what it writes."""

    def log_update(self, gate: Tensor) -> Tensor:
        halved: Tensor = _HalfOfTheGradient.apply(super().log_update(gate))
        return halved


class PositiveMinLSTM(nn.Module):
    """A minimal LSTM whose two gates are divided by their sum, in logarithms, as it is published."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.candidate_and_gates = nn.Linear(dim, 3 * dim, bias=False)

    def logarithms(self, forget: Tensor, write: Tensor) -> tuple[Tensor, Tensor]:
        """The logarithms of f / (f + i) and i / (f + i)."""
        difference = nn.functional.softplus(-forget) - nn.functional.softplus(-write)
        return -nn.functional.softplus(difference), -nn.functional.softplus(-difference)

    def forward(self, x: Tensor) -> Tensor:
        candidate, forget, write = self.candidate_and_gates(x).chunk(3, -1)
        positive = torch.where(candidate >= 0, (candidate.relu() + 0.5).log(), nn.functional.logsigmoid(candidate))
        decay, share = self.logarithms(forget, write)
        total = decay.cumsum(1)
        return (total + (share + positive - total).logcumsumexp(1)).exp()


class HalvesTheGradientOfItsForgetGate(PositiveMinLSTM):
    """Gives the right outputs, and half of the gradient through what it keeps."""

    def logarithms(self, forget: Tensor, write: Tensor) -> tuple[Tensor, Tensor]:
        halved: Tensor = _HalfOfTheGradient.apply(forget)
        return super().logarithms(halved, write)
