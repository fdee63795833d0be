"""Cells of the literature with one mistake each, parameters under other names."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Joined(nn.Module):
    """A cell whose matrices stand in one, on [x, h]."""

    blocks = 2

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.both = nn.Linear(input_size + hidden_size, self.blocks * hidden_size)

    def parts(self, x: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        return self.both(torch.cat([x, h], 1)).chunk(self.blocks, 1)


class ExchangedWeights(Joined):
    """MGU: the gate and its complement exchanged in the update alone."""

    blocks = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.candidate = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        (f,) = self.parts(x, h)
        f = torch.sigmoid(f)
        return f * h + (1 - f) * torch.tanh(self.candidate(torch.cat([x, f * h], 1)))


class BiasBehindTheGate(Joined):
    """UGRNN with a forget bias of 1 that is added behind the sigmoid."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.parts(x, h)
        g = torch.sigmoid(g) + 1.0
        return g * h + (1 - g) * torch.tanh(c)


class BiasAndWrongUpdate(Joined):
    """UGRNN with a forget bias of 1, and a candidate without its weight."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.parts(x, h)
        return torch.sigmoid(g + 1.0) * h + torch.tanh(c)


class ActivationOnTheState(Joined):
    """LiGRU: ReLU on the new state in place of the candidate."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z, a = self.parts(x, h)
        z = torch.sigmoid(z)
        return torch.relu(z * h + (1 - z) * a)


class GatedOperand(nn.Module):
    """UGRNN: the state in the candidate is gated, as in a GRU."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, 2 * hidden_size), nn.Linear(hidden_size, hidden_size)
        self.u = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.x(x).chunk(2, 1)
        g = torch.sigmoid(g + self.h(h))
        return g * h + (1 - g) * torch.tanh(c + self.u(g * h))


class _Additive(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.content = nn.Linear(input_size, hidden_size, bias=False)
        self.gates = nn.Linear(input_size + hidden_size, 2 * hidden_size)


class StateHandedOn(_Additive):
    """RAN: tanh of the memory is handed on as the memory."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f = torch.sigmoid(self.gates(torch.cat([x, h], 1))).chunk(2, 1)
        h = torch.tanh(i * self.content(x) + f * c)
        return h, h


class AnotherStateEverywhere(_Additive):
    """RAN: both gates read the memory and not the output."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        _, c = state
        i, f = torch.sigmoid(self.gates(torch.cat([x, c], 1))).chunk(2, 1)
        c = i * self.content(x) + f * c
        return torch.tanh(c), c


class TermInAnotherGate(nn.Module):
    """STAR: the recurrent term stands in z and not in the gain."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.k, self.z = nn.Linear(input_size, hidden_size), nn.Linear(input_size, hidden_size)
        self.u = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        k, z = torch.sigmoid(self.k(x)), torch.tanh(self.z(x) + self.u(h))
        return torch.tanh((1 - k) * h + k * z)


class OscillatorWithoutItsStep(nn.Module):
    """coRNN with other constants, whose second equation lacks the time step."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.weights = nn.Linear(input_size + 2 * hidden_size, hidden_size)

    def forward(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        z = z + 0.1 * (torch.tanh(self.weights(torch.cat([x, z, y], 1))) - 2.7 * y - 0.3 * z)
        return y + z, z


class Independent(nn.Module):
    """IndRNN: the recurrent term behind the activation."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner, self.scale = nn.Linear(input_size, hidden_size), nn.Parameter(torch.randn(hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.relu(self.inner(x)) + self.scale * h


class Subtractive(nn.Module):
    """Sub-LSTM: its output is subtracted the other way round."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, 4 * hidden_size), nn.Linear(hidden_size, 4 * hidden_size, bias=False)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f, o, z = torch.sigmoid(self.x(x) + self.h(h)).chunk(4, 1)
        c = f * c + z - i
        return o - torch.sigmoid(c), c


class GatedTerm(Joined):
    """UGRNN: the gate multiplies the recurrent term of the candidate too."""

    blocks = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.of_x = nn.Linear(input_size, hidden_size)
        self.of_h = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g = torch.sigmoid(self.parts(x, h)[0])
        return g * h + (1 - g) * torch.tanh(self.of_x(x) + g * self.of_h(h))


class SquaredGate(Joined):
    """UGRNN: the old state is multiplied by the gate twice."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.parts(x, h)
        g = torch.sigmoid(g)
        return g * g * h + (1 - g) * torch.tanh(c)


class SameGateTwice(Joined):
    """JANET: one gate keeps and writes."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        gate, candidate = self.parts(x, h)
        kept = torch.sigmoid(gate - 1.0)
        c = kept * c + (1 - kept) * torch.tanh(candidate)
        return c, c


class WholeSumUnderTanh(nn.Module):
    """Leaky reservoir: tanh is applied to the mixed state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.of_x = nn.Linear(input_size, hidden_size)
        self.of_h = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(0.7 * h + 0.3 * (self.of_x(x) + self.of_h(h)))


class LeakyResidual(nn.Module):
    """Antisymmetric network: the old state leaks, and should be kept whole."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.of_x = nn.Linear(input_size, hidden_size)
        self.skew = nn.Parameter(torch.randn(hidden_size, hidden_size) / 2)

    def step(self, h: Tensor, inner: Tensor) -> Tensor:
        return 0.9 * h + 0.1 * torch.tanh(inner)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.step(h, self.of_x(x) + h @ (self.skew - self.skew.T).T - 0.01 * h)


class StepInsideTanh(LeakyResidual):
    """Antisymmetric network: the step size stands inside of tanh."""

    def step(self, h: Tensor, inner: Tensor) -> Tensor:
        return h + torch.tanh(0.1 * inner)


class ComplementOnATerm(Joined):
    """RAN: 1 - f multiplies the new content too."""

    blocks = 3

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.both = nn.Linear(input_size + hidden_size, 2 * hidden_size)
        self.content = nn.Linear(input_size, hidden_size, bias=False)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f = torch.sigmoid(self.both(torch.cat([x, h], 1))).chunk(2, 1)
        c = (1 - f) * i * self.content(x) + f * c
        return torch.tanh(c), c


class SoftmaxGate(Joined):
    """UGRNN: the gate is a softmax."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.parts(x, h)
        g = torch.softmax(g, -1)
        return g * h + (1 - g) * torch.tanh(c)


class LeakyRectifier(nn.Module):
    """IndRNN with a leaky rectifier."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner, self.scale = nn.Linear(input_size, hidden_size), nn.Parameter(torch.randn(hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return nn.functional.leaky_relu(self.inner(x) + self.scale * h)


class GatedOutput(ComplementOnATerm):
    """RAN: its output is multiplied by the forget gate."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f = torch.sigmoid(self.both(torch.cat([x, h], 1))).chunk(2, 1)
        c = i * self.content(x) + f * c
        return f * torch.tanh(c), c


class GatedArgument(Joined):
    """UGRNN: the gate multiplies all that goes into the candidate."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        g, c = self.parts(x, h)
        g = torch.sigmoid(g)
        return g * h + (1 - g) * torch.tanh(g * c)


class ReadTooEarly(nn.Module):
    """Minimal RNN: the gate reads the embedding before its tanh."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(input_size, hidden_size)
        self.gate = nn.Linear(2 * hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z = self.embedding(x)
        u = torch.sigmoid(self.gate(torch.cat([z, h], 1)))
        return u * h + (1 - u) * torch.tanh(z)


class ForgetsTheNew(Joined):
    """Sub-LSTM: the forget gate multiplies what is written, too."""

    blocks = 4

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        z, i, f, o = (torch.sigmoid(part) for part in self.parts(x, h))
        c = f * (c + z - i)
        return torch.sigmoid(c) - o, c


class SquashedContent(ComplementOnATerm):
    """RAN: sigmoid is applied to its content."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f = torch.sigmoid(self.both(torch.cat([x, h], 1))).chunk(2, 1)
        c = i * torch.sigmoid(self.content(x)) + f * c
        return torch.tanh(c), c


class NoNormalisation(nn.Module):
    """GRU with layer normalisation: the one of the candidate's recurrent term was forgotten."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inputs = nn.ModuleList(nn.Linear(input_size, hidden_size, bias=False) for _ in range(3))
        self.states = nn.ModuleList(nn.Linear(hidden_size, hidden_size, bias=False) for _ in range(3))
        self.norms = nn.ModuleList(nn.LayerNorm(hidden_size) for _ in range(6))
        for norm in self.norms:
            assert isinstance(norm, nn.LayerNorm)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.5, 0.5)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        a, b, c = (norm(part(x)) for norm, part in zip(self.norms[:3], self.inputs, strict=True))
        d, e = (norm(part(h)) for norm, part in zip(self.norms[3:5], self.states[:2], strict=True))
        r, z = torch.sigmoid(a + d), torch.sigmoid(b + e)
        return (1 - z) * torch.tanh(c + r * self.states[2](h)) + z * h
