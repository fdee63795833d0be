"""Cells whose states or matrices have widths of their own, right ones and their wrong twins."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rnn_harness.array_types import Array

States = tuple[Tensor, ...]


class Projected(nn.Module):
    """An LSTM with projected output, its gates stacked output first."""

    def __init__(self, input_size: int = 3, cell_size: int = 5, output_size: int = 4) -> None:
        super().__init__()
        self.both = nn.Linear(input_size + output_size, 4 * cell_size)
        self.narrow = nn.Linear(cell_size, output_size, bias=False)

    def output(self, o: Tensor, c: Tensor) -> Tensor:
        return self.narrow(torch.sigmoid(o) * torch.tanh(c))

    def forward(self, x: Tensor, state: States) -> tuple[Tensor, States]:
        r, c = state
        o, i, g, f = self.both(torch.cat([x, r], 1)).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        r = self.output(o, c)
        return r, (r, c)


class ProjectedWithoutGate(Projected):
    """The same without its output gate."""

    def output(self, o: Tensor, c: Tensor) -> Tensor:
        return self.narrow(torch.tanh(c) + 0 * o)


class ProjectedOutside(Projected):
    """The same with tanh behind the projection."""

    def output(self, o: Tensor, c: Tensor) -> Tensor:
        return torch.tanh(self.narrow(torch.sigmoid(o) * c))


class Nested(nn.Module):
    """A nested LSTM, its inner cell torch's."""

    def __init__(self, input_size: int = 3, hidden_size: int = 4) -> None:
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 4 * hidden_size)
        self.inner = nn.LSTMCell(hidden_size, hidden_size)

    def kept(self, f: Tensor, c: Tensor) -> Tensor:
        return torch.sigmoid(f) * c

    def forward(self, x: Tensor, state: States) -> tuple[Tensor, States]:
        h, c, memory = state
        f, i, o, g = self.gates(torch.cat([x, h], 1)).chunk(4, 1)
        c, memory = self.inner(torch.sigmoid(i) * torch.tanh(g), (self.kept(f, c), memory))
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, (h, c, memory)


class NestedWithoutForgetting(Nested):
    """The same whose inner cell is given the old cell as it is."""

    def kept(self, f: Tensor, c: Tensor) -> Tensor:
        return c + 0 * f


class Context(nn.Module):
    """A structurally constrained network whose context is narrower than its state."""

    def __init__(self, input_size: int = 3, hidden_size: int = 4, context_size: int = 2) -> None:
        super().__init__()
        self.slow = nn.Linear(input_size, context_size, bias=False)
        self.fast = nn.Linear(input_size + hidden_size + context_size, hidden_size, bias=False)

    def read(self, new: Tensor, old: Tensor) -> Tensor:
        return new

    def forward(self, x: Tensor, s: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        new = 0.9 * s + 0.1 * self.slow(x)
        return new, torch.sigmoid(self.fast(torch.cat([h, self.read(new, s), x], 1)))


class ContextBefore(Context):
    """The same that reads the context of the step before."""

    def read(self, new: Tensor, old: Tensor) -> Tensor:
        return old


class LowRank(nn.Module):
    """A FastGRNN of ranks 2 and 1, its factors stored (operands, results)."""

    def __init__(self, input_size: int = 3, hidden_size: int = 4) -> None:
        super().__init__()
        self.a, self.b = nn.Parameter(torch.randn(input_size, 2)), nn.Parameter(torch.randn(2, hidden_size))
        self.c, self.e = nn.Parameter(torch.randn(hidden_size, 1)), nn.Parameter(torch.randn(1, hidden_size))
        self.gate, self.update = (nn.Parameter(torch.randn(hidden_size)) for _ in range(2))
        self.zeta, self.nu = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(-4.0))

    def mix(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.zeta) * (1 - z) + torch.sigmoid(self.nu)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        shared = x @ self.a @ self.b + h @ self.c @ self.e
        z = torch.sigmoid(shared + self.gate)
        return self.mix(z) * torch.tanh(shared + self.update) + z * h


class LowRankWithoutComplement(LowRank):
    """The same whose candidate is weighted by the gate and not by one less the gate."""

    def mix(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.zeta) * z + torch.sigmoid(self.nu)


class Convolved(nn.Module):
    """A QRNN of window two, its gates from one convolution."""

    def __init__(self, input_size: int = 3, hidden_size: int = 4) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(input_size, 3 * hidden_size, 2)

    def pool(self, f: Tensor, c: Tensor, z: Tensor) -> Tensor:
        return f * c + (1 - f) * z

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        gates = self.convolution(functional.pad(x.transpose(1, 2), (1, 0))).permute(2, 0, 1)
        o, z, f = gates.chunk(3, 2)
        c, outputs = torch.zeros_like(z[0]), []
        for step in range(len(z)):
            c = self.pool(torch.sigmoid(f[step]), c, torch.tanh(z[step]))
            outputs.append(torch.sigmoid(o[step]) * c)
        return torch.stack(outputs, 1), c


class ConvolvedWithoutComplement(Convolved):
    """The same whose candidate is not weighted."""

    def pool(self, f: Tensor, c: Tensor, z: Tensor) -> Tensor:
        return f * c + z


class Masked(nn.Module):
    """A GRU with a mask beside its input, which stands behind the input in one matrix."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gates = nn.Linear(2 * input_size + hidden_size, 2 * hidden_size)
        self.candidate = nn.Linear(2 * input_size + hidden_size, hidden_size)

    def read(self, r: Tensor, h: Tensor) -> Tensor:
        return r * h

    def forward(self, x: Tensor, mask: Tensor, h: Tensor) -> Tensor:
        z, r = torch.sigmoid(self.gates(torch.cat([x, h, mask], 1))).chunk(2, 1)
        return (1 - z) * h + z * torch.tanh(self.candidate(torch.cat([x, self.read(r, h), mask], 1)))


class MaskedOutside(Masked):
    """The same whose candidate reads one less the reset gate."""

    def read(self, r: Tensor, h: Tensor) -> Tensor:
        return (1 - r) * h


class Skipping(nn.Module):
    """SRU, whose input is added to its output: it is made of equal sizes alone."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        if input_size != hidden_size:
            raise ValueError("the input is added to the output")
        self.of_x = nn.Linear(input_size, 3 * hidden_size, bias=False)
        self.of_c = nn.Parameter(torch.randn(2, hidden_size))
        self.biases = nn.Parameter(torch.randn(2, hidden_size))

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        new, forget, reset = self.of_x(x).chunk(3, -1)
        f = torch.sigmoid(forget + self.of_c[0] * c + self.biases[0])
        r = torch.sigmoid(reset + self.of_c[1] * c + self.biases[1])
        c = f * c + (1 - f) * new
        return r * c + (1 - r) * x, c


class ContextOfArrays:
    """SCRN in NumPy, with a context of a size of its own."""

    def __init__(self, input_size: int, hidden_size: int, context_size: int) -> None:
        draw = np.random.default_rng(5).standard_normal
        self.A, self.R = draw((hidden_size, input_size)), draw((hidden_size, hidden_size))
        self.B, self.P = draw((context_size, input_size)), draw((hidden_size, context_size))

    def step(self, x: Array, h: Array, s: Array) -> tuple[Array, Array]:
        s = 0.1 * x @ self.B.T + 0.9 * s
        return 1 / (1 + np.exp(-(s @ self.P.T + x @ self.A.T + h @ self.R.T))), s


class GapsWithLast(nn.Module):
    """A GRU-D for data whose mean is zero; its state is a tuple with what it saw last."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        width = 2 * input_size + hidden_size
        self.rate, self.offset = nn.Parameter(torch.rand(input_size)), nn.Parameter(torch.rand(input_size))
        self.decay = nn.Linear(input_size, hidden_size)
        self.update, self.reset, self.candidate = (nn.Linear(width, hidden_size) for _ in range(3))

    def forward(self, x: Tensor, m: Tensor, delta: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, last = state
        filled = m * x + (1 - m) * torch.exp(-torch.relu(self.rate * delta + self.offset)) * last
        h = torch.exp(-torch.relu(self.decay(delta))) * h
        z, r = (torch.sigmoid(gate(torch.cat([filled, h, m], -1))) for gate in (self.update, self.reset))
        n = torch.tanh(self.candidate(torch.cat([filled, r * h, m], -1)))
        return (1 - z) * h + z * n, m * x + (1 - m) * last
