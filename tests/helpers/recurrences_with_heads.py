"""Models that compute their recurrence in their own forward, with an output layer behind it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ManyToOne(nn.Module):
    """Scores of the last step of (B, T, n)."""

    def __init__(self, input_size: int, hidden_size: int, num_classes: int = 10) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.Wxh, self.Whh = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.Why = nn.Linear(hidden_size, num_classes)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        """Compute the next state."""
        return torch.tanh(self.Wxh(x) + self.Whh(h))

    def forward(self, x: Tensor) -> Tensor:
        """Go over the sequence."""
        h = x.new_zeros(len(x), self.hidden_size)
        for t in range(x.shape[1]):
            h = self.step(x[:, t], h)
        return torch.as_tensor(self.Why(h))


class AsManyClassesAsUnits(ManyToOne):
    """The output is as wide as the state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, hidden_size)


class ForgetsItsState(ManyToOne):
    """The state of a step is not that of the step before."""

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        """Compute the next state."""
        return torch.tanh(self.Wxh(x) + self.Whh(h.detach()))


class OfEveryStep(ManyToOne):
    """Outputs (B, T, k) that are computed step by step."""

    def forward(self, x: Tensor) -> Tensor:
        """Go over the sequence."""
        h, outputs = x.new_zeros(len(x), self.hidden_size), []
        for t in range(x.shape[1]):
            h = self.step(x[:, t], h)
            outputs.append(self.Why(h))
        return torch.stack(outputs, 1)


class FeedsBack(ManyToOne):
    """What its output layer gives goes into the next step."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """Go over the sequence."""
        y, outputs = x.new_zeros(len(x), self.hidden_size), []
        for t in range(x.shape[1]):
            y = self.Why(self.step(x[:, t], y))
            outputs.append(y)
        return torch.stack(outputs, 1)
