"""What torch ships: nn.RNNCell, nn.GRUCell, nn.LSTMCell step by step, and nn.RNN, nn.GRU, nn.LSTM over sequences.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, L layers, D directions.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.errors import Refused
from rnn_harness.families import FAMILIES
from rnn_harness.kernels.packing import Table
from rnn_harness.kernels.torch_packing import cell_table, layer_table, projected_table
from rnn_harness.kernels.torch_reference import Tensors

if TYPE_CHECKING:
    from torch import Tensor


@functools.lru_cache(maxsize=256)
def _module(name: str, n: int, d: int, **options: bool | int) -> Any:
    """A module without numbers of its own: it is called with those of the case."""
    import torch

    return getattr(torch.nn, name)(n, d, **options, device="meta")


@dataclass(frozen=True)
class CellDriver:
    """One of torch's cells, called once a step."""

    family: str
    bias: bool = True

    @property
    def table(self) -> Table:
        return cell_table(self.family, self.bias)

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: NDArray[np.intp] | None
    ) -> tuple[Tensor, Tensors]:
        import torch

        if lengths is not None:
            raise Refused("torch's cells take no lengths")
        n, d = leaves["weight_ih"].shape[1], leaves["weight_hh"].shape[1]
        made = _module(f"{FAMILIES[self.family].torch_class}Cell", n, d, bias=self.bias)
        state: Any = (states["h"], states["c"]) if self.family == "lstm" else states["h"]
        hidden = []
        for x in inputs:
            state = torch.func.functional_call(made, leaves, (x, state))
            hidden.append(state[0] if self.family == "lstm" else state)
        outputs = torch.stack(hidden) if hidden else inputs.new_zeros((0, inputs.shape[1], d))
        if self.family == "lstm":
            return outputs, {"h": state[0], "c": state[1]}
        return outputs, {"h": state}


@contextlib.contextmanager
def path(fused: bool, tf32: bool) -> Iterator[None]:
    """oneDNN and cuDNN on or off; without them torch takes its native kernels. `tf32`: whether CUDA may use it."""
    import torch

    with warnings.catch_warnings():
        # Setting one flag sets them all, and some builds warn about those that they lack.
        warnings.simplefilter("ignore")
        matmul = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = tf32
        try:
            with (
                torch.backends.mkldnn.flags(enabled=fused),
                torch.backends.cudnn.flags(enabled=fused, allow_tf32=tf32),
            ):
                yield
        finally:
            torch.backends.cuda.matmul.allow_tf32 = matmul


@dataclass(frozen=True)
class LayerDriver:
    """nn.RNN, nn.GRU or nn.LSTM. `fused`: by oneDNN or cuDNN, or by the native kernels."""

    family: str
    layers: int = 1
    bidirectional: bool = False
    bias: bool = True
    batch_first: bool = False
    fused: bool = False
    tf32: bool = False
    projected: bool = False

    @property
    def table(self) -> Table:
        if self.projected:
            return projected_table()
        return layer_table(self.family, self.layers, self.bidirectional, self.bias)

    def _stack(self, states: Tensors, letter: str) -> Tensor:
        """(L D, B, d) in torch's order of layers and directions."""
        import torch

        if self.bidirectional:
            return torch.stack([states[f"forward.{letter}"], states[f"backward.{letter}"]])
        if self.layers > 1:
            return torch.stack([states[f"layer{i}.{letter}"] for i in range(self.layers)])
        return states[letter].unsqueeze(0)

    def _names(self, letter: str) -> list[str]:
        if self.bidirectional:
            return [f"forward.{letter}", f"backward.{letter}"]
        return [f"layer{i}.{letter}" for i in range(self.layers)] if self.layers > 1 else [letter]

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: NDArray[np.intp] | None
    ) -> tuple[Tensor, Tensors]:
        import torch
        from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

        steps, batch, n = inputs.shape
        if steps == 0:
            raise Refused("torch refuses a sequence of no steps: Expected sequence length to be larger than 0 in RNN")
        if lengths is not None and (batch == 0 or lengths.min() < 1):
            raise Refused("torch packs no row of length 0")
        projection = leaves["weight_hr_l0"].shape if self.projected else (0, leaves["weight_hh_l0"].shape[1])
        made = _module(
            FAMILIES[self.family].torch_class,
            n,
            projection[1],
            **({"proj_size": projection[0]} if self.projected else {}),
            num_layers=self.layers,
            bias=self.bias,
            batch_first=self.batch_first,
            bidirectional=self.bidirectional,
        )
        state: Any = self._stack(states, "h")
        if self.family == "lstm":
            state = (state, self._stack(states, "c"))
        given: Any = inputs.transpose(0, 1) if self.batch_first else inputs
        if lengths is not None:
            given = pack_padded_sequence(given, torch.as_tensor(lengths), self.batch_first, enforce_sorted=False)
        with path(self.fused, self.tf32):
            outputs, last = torch.func.functional_call(made, leaves, (given, state))
        if lengths is not None:
            outputs, _ = pad_packed_sequence(outputs, self.batch_first, total_length=steps)
        if self.batch_first:
            outputs = outputs.transpose(0, 1)
        ends = {"h": last[0], "c": last[1]} if self.family == "lstm" else {"h": last}
        return outputs, {name: ends[k][i] for k in ends for i, name in enumerate(self._names(k))}
