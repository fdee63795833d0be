"""Cells that are wrong only where small cases do not reach: over time, at sizes in use, in other modes of torch.

What is said of them must hold what `FAULTS` has for them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class Plain(nn.Module):
    """Right: one step of a tanh RNN."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.x2h(x) + self.h2h(h))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.step(x, h)


class OverTime(Plain):
    """Right: a loop over the first axis that asks for no shape, and would run on one step's rows as well."""

    def between(self, t: int, h: Tensor) -> Tensor:
        return h

    def shown(self, t: int, h: Tensor) -> Tensor:
        return h

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        rows = []
        for t in range(x.shape[0]):
            h = self.step(x[t], self.between(t, h))
            rows.append(self.shown(t, h))
        return torch.stack(rows) if rows else x.new_zeros(0, *h.shape), h


class TanhBySigmoid(Plain):
    """Right, but for a rounding: tanh by the sigmoid is not odd bit for bit."""

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return 2 * torch.sigmoid(2 * (self.x2h(x) + self.h2h(h))) - 1


class WantsItsState(Plain):
    """Right: without a state it fails, and says nothing."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        assert h is not None
        return self.step(x, h)


class ListOfSteps(Plain):
    """Right: the outputs come as a list, as in some textbooks."""

    def forward(self, x: Tensor, h: Tensor) -> tuple[list[Tensor], Tensor]:  # type: ignore[override]
        rows = []
        for step in x:
            h = self.step(step, h)
            rows.append(h)
        return rows, h


class ComputedAgain(Plain):
    """Right: what the backward needs is computed again by it, from the parameters of that call."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        found: Tensor = checkpoint(self.step, x, h, use_reentrant=False)
        return found


class WithDropout(Plain):
    """Right: its dropout, of whatever name, is a layer that is off in evaluation."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.dropout, self.p = nn.Dropout(0.0), nn.Dropout(0.5)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return super().step(x, self.dropout(self.p(h)))


class Truncated(OverTime):
    def between(self, t: int, h: Tensor) -> Tensor:
        return h.detach() if t % 20 == 19 else h


class HalvedSeldom(OverTime):
    def between(self, t: int, h: Tensor) -> Tensor:
        return h / 2 if t % 512 == 511 else h


class OutputsStandStill(OverTime):
    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        outputs, last = super().forward(x, h)
        return torch.cat([outputs[:20], outputs[20:21].expand_as(outputs[20:])]), last


class KeepsOneStep(OverTime):
    """Of a sequence of one step the old state comes back as the last one."""

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        outputs, last = super().forward(x, h)
        return outputs, h if len(x) == 1 else last


class DetachedInTraining(Plain):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return super().step(x, h.detach() if self.training else h)


class SixteenUnits(Plain):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.x2h(x) + self.h2h(torch.cat([h[:, :16], 0 * h[:, 16:]], 1)))


class SixteenRows(Plain):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        found = super().step(x, h)
        return torch.cat([found[:16], found[16:] * 0.5])


class NarrowGradient(Plain):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        weight = self.h2h.weight
        own = torch.cat([weight[:7], weight[7:].detach()])
        return torch.tanh(self.x2h(x) + nn.functional.linear(h, own, self.h2h.bias))


class LimitedState(Plain):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return super().step(x, h.clamp(-4, 4))


class _Limited(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor) -> Tensor:
        return h.clone()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g.clamp(-50, 50)


class LimitedGradient(Plain):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        found: Tensor = _Limited.apply(super().step(x, h))
        return found


class _InPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        h = torch.tanh(a)
        ctx.save_for_backward(h)
        return h

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (h,) = ctx.saved_tensors
        return g.mul_(1 - h * h)


class WritesIntoGradient(Plain):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        found: Tensor = _InPlace.apply(self.x2h(x) + self.h2h(h))
        return found


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.T

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        return (g @ weight, g.T @ x) if ctx.needs_input_grad[0] else (None, None)


class ForgetsFirstLayer(Plain):
    """No gradient for the weights where the inputs want none, as in every first layer."""

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(_Product.apply(x, self.x2h.weight) + self.x2h.bias + self.h2h(h))


class StartsFromOnes(Plain):
    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        return self.step(x, x.new_ones(len(x), self.h2h.in_features) if h is None else h)


class SingleWithoutGradients(Plain):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        found = super().step(x, h)
        return found if torch.is_grad_enabled() else found.to(torch.float32).to(found.dtype)


class _NotSaturating(nn.Module):
    def forward(self, a: Tensor) -> Tensor:
        small = torch.exp(a)
        return torch.where(a >= 0, 1 / (1 + torch.exp(-a)), small / (1 + small))


class GradientOfTheOtherBranch(nn.Module):
    """A GRU's update gate by cases: the case that is not taken gives 0 times infinity, backward."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(input_size, 3 * hidden_size), nn.Linear(hidden_size, 3 * hidden_size)
        self.sigmoid = _NotSaturating()

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        x_r, x_z, x_n = self.x2h(x).chunk(3, 1)
        h_r, h_z, h_n = self.h2h(h).chunk(3, 1)
        r, z = torch.sigmoid(x_r + h_r), self.sigmoid(x_z + h_z)
        return (1 - z) * torch.tanh(x_n + r * h_n) + z * h


class NothingButNaN(Plain):
    """No parameter has an influence on it, which is not what is the matter."""

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return super().step(x, h) * torch.nan


class GivesItsBuffer(Plain):
    """What it returns is overwritten by the next call."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.room: Tensor | None = None

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        found = self.step(x, h)
        if torch.is_grad_enabled():
            return found
        if self.room is None or self.room.shape != found.shape or self.room.dtype != found.dtype:
            self.room = torch.empty_like(found)
        return self.room.copy_(found)


RIGHT = ("Plain", "OverTime", "TanhBySigmoid", "WantsItsState", "ListOfSteps", "ComputedAgain", "WithDropout")
FAULTS = {
    "Truncated": "backward: steps",
    "HalvedSeldom": "over 1000 steps output h[511]",
    "OutputsStandStill": "forward: steps",
    "KeepsOneStep": "its final states are wrong where there is one step, and only there",
    "DetachedInTraining": "training mode",
    "SixteenUnits": "right with hidden size",
    "SixteenRows": "right with batch size",
    "NarrowGradient": "the gradient of parameters.W_h",
    "LimitedState": "initial states of up to 30",
    "LimitedGradient": "output gradients 1.1e+12 times the usual",
    "WritesIntoGradient": "its arguments are changed",
    "ForgetsFirstLayer": "gradients get lost",
    "StartsFromOnes": "does not start from zeros",
    "SingleWithoutGradients": "without gradients",
    "GradientOfTheOtherBranch": "large inputs give what is not finite",
    "NothingButNaN": "it gives NaN for finite parameters",
    "GivesItsBuffer": "overwritten by its next call",
}
