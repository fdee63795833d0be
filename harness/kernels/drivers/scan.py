"""A defect of torch kept as a case: scan over an LSTM step, its recurrent weights closed over, under inductor.

With torch 2.13 on CPU the forward is right, and so is every gradient but that of the recurrent weights, which is off
by 150 to 500 %, wherever the inputs have the shape of the hidden states (n = d): a saved array is overwritten in the
backward. At n = 3, d = 4 nothing is wrong; a test at one size only can miss it.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.array_types import IndexArray
from rnn_harness.errors import Refused
from rnn_harness.kernels.driver_protocol import Tensors, TrainableDriver
from rnn_harness.kernels.packing import Table
from rnn_harness.references import Reference

if TYPE_CHECKING:
    from torch import Tensor


@functools.cache
def _compiled_sequence() -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """Compile the whole sequence: (W_x, W_h, b, inputs, h, c) -> (outputs (T, B, d), h, c)."""
    import torch
    from torch._higher_order_ops import scan

    def sequence(w_x: Tensor, w_h: Tensor, b: Tensor, inputs: Tensor, h: Tensor, c: Tensor) -> Any:
        projected_inputs = inputs @ w_x.T + b

        def step(carry: tuple[Tensor, Tensor], a: Tensor) -> Any:
            h, c = carry
            i, f, g, o = (a + h @ w_h.T).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            # scan refuses states that are also saved for the backward: what it carries must be copies.
            return (h.clone(), c.clone()), h.clone()

        (h, c), hidden = scan(step, (h, c), projected_inputs, dim=0)
        return hidden, h, c

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, when it loads inductor
        return torch.compile(sequence, backend="inductor", dynamic=False)


@dataclass(frozen=True)
class ScanDriver(TrainableDriver):
    """torch's scan over the LSTM step, compiled.

    Attributes:
        reference: The reference of the LSTM.
    """

    reference: Reference

    @property
    def table(self) -> Table:
        """Stack the gates i, f, g, o in one weight for the inputs, one for the states, and one bias."""
        gates = "ifgo"
        stacked = {"W_x": "; ".join(f"W_x{g}" for g in gates), "W_h": "; ".join(f"W_h{g}" for g in gates)}
        return Table.of(stacked | {"b": "; ".join(f"b_{g}" for g in gates)})

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
    ) -> tuple[Tensor, Tensors]:
        """Run over a sequence, as `Driver.run` says.

        Raises:
            Refused: Lengths are given.
        """
        if lengths is not None:
            raise Refused("the scan takes no lengths")
        import torch._dynamo.config as config

        sequence = _compiled_sequence()
        with config.patch({"capture_scalar_outputs": True}):  # inductor's scan counts its steps in a tensor
            hidden, h, c = sequence(leaves["W_x"], leaves["W_h"], leaves["b"], inputs, states["h"], states["c"])
        return hidden, {"h": h, "c": c}
