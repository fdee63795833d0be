"""Keras 3: layers and cells, on its torch or its JAX backend.

Dimension legend: B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, comes_from, import_library
from rnn_harness.validation.loading.adapters.jax_modules import jax_function_module


def choose_backend() -> None:
    """Keras reads its backend when it is imported; torch is here in any case."""
    os.environ.setdefault("KERAS_BACKEND", "torch")


class _Stateless(nn.Module):
    """A layer's weights as parameters of a torch module, in any dtype."""

    def __init__(self, module: Any, n: int, is_cell: bool) -> None:
        super().__init__()
        self.kind, self.config, self.n, self.is_cell = type(module), module.get_config(), n, is_cell
        self.layers: dict[str, Any] = {}
        self.names = [weight.name for weight in self._layer("float32").trainable_variables]
        for weight in self._layer("float32").trainable_variables:
            value = weight.value  # a tensor of the backend
            own = value.detach().clone() if isinstance(value, Tensor) else torch.tensor(np.asarray(value))
            self.register_parameter(weight.name, nn.Parameter(own))

    def _layer(self, dtype: str) -> Any:
        """Built anew for every dtype: Keras computes in the dtype that a layer was made with."""
        if dtype not in self.layers:
            given = {**self.config, "dtype": dtype}
            if not self.is_cell:
                given |= {"return_sequences": True, "return_state": True}
            layer = self.kind.from_config(given)
            layer.build((None, self.n) if self.is_cell else (None, None, self.n))
            self.layers[dtype] = layer
        return self.layers[dtype]

    def stateless(self, dtype: str, values: list[Any], x: Any, states: list[Any]) -> Any:
        """The layer as a function of its weights."""
        layer = self._layer(dtype)
        rest = [one.value for one in layer.non_trainable_variables]
        if self.is_cell:
            return layer.stateless_call(values, rest, x, states)[0]
        return layer.stateless_call(values, rest, x, initial_state=states)[0]

    def forward(self, x: Tensor, *states: Tensor) -> Any:
        """Run it."""
        values = [self._parameters[name] for name in self.names]
        return self.stateless(str(x.dtype).removeprefix("torch."), values, x, list(states))


class KerasAdapter:
    """keras.layers: SimpleRNN, GRU, LSTM, their cells, and layers like them."""

    name = "keras"
    options: tuple[str, ...] = ()

    def accepts(self, kind: type) -> bool:
        """Layers of Keras 3."""
        return comes_from(kind, "keras")

    def defaults(self, kind: type) -> Mapping[str, Any]:
        """None."""
        return {}

    def drive(self, module: Any, n: int, d: int, options: Mapping[str, Any]) -> DrivenModule:
        """The layer, its weights given to every call."""
        backend = import_library("keras", "keras").backend.backend()
        if backend not in ("torch", "jax"):
            raise UsageError(f"Keras runs on {backend}; set KERAS_BACKEND=torch (or jax) to have it driven")
        is_cell = not hasattr(module, "return_sequences") and hasattr(module, "state_size")
        size = getattr(module, "state_size", None)
        if size is None:
            raise UsageError(f"{type(module).__name__} has no state_size: it is no recurrent layer of Keras")
        states = len(size) if isinstance(size, tuple | list) else 1
        how = CallingConvention(not is_cell, states, packed=False, batch_first=not is_cell)
        driven = _Stateless(module, n, is_cell)
        if backend == "torch":
            return DrivenModule(driven, TargetCapabilities(calling_convention=how))
        start = {name: value.detach().numpy() for name, value in driven.named_parameters()}

        def run(tree: Any, x: Any, *given: Any) -> Any:
            return driven.stateless(str(x.dtype), [tree[name] for name in driven.names], x, list(given))

        return DrivenModule(jax_function_module(run, start), TargetCapabilities(calling_convention=how, library="JAX"))
