"""Torch cells as people write them, each with one mistake; what is said of them must name the part in `FAULTS`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Elman(nn.Module):
    """Right: two linear maps, two biases."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.i2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return torch.tanh(self.i2h(x) + self.h2h(hidden))


class ElmanForgetsHidden(Elman):
    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return torch.tanh(self.i2h(x) + self.h2h.bias + 0 * hidden)


class ElmanAddsOldState(Elman):
    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return hidden + torch.tanh(self.i2h(x) + self.h2h(hidden))


class ElmanSubtractsHidden(Elman):
    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return torch.tanh(self.i2h(x) - hidden @ self.h2h.weight.T + self.h2h.bias)


class ElmanSubtractsAllOfHidden(Elman):
    """The bias beside the recurrent weights is subtracted with them."""

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return torch.tanh(self.i2h(x) - self.h2h(hidden))


class ElmanTakesARoot(Elman):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return super().forward(x, h).sqrt()


class ElmanDetachesState(Elman):
    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return torch.tanh(self.i2h(x) + self.h2h(hidden.detach()))


class ElmanUsesData(Elman):
    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return torch.tanh(x @ self.i2h.weight.T + self.i2h.bias.data + self.h2h.bias.data + hidden @ self.h2h.weight.T)


class ElmanKeepsState(Elman):
    kept: Any = 0.0

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        found = super().forward(x, hidden + self.kept)
        self.kept = self.kept + 0.01
        return found


class ElmanClipsInput(Elman):
    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return super().forward(x.clamp(-8, 8), hidden)


class ElmanWrongForOneRow(Elman):
    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return super().forward(x, hidden.squeeze(0) * 0.5 if len(x) == 1 else hidden)


class ElmanMixesRows(Elman):
    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return super().forward(x, hidden - hidden.mean(0) + hidden.roll(1, 0) / 4)


class ElmanDropsOut(Elman):
    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return nn.functional.dropout(super().forward(x, hidden), 0.5)


class GatedUnit(nn.Module):
    """Right: reset before, an open update gate writes; one linear map a gate on [h, x]."""

    def __init__(self, n_in: int, n_hidden: int) -> None:
        super().__init__()
        self.lin_z = nn.Linear(n_in + n_hidden, n_hidden)
        self.lin_r = nn.Linear(n_in + n_hidden, n_hidden)
        self.lin_h = nn.Linear(n_in + n_hidden, n_hidden)

    def reset(self, hx: Tensor) -> Tensor:
        return torch.sigmoid(self.lin_r(hx))

    def update(self, hx: Tensor) -> Tensor:
        return torch.sigmoid(self.lin_z(hx))

    def candidate(self, h: Tensor, x: Tensor, r: Tensor) -> Tensor:
        return torch.tanh(self.lin_h(torch.cat([r * h, x], 1)))

    def mix(self, z: Tensor, h: Tensor, new: Tensor) -> Tensor:
        return (1 - z) * h + z * new

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        hx = torch.cat([h, x], 1)
        return self.mix(self.update(hx), h, self.candidate(h, x, self.reset(hx)))


class GatedWithoutReset(GatedUnit):
    def candidate(self, h: Tensor, x: Tensor, r: Tensor) -> Tensor:
        return torch.tanh(self.lin_h(torch.cat([h, x], 1)))


class GatedResetByUpdate(GatedUnit):
    def reset(self, hx: Tensor) -> Tensor:
        return self.update(hx)


class GatedSameWeight(GatedUnit):
    def mix(self, z: Tensor, h: Tensor, new: Tensor) -> Tensor:
        return z * h + z * new


class GatedWholeCandidate(GatedUnit):
    def mix(self, z: Tensor, h: Tensor, new: Tensor) -> Tensor:
        return (1 - z) * h + new


class GatedTanhUpdate(GatedUnit):
    def update(self, hx: Tensor) -> Tensor:
        return torch.tanh(self.lin_z(hx))


class GatedBiaslessCandidate(GatedUnit):
    def candidate(self, h: Tensor, x: Tensor, r: Tensor) -> Tensor:
        return torch.tanh(torch.cat([r * h, x], 1) @ self.lin_h.weight.T)


class GatedLinearCandidate(GatedUnit):
    def candidate(self, h: Tensor, x: Tensor, r: Tensor) -> Tensor:
        return self.lin_h(torch.cat([r * h, x], 1))


class GatedDetachedReset(GatedUnit):
    def reset(self, hx: Tensor) -> Tensor:
        return super().reset(hx).detach()


class GatedDetachedUpdate(GatedUnit):
    def update(self, hx: Tensor) -> Tensor:
        return super().update(hx).detach()


class PackedMemory(nn.Module):
    """Right: gates i, f, o, g packed; state (h, c)."""

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(input_dim, 4 * hidden_dim) / 4)
        self.recurrent = nn.Parameter(torch.randn(hidden_dim, 4 * hidden_dim) / 4)
        self.shift = nn.Parameter(torch.zeros(4 * hidden_dim))

    def sums(self, x: Tensor, h: Tensor, c: Tensor) -> list[Tensor]:
        return list((x @ self.kernel + h @ self.recurrent + self.shift).chunk(4, 1))

    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)

    def show(self, o: Tensor, new: Tensor, old: Tensor) -> Tensor:
        return torch.sigmoid(o) * torch.tanh(new)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f, o, g = self.sums(x, h, c)
        new = self.cell(i, f, c, g)
        return self.show(o, new, c), new


class MemoryWithoutForget(PackedMemory):
    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return c + torch.sigmoid(i) * torch.tanh(g)


class MemoryCoupled(PackedMemory):
    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return (1 - torch.sigmoid(i)) * c + torch.sigmoid(i) * torch.tanh(g)


class MemoryAddsGate(PackedMemory):
    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return torch.sigmoid(f) * c + torch.sigmoid(i) + torch.tanh(g)


class MemoryLinearCandidate(PackedMemory):
    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return torch.sigmoid(f) * c + torch.sigmoid(i) * g


class MemorySquashed(PackedMemory):
    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return torch.tanh(super().cell(i, f, c, g))


class MemoryShowsOld(PackedMemory):
    def show(self, o: Tensor, new: Tensor, old: Tensor) -> Tensor:
        return torch.sigmoid(o) * torch.tanh(old)


class MemoryShowsRaw(PackedMemory):
    def show(self, o: Tensor, new: Tensor, old: Tensor) -> Tensor:
        return torch.sigmoid(o) * new


class MemoryTanhOutside(PackedMemory):
    def show(self, o: Tensor, new: Tensor, old: Tensor) -> Tensor:
        return torch.tanh(torch.sigmoid(o) * new)


class MemoryDetachesCell(PackedMemory):
    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return super().cell(i, f, c.detach(), g)


class MemoryRecurrentFromCell(PackedMemory):
    def sums(self, x: Tensor, h: Tensor, c: Tensor) -> list[Tensor]:
        i, f, o, g = super().sums(x, h, c)
        own = len(h.T)
        return [i, f, o - h @ self.recurrent[:, 2 * own : 3 * own] + c @ self.recurrent[:, 2 * own : 3 * own], g]


class MemorySeesTheCell(PackedMemory):
    """All gates see the old cell state in the place of the hidden state."""

    def sums(self, x: Tensor, h: Tensor, c: Tensor) -> list[Tensor]:
        return super().sums(x, c, c)


class MemoryForgetsPlusOne(PackedMemory):
    """The constant is added behind the sigmoid."""

    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return (torch.sigmoid(f) + 1) * c + torch.sigmoid(i) * torch.tanh(g)


class MemoryTwoMistakes(PackedMemory):
    """The output is raw, and the input gate is not used."""

    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return torch.sigmoid(f) * c + torch.tanh(g)

    def show(self, o: Tensor, new: Tensor, old: Tensor) -> Tensor:
        return torch.sigmoid(o) * new


class MemoryOldCellLinearCandidate(PackedMemory):
    """Both show where all parameters are zero, or nothing but them can be read."""

    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return torch.sigmoid(f) * c + torch.sigmoid(i) * g

    def show(self, o: Tensor, new: Tensor, old: Tensor) -> Tensor:
        return torch.sigmoid(o) * torch.tanh(old)


class MemoryInputForgetsLinearCandidate(PackedMemory):
    """The input gate is read as the forget gate, before the candidate is read at all."""

    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return torch.sigmoid(i) * c + torch.sigmoid(i) * g


class MemoryRawThroughRawGate(PackedMemory):
    """Neither the output gate nor the cell state goes through a function."""

    def show(self, o: Tensor, new: Tensor, old: Tensor) -> Tensor:
        return o * new


class MemoryInputIsOneMinusForget(PackedMemory):
    def cell(self, i: Tensor, f: Tensor, c: Tensor, g: Tensor) -> Tensor:
        return torch.sigmoid(f) * c + (1 - torch.sigmoid(f)) * torch.tanh(g)


class ResetAfter(nn.Module):
    """Right: reset after the recurrent product, as torch's own, gates r, z, n."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h = nn.Linear(input_size, 3 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 3 * hidden_size)

    def reset(self, total: Tensor) -> Tensor:
        return torch.sigmoid(total)

    def new(self, x_n: Tensor, r: Tensor, h: Tensor, h_n: Tensor) -> Tensor:
        return torch.tanh(x_n + r * h_n)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        x_r, x_z, x_n = self.x2h(x).chunk(3, 1)
        h_r, h_z, h_n = self.h2h(h).chunk(3, 1)
        r, z = self.reset(x_r + h_r), torch.sigmoid(x_z + h_z)
        return (1 - z) * self.new(x_n, r, h, h_n) + z * h


class ResetWithoutSigmoid(ResetAfter):
    """With zeros for the other, neither the reset gate's parameters nor the candidate's recurrent ones show."""

    def reset(self, total: Tensor) -> Tensor:
        return total


class ElmanSqueezes(Elman):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return super().forward(x, h).squeeze()


class ResetResidual(ResetAfter):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return h + super().forward(x, h)


class ResetOnTheInput(ResetAfter):
    def new(self, x_n: Tensor, r: Tensor, h: Tensor, h_n: Tensor) -> Tensor:
        return torch.tanh(r * x_n + h_n)


class ResetNotOnTheBias(ResetAfter):
    def new(self, x_n: Tensor, r: Tensor, h: Tensor, h_n: Tensor) -> Tensor:
        bias = self.h2h.bias[2 * h.shape[1] :]
        return torch.tanh(x_n + r * (h_n - bias) + bias)


RIGHT = ("Elman", "GatedUnit", "PackedMemory", "ResetAfter")
FAULTS = {
    "ResetNotOnTheBias": "candidate, recurrent bias",
    "ElmanSubtractsAllOfHidden": "the recurrent weights of the state are subtracted instead of added",
    "ElmanTakesARoot": "gives NaN",
    "ElmanForgetsHidden": "recurrent weights",
    "ElmanAddsOldState": "forward: state",
    "ElmanSubtractsHidden": "recurrent weights",
    "ElmanDetachesState": "backward",
    "ElmanUsesData": "bias",
    "ElmanKeepsState": "determinism",
    "ElmanClipsInput": "inputs are large",
    "ElmanWrongForOneRow": "B = 1",
    "ElmanMixesRows": "rows",
    "ElmanDropsOut": "determinism",
    "GatedWithoutReset": "reset gate",
    "GatedResetByUpdate": "reset gate",
    "GatedSameWeight": "update",
    "GatedWholeCandidate": "update",
    "GatedTanhUpdate": "update gate, activation",
    "GatedBiaslessCandidate": "candidate, bias",
    "GatedLinearCandidate": "candidate, activation",
    "GatedDetachedReset": "reset gate",
    "GatedDetachedUpdate": "update gate",
    "MemoryWithoutForget": "forget gate",
    "MemoryCoupled": "forget gate",
    "MemoryAddsGate": "cell state",
    "MemoryLinearCandidate": "candidate, activation",
    "MemorySquashed": "cell state",
    "MemoryShowsOld": "hidden state",
    "MemoryShowsRaw": "hidden state",
    "MemoryTanhOutside": "hidden state",
    "MemoryDetachesCell": "gradient of the initial cell state is zero",
    "MemoryRecurrentFromCell": "output gate, recurrent weights",
    "MemorySeesTheCell": "the gates see the old cell state in the place of the hidden state",
    "MemoryForgetsPlusOne": "1 is added to the forget gate after its activation",
    "MemoryTwoMistakes": "input gate; hidden state",
    "MemoryOldCellLinearCandidate": "hidden state; candidate, activation",
    "MemoryInputForgetsLinearCandidate": "forget gate; candidate, activation",
    "MemoryRawThroughRawGate": "hidden state, activation; output gate, activation",
    "MemoryInputIsOneMinusForget": "1 - f is used in the place of the input gate",
    "ResetWithoutSigmoid": "reset gate, activation",
    "ResetOnTheInput": "the reset gate multiplies the input part of the candidate",
    "ResetResidual": "the old state is added to the new one",
    "ElmanSqueezes": "axes of length one are lost",
}
