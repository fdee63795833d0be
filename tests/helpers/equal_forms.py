"""Right torch cells in algebraically equal forms, and wrong ones with a mistake as small as a rounding of a format."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Function = Callable[[Tensor], Tensor]

TANH: dict[str, Function] = {
    "2 sigmoid(2a) - 1": lambda a: 2 * torch.sigmoid(2 * a) - 1,
    "1 - 2 / (exp(2a) + 1)": lambda a: 1 - 2 / (torch.exp(torch.clamp(2 * a, max=80)) + 1),
    "sigmoid(2a) - sigmoid(-2a)": lambda a: torch.sigmoid(2 * a) - torch.sigmoid(-2 * a),
    "by expm1": lambda a: torch.expm1(2 * a.clamp(max=40)) / (torch.expm1(2 * a.clamp(max=40)) + 2),
}
"""Ways to write tanh; the last is accurate against its own value, the others against 1."""
SIGMOID: dict[str, Function] = {
    "(1 + tanh(a/2)) / 2": lambda a: (1 + torch.tanh(a / 2)) / 2,
    "1 - sigmoid(-a)": lambda a: 1 - torch.sigmoid(-a),
    "exp(-softplus(-a))": lambda a: torch.exp(-nn.functional.softplus(-a)),
    "exp(-logaddexp(0, -a))": lambda a: torch.exp(-torch.logaddexp(torch.zeros_like(a), -a)),
}
"""Ways to write the sigmoid."""


class FormRNN(nn.Module):
    """A simple RNN whose functions can be exchanged."""

    gates = 1
    tanh: Function = staticmethod(torch.tanh)
    sigmoid: Function = staticmethod(torch.sigmoid)

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x = nn.Linear(input_size, self.gates * hidden_size)
        self.h = nn.Linear(hidden_size, self.gates * hidden_size)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.tanh(self.x(x) + self.h(h))


class FormGRU(FormRNN):
    """A GRU whose functions and whose last equation can be exchanged."""

    gates = 3

    def update(self, z: Tensor, h: Tensor, candidate: Tensor) -> Tensor:
        return (1 - z) * candidate + z * h

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        xr, xz, xg = self.x(x).chunk(3, 1)
        hr, hz, hg = self.h(h).chunk(3, 1)
        r, z = self.sigmoid(xr + hr), self.sigmoid(xz + hz)
        return self.update(z, h, self.tanh(xg + r * hg))


class FromStateGRU(FormGRU):
    def update(self, z: Tensor, h: Tensor, candidate: Tensor) -> Tensor:
        return h + (1 - z) * (candidate - h)


class FormLSTM(FormRNN):
    """An LSTM whose functions can be exchanged."""

    gates = 4

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        h, c = state
        i, f, g, o = (self.x(x) + self.h(h)).chunk(4, 1)
        c = self.sigmoid(f) * c + self.sigmoid(i) * self.tanh(g)
        return self.sigmoid(o) * self.tanh(c), c


def with_functions(
    base: type[FormRNN], tanh: Function = torch.tanh, sigmoid: Function = torch.sigmoid
) -> type[FormRNN]:
    """The cell with these functions in the place of torch's."""
    return type(f"Written{base.__name__}", (base,), {"tanh": staticmethod(tanh), "sigmoid": staticmethod(sigmoid)})


class SlopeTooLarge(torch.autograd.Function):
    """tanh, with a slope that is too large by 2^-20 of itself."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, a: Tensor) -> Tensor:
        value = torch.tanh(a)
        ctx.save_for_backward(value)
        return value

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        (value,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return gradient * (1 - value * value) * (1 + 2.0**-20)


class SlopeOfFloat32(SlopeTooLarge):
    """tanh, with a slope that is too large by what float32 rounds off a constant, as torch's hard sigmoid has it."""

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        (value,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return gradient * (1 - value * value) * (1 + 2.0**-25)


class SlopeInFloat32(SlopeTooLarge):
    """tanh, with a slope that is computed in float32."""

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        (value,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return (gradient.float() * (1 - value.float() ** 2)).to(gradient.dtype)


def cast_to_float32(a: Tensor) -> Tensor:
    return torch.tanh(a.float()).to(a.dtype)


def off_by_a_millionth(a: Tensor) -> Tensor:
    return torch.tanh(a) + 1e-6 * torch.sin(7 * a)


def with_a_wrong_constant(a: Tensor) -> Tensor:
    return torch.tanh(a * (1 + 2.0**-20))
