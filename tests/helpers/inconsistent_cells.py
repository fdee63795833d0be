"""Cells that equal no known one and are wrong, each in one way that breaks a property of recurrent cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tests.helpers.consistent_cells import (
    MatrixMemory,
    SineCell,
    SineLayer,
    StateInADictionary,
    TwoStates,
    WithLengths,
    WithMask,
    WithReset,
    WithScores,
)


class IgnoresItsState(SineLayer):
    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return self.run(x, torch.zeros_like(h))


class HalvesItsLastState(SineLayer):
    def last(self, states: Sequence[Tensor]) -> Tensor:
        return states[-1] / 2


class GivesBackTheFirstState(SineLayer):
    def last(self, states: Sequence[Tensor]) -> Tensor:
        return states[0]


class CarriesNothingOn(SineLayer):
    """Every step starts from the state that was given, which comes back."""

    def run(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return self.given_back([self.step(xt, h) for xt in x.unbind(1)]), h


class StartsEveryFourthStepAnew(SineLayer):
    def between(self, h: Tensor, step: int) -> Tensor:
        return torch.zeros_like(h) if step == 3 else h


class BackwardAndNotTurned(SineLayer):
    def run(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return super().run(x.flip(1), h)


class UnusedGate(SineCell):
    """A gate is computed, and not used."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.gate = nn.Linear(input_size, hidden_size)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        torch.sigmoid(self.gate(x))
        return super().step(x, h)


class UnusedShift(SineCell):
    """A parameter is computed with, and what comes of it is dropped."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.shift = nn.Parameter(torch.zeros(hidden_size))

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        torch.tanh(self.shift + h)
        return super().step(x, h)


class NaNForLargeInputs(SineCell):
    """A sigmoid whose exponential overflows."""

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        powers = torch.exp(self.x2h(x))
        return powers / (1 + powers) * super().step(x, h)


class LosesTheRowAxis(SineCell):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return super().step(x, h).squeeze()


class NaNSpreads(SineCell):
    """A term of zero size joins the rows."""

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return super().step(x, h) + 0 * x.sum()


class Halved(torch.autograd.Function):
    """The identity; half of the gradient is lost."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] / 2


class HalfOfTheGradient(SineCell):
    def recurrent(self, h: Tensor) -> Tensor:
        return torch.nn.functional.linear(h, Halved.apply(self.h2h.weight), self.h2h.bias)


class FirstCotangentAlone(torch.autograd.Function):
    """Gives its argument back twice; the second gradient counts only where there is no first."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.clone(), x.clone()

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] if gradients[0].any() else gradients[1]


class GradientsDoNotAddUp(SineLayer):
    def run(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs, last = super().run(x, h)
        kept, again = FirstCotangentAlone.apply(last)
        return torch.cat([outputs[:, :-1], kept.unsqueeze(1)], 1), again


class SharedCache(torch.autograd.Function):
    """A sine that keeps its argument where the next call keeps its own."""

    cache: Tensor

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        SharedCache.cache = x
        return torch.sin(x)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * torch.cos(SharedCache.cache)


class OneCacheForAllCalls(SineCell):
    """Right for a single step."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.gain * SharedCache.apply(self.x2h(x) + self.h2h(h))


class WritesIntoItsWeightsInTraining(SineCell):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        if self.training:
            self.h2h.weight.data.mul_(torch.bernoulli(torch.full_like(self.h2h.weight, 0.7)))
        return super().step(x, h)


class OtherMask(torch.autograd.Function):
    """Dropout whose backward draws a mask of its own."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        return x * torch.bernoulli(torch.full_like(x, 0.5))

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * torch.bernoulli(torch.full_like(gradients[0], 0.5))


class BackwardDrawsAnotherMask(SineLayer):
    def between(self, h: Tensor, step: int) -> Tensor:
        return OtherMask.apply(h) if self.training else h


class LastStateDetached(TwoStates):
    def given_back(self, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        return h, c.detach()


class OneStateForBoth(TwoStates):
    def missing(self, x: Tensor, other: Tensor | None) -> Tensor:
        return super().missing(x, None) if other is None else other


class StateOfThePaddedEnd(WithLengths):
    def at_end(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        return outputs[:, -1]


class StateOfOneStepTooFew(WithLengths):
    def at_end(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        return super().at_end(outputs, (lengths - 1).clamp(min=1))


class MaskOnOutputsAlone(WithMask):
    def forward(self, x: Tensor, h: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        outputs, last = self.run(x, h)
        return outputs if mask is None else outputs * mask[..., None], last


class KeepsAShareOfTheOldState(WithReset):
    def after(self, h: Tensor, new: Tensor, done: Tensor | None) -> Tensor:
        return 0.3 * h + 0.7 * new


class ResetsEveryRow(WithReset):
    def forward(self, x: Tensor, h: Tensor, done: Tensor | None = None) -> Tensor:
        return super().forward(x, h, None if done is None else done.max().expand(len(x), 1))


class PaddedStepInTheState(SineLayer):
    """Gives the state after the last step of each row, and one step more."""

    def forward(self, x: Tensor, h: Tensor, lengths: Tensor) -> Tensor:  # type: ignore[override]
        for step, xt in enumerate(x.unbind(1)):
            h = torch.where((step <= lengths)[:, None], self.step(xt, h), h)
        return h


class HoldsOneStateOfTwo(SineCell):
    """Steps that a mask (B, T) leaves out keep the first state alone."""

    def forward(  # type: ignore[override]
        self, x: Tensor, h: Tensor, c: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        outputs = []
        for step, xt in enumerate(x.unbind(1)):
            new_c = 0.5 * c + torch.sin(self.x2h(xt) + h)
            new_h = self.step(xt, h) * torch.tanh(new_c)
            inside = torch.ones(1, 1) > 0 if mask is None else mask[:, step, None].bool()
            h, c = torch.where(inside, new_h, h), torch.where(inside, new_c, h)
            outputs.append(h)
        return torch.stack(outputs, 1), (h, c)


class LastRowsOfLargeBatches(SineCell):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        new = super().step(x, h)
        return torch.cat([new[:48], 0 * new[48:]])


class LargeBatchesAsAWhole(SineCell):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return super().step(x, h) * (2 if len(x) >= 300 else 1)


class ManyUnitsForgetTheGain(SineCell):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.sin(self.x2h(x) + self.h2h(h)) if self.hidden_size >= 96 else super().step(x, h)


class ManyInputsMixRows(SineCell):
    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return super().step(x + x.mean(0) if self.input_size > 256 else x, h)


class LeavesTheFirstStepOut(SineLayer):
    """Gives the last state alone, of all steps but the first."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # its state is its own
        h = x.new_zeros(x.shape[0], self.hidden_size)
        for step in range(1, x.shape[1]):
            h = self.step(x[:, step], h)
        return h


class CutsItsGradient(SineLayer):
    """Every 150th step."""

    def between(self, h: Tensor, step: int) -> Tensor:
        return h.detach() if step and step % 150 == 0 else h


class LastStateAloneCutsItsGradient(SineLayer):
    """Gives the state after the last step alone, and no gradient crosses every 50th step."""

    def between(self, h: Tensor, step: int) -> Tensor:
        return h.detach() if step and step % 50 == 0 else h

    def forward(self, x: Tensor, h: Tensor) -> Tensor:  # type: ignore[override]
        return self.run(x, h)[1]


class CutsItsGradientOnce(SineLayer):
    """At one step, and it takes no state."""

    def between(self, h: Tensor, step: int) -> Tensor:
        return h.detach() if step == 500 else h

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # its state is its own
        return self.run(x, x.new_zeros(x.shape[0], self.hidden_size))[0]


class TimeFirst(SineLayer):
    def given_back(self, states: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(states))


class ViewForTranspose(SineLayer):
    def run(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return super().run(x.reshape(x.shape[1], x.shape[0], -1).transpose(0, 1), h)


class LastStepFirst(SineLayer):
    def given_back(self, states: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(states)[::-1], 1)


class OneStepLate(SineLayer):
    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        outputs, last = self.run(x, h)
        return torch.cat([h.unsqueeze(1), outputs[:, :-1]], 1), last


class IgnoresAnOptionalState(SineLayer):
    """A state may be given, and is not used."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.run(x, x.new_zeros(x.shape[0], self.hidden_size))


class ScoresOverTheRows(WithScores):
    def scores(self, h: Tensor) -> Tensor:
        return torch.log_softmax(self.head(h), 0)


class NamesItsAxesWrongly(SineLayer):
    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        B, T, _ = x.shape
        outputs, last = self.run(x.transpose(0, 1), h)
        return outputs.transpose(0, 1).reshape(B, T, -1), last


class ResetTurnedAround(WithReset):
    def forward(self, x: Tensor, h: Tensor, done: Tensor | None = None) -> Tensor:
        return super().forward(x, h, None if done is None else 1 - done.to(h.dtype))


class FirstInputAtEveryStep(SineLayer):
    def run(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return super().run(x[:, :1].expand_as(x), h)


class ReplacesTheCallersState(StateInADictionary):
    def kept(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        return state


class LastStateFromZeros(SineLayer):
    """It gives the last state alone, and begins with zeros whatever it is given."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:  # type: ignore[override]
        return self.run(x, x.new_zeros(len(x), self.hidden_size))[1]


class MatrixMemoryWithoutStabiliser(MatrixMemory):
    """The exponential gates as they are: they overflow before the norm divides them out."""

    def exponential_gates(self, i: Tensor, f: Tensor, m: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return torch.exp(i), torch.sigmoid(f), m, torch.ones_like(m)


class UsesOneOfItsList(nn.Module):
    """Two layers with a weight each in a list, of which both take the first."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.into = nn.Linear(input_size, hidden_size)
        self.gains = nn.ParameterList([nn.Parameter(torch.ones(hidden_size)) for _ in range(2)])

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        for _ in self.gains:
            h = torch.sin(self.into(x) + self.gains[0] * h)
        return h


class LeavesTheLastInputOut(nn.Module):
    """A state that fades and adds its inputs; the one that comes back lacks the last of them: x (T, B, n)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.kernel = nn.Linear(input_size, hidden_size, bias=False)
        self.fading = nn.Parameter(torch.rand(hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        states, faded = [], h
        for x_t in x.unbind(0):
            faded = self.fading * h
            h = faded + self.kernel(x_t)
            states.append(torch.sin(h))
        return torch.stack(states), faded
