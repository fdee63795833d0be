"""Minimal GRUs that compute all of their steps at once, by cumulative sums of logarithms; and mistakes in that."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MinGRU(nn.Module):
    """h_t = (1 - z_t) h_{t-1} + z_t (W_h x_t + b_h), one step after another."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W_z = nn.Parameter(torch.randn(hidden_size, input_size))
        self.W_h = nn.Parameter(torch.randn(hidden_size, input_size))
        self.b_z = nn.Parameter(torch.randn(hidden_size))
        self.b_h = nn.Parameter(torch.randn(hidden_size))

    def gate(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.W_z, self.b_z)

    def candidate(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.W_h, self.b_h)

    def kept(self, t: int, h: Tensor) -> Tensor:
        """The old state, as a step uses it."""
        return h

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs = []
        for t, x_t in enumerate(x):
            z = torch.sigmoid(self.gate(x_t))
            h = (1 - z) * self.kept(t, h) + z * self.candidate(x_t)
            outputs.append(h)
        return torch.stack(outputs), h


class DetachesEveryHundredSteps(MinGRU):
    """Lets no gradient through every hundredth step."""

    def kept(self, t: int, h: Tensor) -> Tensor:
        return h.detach() if t and t % 100 == 0 else h


class ParallelMinGRU(MinGRU):
    """The same written as a sum over the earlier steps."""

    def decay(self, x: Tensor) -> Tensor:
        """The sums of log(1 - z) up to every step, (T, B, d)."""
        return nn.functional.logsigmoid(-self.gate(x)).cumsum(0)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        decay, new = self.decay(x), torch.sigmoid(self.gate(x)) * self.candidate(x)
        later = torch.ones(len(x), len(x), dtype=torch.bool).tril()[:, :, None, None]
        weights = torch.exp((decay[:, None] - decay[None]).masked_fill(~later, -torch.inf))
        h = (weights * new[None]).sum(1) + torch.exp(decay) * h
        return h, h[-1]


class DecayRoundedToSingle(ParallelMinGRU):
    """Sums the logarithms in float32."""

    def decay(self, x: Tensor) -> Tensor:
        return super().decay(x).float().to(x.dtype)


class ForgetsAfterAHundredSteps(ParallelMinGRU):
    """Takes a millionth from every logarithm from the hundredth step on."""

    def decay(self, x: Tensor) -> Tensor:
        late = (torch.arange(len(x)) >= 100).to(x.dtype)[:, None, None]
        return super().decay(x) - 1e-6 * late.cumsum(0)


class _ScaledGradient(torch.autograd.Function):
    @staticmethod
    def forward(_context: object, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(_context: object, gradient: Tensor) -> Tensor:
        return gradient * (1 + 1e-9)


class _NoNumberForGradient(_ScaledGradient):
    @staticmethod
    def backward(_context: object, gradient: Tensor) -> Tensor:
        return gradient * torch.nan


class BiasGradientIsNaN(MinGRU):
    """Gives right outputs and gradients, but NaN for that of the candidate's bias."""

    def candidate(self, x: Tensor) -> Tensor:
        bias: Tensor = _NoNumberForGradient.apply(self.b_h)
        return nn.functional.linear(x, self.W_h, bias)


class GateGradientOffByABillionth(MinGRU):
    """Goes step by step, with a gradient through its gate that is a billionth too large."""

    def gate(self, x: Tensor) -> Tensor:
        scaled: Tensor = _ScaledGradient.apply(super().gate(x))
        return scaled


class StepOfGateGradientOffByABillionth(GateGradientOffByABillionth):
    """The same as a cell that is called for one step."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x[None], h)[1]
