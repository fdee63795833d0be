"""Models that compute their recurrence in their own forward, with an output layer behind it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


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


class Probabilities(nn.Module):
    """A many-to-one RNN whose scores go through a softmax."""

    over = -1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.Wxh, self.Whh = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        self.Why = nn.Linear(hidden_size, 4)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[0], self.Whh.in_features)
        for t in range(x.shape[1]):
            h = torch.tanh(self.Wxh(x[:, t]) + self.Whh(h))
        return torch.softmax(self.Why(h), self.over)


class ProbabilitiesOverTheBatch(Probabilities):
    """Its softmax is over the rows of the batch."""

    over = 0


class WithGaps(nn.Module):
    """Values, a mask and time gaps (B, T, n) in, a risk (B, T) out; the state decays over a gap."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.decay, self.read = nn.Linear(input_size, hidden_size), nn.Linear(2 * input_size, hidden_size)
        self.recur, self.risk = nn.Linear(hidden_size, hidden_size, bias=False), nn.Linear(hidden_size, 1)

    def carried(self, h: Tensor) -> Tensor:
        return h

    def forward(self, x: Tensor, mask: Tensor, delta: Tensor) -> Tensor:
        h, risks = x.new_zeros(x.shape[0], self.recur.in_features), []
        for t in range(x.shape[1]):
            h = self.carried(h) * torch.exp(-functional.softplus(self.decay(delta[:, t])))
            h = torch.tanh(self.read(torch.cat([x[:, t] * mask[:, t], mask[:, t]], -1)) + self.recur(h))
            risks.append(torch.sigmoid(self.risk(h)).squeeze(-1))
        return torch.stack(risks, 1)


class WithGapsDetached(WithGaps):
    """No gradient goes back through time."""

    def carried(self, h: Tensor) -> Tensor:
        return h.detach()
