"""Models of Keras: Bidirectional, stacks of cells, Sequential, functional and subclassed models.

The model is rebuilt in each dtype and run as a function of its weights. A recurrent layer inside of it is called
through a torch module of its own, so that whoever looks at the model sees what the layer is given and gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from torch import Tensor, nn

from rnn_harness.attributes import attribute
from rnn_harness.errors import UsageError, first_line
from rnn_harness.options import Options
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.adapter import HeldPart, ModelInputs
from rnn_harness.validation.loading.adapters.keras_inputs import (
    all_layers_of,
    call_arguments,
    example_inputs,
    layers_of,
    possible_inputs,
)
from rnn_harness.validation.loading.adapters.keras_making import made_in

States: TypeAlias = Tensor | tuple[Tensor, ...] | None


def holds_layers(layer: Any) -> bool:
    """Say whether a layer of Keras is a model: recurrent layers inside of it, or several cells on top of each other.

    Args:
        layer: The layer, built or not.
    """
    has_states = attribute(layer, "state_size", object) is not None
    parts = list(_parts_of(layer))
    return bool(parts) and (_is_stack(layer) if has_states else any(_is_layer(part) for part in parts))


def _parts_of(layer: Any) -> Iterator[Any]:
    """Yield the recurrent layers inside of a layer, and the cells that one layer runs on top of each other."""
    if _is_stack(layer):
        yield from layer.cell.cells
        return
    for child in layers_of(layer):
        if _is_stack(child) or attribute(child, "state_size", object) is None:
            yield from _parts_of(child)
        else:
            yield child


def _is_layer(layer: Any) -> bool:
    """Whether something recurrent runs over a sequence."""
    return hasattr(layer, "return_sequences")


def _is_stack(layer: Any) -> bool:
    """Whether a layer runs several cells on top of each other."""
    return hasattr(attribute(layer, "cell", object), "cells")


def _in_dtype(config: Any, dtype: str) -> Any:
    """The configuration of a layer and of all inside of it, in another dtype."""
    if isinstance(config, Mapping):
        is_layer = "name" in config and "dtype" in config
        return {
            key: dtype if key == "dtype" and (is_layer or isinstance(value, Mapping)) else _in_dtype(value, dtype)
            for key, value in config.items()
        }
    if isinstance(config, list | tuple):
        return type(config)(_in_dtype(value, dtype) for value in config)
    return config


class _LayerInside(nn.Module):
    """A recurrent layer inside of a model, with its weights: whoever watches it sees its inputs, outputs and states."""

    run: Callable[[Tensor, States], tuple[Tensor, States]]

    def forward(self, x: Tensor, states: States = None) -> tuple[Tensor, States]:
        """Run the layer on inputs (B, T, n), and return its outputs (B, T, d) and its final states."""
        return self.run(x, states)


class _Rebuilt:
    """A model of Keras in every dtype that it is asked for; copies of its torch module share it.

    Attributes:
        running: The torch module whose layers are called.
    """

    def __init__(self, layer: Any, inputs: ModelInputs) -> None:
        self.running: nn.Module | None = None
        self._own, self._inputs, self._layers = layer, inputs, dict[str, object]()

    def __deepcopy__(self, _: object) -> _Rebuilt:
        """It holds no numbers of its own: weights are given to every call."""
        return self

    def layer(self, dtype: str) -> Any:
        """Return the model in a dtype, built by a call."""
        if dtype not in self._layers:
            with made_in(dtype):
                layer = self._made_again(dtype)
                layer(*call_arguments(layer, tuple(example_inputs(self._inputs, dtype))))
            for name, part in _named_parts(layer).items():
                if _is_layer(part):
                    self._watch(part, name)
            self._layers[dtype] = layer
        return self._layers[dtype]

    def _made_again(self, dtype: str) -> Any:
        """Make the model again in a dtype; one whose class says nothing of how it is made serves itself.

        Few classes of users have a `get_config`. The one that they inherit raises, or leaves out what their constructor
        takes.
        """
        own_dtype = str(self._own.dtype_policy.compute_dtype)
        try:
            return type(self._own).from_config(_in_dtype(self._own.get_config(), dtype))
        except Exception:  # a user's class may raise anything
            if own_dtype != dtype or type(self._own).__module__.startswith("keras."):
                raise
            return self._own

    def _watch(self, layer: Any, name: str) -> None:
        """Let a recurrent layer be called through the module of its name."""
        original = layer.call

        def call(x: Tensor, *arguments: Any, **keywords: Any) -> object:
            mask = keywords.get("mask")
            if arguments or (mask is not None and not bool(mask.all())):
                return original(x, *arguments, **keywords)
            further = {key: value for key, value in keywords.items() if key not in ("initial_state", "mask")}

            def run(x: Tensor, states: States) -> tuple[Tensor, States]:
                as_it_was = layer.return_sequences, layer.return_state
                layer.return_sequences = layer.return_state = True
                try:
                    outputs, *finals = original(x, initial_state=None if states is None else _listed(states), **further)
                finally:
                    layer.return_sequences, layer.return_state = as_it_was
                return outputs, finals[0] if len(finals) == 1 else tuple(finals)

            assert self.running is not None, "a layer inside is called by the model alone"
            module = self.running.get_submodule(name)
            assert isinstance(module, _LayerInside), "the modules of parts are made for them"
            module.run = run
            initial = keywords.get("initial_state")
            outputs, finals = module(x, tuple(initial) if isinstance(initial, list) else initial)
            given = outputs if layer.return_sequences else outputs[:, -1]
            return (given, *_listed(finals)) if layer.return_state else given

        object.__setattr__(layer, "call", call)  # Keras would take it for a layer of its own


def _listed(states: States) -> list[Tensor]:
    """The states one by one."""
    if states is None:
        return []
    return list(states) if isinstance(states, tuple) else [states]


def _named_parts(layer: Any) -> dict[str, object]:
    """The recurrent layers and cells inside of a layer, by names that a torch module can have."""
    parts: dict[str, object] = {}
    for part in _parts_of(layer):
        name = str(part.name).replace(".", "_").replace("/", "_")
        while name in parts or hasattr(nn.Module, name):
            name += "_"
        parts[name] = part
    return parts


def _rebuilt(layer: Any, n: int) -> tuple[_Rebuilt, ModelInputs]:
    """Rebuild a model with the first inputs that it takes.

    Raises:
        UsageError: It raised for all of them.
    """
    raised: dict[str, str] = {}
    for inputs in possible_inputs(layer, n):
        try:
            rebuilt = _Rebuilt(layer, inputs)
            rebuilt.layer("float32")
        except Exception as error:  # a user's model may raise anything
            examples = example_inputs(inputs, "float32")
            kinds = (f"{'tokens' if 'int' in str(value.dtype) else 'inputs'} {value.shape}" for value in examples)
            raised.setdefault(_last_words(error), " and ".join(kinds))
        else:
            return rebuilt, inputs
    shown = "; ".join(f"called with {inputs}, it raised {words}" for words, inputs in list(raised.items())[:2])
    raise UsageError(
        f"{type(layer).__name__} of Keras: {shown}; expected a model of a sequence (B, T, n), of tokens (B, T), or of "
        "several"
    )


def _last_words(error: Exception) -> str:
    """What an error says; Keras puts what it is about on a line of its own, in bold."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    bold = next((line for line in lines if "\x1b[1m" in line), None)
    words = first_line(error) if bold is None else re.sub(r"\x1b\[\d*m", "", bold)
    return f"{type(error).__name__}: {words}"


class KerasModel(nn.Module):
    """A model of Keras as a torch module, on the torch backend.

    Attributes:
        held_parts: Its recurrent layers and cells.
        model_inputs: What it is called with.
        documented_class: The class of the model, where it is the user's own.
    """

    def __init__(self, layer: Any, n: int) -> None:
        """Rebuild the model.

        Args:
            layer: The model.
            n: The input size, where the model does not say its own.

        Raises:
            UsageError: It cannot be rebuilt, or no way of calling it is known.
        """
        super().__init__()
        self.documented_class: type = object if type(layer).__module__.startswith("keras.") else type(layer)
        self._rebuilt, self.model_inputs = _rebuilt(layer, n)
        built = self._rebuilt.layer("float32")
        parts = _named_parts(built)
        self.held_parts = tuple(_held(part, part_name) for part_name, part in parts.items())
        for part_name, part in parts.items():
            self.add_module(part_name, _LayerInside() if _is_layer(part) else nn.Module())
        self._places: list[tuple[str, str]] = []
        padding = next((part for part in all_layers_of(built) if _leaves_out_zero(part)), None)
        for variable in built.trainable_variables:
            owner = next((at for at, part in parts.items() if _has(part, variable)), "")
            self._register(owner, variable)
            if padding is not None and any(variable is other for other in padding.trainable_variables):
                self.model_inputs = replace(self.model_inputs, padding_rows=".".join(filter(None, self._places[-1])))

    def _register(self, owner: str, variable: Any) -> None:
        """Make a weight a parameter of the module of its layer."""
        module = self.get_submodule(owner)
        taken = [name for name, _ in module.named_parameters(recurse=False)]
        name = str(variable.path if not owner else variable.name).replace(".", "_")
        while name in taken:
            name += "_"
        module.register_parameter(name, nn.Parameter(variable.value.detach().clone()))
        self._places.append((owner, name))

    def forward(self, x: Tensor, *further: Tensor) -> object:
        """Run the model with the weights that are its parameters now.

        Args:
            x: A sequence (B, T, n), or tokens (B, T).
            further: What it is called with besides.
        """
        weights = [self.get_submodule(owner).get_parameter(name) for owner, name in self._places]
        layer = self._rebuilt.layer(str(weights[0].dtype).removeprefix("torch."))
        self._rebuilt.running = self
        fixed_weights = [variable.value for variable in layer.non_trainable_variables]
        return layer.stateless_call(weights, fixed_weights, *call_arguments(layer, (x, *further)))[0]


def _leaves_out_zero(part: Any) -> bool:
    """Whether a layer is an embedding that says of token 0 that it is padding, to be masked out."""
    return type(part).__name__ == "Embedding" and bool(vars(part).get("mask_zero", False))


def _has(part: Any, variable: Any) -> bool:
    """Whether a weight belongs to a layer."""
    return any(variable is other for other in part.trainable_variables)


def _held(part: Any, name: str) -> HeldPart:
    """Describe a recurrent layer or cell inside."""
    config: Options = part.get_config()
    states = part.state_size
    first = states[0] if isinstance(states, tuple | list) else states
    kernel = next((variable for variable in part.trainable_variables if len(variable.shape) > 1), None)
    sizes = CellSizes(int(kernel.shape[0]) if kernel is not None else int(first), int(first))

    def make(wanted: CellSizes) -> Any:
        changed = {"units": wanted.hidden_size} if "units" in config else {}
        with made_in("float32"):
            return type(part).from_config(_in_dtype({**config, **changed}, "float32"))

    return HeldPart(
        name, type(part).__name__, make, sizes, "units" in config, is_layer=_is_layer(part), is_watched=_is_layer(part)
    )
