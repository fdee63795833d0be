"""Layers that offer a method for one step, or a second way of computing the sequence, beside their forward."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rnn_harness.array_types import Array


class MinimalGRU(nn.Module):
    """A minimal GRU, rows first: its forward is a loop that starts from zeros, its step takes a state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.to_gate, self.to_candidate = nn.Linear(input_size, hidden_size), nn.Linear(input_size, hidden_size)
        self.hidden_size = hidden_size

    def step(self, x_t: Tensor, h: Tensor) -> Tensor:
        z = torch.sigmoid(self.to_gate(x_t))
        return (1 - z) * h + z * self.to_candidate(x_t)

    def behind(self, h: Tensor, x: Tensor) -> Tensor:
        return h

    def forward(self, x: Tensor) -> Tensor:
        z, candidate = torch.sigmoid(self.to_gate(x)), self.to_candidate(x)
        h, outputs = x.new_zeros(len(x), self.hidden_size), []
        for t in range(x.shape[1]):
            h = (1 - z[:, t]) * h + z[:, t] * candidate[:, t]
            outputs.append(self.behind(h, x[:, t]))
        return torch.stack(outputs, 1)


class BehindActivation(MinimalGRU):
    """What forward gives is the tanh of its states."""

    def behind(self, h: Tensor, x: Tensor) -> Tensor:
        return torch.tanh(h)


class BehindSum(MinimalGRU):
    """What forward gives is its states with the inputs added, as in a residual block."""

    def behind(self, h: Tensor, x: Tensor) -> Tensor:
        return h + x


class BehindNorm(MinimalGRU):
    """What forward gives is its states normalised."""

    def behind(self, h: Tensor, x: Tensor) -> Tensor:
        return functional.layer_norm(h, h.shape[-1:])


class BehindLayer(MinimalGRU):
    """What forward gives went through a layer of its own."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.out = nn.Linear(hidden_size, hidden_size)

    def behind(self, h: Tensor, x: Tensor) -> Tensor:
        out: Tensor = self.out(h)
        return out


class ProjectedBefore(nn.Module):
    """Its step takes inputs that are projected already, and are as wide as the inputs."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.sin(x + self.h2h(h))

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs = []
        for projected in self.x2h(x):
            h = self.step(projected, h)
            outputs.append(h)
        return torch.stack(outputs), h


class ScaledBefore(MinimalGRU):
    """Its forward calls its step on inputs that it makes smaller before."""

    def forward(self, x: Tensor) -> Tensor:
        h, outputs = x.new_zeros(len(x), self.hidden_size), []
        for t in range(x.shape[1]):
            h = self.step(x[:, t] / 10, h)
            outputs.append(h)
        return torch.stack(outputs, 1)


class LogarithmicGRU(MinimalGRU):
    """A minimal GRU as published (Feng et al. 2024, appendix B.2.1): its scan reads the first state through g."""

    def g(self, value: Tensor) -> Tensor:
        return torch.where(value >= 0, value + 0.5, value.sigmoid())

    def step(self, x_t: Tensor, h: Tensor) -> Tensor:
        z = torch.sigmoid(self.to_gate(x_t))
        return (1 - z) * h + z * self.g(self.to_candidate(x_t))

    def forward(self, x: Tensor, h_0: Tensor) -> Tensor:  # type: ignore[override]  # it takes a state
        k = self.to_gate(x)
        log_values = torch.cat(
            [self.g(h_0).log()[:, None], functional.logsigmoid(k) + self.g(self.to_candidate(x)).log()], 1
        )
        log_decays = functional.pad(functional.logsigmoid(-k).cumsum(1), (0, 0, 1, 0))
        return (log_decays + (log_values - log_decays).logcumsumexp(1)).exp()[:, 1:]


class ExchangedInStep(MinimalGRU):
    """Wrong: the gate stands at the other term in the step."""

    def step(self, x_t: Tensor, h: Tensor) -> Tensor:
        z = torch.sigmoid(self.to_gate(x_t))
        return z * h + (1 - z) * self.to_candidate(x_t)


class BiasLeftOut(MinimalGRU):
    """Wrong: the step leaves out a bias."""

    def step(self, x_t: Tensor, h: Tensor) -> Tensor:
        z = torch.sigmoid(functional.linear(x_t, self.to_gate.weight))
        return (1 - z) * h + z * self.to_candidate(x_t)


class PlainCandidateInStep(LogarithmicGRU):
    """Wrong: the step leaves out the g of the scan."""

    def step(self, x_t: Tensor, h: Tensor) -> Tensor:
        return MinimalGRU.step(self, x_t, h)


class GatedLayer(nn.Module):
    """A layer of two states, steps first, whose step takes them apart and gives them back in the other order."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(input_size, hidden_size)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        outputs = []
        for x_t in x:
            state = self.cell(x_t, state)
            outputs.append(state[0])
        return torch.stack(outputs), state

    def forward_step(self, x_t: Tensor, c: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        h, c = self.cell(x_t, (h, c))
        return c, h


class HalfOfTheMemory(GatedLayer):
    """Wrong: the step keeps half of the memory."""

    def forward_step(self, x_t: Tensor, c: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward_step(x_t, c / 2, h)


class OfOneDecay(nn.Module):
    """A linear recurrence, steps first, as a loop and as a sum over powers of its decays."""

    first_power = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.decay = nn.Linear(input_size, hidden_size), nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs = []
        for x_t in x:
            h = torch.sigmoid(self.decay) * h + self.x2h(x_t)
            outputs.append(h)
        return torch.stack(outputs), h

    def forward_parallel(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        decay, values = torch.sigmoid(self.decay), self.x2h(x)
        powers = torch.arange(len(x))[:, None] - torch.arange(len(x))
        weights = torch.where(powers[..., None] >= 0, decay ** powers.clamp(min=0)[..., None], 0.0)
        first = decay ** (torch.arange(len(x)) + self.first_power)[:, None]
        outputs = torch.einsum("tsd,sbd->tbd", weights, values) + first[:, None] * h
        return outputs, outputs[-1]


class FirstPowerIsZero(OfOneDecay):
    """Wrong: the state that is given does not decay in the first step of the parallel form."""

    first_power = 0


class ArrayLayer:
    """A layer on NumPy arrays, steps first, with a method for one step."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        rng = np.random.default_rng(0)
        self.Wx, self.Wh = rng.standard_normal((input_size, hidden_size)), rng.standard_normal((hidden_size,) * 2)
        self.b = np.zeros(hidden_size)

    def forward(self, xs: Array, h: Array) -> Array:
        outputs = []
        for x in xs:
            h = np.tanh(x @ self.Wx + h @ self.Wh + self.b)
            outputs.append(h)
        return np.stack(outputs)

    def step(self, x: Array, h: Array) -> Array:
        new: Array = np.tanh(x @ self.Wx + h @ self.Wh + self.b)
        return new


class ArrayStepTransposed(ArrayLayer):
    """Wrong: the step multiplies by the transposed matrix."""

    def step(self, x: Array, h: Array) -> Array:
        new: Array = np.tanh(x @ self.Wx + h @ self.Wh.T + self.b)
        return new
