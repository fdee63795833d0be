"""Cells as people write them: every layout, every way of being called, and some that are wrong."""

from __future__ import annotations

import ctypes
import os
import time
from typing import Any

import torch
from torch import Tensor, nn


class PackedGRU(nn.Module):
    """Reset after, r z n packed, its own parameter names."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(3 * hidden_size, input_size))
        self.U = nn.Parameter(torch.randn(3 * hidden_size, hidden_size))
        self.b = nn.Parameter(torch.randn(3 * hidden_size))
        self.c = nn.Parameter(torch.randn(3 * hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        i_r, i_z, i_n = (x @ self.W.T + self.b).chunk(3, -1)
        h_r, h_z, h_n = (h @ self.U.T + self.c).chunk(3, -1)
        z = torch.sigmoid(i_z + h_z)
        return (1 - z) * torch.tanh(i_n + torch.sigmoid(i_r + h_r) * h_n) + z * h


class JoinedGRU(nn.Module):
    """Reset before, on [x, h], update gate first, an open update gate writes."""

    def __init__(self, n_in: int, n_hidden: int) -> None:
        super().__init__()
        self.gates = nn.Linear(n_in + n_hidden, 2 * n_hidden)
        self.candidate = nn.Linear(n_in + n_hidden, n_hidden)

    def reset(self, r: Tensor, h: Tensor) -> Tensor:
        return r * h

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z, r = torch.sigmoid(self.gates(torch.cat([x, h], -1))).chunk(2, -1)
        return (1 - z) * h + z * torch.tanh(self.candidate(torch.cat([x, self.reset(r, h)], -1)))


class GRUWithoutReset(JoinedGRU):
    """The reset gate is computed and not used; keeps instead of writing, so that it has a name."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z, _ = torch.sigmoid(self.gates(torch.cat([x, h], -1))).chunk(2, -1)
        return z * h + (1 - z) * torch.tanh(self.candidate(torch.cat([x, h], -1)))


class LSTMOverTime(nn.Module):
    """A sequence, batch first; weights (n, 4d); the cell state comes first."""

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(input_dim, 4 * hidden_dim))
        self.U = nn.Parameter(torch.randn(hidden_dim, 4 * hidden_dim))
        self.b = nn.Parameter(torch.zeros(4 * hidden_dim))

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> Any:
        c, h = state
        hidden = []
        for now in x.unbind(1):
            i, f, g, o = (now @ self.W + h @ self.U + self.b).chunk(4, -1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            hidden.append(h)
        return torch.stack(hidden, 1), (c, h)


class ForgetBiasAddedLSTM(LSTMOverTime):
    """One is added to the forget gate, outside of any parameter."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> Any:
        c, h = state
        hidden = []
        for now in x.unbind(1):
            i, f, g, o = (now @ self.W + h @ self.U + self.b).chunk(4, -1)
            c = torch.sigmoid(f + 1) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            hidden.append(h)
        return torch.stack(hidden, 1), (c, h)


class StateFirstRNN(nn.Module):
    """forward(h, x), one bias; needs an option."""

    def __init__(self, input_size: int, hidden_size: int, activation: str) -> None:
        super().__init__()
        self.inner = nn.Linear(input_size, hidden_size)
        self.outer = nn.Linear(hidden_size, hidden_size, bias=False)
        self.activation = activation

    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        function = {"tanh": torch.tanh, "sine": torch.sin}[self.activation]
        return function(self.inner(x) + self.outer(h))


class HalfGradient(torch.autograd.Function):
    """Identity; half of the gradient is lost."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient / 2


class HalfTrainedGRU(PackedGRU):
    """Forward right; the recurrent weights get half of their gradient."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        i_r, i_z, i_n = (x @ self.W.T + self.b).chunk(3, -1)
        h_r, h_z, h_n = (h @ HalfGradient.apply(self.U).T + self.c).chunk(3, -1)
        z = torch.sigmoid(i_z + h_z)
        return (1 - z) * torch.tanh(i_n + torch.sigmoid(i_r + h_r) * h_n) + z * h


class WithoutState(nn.Module):
    """Its initial state is always zero."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner = nn.RNN(input_size, hidden_size)

    def forward(self, x: Tensor) -> Any:
        return self.inner(x)[0]


class Wide(nn.Module):
    """A parameter that no gate has."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.odd = nn.Parameter(torch.randn(7 * hidden_size, 2))
        self.cell = nn.RNNCell(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.cell(x, h) + self.odd.mean()


READY = nn.LSTMCell(6, 4)


def make_gru(input_size: int, hidden_size: int) -> nn.Module:
    """A factory."""
    return nn.GRUCell(input_size, hidden_size, bias=False)


NUMBER = 3


class Talkative(nn.RNNCell):
    """Prints on standard output, from Python and from below."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        print("garbage")
        os.write(1, b"more garbage\n")
        return super().forward(x, h)


class Leaving(nn.RNNCell):
    """Ends the process as soon as it sees float64 sequences of one row."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        if x.dtype == torch.float64 and len(x) == 1:
            os._exit(7)
        return super().forward(x, h)


class Crashing(nn.RNNCell):
    """Reads where it must not."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        if x.dtype == torch.float64 and len(x) == 1:
            ctypes.string_at(0)
        return super().forward(x, h)


class Hanging(nn.RNNCell):
    """Never comes back."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        if x.dtype == torch.float64 and len(x) == 1:
            time.sleep(3600)
        return super().forward(x, h)


class Hungry(nn.RNNCell):
    """Takes more memory than it may."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        if x.dtype == torch.float32:
            torch.zeros(20 * 2**30)
        return super().forward(x, h)


class OneBiasResetAfter(nn.Module):
    """Linear layers gate by gate; the candidate's only bias stands outside the reset gate."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.Wz, self.Uz = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        self.Wr, self.Ur = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        self.W, self.U = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z = torch.sigmoid(self.Wz(x) + self.Uz(h))
        r = torch.sigmoid(self.Wr(x) + self.Ur(h))
        return z * h + (1 - z) * torch.tanh(self.W(x) + r * self.U(h))


class LayerwiseLSTM(nn.Module):
    """Eight linear layers, returns (output, (h, c))."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.ModuleDict({gate: nn.Linear(input_size, hidden_size) for gate in "ifgo"})
        self.h = nn.ModuleDict({gate: nn.Linear(hidden_size, hidden_size) for gate in "ifgo"})

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> Any:
        h, c = state
        a = {gate: self.x[gate](x) + self.h[gate](h) for gate in "ifgo"}
        c = torch.sigmoid(a["f"]) * c + torch.sigmoid(a["i"]) * torch.tanh(a["g"])
        h = torch.sigmoid(a["o"]) * torch.tanh(c)
        return h, (h, c)


class LinearOutputLSTM(nn.Module):
    """Wrong: the cell state goes out without tanh. Joined weights on [h, x], forget gate first, states apart."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.all = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> Any:
        f, i, o, g = self.all(torch.cat([h, x], 1)).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * c, c


class LeavingAtOnce(nn.RNNCell):
    """Ends the process when it is made."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        os._exit(9)


class TwoLayers(nn.Module):
    """One cell on top of another."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.inner = nn.LSTM(input_size, hidden_size, num_layers=2)

    def forward(self, x: Tensor, state: Any) -> Any:
        return self.inner(x, state)


class GivesADictionary(PackedGRU):
    """Its state comes back by name."""

    def forward(self, x: Tensor, h: Tensor) -> Any:
        return {"h": super().forward(x, h)}


class SubtractsInAList(nn.Module):
    """The recurrent part is subtracted; the outputs come as a list of steps."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> tuple[list[Tensor], Tensor]:
        rows = []
        for step in x:
            h = torch.tanh(self.x2h(step) - self.h2h(h))
            rows.append(h)
        return rows, h


class LastStateShrinks(nn.Module):
    """A loop over the first axis whose last state, (B, d), is wrong after two steps."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.RNNCell(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        rows = [h]
        for step in x:
            rows.append(self.cell(step, rows[-1]))
        return torch.stack(rows)[1:], rows[-1] * (0.9 if len(x) == 2 else 1)
