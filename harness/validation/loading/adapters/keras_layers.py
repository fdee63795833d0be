"""Keras 3: layers and cells, on its torch or its JAX backend."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnn_harness.errors import UsageError
from rnn_harness.options import Options
from rnn_harness.validation.cells.calling_convention import plain_convention
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, comes_from, import_library
from rnn_harness.validation.loading.adapters.jax_modules import jax_function_module


def choose_backend() -> None:
    """Let Keras run on torch, which is installed in any case, unless the user chose otherwise.

    Keras reads the choice when it is imported.
    """
    os.environ.setdefault("KERAS_BACKEND", "torch")


class _StatelessLayer(nn.Module):
    """A layer or cell of Keras whose weights are parameters of a torch module, in any dtype.

    Attributes:
        weight_names: The names of its trainable weights, in the layer's order.
    """

    def __init__(self, layer: Any, n: int, is_cell: bool) -> None:
        super().__init__()
        self._layer_type, self._config, self._n, self._is_cell = type(layer), layer.get_config(), n, is_cell
        self._layers: dict[str, Any] = {}
        weights = self._layer("float32").trainable_variables
        self.weight_names = [weight.name for weight in weights]
        for weight in weights:
            value = weight.value  # a tensor of the backend
            initial = value.detach().clone() if isinstance(value, Tensor) else torch.tensor(np.asarray(value))
            self.register_parameter(weight.name, nn.Parameter(initial))

    def _layer(self, dtype: str) -> Any:
        """The layer, built once for every dtype: Keras computes in the dtype that a layer was made with."""
        if dtype not in self._layers:
            config = {**self._config, "dtype": dtype}
            if not self._is_cell:
                config |= {"return_sequences": True, "return_state": True}
            layer = self._layer_type.from_config(config)
            layer.build((None, self._n) if self._is_cell else (None, None, self._n))
            self._layers[dtype] = layer
        return self._layers[dtype]

    def call_with_weights(self, dtype: str, weights: list[object], x: object, states: list[object]) -> object:
        """Run the layer as a function of its weights, in tensors of the backend."""
        layer = self._layer(dtype)
        fixed_weights = [variable.value for variable in layer.non_trainable_variables]
        if self._is_cell:
            return layer.stateless_call(weights, fixed_weights, x, states)[0]
        return layer.stateless_call(weights, fixed_weights, x, initial_state=states)[0]

    def forward(self, x: Tensor, *states: Tensor) -> object:
        """Run the layer on inputs (B, T, n), or the cell on (B, n), from states (B, d)."""
        weights: list[object] = [self._parameters[name] for name in self.weight_names]
        return self.call_with_weights(str(x.dtype).removeprefix("torch."), weights, x, list(states))


class KerasAdapter:
    """Drives keras.layers: SimpleRNN, GRU, LSTM, their cells, and layers like them."""

    name = "keras"
    options: tuple[str, ...] = ()

    def accepts(self, cell_type: type) -> bool:
        """Say whether a class is a layer of Keras 3."""
        return comes_from(cell_type, "keras")

    def defaults(self, cell_type: type) -> Options:
        """Return nothing: the sizes suffice."""
        return {}

    def drive(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive the layer, its weights given to every call."""
        backend = import_library("keras", "keras").backend.backend()
        if backend not in ("torch", "jax"):
            raise UsageError(f"Keras runs on {backend}; set KERAS_BACKEND=torch (or jax) to have it driven")
        is_cell = not hasattr(cell, "return_sequences") and hasattr(cell, "state_size")
        state_size = getattr(cell, "state_size", None)
        if state_size is None:
            raise UsageError(f"{type(cell).__name__} has no state_size: it is no recurrent layer of Keras")
        states = len(state_size) if isinstance(state_size, tuple | list) else 1
        convention = plain_convention(not is_cell, states, packed=False, batch_first=not is_cell)
        if not is_cell and getattr(cell, "go_backwards", False):  # Keras leaves the outputs in the order of reading
            convention = replace(convention, reading="backward, not turned back")
        layer = _StatelessLayer(cell, n, is_cell)
        if backend == "torch":
            return DrivenModule(layer, TargetCapabilities(calling_convention=convention, states_return_in_order=True))
        initial_weights = {name: value.detach().numpy() for name, value in layer.named_parameters()}

        def run(weights: Mapping[str, object], x: Any, *states: object) -> object:
            values = [weights[name] for name in layer.weight_names]
            return layer.call_with_weights(str(x.dtype), values, x, list(states))

        return DrivenModule(
            jax_function_module(run, initial_weights),
            TargetCapabilities(calling_convention=convention, library="JAX", states_return_in_order=True),
        )
