"""Kernels that are wrong on purpose, each in one way that a check must notice."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnn_harness.kernels.drivers.eager import STEPS, EagerDriver, unroll
from rnn_harness.kernels.drivers.torch_nn import CellDriver, LayerDriver
from rnn_harness.kernels.kernel import Kernel
from rnn_harness.kernels.setting import Setting, settings

Tensors = dict[str, Tensor]
Run = Callable[[Any, Tensors, Tensor, Tensors, Any], tuple[Tensor, Tensors]]
SPEC = "gru.keep.column"
ALL = ("float64", "float32", "bfloat16", "float16")


@dataclass(frozen=True)
class WrongDriver(EagerDriver):
    """The plain kernel, spoiled by `spoil`."""

    spoil: Run = lambda right, p, x, s, lengths: right(p, x, s, lengths)

    def run(self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
        return self.spoil(super().run, leaves, inputs, states, lengths)


def kernel(spoil: Run, spec: str = SPEC) -> Kernel:
    """A catalogue entry of a spoiled kernel."""
    return Kernel(
        "wrong", "wrong on purpose", spec, lambda reference: WrongDriver(reference, spoil), settings(ALL, ALL)
    )


def spoil_step(change: Callable[[Any], Any], spec: str = SPEC) -> Kernel:
    """A kernel whose step is made by `change` of the right one's reference."""

    def run(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
        reference = right.__self__.reference
        return unroll(change(STEPS[reference.name](reference)), p, x, s, lengths)

    return kernel(run, spec)


_count = itertools.count()


def forgetful(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """Every run differs from the last one by one bit."""
    outputs, finals = right(p, x, s, lengths)
    return outputs * (1 + (next(_count) % 2) * 2 * torch.finfo(outputs.dtype).eps), finals


def by_threads(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """A sum goes astray as soon as two threads share it."""
    outputs, finals = right(p, x, s, lengths)
    return outputs * (1.5 if torch.get_num_threads() > 1 else 1.0), finals


def by_neighbour(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """A row reads a little of the first one's."""
    outputs, finals = right(p, x, s, lengths)
    return outputs + 0.1 * (outputs - outputs[:, :1]), finals


def by_place(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """Inputs are read as if they lay side by side."""
    if x.is_contiguous():
        return right(p, x, s, lengths)
    read = torch.as_strided(x, x.shape, (x.shape[1] * x.shape[2], x.shape[2], 1)) if x.stride(-1) == 2 else x * 0
    return right(p, read, s, lengths)


def overwriting(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """The inputs are used as a scratch pad."""
    result = right(p, x, s, lengths)
    x.data.mul_(2)
    return result


def leaking(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """What lies past a length is multiplied by zero instead of being left out."""
    outputs, finals = right(p, x, s, lengths)
    return outputs + (0 * x).sum(2, keepdim=True), finals


def without_steps(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """Without a step the state is lost."""
    outputs, finals = right(p, x, s, lengths)
    return outputs, {k: v * 0 for k, v in finals.items()} if len(x) == 0 else finals


def without_rows(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """An empty batch comes back with a row."""
    outputs, finals = right(p, x, s, lengths)
    return (outputs.new_zeros(len(x), 1, outputs.shape[2]), finals) if x.shape[1] == 0 else (outputs, finals)


def under_autocast(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """Under autocast one thing is scaled twice."""
    outputs, finals = right(p, x, s, lengths)
    return outputs * (1.25 if torch.is_autocast_enabled("cpu") else 1.0), finals


class Detached(torch.autograd.Function):
    """tanh whose derivative is treated as a constant: right once, wrong twice, wrong forward mode."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return torch.tanh(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        ctx.slope = (1 - output * output).detach()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient * ctx.slope

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        return tangent * ctx.slope * 1.5


def twice_wrong(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """atanh(tanh(x)) = x, but the derivative of the inner function is a constant."""
    return right(p, torch.atanh(Detached.apply(x / 8)) * 8, s, lengths)


def under_vmap(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """A batching rule that turns time around."""
    outputs, finals = right(p, x, s, lengths)
    return (outputs.flip(0) if torch._C._functorch.is_batchedtensor(x) else outputs), finals


def after_64_steps(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """The last step of a long run is off by a thousandth."""
    outputs, finals = right(p, x, s, lengths)
    return outputs, {k: v * 1.001 for k, v in finals.items()} if len(x) > 64 else finals


def apart_every_hundred_steps(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """Right outputs, but no gradient passes the hundredth step."""
    if len(x) <= 100:
        return right(p, x, s, lengths)
    first, middle = right(p, x[:100], s, None)
    second, finals = right(p, x[100:], {name: value.detach() for name, value in middle.items()}, None)
    return torch.cat([first, second]), finals


def two_tiles(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """Units beyond the second tile of 32 are left out."""
    outputs, finals = right(p, x, s, lengths)
    return outputs * (torch.arange(outputs.shape[2]) < 64), finals


def limited_states(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """States beyond 8 count as 8."""
    return right(p, x, {name: value.clamp(-8, 8) for name, value in s.items()}, lengths)


class Limited(torch.autograd.Function):
    """A gradient that is clipped where nobody asked for it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient.clamp(-1e3, 1e3)


def limited_gradients(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """Large gradients are clipped."""
    outputs, finals = right(p, x, s, lengths)
    return Limited.apply(outputs), finals


def narrow_sums(right: Any, p: Tensors, x: Tensor, s: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
    """What the inputs add is summed up in pieces that grow no further: of many terms only the first half counts."""
    half = torch.arange(x.shape[2]) < max(x.shape[2] // 2, 64)
    return right(p, x * half, s, lengths)


@dataclass(frozen=True)
class OneBias(CellDriver):
    """torch's GRU cell, but the second bias gets no gradient."""

    def run(self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: Any) -> tuple[Tensor, Tensors]:
        return super().run(leaves | {"bias_hh": leaves["bias_hh"].detach()}, inputs, states, lengths)


WRONG: dict[str, tuple[Kernel, str]] = {
    "behaviour.determinism": (kernel(forgetful), "float64"),
    "behaviour.threads": (kernel(by_threads), "float32"),
    "behaviour.position": (kernel(by_neighbour), "float64"),
    "behaviour.strided": (kernel(by_place), "float32"),
    "behaviour.expanded": (kernel(by_place), "float64"),
    "behaviour.intact": (kernel(overwriting), "float32"),
    "behaviour.poison": (kernel(leaking), "float64"),
    "behaviour.no-steps": (kernel(without_steps), "float32"),
    "behaviour.no-rows": (kernel(without_rows), "float64"),
    "behaviour.autocast": (kernel(under_autocast), "float32"),
    "behaviour.gradgrad": (kernel(twice_wrong), "float64"),
    "behaviour.jvp": (kernel(twice_wrong), "float64"),
    "behaviour.vmap": (kernel(under_vmap), "float64"),
    "precision.format": (kernel(by_neighbour), "bfloat16"),
    "precision.accumulation": (kernel(narrow_sums), "bfloat16"),
    "precision.long": (kernel(after_64_steps), "float64"),
    "scale.steps": (kernel(apart_every_hundred_steps), "float64"),
    "scale.sizes": (kernel(two_tiles), "float32"),
    "scale.states": (kernel(limited_states), "float32"),
    "scale.gradients": (kernel(limited_gradients), "float64"),
    "backward.shares": (
        Kernel("wrong", "", "gru.reset_after", lambda _: OneBias("gru"), settings(ALL), alternatives=("T-005",)),
        "float64",
    ),
}
"""For every check that only kernels have: a kernel that it must refute, and the dtype."""

MISLED = Kernel(
    "wrong/onednn",
    "asks for oneDNN and gets the native kernel",
    "lstm.column",
    lambda _: LayerDriver("lstm", fused=False),
    (Setting("float32", "cpu"),),
    expected_events=("aten::mkldnn_rnn_layer",),
)
