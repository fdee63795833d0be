"""Kinds of targets that are no plain cells: autograd functions alone, several inputs, fixed weights, a loss inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnn_harness.array_types import Array


class LSTMOfGates(torch.autograd.Function):
    """Right: takes the pre-activations of the four gates and the old cell state."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, c_prev: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = gates.chunk(4, 1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c_prev + i * g
        ctx.save_for_backward(i, f, g, o, c_prev, c.tanh())
        return o * c.tanh(), c

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> tuple[Tensor, ...]:
        dh, dc = incoming
        i, f, g, o, c_prev, y = ctx.saved_tensors
        dc = dc + dh * o * (1 - y * y)
        slopes = dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g * g), dh * y * o * (1 - o)
        return torch.cat(slopes, 1), dc * f


class LSTMOfGatesWithoutSlope(LSTMOfGates):
    """Wrong: the slope of the forget gate's sigmoid is left out."""

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> tuple[Tensor, ...]:
        d_gates, dc_prev = LSTMOfGates.backward(ctx, *incoming)
        _, f, *_ = ctx.saved_tensors
        parts = list(d_gates.chunk(4, 1))
        parts[1] = parts[1] / (f * (1 - f))
        return torch.cat(parts, 1), dc_prev


class PeepholeOfGates(torch.autograd.Function):
    """Right: takes the weights of the output gate's peephole besides."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, c_prev: Tensor, w_co: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = gates.chunk(4, 1)
        i, f, g = i.sigmoid(), f.sigmoid(), g.tanh()
        c = f * c_prev + i * g
        o = torch.sigmoid(o + w_co * c)
        ctx.save_for_backward(i, f, g, o, c_prev, c, w_co)
        return o * c.tanh(), c

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> tuple[Tensor, ...]:
        dh, dc = incoming
        i, f, g, o, c_prev, c, w_co = ctx.saved_tensors
        y = c.tanh()
        do = dh * y * o * (1 - o)
        dc = dc + dh * o * (1 - y * y) + do * w_co
        slopes = dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g * g), do
        return torch.cat(slopes, 1), dc * f, (do * c).sum(0)


class CellBeforeHidden(torch.autograd.Function):
    """Right: gives the cell state first."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, c_prev: Tensor) -> tuple[Tensor, Tensor]:
        return LSTMOfGates.forward(ctx, gates, c_prev)[::-1]

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> tuple[Tensor, ...]:
        return LSTMOfGates.backward(ctx, *incoming[::-1])


class GRUOfTwoSums(torch.autograd.Function):
    """Right: takes what the weights of the input and of the state give, and the state; its context is set apart."""

    @staticmethod
    def forward(gi: Tensor, gh: Tensor, h: Tensor) -> Tensor:
        (xr, xz, xn), (hr, hz, hn) = gi.chunk(3, 1), gh.chunk(3, 1)
        z = torch.sigmoid(xz + hz)
        return (1 - z) * torch.tanh(xn + torch.sigmoid(xr + hr) * hn) + z * h

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> tuple[Tensor, ...]:
        (dh,), (gi, gh, h) = incoming, ctx.saved_tensors
        (xr, xz, xn), (hr, hz, hn) = gi.chunk(3, 1), gh.chunk(3, 1)
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        n = torch.tanh(xn + r * hn)
        dn, dz = dh * (1 - z) * (1 - n * n), dh * (h - n) * z * (1 - z)
        dr = dn * hn * r * (1 - r)
        return torch.cat([dr, dz, dn], 1), torch.cat([dr, dz, dn * r], 1), dh * z


class TanhOfWeights(torch.autograd.Function):
    """Right: takes its weights, as the extensions of torch's tutorial do."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, h: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
        y = torch.tanh(x @ W.T + h @ U.T + b)
        ctx.save_for_backward(x, h, W, U, y)
        return y

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> tuple[Tensor, ...]:
        x, h, W, U, y = ctx.saved_tensors
        a = incoming[0] * (1 - y * y)
        return a @ W, a @ U, a.T @ x, a.T @ h, a.sum(0)


class NoStep(torch.autograd.Function):
    """No step of anything: it gives a number."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor) -> Tensor:
        return (logits * labels).sum()

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> tuple[None, None]:
        return None, None


class DecayedGRU(nn.Module):
    """Right: a GRU for series with gaps, with a mask and the time since the last value beside x (arXiv 1606.01865)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.decay = nn.Linear(input_size, hidden_size)
        self.gates, self.mask = (
            nn.Linear(input_size, 3 * hidden_size),
            nn.Linear(input_size, 3 * hidden_size, bias=False),
        )
        self.state = nn.Linear(hidden_size, 2 * hidden_size, bias=False)
        self.candidate = nn.Linear(hidden_size, hidden_size, bias=False)

    def decayed(self, h: Tensor, delta: Tensor) -> Tensor:
        return h * torch.exp(-torch.relu(self.decay(delta)))

    def forward(self, x: Tensor, m: Tensor, delta: Tensor, h: Tensor) -> Tensor:
        h = self.decayed(h, delta)
        z, r, g = (self.gates(m * x) + self.mask(m)).chunk(3, -1)
        hz, hr = self.state(h).chunk(2, -1)
        z, r = torch.sigmoid(z + hz), torch.sigmoid(r + hr)
        return (1 - z) * h + z * torch.tanh(g + self.candidate(r * h))


class DecayedGRUWithoutSlope(DecayedGRU):
    """Wrong: the decay has no gradient."""

    def decayed(self, h: Tensor, delta: Tensor) -> Tensor:
        return h * torch.exp(-torch.relu(self.decay(delta))).detach()


class Reservoir(nn.Module):
    """Right: nothing of it is trained, so it keeps its weights in buffers and computes without gradients."""

    w_in: Tensor
    w: Tensor

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.register_buffer("w_in", torch.rand(hidden_size, input_size) - 0.5)
        self.register_buffer("w", torch.randn(hidden_size, hidden_size) / hidden_size)
        self.bias = torch.randn(hidden_size)

    @torch.no_grad()
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(x @ self.w_in.T + h @ self.w.T + self.bias)


class CharacterModel:
    """A class whose only method takes characters and those that follow them, and gives a loss with gradients."""

    def __init__(self, vocab_size: int, hidden_size: int) -> None:
        self.Wxh = np.zeros((hidden_size, vocab_size))

    def loss(self, inputs: list[int], targets: list[int], hprev: Array) -> float:
        return float(len(inputs) + len(targets) + hprev.sum())
