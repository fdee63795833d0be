"""A defect of torch kept as a case: scan over an LSTM step, its recurrent weights closed over, under inductor.

With torch 2.13 on CPU the forward is right, and so is every gradient but that of the recurrent weights, which is off
by 150 to 500 %, wherever the inputs have the shape of the hidden states (n = d): a saved array is overwritten in the
backward. At n = 3, d = 4 nothing is wrong; who tests at one size only can miss it.
Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.errors import Refused
from rnn_harness.kernels.packing import Table
from rnn_harness.kernels.torch_reference import Tensors
from rnn_harness.references import Reference

if TYPE_CHECKING:
    from torch import Tensor


@functools.cache
def _compile() -> Any:
    import torch
    from torch._higher_order_ops import scan

    def sequence(w_x: Tensor, w_h: Tensor, b: Tensor, inputs: Tensor, h: Tensor, c: Tensor) -> Any:
        early = inputs @ w_x.T + b

        def step(carry: tuple[Tensor, Tensor], a: Tensor) -> Any:
            h, c = carry
            i, f, g, o = (a + h @ w_h.T).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            # scan refuses states that are also saved for the backward: what it carries must be copies.
            return (h.clone(), c.clone()), h.clone()

        (h, c), hidden = scan(step, (h, c), early, dim=0)
        return hidden, h, c

    return torch.compile(sequence, backend="inductor", dynamic=False)


@dataclass(frozen=True)
class ScanDriver:
    """torch's scan over the LSTM step, compiled."""

    like: Reference

    @property
    def table(self) -> Table:
        gates = "ifgo"
        stacked = {"W_x": "; ".join(f"W_x{g}" for g in gates), "W_h": "; ".join(f"W_h{g}" for g in gates)}
        return Table.of(stacked | {"b": "; ".join(f"b_{g}" for g in gates)})

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: NDArray[np.intp] | None
    ) -> tuple[Tensor, Tensors]:
        if lengths is not None:
            raise Refused("the scan takes no lengths")
        import torch._dynamo.config as config

        with config.patch({"capture_scalar_outputs": True}):  # inductor's scan counts its steps in a tensor
            hidden, h, c = _compile()(leaves["W_x"], leaves["W_h"], leaves["b"], inputs, states["h"], states["c"])
        return hidden, {"h": h, "c": c}
