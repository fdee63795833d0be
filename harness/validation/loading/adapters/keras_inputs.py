"""What models of Keras are called with: what they say, else sequences of numbers and of tokens, one or several."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from rnn_harness.attributes import attribute
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.call_argument import role_of_extra
from rnn_harness.validation.loading.adapters.adapter import FurtherInput, ModelInputs

_TRIAL_STEPS = 3
DTYPES = ("float32",)
"""On torch, Keras multiplies matrices of float64 in float32."""
_MOST_SEQUENCES = 3
"""How many sequences a class of a user may take."""


def layers_of(layer: Any) -> list[Any]:
    """Return the layers that a layer holds, for which Keras has a public name in models alone.

    Args:
        layer: A layer of Keras.
    """
    return list(vars(layer).get("_layers", ()))


def all_layers_of(layer: Any) -> Iterator[Any]:
    """Yield a layer and all that it holds.

    Args:
        layer: A layer of Keras.
    """
    yield layer
    for child in layers_of(layer):
        yield from all_layers_of(child)


def example_inputs(inputs: ModelInputs, dtype: str) -> Iterator[Any]:
    """Yield zeros for every input of a model.

    Args:
        inputs: What it is called with.
        dtype: The dtype of numbers.
    """
    shape = (2, inputs.lengths[1] or _TRIAL_STEPS)
    sequences = [
        (inputs.features, inputs.vocabulary),
        *((known.features, known.vocabulary) for known in inputs.further),
    ]
    roles = ["sequence", *(known.role for known in inputs.further)]
    for role, (features, vocabulary) in zip(roles, sequences, strict=True):
        if role == "lengths":
            yield np.full(shape[:1], shape[1], "int32")
        elif role != "sequence":
            yield np.full(shape, role == "mask")
        else:
            yield np.zeros(shape, "int32") if vocabulary else np.zeros((*shape, features), dtype)


def call_arguments(layer: Any, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments of a call: inputs one by one where `call` has a parameter for each, else all in a list.

    Args:
        layer: The model.
        values: Its inputs.
    """
    return values if len(values) == 1 or len(_input_names(layer)) == len(values) else (list(values),)


def _input_names(layer: Any) -> list[str]:
    """The parameters of a model's `call` that have no default."""
    parameters = inspect.signature(layer.call).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in positional and p.default is inspect.Parameter.empty]


def possible_inputs(layer: Any, n: int) -> Iterator[ModelInputs]:
    """Yield what a model may be called with: what it says, else one sequence, else several.

    A sequence is one of numbers of the input size or, where there is an embedding inside, one of tokens.

    Args:
        layer: The model.
        n: The input size, where it does not say its own.

    Raises:
        UsageError: None of its inputs is a sequence.
    """
    known = attribute(layer, "inputs", list) or []
    inside = all_layers_of(layer)
    vocabularies = [int(part.input_dim) for part in inside if type(part).__name__ == "Embedding"]
    vocabulary = min(vocabularies, default=0)
    if not known:
        yield from _unstated_inputs(layer, n, vocabulary)
        return
    first, *others = known
    shape = tuple(first.shape)
    lengths = (0, int(shape[1] or 0) if len(shape) > 1 else 0)
    further = tuple(_further_input(tensor, vocabulary, type(layer).__name__) for tensor in others)
    if len(shape) == 3:
        yield ModelInputs(int(shape[2] or n), 0, lengths, DTYPES, further)
    else:
        yield ModelInputs(0, vocabulary, lengths, DTYPES, further)


def _unstated_inputs(layer: Any, n: int, vocabulary: int) -> Iterator[ModelInputs]:
    """Yield what a class of a user may be called with, which says nothing of its inputs."""
    names = _input_names(layer)
    kinds = [(0, vocabulary), (n, 0)] if vocabulary else [(n, 0)]
    features, tokens = kinds[0]
    yield ModelInputs(features, tokens, dtypes=DTYPES)
    if type(layer).__module__.startswith("keras."):
        return
    for count in range(2, _MOST_SEQUENCES + 1):
        for (features, tokens), *others in itertools.product(kinds, repeat=count):
            further = (
                FurtherInput(names[place] if len(names) == count else f"input {place + 1}", "sequence", *kind)
                for place, kind in enumerate(others, 1)
            )
            yield ModelInputs(features, tokens, dtypes=DTYPES, further=tuple(further))


def _further_input(tensor: Any, vocabulary: int, name: str) -> FurtherInput:
    """What an input of a functional model is, besides its first one.

    Raises:
        UsageError: It is no sequence, no mask and no lengths.
    """
    shape, own_name = tuple(tensor.shape), str(tensor.name)
    role = role_of_extra(own_name)
    if len(shape) == 3:
        return FurtherInput(own_name, "sequence", int(shape[2] or 1))
    if len(shape) == 2 and shape[1] is None:
        is_mask = str(tensor.dtype) == "bool" or role in ("mask", "padding mask")
        if is_mask:
            return FurtherInput(own_name, "padding mask" if role == "padding mask" else "mask")
        if vocabulary:
            return FurtherInput(own_name, "sequence", 0, vocabulary)
    if len(shape) == 1 and role == "lengths":
        return FurtherInput(own_name, "lengths")
    raise UsageError(
        f"{name} has an input {own_name} {shape} besides its first one; expected sequences (None, T, n), tokens or a "
        "mask (None, None), or lengths (None,)"
    )
