"""Models whose documentation writes the shapes of input and output with an arrow between them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Joined(nn.Module):
    """(B, T, D) -> (B, T, 2H)."""

    axis = 2

    def __init__(self) -> None:
        super().__init__()
        self.ahead, self.back = (nn.GRU(5, 3, batch_first=True) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        outputs, _ = self.ahead(x)
        turned, _ = self.back(x.flip(1))
        return torch.cat([outputs, turned.flip(1)], self.axis)


class JoinedInTime(Joined):
    """(B, T, D) -> (B, T, 2H)."""

    axis = 1


class EverySecondStep(Joined):
    """(B, T, D) -> (B, T // 2, 2H)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:, ::2]


class ChannelsInside(Joined):
    """The convolution takes (B, C, L) -> (B, L, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:, :, :4]


class CallsTheOtherOutput(Joined):
    """(B, T, D) -> (1, B, 2H)."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]  # as others write it
        outputs = super().forward(x)
        return outputs, outputs[None, :, -1]


class StridesAndKeepsTheLetter(Joined):
    """(B, T, D) -> (B, T, 2H)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:, ::2]


class ExchangesItsAxes(Joined):
    """(B, T, D) -> (T, B, 2H)."""
