"""The documents' variants in plain torch, one line a printed equation: what autograd differentiates.

Dimension legend: T time steps, B batch rows, n input size, d hidden size. Weights act from the left, W (d, n).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.kernels.packing import Table
from rnn_harness.kernels.torch_reference import Tensors
from rnn_harness.references import Reference

if TYPE_CHECKING:
    from torch import Tensor

Step = Callable[[Tensors, "Tensor", Tensors], Tensors]
"""(parameters, x_t (B, n), states (B, d)) -> next states."""


def _affine(p: Tensors, gate: str, x: Tensor, h: Tensor) -> Tensor:
    found = x @ p[f"W_x{gate}"].T + h @ p[f"W_h{gate}"].T
    bias = p.get(f"b_{gate}" if gate else "b")
    return found if bias is None else found + bias


def _function(name: str) -> Callable[[Tensor], Tensor]:
    import torch

    return torch.tanh if name == "tanh" else torch.sigmoid


def rnn_step(like: Any) -> Step:
    """003:187, 000:260."""
    apply = _function(like.activation)

    def step(p: Tensors, x: Tensor, s: Tensors) -> Tensors:
        return {"h": apply(_affine(p, "", x, s["h"]))}

    return step


def gru_step(like: Any) -> Step:
    """001:280-329, 004:53-127, 003:788-797; reset-after as torch.nn.GRU documents it."""
    sigmoid, apply = _function("sigmoid"), _function(like.candidate)

    def step(p: Tensors, x: Tensor, s: Tensors) -> Tensors:
        h = s["h"]
        r = sigmoid(_affine(p, "r", x, h))
        z = sigmoid(_affine(p, "z", x, h))
        if like.reset == "before":
            g = apply(_affine(p, "g", x, r * h))
        else:
            inner = h @ p["W_hg"].T
            outer = x @ p["W_xg"].T
            if like.bias:
                inner, outer = inner + p["b_hg"], outer + p["b_g"]
            g = apply(outer + r * inner)
        return {"h": z * h + (1 - z) * g if like.update == "keep" else z * g + (1 - z) * h}

    return step


def lstm_step(like: Any) -> Step:
    """003:655-666, 003:692-778, 003:813-817."""
    sigmoid, candidate, output = _function("sigmoid"), _function(like.candidate), _function(like.output)

    def gate(p: Tensors, name: str, x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        found = _affine(p, name, x, h)
        if like.peephole is not None:
            weight = p[f"W_c{name}"]
            found = found + (c * weight if like.peephole == "diagonal" else c @ weight.T)
        return sigmoid(found)

    def step(p: Tensors, x: Tensor, s: Tensors) -> Tensors:
        h, c = s["h"], s["c"]
        i = gate(p, "i", x, h, c)
        g = candidate(_affine(p, "g", x, h))
        now = (gate(p, "f", x, h, c) * c if like.forget else c) + i * g
        o = gate(p, "o", x, h, now)
        return {"h": o * output(now), "c": now}

    return step


STEPS: dict[str, Callable[[Any], Step]] = {"rnn": rnn_step, "gru": gru_step, "lstm": lstm_step}


def unroll(step: Step, p: Tensors, inputs: Tensor, states: Tensors, lengths: NDArray[np.intp] | None) -> Any:
    """(outputs (T, B, d), final states): the step over the sequence; rows past their length keep their state."""
    import torch

    hidden = []
    alive = None
    if lengths is not None:
        ends = torch.as_tensor(lengths, device=inputs.device)
        alive = torch.arange(len(inputs), device=inputs.device)[:, None, None] < ends[:, None]
        # What lies past a length must not enter the step at all: zero times NaN is NaN in the backward.
        inputs = torch.where(alive, inputs, 0.0)
    for t, x in enumerate(inputs):
        new = step(p, x, states)
        if alive is not None:
            new = {name: torch.where(alive[t], new[name], states[name]) for name in new}
        states = new
        hidden.append(states["h"] if alive is None else torch.where(alive[t], states["h"], 0.0))
    outputs = torch.stack(hidden) if hidden else inputs.new_zeros((0, *states["h"].shape))
    return outputs, states


@dataclass(frozen=True)
class EagerDriver:
    """The plain step of a reference's variant, differentiated by autograd."""

    like: Reference

    @property
    def table(self) -> Table:
        return Table.identity(tuple(self.like.parameter_shapes(1, 1)))

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: NDArray[np.intp] | None
    ) -> tuple[Tensor, Tensors]:
        outputs, finals = unroll(STEPS[self.like.name](self.like), leaves, inputs, states, lengths)
        return outputs, finals
