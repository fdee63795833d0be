"""Right cells in ways of writing that look like mistakes, and wrong ones next to them; sizes are (input, hidden)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class GRUStep(nn.Module):
    """One step of a GRU, which subclasses wrap."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Any:
        return self.cell(x, h)


class IndexedState(GRUStep):
    """Its state is the first entry of a list, as Keras hands it over; of a tensor that would be the first row."""

    def forward(self, x: Tensor, states: Any) -> Any:
        h = self.cell(x, states[0])
        return h, [h]


class IndexedStates(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(input_size, hidden_size)

    def forward(self, x: Tensor, states: Sequence[Tensor]) -> Any:
        return self.cell(x, (states[0], states[1]))


class MixesRows(GRUStep):
    """Wrong: the mean of the batch reaches every row."""

    def forward(self, x: Tensor, states: Any) -> Any:
        h = self.cell(x, states[0] + x.mean())
        return h, [h]


class WithoutTraining(GRUStep):
    """Its mode cannot be set, as that of an exported program."""

    def train(self, mode: bool = True) -> NoReturn:
        raise NotImplementedError("there is no such mode")


class MaskOfASequence(GRUStep):
    """In training it draws one mask, and keeps it until it is told that the sequence has ended."""

    mask: Tensor | None = None

    def forward(self, x: Tensor, h: Tensor) -> Any:
        if self.training and self.mask is None:
            self.mask = torch.bernoulli(torch.full_like(x, 0.5)) * 2
        return super().forward(x if not self.training or self.mask is None else x * self.mask, h)


class LearnedStart(GRUStep):
    """A state that is left out starts from a parameter."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.start = nn.Parameter(torch.full((1, hidden_size), 0.3))

    def forward(self, x: Tensor, h: Tensor | None = None) -> Any:
        return self.cell(x, self.start.expand(len(x), -1) if h is None else h)


class StartsFromOnes(GRUStep):
    """Wrong: a state that is left out is one, and nobody is told."""

    def forward(self, x: Tensor, h: Tensor | None = None) -> Any:
        return self.cell(x, x.new_ones(len(x), self.cell.hidden_size) if h is None else h)


class Checkpointed(GRUStep):
    """It computes its forward once more in its backward, by torch's older way."""

    def forward(self, x: Tensor, h: Tensor) -> Any:
        return checkpoint(self.cell, x, h, use_reentrant=True)


class CheckpointedDetached(GRUStep):
    """Wrong: no gradient reaches the state."""

    def forward(self, x: Tensor, h: Tensor) -> Any:
        return checkpoint(self.cell, x, h.detach(), use_reentrant=True)


class KeptActivation(torch.autograd.Function):
    """tanh whose backward uses what the forward has kept, which has no graph of its own."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        value = torch.tanh(a)
        ctx.slope = 1 - value.detach() ** 2
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        slope: Tensor = ctx.slope
        return gradients[0] * slope


class HandwrittenBackward(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def activation(self, a: Tensor) -> Tensor:
        value: Tensor = KeptActivation.apply(a)
        return value

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.activation(self.x(x) + self.h(h))


class SecondDerivativeLost(HandwrittenBackward):
    """Wrong: the value and the slope are those of tanh, and the second derivative is zero."""

    def activation(self, a: Tensor) -> Tensor:
        value = torch.tanh(a)
        with torch.no_grad():
            slope = 1 - value**2
        return value.detach() + slope * (a - a.detach())


class Stream(nn.Module):
    """A simple RNN that keeps its state between calls, batch first, so that a long stream can be fed in pieces."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.hidden_size = hidden_size
        self.state: Tensor | None = None

    def between_calls(self, h: Tensor) -> Tensor:
        return h.detach()

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(len(x), self.hidden_size) if self.state is None else self.state
        outputs = []
        for x_t in x.unbind(1):
            h = torch.tanh(self.x(x_t) + self.h(h))
            outputs.append(h)
        self.state = self.between_calls(h)
        return torch.stack(outputs, 1)


class StreamWithReset(Stream):
    """Whoever calls it resets it, so it need not cut the graph."""

    def between_calls(self, h: Tensor) -> Tensor:
        return h

    def reset_state(self) -> None:
        self.state = None


class StreamWithoutEnd(Stream):
    """Wrong: its state keeps the graph of all calls before, and nothing resets it."""

    def between_calls(self, h: Tensor) -> Tensor:
        return h


class StreamResetInPart(Stream):
    """Wrong: its reset leaves the state as it is."""

    def reset_state(self) -> None:
        self.steps = 0


class StepsOfAStream(nn.Module):
    """A simple RNN that is called once a step, and keeps its state itself."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.reset()

    def reset(self) -> None:
        self.state: Tensor | None = None

    def kept(self, h: Tensor) -> Tensor:
        return h

    def forward(self, x: Tensor) -> Tensor:
        before = x.new_zeros(len(x), self.h.in_features) if self.state is None else self.state
        h = torch.tanh(self.x(x) + self.h(before))
        self.state = self.kept(h)
        return h


class CutStepsOfAStream(StepsOfAStream):
    """It learns from single steps alone, which may be meant."""

    def kept(self, h: Tensor) -> Tensor:
        return h.detach()


class StepsThatAreNotReset(StepsOfAStream):
    """Wrong: its reset leaves the state as it is."""

    def reset(self) -> None:
        if not hasattr(self, "state"):
            self.state = None


class BatchFirstStream(nn.Module):
    """A layer, batch first, that goes on from where its last call ended: a batch (B, n) it takes for one sequence."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gru = nn.GRU(input_size, hidden_size, batch_first=True)
        self.reset()

    def reset(self) -> None:
        self.state: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        outputs, last = self.gru(x, self.state)
        self.state = last.detach()
        return outputs


class StreamThatFades(Stream):
    """Wrong: what it keeps is not the state that it ended in."""

    def between_calls(self, h: Tensor) -> Tensor:
        return h.detach() / 2


class CountsItsCalls(Stream):
    """Wrong: it gives other numbers from call to call."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.state = None
        return super().forward(x) + 0.01 * self.calls


class MeanOverRows(torch.autograd.Function):
    """A simple RNN whose gradients of the weights are means over the batch."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor) -> Tensor:
        y = torch.tanh(x @ w.T + h @ u.T + b)
        ctx.save_for_backward(x, h, w, u, y)
        return y

    @classmethod
    def shares(cls, rows: int) -> tuple[float, float, float]:
        """By what the gradients of W, U and b are divided."""
        return rows, rows, rows

    @classmethod
    def backward(cls, ctx: Any, *gradients: Tensor) -> Any:
        x, h, w, u, y = ctx.saved_tensors
        d = gradients[0] * (1 - y * y)
        of_w, of_u, of_b = cls.shares(len(x))
        return d @ w, d @ u, d.T @ x / of_w, d.T @ h / of_u, d.sum(0) / of_b


class MeanWithoutBias(MeanOverRows):
    """Wrong: the bias's gradient is a sum, the weights' are means."""

    @classmethod
    def shares(cls, rows: int) -> tuple[float, float, float]:
        return rows, rows, 1


class MeanOverThree(MeanOverRows):
    """Wrong: three is the number of rows that its author had."""

    @classmethod
    def shares(cls, _rows: int) -> tuple[float, float, float]:
        return 3, 3, 3


class MeanGradients(nn.Module):
    function: type[MeanOverRows] = MeanOverRows

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(hidden_size, input_size))
        self.u = nn.Parameter(torch.zeros(hidden_size, hidden_size))
        self.b = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Any:
        return self.function.apply(x, h, self.w, self.u, self.b)


class MeanGradientsWithoutBias(MeanGradients):
    function = MeanWithoutBias


class MeanGradientsOfThree(MeanGradients):
    function = MeanOverThree


class FloatInside(HandwrittenBackward):
    """It computes in float32 whatever it is given."""

    def activation(self, a: Tensor) -> Tensor:
        return torch.tanh(a.float()).to(a.dtype)


class FloatInsideAndWrong(HandwrittenBackward):
    """Wrong: by more than float32 explains."""

    def activation(self, a: Tensor) -> Tensor:
        return torch.tanh(1.0001 * a.float()).to(a.dtype)


class HandsTheOldStateOn(GRUStep):
    """Wrong: the output is the new state, and the old one goes on."""

    def forward(self, x: Tensor, h: Tensor) -> Any:
        return self.cell(x, h), h


class LearnedLeak(nn.Module):
    """A leaky unit whose rate is the sigmoid of a parameter: no number that somebody wrote down."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)
        self.leak = nn.Parameter(torch.tensor(-0.5))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        rate = torch.sigmoid(self.leak)
        return (1 - rate) * h + rate * torch.tanh(self.x(x) + self.h(h))


class LayersOfStates(nn.Module):
    """Right: a stack runs as many layers as states are given; the state of one alone runs the first layer."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        sizes = (input_size, hidden_size)
        self.hidden_size = hidden_size
        self.cells = nn.ModuleList([nn.RNNCell(size, hidden_size) for size in sizes])

    def forward(self, x: Tensor, hidden: list[Tensor] | None = None) -> tuple[Tensor, list[Tensor]]:
        states = [x.new_zeros(x.shape[0], self.hidden_size) for _ in self.cells] if hidden is None else hidden
        last_states = []
        for cell, state in zip(self.cells, states, strict=False):
            steps, h = [], state
            for x_t in x.unbind(1):
                h = cell(x_t, h)
                steps.append(h)
            x = torch.stack(steps, 1)
            last_states.append(h)
        return x, last_states


class LSTMWithoutBiases(nn.Module):
    """A layer of rows times matrices, as a document prints it with other letters for its states; it may begin alone."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(input_size, 4 * hidden_size) / 2)
        self.U = nn.Parameter(torch.randn(hidden_size, 4 * hidden_size) / 2)

    def begin(self, x: Tensor) -> Tensor:
        return x.new_zeros(len(x), len(self.U))

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, c = states or (self.begin(x), self.begin(x))
        outputs = []
        for step in x.unbind(1):
            i, f, o, g = (step @ self.W + h @ self.U).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs, 1), (h, c)


class LSTMFromOnes(LSTMWithoutBiases):
    """Wrong: called without states it begins from ones."""

    def begin(self, x: Tensor) -> Tensor:
        return x.new_ones(len(x), len(self.U))
