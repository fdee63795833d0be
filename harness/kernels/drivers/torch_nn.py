"""What torch ships: nn.RNNCell, nn.GRUCell, nn.LSTMCell step by step, and nn.RNN, nn.GRU, nn.LSTM over sequences."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.array_types import IndexArray
from rnn_harness.errors import Refused
from rnn_harness.families import FAMILIES, torch_class
from rnn_harness.kernels.driver_protocol import Tensors, TrainableDriver
from rnn_harness.kernels.packing import Table
from rnn_harness.kernels.torch_packing import cell_table, layer_table, projected_table

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


@functools.lru_cache(maxsize=256)
def _module(class_name: str, n: int, d: int, **options: bool | int) -> Module:
    """Build a module of torch.nn without numbers of its own: it is called with those of the case."""
    module: Module = torch_class(class_name)(n, d, **options, device="meta")
    return module


@dataclass(frozen=True)
class CellDriver(TrainableDriver):
    """One of torch's cells, called once a step.

    Attributes:
        family: ``rnn``, ``gru`` or ``lstm``.
        bias: Whether the cell has biases.
    """

    family: str
    bias: bool = True

    @property
    def table(self) -> Table:
        """The map of the cell's packed parameters."""
        return cell_table(self.family, self.bias)

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
    ) -> tuple[Tensor, Tensors]:
        """Run over a sequence, as `Driver.run` says.

        Raises:
            Refused: Lengths are given.
        """
        import torch

        if lengths is not None:
            raise Refused("torch's cells take no lengths")
        n, d = leaves["weight_ih"].shape[1], leaves["weight_hh"].shape[1]
        module = _module(f"{FAMILIES[self.family].torch_class}Cell", n, d, bias=self.bias)
        state: Any = (states["h"], states["c"]) if self.family == "lstm" else states["h"]
        hidden = []
        for x in inputs:
            state = torch.func.functional_call(module, leaves, (x, state))
            hidden.append(state[0] if self.family == "lstm" else state)
        outputs = torch.stack(hidden) if hidden else inputs.new_zeros((0, inputs.shape[1], d))
        if self.family == "lstm":
            return outputs, {"h": state[0], "c": state[1]}
        return outputs, {"h": state}


@contextlib.contextmanager
def library_kernels(enabled: bool, tf32: bool) -> Iterator[None]:
    """Turn oneDNN and cuDNN on or off; without them torch takes its native kernels.

    Args:
        enabled: Whether the libraries are on.
        tf32: Whether CUDA may shorten the operands of float32 products.
    """
    import torch

    with warnings.catch_warnings():
        # Setting one flag sets them all, and some builds warn about those that they lack.
        warnings.simplefilter("ignore")
        matmul = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = tf32
        try:
            with (
                torch.backends.mkldnn.flags(enabled=enabled),
                torch.backends.cudnn.flags(enabled=enabled, allow_tf32=tf32),
            ):
                yield
        finally:
            torch.backends.cuda.matmul.allow_tf32 = matmul


@dataclass(frozen=True)
class LayerDriver(TrainableDriver):
    """nn.RNN, nn.GRU or nn.LSTM.

    Attributes:
        family: ``rnn``, ``gru`` or ``lstm``.
        layers: Layers on top of each other.
        bidirectional: Whether a second direction reads the sequence backwards.
        bias: Whether it has biases.
        batch_first: Whether the module is called with (B, T, n).
        fused: Whether oneDNN or cuDNN computes it, or torch's native kernels.
        tf32: Whether CUDA may shorten the operands of float32 products.
        projected: Whether it is an LSTM with ``proj_size``.
    """

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
        """The map of the module's packed parameters."""
        if self.projected:
            return projected_table()
        return layer_table(self.family, self.layers, self.bidirectional, self.bias)

    def _stacked_states(self, states: Tensors, letter: str) -> Tensor:
        """Stack the states ``h`` or ``c`` in torch's order of layers and directions, (L D, B, d)."""
        import torch

        if self.bidirectional:
            return torch.stack([states[f"forward.{letter}"], states[f"backward.{letter}"]])
        if self.layers > 1:
            return torch.stack([states[f"layer{i}.{letter}"] for i in range(self.layers)])
        return states[letter].unsqueeze(0)

    def _state_names(self, letter: str) -> list[str]:
        """Name the states ``h`` or ``c`` in torch's order of layers and directions."""
        if self.bidirectional:
            return [f"forward.{letter}", f"backward.{letter}"]
        return [f"layer{i}.{letter}" for i in range(self.layers)] if self.layers > 1 else [letter]

    def _layer(self, leaves: Tensors, n: int) -> Module:
        """Build the module for the sizes of the parameters."""
        projection = leaves["weight_hr_l0"].shape if self.projected else (0, leaves["weight_hh_l0"].shape[1])
        return _module(
            FAMILIES[self.family].torch_class,
            n,
            projection[1],
            **({"proj_size": projection[0]} if self.projected else {}),
            num_layers=self.layers,
            bias=self.bias,
            batch_first=self.batch_first,
            bidirectional=self.bidirectional,
        )

    def parameters_swapped_in(
        self,
        leaves: Tensors,
        inputs: Tensor,
        states: Tensors,
    ) -> AbstractContextManager[None]:
        """Give the context in which the libraries are as in the forward.

        cuDNN's backward reads anew whether TF32 is allowed (ATen/native/cudnn/RNN.cpp: every descriptor is made from
        `allowTF32CuDNN` of that moment).

        Args:
            leaves: Not read.
            inputs: Not read.
            states: Not read.
        """
        return library_kernels(self.fused, self.tf32)

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
    ) -> tuple[Tensor, Tensors]:
        """Run over a sequence, as `Driver.run` says; rows of different lengths are packed.

        Raises:
            Refused: There is no step, or a row of length 0.
        """
        import torch
        from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

        steps, batch, n = inputs.shape
        if steps == 0:
            raise Refused("torch refuses a sequence of no steps: Expected sequence length to be larger than 0 in RNN")
        if lengths is not None and (batch == 0 or lengths.min() < 1):
            raise Refused("torch packs no row of length 0")
        module = self._layer(leaves, n)
        state: Any = self._stacked_states(states, "h")
        if self.family == "lstm":
            state = (state, self._stacked_states(states, "c"))
        sequence: Any = inputs.transpose(0, 1) if self.batch_first else inputs
        if lengths is not None:
            sequence = pack_padded_sequence(sequence, torch.as_tensor(lengths), self.batch_first, enforce_sorted=False)
        with library_kernels(self.fused, self.tf32):
            outputs, last = torch.func.functional_call(module, leaves, (sequence, state))
        if lengths is not None:
            outputs, _ = pad_packed_sequence(outputs, self.batch_first, total_length=steps)
        if self.batch_first:
            outputs = outputs.transpose(0, 1)
        ends = {"h": last[0], "c": last[1]} if self.family == "lstm" else {"h": last}
        return outputs, {name: ends[k][i] for k in ends for i, name in enumerate(self._state_names(k))}
