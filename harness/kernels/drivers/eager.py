"""The documents' variants in plain torch, one line for a printed equation: what autograd differentiates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.array_types import IndexArray
from rnn_harness.kernels.driver_protocol import Tensors, TrainableDriver
from rnn_harness.kernels.packing import Table
from rnn_harness.references import Reference
from rnn_harness.references.gru import GRU
from rnn_harness.references.lstm import LSTM
from rnn_harness.references.rnn import RNN

if TYPE_CHECKING:
    from torch import Tensor

Step = Callable[[Tensors, "Tensor", Tensors], Tensors]
"""(parameters, x_t (B, n), states (B, d)) -> next states (B, d); weights act from the left, W (d, n)."""


def _affine(p: Tensors, gate: str, x: Tensor, h: Tensor) -> Tensor:
    """Give the pre-activation of a gate, (B, d): W_x x + W_h h, and the bias if there is one."""
    total = x @ p[f"W_x{gate}"].T + h @ p[f"W_h{gate}"].T
    bias = p.get(f"b_{gate}" if gate else "b")
    return total if bias is None else total + bias


def activation_function(name: str) -> Callable[[Tensor], Tensor]:
    """Give torch's function for ``tanh``, and its sigmoid for any other name.

    Args:
        name: A reference's name of an activation.
    """
    import torch

    return torch.tanh if name == "tanh" else torch.sigmoid


def rnn_step(reference: RNN) -> Step:
    """Write the step of the simple RNN (003:187, 000:260) with the reference's activation.

    Args:
        reference: It says which activation.

    Returns:
        A function of parameters, an input (B, n) and states (B, d), which returns the new states.
    """
    activation = activation_function(reference.activation)

    def step(p: Tensors, x: Tensor, states: Tensors) -> Tensors:
        return {"h": activation(_affine(p, "", x, states["h"]))}

    return step


def gru_step(reference: GRU) -> Step:
    """Write the step of the reference's GRU.

    The reset gate acts before the recurrent product as in 001:280-329, 004:53-127 and 003:788-797, or after it as
    torch.nn.GRU documents.

    Args:
        reference: It says which variant: reset, update, candidate and bias.

    Returns:
        A function of parameters, an input (B, n) and states (B, d), which returns the new states.
    """
    sigmoid, candidate = activation_function("sigmoid"), activation_function(reference.candidate)

    def step(p: Tensors, x: Tensor, states: Tensors) -> Tensors:
        h = states["h"]
        r = sigmoid(_affine(p, "r", x, h))
        z = sigmoid(_affine(p, "z", x, h))
        if reference.reset == "before":
            g = candidate(_affine(p, "g", x, r * h))
        else:
            inner = h @ p["W_hg"].T
            outer = x @ p["W_xg"].T
            if reference.bias:
                inner, outer = inner + p["b_hg"], outer + p["b_g"]
            g = candidate(outer + r * inner)
        return {"h": z * h + (1 - z) * g if reference.update == "keep" else z * g + (1 - z) * h}

    return step


def lstm_step(reference: LSTM) -> Step:
    """Write the step of the reference's LSTM (003:655-666, 003:692-778, 003:813-817).

    Args:
        reference: It says which variant: gates, peepholes, activations and bias.

    Returns:
        A function of parameters, an input (B, n) and states (B, d), which returns the new states.
    """
    sigmoid = activation_function("sigmoid")
    candidate, output = activation_function(reference.candidate), activation_function(reference.output)

    def gate(p: Tensors, name: str, x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        total = _affine(p, name, x, h)
        if reference.peephole is not None:
            weight = p[f"W_c{name}"]
            total = total + (c * weight if reference.peephole == "diagonal" else c @ weight.T)
        return sigmoid(total)

    def step(p: Tensors, x: Tensor, states: Tensors) -> Tensors:
        h, c = states["h"], states["c"]
        i = gate(p, "i", x, h, c)
        g = candidate(_affine(p, "g", x, h))
        new_c = (gate(p, "f", x, h, c) * c if reference.forget else c) + i * g
        o = gate(p, "o", x, h, new_c)
        return {"h": o * output(new_c), "c": new_c}

    return step


STEPS: dict[str, Callable[[Any], Step]] = {"rnn": rnn_step, "gru": gru_step, "lstm": lstm_step}
"""By family, what writes the step of a reference's variant."""


def unroll(
    step: Step, p: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
) -> tuple[Tensor, Tensors]:
    """Run a step over a sequence; rows past their length keep their state.

    Args:
        step: One step of the cell.
        p: Its parameters.
        inputs: (T, B, n).
        states: Initial states (B, d).
        lengths: Steps of every row (B,), or None where every row has T.

    Returns:
        The outputs (T, B, d), zero past a row's length, and the final states (B, d).
    """
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
class EagerDriver(TrainableDriver):
    """The plain step of a reference's variant, differentiated by autograd.

    Attributes:
        reference: The reference whose variant is run.
    """

    reference: Reference

    @property
    def table(self) -> Table:
        """The identity: the kernel uses the reference's own names."""
        return Table.identity(tuple(self.reference.parameter_shapes(1, 1)))

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
    ) -> tuple[Tensor, Tensors]:
        """Run over a sequence, as `Driver.run` says."""
        return unroll(STEPS[self.reference.name](self.reference), leaves, inputs, states, lengths)
