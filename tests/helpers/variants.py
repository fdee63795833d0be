"""Right cells of the less common kinds, as people write them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Peepholes(nn.Module):
    """Diagonal, the output gate sees the new cell state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, 4 * hidden_size)
        self.h = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        self.w_ci = nn.Parameter(torch.randn(hidden_size))
        self.w_cf = nn.Parameter(torch.randn(hidden_size))
        self.w_co = nn.Parameter(torch.randn(hidden_size))

    def peephole_state(self, old: Tensor, new: Tensor) -> Tensor:
        return new

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = (self.x(x) + self.h(h)).chunk(4, 1)
        new = torch.sigmoid(f + self.w_cf * c) * c + torch.sigmoid(i + self.w_ci * c) * torch.tanh(g)
        return torch.sigmoid(o + self.w_co * self.peephole_state(c, new)) * torch.tanh(new), new


class PeepholesOnTheOld(Peepholes):
    """The output gate sees the old cell state."""

    def peephole_state(self, old: Tensor, new: Tensor) -> Tensor:
        return old


class FullPeepholes(nn.Module):
    """Matrices from the cell state to the gates."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        d = hidden_size
        self.x = nn.Linear(input_size, 4 * d)
        self.h = nn.Linear(d, 4 * d, bias=False)
        self.ci, self.cf, self.co = (nn.Parameter(torch.randn(d, d)) for _ in range(3))

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = (self.x(x) + self.h(h)).chunk(4, 1)
        new = torch.sigmoid(f + c @ self.cf.T) * c + torch.sigmoid(i + c @ self.ci.T) * torch.tanh(g)
        return torch.sigmoid(o + new @ self.co.T) * torch.tanh(new), new


class Coupled(nn.Module):
    """The forget gate is 1 - i; three gates."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.all = nn.Linear(input_size + hidden_size, 3 * hidden_size)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, c = state
        i, o, g = self.all(torch.cat([x, h], 1)).chunk(3, 1)
        i = torch.sigmoid(i)
        c = (1 - i) * c + i * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, (h, c)


class HardGRU(nn.Module):
    """Hard sigmoid gates a/5 + 1/2, as older Keras had them, and a ReLU candidate."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, 3 * hidden_size)
        self.h = nn.Linear(hidden_size, 3 * hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        x_z, x_r, x_g = self.x(x).chunk(3, 1)
        h_z, h_r, h_g = self.h(h).chunk(3, 1)
        z, r = (torch.clamp(0.2 * a + 0.5, 0, 1) for a in (x_z + h_z, x_r + h_r))
        return z * h + (1 - z) * torch.relu(x_g + r * h_g)


class Shifted(nn.Module):
    """1.5 is added to the forget gate."""

    shift: Tensor

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner = nn.LSTMCell(input_size, hidden_size)
        self.register_buffer("shift", torch.cat([torch.full((hidden_size,), 1.5 * (k == 1)) for k in range(4)]))

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        cell = self.inner
        a = nn.functional.linear(x, cell.weight_ih, cell.bias_ih) + nn.functional.linear(
            h, cell.weight_hh, cell.bias_hh
        )
        i, f, g, o = (a + self.shift).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class Limited(Shifted):
    """The cell state is kept within -3 and 3, and 1.5 is added to the forget gate."""

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        cell, linear = self.inner, nn.functional.linear
        a = linear(x, cell.weight_ih, cell.bias_ih) + linear(h, cell.weight_hh, cell.bias_hh)
        i, f, g, o = (a + self.shift).chunk(4, 1)
        c = (torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)).clamp(-3, 3)
        return torch.sigmoid(o) * torch.tanh(c), c


class InputCoupled(nn.Module):
    """No input gate: 1 - f stands in its place, as in TensorFlow's CoupledInputForgetGateLSTMCell."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, 3 * hidden_size), nn.Linear(hidden_size, 3 * hidden_size)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        g, f, o = (self.x(x) + self.h(h)).chunk(3, 1)
        f = torch.sigmoid(f + 1)
        c = f * c + (1 - f) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class Interleaved(nn.Module):
    """Every unit's four gates lie together, as in kernels that keep a unit's numbers near each other."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.joined = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f, g, o = self.joined(torch.cat([x, h], 1)).reshape(*h.shape, 4).unbind(-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class LastAlone(nn.Module):
    """Right, but of a sequence it gives the last state alone."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def forward(self, sequence: Tensor, h: Tensor) -> Tensor:
        for x in sequence:
            h = torch.tanh(self.x(x) + self.h(h))
        return h


class SigmoidCandidate(nn.Module):
    """Input gate and candidate have the same activation: nothing tells one from the other."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gates = nn.ModuleList(nn.Linear(input_size + hidden_size, hidden_size) for _ in range(4))

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        joined = torch.cat([x, h], 1)
        i, f, o, g = (torch.sigmoid(gate(joined)) for gate in self.gates)
        c = f * c + i * g
        return o * torch.tanh(c), c
