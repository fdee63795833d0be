"""Cells with contexts beside their input, matrices among their states, three states in space, or an axis of agents."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GatesWithContext(nn.Module):
    """A GRU that is handed what is added to its gates, as wide as its state, and any number of inputs."""

    def __init__(self, hidden_dim: int, input_dim: int) -> None:
        super().__init__()
        self.to_z = nn.Linear(hidden_dim + input_dim, hidden_dim)
        self.to_r = nn.Linear(hidden_dim + input_dim, hidden_dim)
        self.to_q = nn.Linear(hidden_dim + input_dim, hidden_dim)

    def forward(self, h: Tensor, cz: Tensor, cr: Tensor, cq: Tensor, *x_list: Tensor) -> Tensor:
        x = torch.cat(x_list, -1)
        hx = torch.cat([h, x], -1)
        z = (self.to_z(hx) + cz).sigmoid()
        r = (self.to_r(hx) + cr).sigmoid()
        q = (self.to_q(torch.cat([self._kept(r, h), x], -1)) + cq).tanh()
        return (1 - z) * h + z * q

    def _kept(self, r: Tensor, h: Tensor) -> Tensor:
        return r * h


class ResetUnused(GatesWithContext):
    """It computes its reset gate, and forgets to use it."""

    def _kept(self, r: Tensor, h: Tensor) -> Tensor:
        return h


class ConvolvedGatesWithContext(nn.Module):
    """The same with convolutions."""

    def __init__(self, hidden_dim: int, input_dim: int, kernel_size: int = 3) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.convz = nn.Conv2d(hidden_dim + input_dim, hidden_dim, kernel_size, padding=padding)
        self.convq = nn.Conv2d(hidden_dim + input_dim, hidden_dim, kernel_size, padding=padding)

    def forward(self, h: Tensor, cz: Tensor, cq: Tensor, *x_list: Tensor) -> Tensor:
        x = torch.cat(x_list, 1)
        hx = torch.cat([h, x], 1)
        z = (self.convz(hx) + cz).sigmoid()
        return (1 - z) * h + z * (self.convq(hx) + cq).tanh()


class ThreeStatesInSpace(nn.Module):
    """A convolutional LSTM with a memory that the layer below hands over."""

    def __init__(self, in_channel: int, num_hidden: int, filter_size: int = 3, width: int = 0) -> None:
        super().__init__()
        padding = filter_size // 2
        self.num_hidden = num_hidden
        normalised = [nn.LayerNorm([num_hidden * 6, width, width])] if width else []
        self.conv_x = nn.Sequential(
            nn.Conv2d(in_channel, num_hidden * 6, filter_size, padding=padding, bias=False), *normalised
        )
        self.conv_h = nn.Conv2d(num_hidden, num_hidden * 3, filter_size, padding=padding, bias=False)
        self.conv_m = nn.Conv2d(num_hidden, num_hidden * 2, filter_size, padding=padding, bias=False)
        self.conv_last = nn.Conv2d(num_hidden * 2, num_hidden, 1, bias=False)

    def forward(self, x_t: Tensor, h_t: Tensor, c_t: Tensor, m_t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        i_x, f_x, g_x, j_x, k_x, o_x = torch.split(self.conv_x(x_t), self.num_hidden, 1)
        i_h, g_h, o_h = torch.split(self.conv_h(h_t), self.num_hidden, 1)
        j_m, k_m = torch.split(self.conv_m(m_t), self.num_hidden, 1)
        c_new = (f_x + 1).sigmoid() * c_t + (i_x + i_h).sigmoid() * (g_x + g_h).tanh()
        m_new = (k_x + k_m).sigmoid() * self._memory(m_t) + (j_x + j_m).sigmoid()
        both = torch.cat([c_new, m_new], 1)
        return (o_x + o_h).sigmoid() * self.conv_last(both).tanh(), c_new, m_new

    def _memory(self, m_t: Tensor) -> Tensor:
        return m_t


class MemoryOfOtherRows(ThreeStatesInSpace):
    """Its memory is the mean over the rows of the batch."""

    def _memory(self, m_t: Tensor) -> Tensor:
        return m_t.mean(0, keepdim=True).expand_as(m_t)


class FastWeights(nn.Module):
    """A plastic network: a matrix for every row, which moves by what its units do together."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.into = nn.Linear(input_size, hidden_size)
        self.w = nn.Parameter(torch.randn(hidden_size, hidden_size) / 3)
        self.alpha = nn.Parameter(torch.randn(hidden_size, hidden_size) / 3)

    def forward(self, inputs: Tensor, hidden: Tensor, hebb: Tensor) -> tuple[Tensor, Tensor]:
        plastic = self.w + self.alpha * hebb
        new = (self.into(inputs) + torch.bmm(hidden.unsqueeze(1), plastic).squeeze(1)).tanh()
        together = torch.bmm(hidden.unsqueeze(2), new.unsqueeze(1))
        return new, self._moved(hebb, together)

    def _moved(self, hebb: Tensor, together: Tensor) -> Tensor:
        return 0.9 * hebb + 0.1 * together


class FastWeightsOfAllRows(FastWeights):
    """Every row is given the mean of what happened in all rows."""

    def _moved(self, hebb: Tensor, together: Tensor) -> Tensor:
        return 0.9 * hebb + 0.1 * together.mean(0, keepdim=True)


class AgentsInAnAxis(nn.Module):
    """The network of agents that lie in an axis behind the rows."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.rnn = nn.GRUCell(input_size, hidden_size)
        self.values = nn.Linear(hidden_size, 5)

    def forward(self, inputs: Tensor, hidden_state: Tensor) -> tuple[Tensor, Tensor]:
        rows, agents, width = inputs.size()
        state = hidden_state.reshape(-1, hidden_state.shape[-1])
        hh = self.rnn(inputs.reshape(-1, width), self._given(state))
        return self.values(hh).view(rows, agents, -1), hh.view(rows, agents, -1)

    def _given(self, state: Tensor) -> Tensor:
        return state


class AgentsWithoutState(AgentsInAnAxis):
    """It starts every step from zeros."""

    def _given(self, state: Tensor) -> Tensor:
        return torch.zeros_like(state)


class NumberOfStep(nn.Module):
    """An LSTM with a batch normalisation that has statistics for every step."""

    def __init__(self, input_size: int, hidden_size: int, max_length: int) -> None:
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 4 * hidden_size)
        self.norms = nn.ModuleList(nn.BatchNorm1d(hidden_size) for _ in range(max_length))

    def forward(self, input_: Tensor, hx: tuple[Tensor, Tensor], time: int) -> tuple[Tensor, Tensor]:
        h, c = hx
        i, f, g, o = self.gates(torch.cat([input_, h], 1)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * self.norms[min(time, len(self.norms) - 1)](c).tanh(), c


class CutsItsState(nn.Module):
    """It cuts the last column off its new state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.weights = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        new: Tensor = self.weights(torch.cat([x, h], 1)).tanh()
        return new[:, :-1]


class GateForEachRow(nn.Module):
    """A GRU whose update gate is given: one number for each row, as an attention gives."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.Wr, self.Ur = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.W, self.U = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def spread(self, g: Tensor) -> Tensor:
        return g.unsqueeze(1)

    def forward(self, fact: Tensor, C: Tensor, g: Tensor) -> Tensor:
        r = torch.sigmoid(self.Wr(fact) + self.Ur(C))
        candidate = torch.tanh(self.W(fact) + r * self.U(C))
        gate = self.spread(g).expand_as(candidate)
        return gate * candidate + (1 - gate) * C


class GateOfTheFirstRow(GateForEachRow):
    """Wrong: every row has the gate of the first one."""

    def spread(self, g: Tensor) -> Tensor:
        return g[:1].unsqueeze(1)
