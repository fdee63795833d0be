"""Keras 3: layers and cells, on its torch or its JAX backend."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnn_harness.attributes import attribute
from rnn_harness.errors import UsageError, first_line
from rnn_harness.options import Options
from rnn_harness.validation.cells.calling_convention import plain_convention
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, comes_from, import_library
from rnn_harness.validation.loading.adapters.jax_functions import jax_function_module
from rnn_harness.validation.loading.adapters.keras_making import made_in
from rnn_harness.validation.loading.adapters.keras_models import KerasModel, holds_layers
from rnn_harness.validation.loading.adapters.keras_states import drive_joined_states, widths_of_states


def choose_backend() -> None:
    """Let Keras run on torch, which is installed in any case, unless the user chose otherwise.

    Keras reads the choice when it is imported.
    """
    os.environ.setdefault("KERAS_BACKEND", "torch")


class _StatelessLayer(nn.Module):
    """A layer or cell of Keras whose weights are parameters of a torch module, in any dtype.

    Attributes:
        weight_names: The names of its trainable weights, in the layer's order.
        label: The name of its class.
    """

    def __init__(self, layer: Any, n: int, is_cell: bool) -> None:
        super().__init__()
        self._layer_type, self._config, self._n, self._is_cell = type(layer), layer.get_config(), n, is_cell
        self.label = type(layer).__name__
        self._layers: dict[str, object] = {}
        weights = _weights_of(self._layer("float32"))
        self.weight_names = _numbered([weight.name for weight in weights])
        for name, weight in zip(self.weight_names, weights, strict=True):
            value = weight.value  # a tensor of the backend
            initial = value.detach().clone() if isinstance(value, Tensor) else torch.tensor(np.asarray(value))
            self.register_parameter(name, nn.Parameter(initial))

    def _layer(self, dtype: str) -> Any:
        """The layer, built once for every dtype: Keras computes in the dtype that a layer was made with."""
        if dtype not in self._layers:
            config = {**self._config, "dtype": dtype}
            if not self._is_cell:
                config |= {"return_sequences": True, "return_state": True}
            with made_in(dtype):
                layer = self._layer_type.from_config(config)
                layer.build((None, self._n) if self._is_cell else (None, None, self._n))
            self._layers[dtype] = layer
        return self._layers[dtype]

    def call_with_weights(
        self, dtype: str, weights: list[object], x: object, states: list[object], mask: object = None
    ) -> object:
        """Run the layer as a function of its weights, in tensors of the backend."""
        layer = self._layer(dtype)
        if self._is_cell:
            return layer.stateless_call(*_sorted_weights(layer, weights), x, states)[0]
        further = {} if mask is None else {"mask": mask}
        return layer.stateless_call(*_sorted_weights(layer, weights), x, initial_state=states or None, **further)[0]

    def forward(self, x: Tensor, *states: Tensor, mask: Tensor | None = None) -> object:
        """Run the layer on inputs (B, T, n), or the cell on (B, n), from states (B, d).

        A layer may be given a mask (B, T), true where a step counts.
        """
        weights: list[object] = [self._parameters[name] for name in self.weight_names]
        return self.call_with_weights(str(x.dtype).removeprefix("torch."), weights, x, list(states), mask)


def _weights_of(layer: Any) -> list[Any]:
    """The variables of a layer that are its weights: what is trained, or in a reservoir what is not."""
    return list(layer.trainable_variables) or [
        variable for variable in layer.non_trainable_variables if _is_float(variable)
    ]


def _is_float(variable: Any) -> bool:
    """Whether a variable of Keras holds numbers, and no counter or seed."""
    return "float" in str(variable.dtype)


def _sorted_weights(layer: Any, weights: list[object]) -> tuple[list[object], list[object]]:
    """The values of the trainable and of the other variables of a layer, for values of its weights."""
    if layer.trainable_variables:
        return weights, [variable.value for variable in layer.non_trainable_variables]
    values = iter(weights)
    return [], [next(values) if _is_float(variable) else variable.value for variable in layer.non_trainable_variables]


class _OwnLayer(_StatelessLayer):
    """A layer that somebody wrote with a loop inside: it takes a sequence (B, T, n), and says nothing of its states."""

    def __init__(self, layer: Any, n: int) -> None:
        super().__init__(layer, n, is_cell=False)

    def _layer(self, dtype: str) -> Any:
        """The layer, built by a call: its parts are built when they are first called."""
        if dtype not in self._layers:
            with made_in(dtype):
                layer = self._layer_type.from_config({**self._config, "dtype": dtype})
                layer(np.zeros((2, 3, self._n), dtype))
            self._layers[dtype] = layer
        return self._layers[dtype]

    def call_on(self, x: Tensor, **further: Tensor) -> object:
        """Run the layer on inputs (B, T, n), in tensors of torch, with further arguments; it takes no states."""
        layer = self._layer(str(x.dtype).removeprefix("torch."))
        weights: list[object] = [self._parameters[name] for name in self.weight_names]
        return layer.stateless_call(*_sorted_weights(layer, weights), x, **further)[0]

    def forward(self, x: Tensor) -> object:  # type: ignore[override]  # it takes the sequence alone
        """Run the layer on inputs (B, T, n)."""
        return self.call_on(x)


class _OwnMaskedLayer(_OwnLayer):
    """One that takes a mask, too: Keras hands it (B, T), true where a step counts."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> object:  # type: ignore[override]  # it takes no states
        """Run the layer on inputs (B, T, n)."""
        return self.call_on(x) if mask is None else self.call_on(x, mask=mask)


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
        if backend == "torch" and holds_layers(cell):
            return DrivenModule(KerasModel(cell, n), TargetCapabilities(has_parts=True))
        is_cell = not hasattr(cell, "return_sequences") and hasattr(cell, "state_size")
        state_size = attribute(cell, "state_size", object)
        if state_size is None:
            return self._drive_own_layer(cell, n, backend)
        widths = widths_of_states(state_size)
        layer = _StatelessLayer(cell, n, is_cell)
        if len(widths) > 2 or len(set(widths)) > 1:
            if backend == "torch" and is_cell:
                return drive_joined_states(layer, lambda: _StatelessLayer(cell, n, is_cell), n, widths)
            if is_cell:
                raise UsageError(
                    f"{layer.label} has states of the widths {', '.join(map(str, widths))}, which are joined to one "
                    "with KERAS_BACKEND=torch"
                )
        states = len(widths) if len(set(widths)) == 1 and len(widths) < 3 else 0
        convention = plain_convention(not is_cell, states, packed=False, batch_first=not is_cell)
        if not is_cell and attribute(cell, "go_backwards", bool):  # Keras leaves the outputs in the order of reading
            convention = replace(convention, reading="backward, not turned back")
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

    def _drive_own_layer(self, layer: Any, n: int, backend: str) -> DrivenModule:
        """Drive a layer that has no state_size, on torch. Raises UsageError if it does not take a sequence."""
        name = type(layer).__name__
        if backend != "torch":
            raise UsageError(f"{name} has no state_size; a layer with a loop of its own runs with KERAS_BACKEND=torch")
        expected = "expected a recurrent layer of Keras: one with state_size, or one that takes a sequence (B, T, n)"
        try:
            takes_mask = "mask" in inspect.signature(layer.call).parameters
            module = _OwnMaskedLayer(layer, n) if takes_mask else _OwnLayer(layer, n)
            is_recurrent = _reaches_other_steps(module, n)
        except Exception as error:  # the layer may raise anything
            raise UsageError(
                f"{name} has no state_size, and called with inputs (2, 3, {n}) it raised "
                f"{type(error).__name__}: {first_line(error)}; {expected}"
            ) from error
        if not is_recurrent:
            raise UsageError(f"{name} has no state_size, and no step of its inputs reaches another step; {expected}")
        return DrivenModule(module, TargetCapabilities(has_library_mask=takes_mask))


def _numbered(names: list[str]) -> list[str]:
    """The names, with a number from the second of a name on: parts of a layer have weights of the same names."""
    return [f"{name}_{names[:i].count(name) + 1}" if name in names[:i] else name for i, name in enumerate(names)]


def _reaches_other_steps(module: _OwnLayer, n: int) -> bool:
    """Whether the first step of a sequence reaches a later output, or the last step an earlier one."""
    x = torch.linspace(-1, 1, 6 * n).reshape(2, 3, n)
    outputs = module(x)
    if not isinstance(outputs, Tensor) or outputs.dim() != 3:
        return True  # outputs of the last step alone, or several results: whoever drives it finds out
    for step in (0, 2):
        changed = x.clone()
        changed[:, step] += 1
        moved = (module(changed) - outputs).detach().abs().amax((0, 2)) > 0
        moved[step] = False
        if moved.any():
            return True
    return False
