"""Files that hold a model beside its weights: the ONNX graph of a target, an archive of Keras.

What is written is read again: such a file must give back the arrays that went into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import member
from rnn_harness.conversion.weight_files import read_weights
from rnn_harness.errors import UsageError, first_line
from rnn_harness.options import Options
from rnn_harness.validation.loading.adapters import choose_backend, import_library

MODEL_ENDINGS = (".onnx", ".keras")
"""How the names of such files end."""
_KERAS_LAYERS = "keras.layers:"


@dataclass(frozen=True)
class LayerWeights:
    """The weights of one layer, as they go into a model.

    Attributes:
        title: Which layer it is, in words.
        is_reverse: Whether it reads the sequence backward.
        input_size: n.
        hidden_size: d.
        arrays: By the names of the target's parameters, in its order.
    """

    title: str
    is_reverse: bool
    input_size: int
    hidden_size: int
    arrays: Mapping[str, Array]


def is_model_file(path: Path) -> bool:
    """Say whether a file holds a model beside its weights.

    Args:
        path: The file; its ending decides.
    """
    return path.name.endswith(MODEL_ENDINGS)


def ensure_model_is_known(path: Path, target: str) -> None:
    """Check that the model of a target can be written.

    Args:
        path: The file that is to be written.
        target: The target that is to have the weights.

    Raises:
        UsageError: The target says no such model.
    """
    if path.name.endswith(".onnx") and not target.endswith(".onnx"):
        raise UsageError(
            f"--output {path}: the graph is that of B, and {target} is no ONNX file: give one as B, or write "
            ".safetensors or .npz"
        )
    if path.name.endswith(".keras") and not target.startswith(_KERAS_LAYERS):
        raise UsageError(
            f"--output {path}: the model is made of layers of Keras, and {target} is none of keras.layers: write "
            ".weights.h5, which holds weights alone"
        )


def write_model(path: Path, target: str, options: Options, layers: Sequence[LayerWeights]) -> None:
    """Write a model with its weights.

    Args:
        path: ``.onnx`` or ``.keras``.
        target: The target that has the weights: an ONNX file, or a class of ``keras.layers``.
        options: What its constructor needs besides the sizes.
        layers: The layers, in order.

    Raises:
        UsageError: The model has no place for the weights, or the file cannot be written.
    """
    try:
        if path.name.endswith(".onnx"):
            _write_onnx(path, target, layers)
        else:
            _write_keras(path, target, options, layers)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or first_line(error)}") from None
    written = list(read_weights(path).values())
    for layer in layers:
        for name, value in layer.arrays.items():
            if not any(array.shape == value.shape and np.array_equal(array, value) for array in written):
                raise UsageError(f"{path} does not give back {name} of {layer.title}: its model stores other numbers")


def _write_onnx(path: Path, target: str, layers: Sequence[LayerWeights]) -> None:
    """Write the graph of a target with other initializers. Raises UsageError."""
    library = import_library("onnx", "onnx")
    if len(layers) > 1:
        raise UsageError(f"{target} is a graph of one layer; the weights are those of {len(layers)}")
    model = library.load(target)
    places = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, value in layers[0].arrays.items():
        tensor = places.get(name)
        if tensor is None:
            raise UsageError(f"{target} has no initializer {name}; it has {', '.join(places)}")
        before = library.numpy_helper.to_array(tensor)
        if (before.shape, before.dtype) != (value.shape, value.dtype):
            raise UsageError(
                f"{target}: initializer {name} is {before.dtype} {before.shape}, and the weights are {value.dtype} "
                f"{value.shape}: export a graph of those sizes, or give weights in its format"
            )
        tensor.CopyFrom(library.numpy_helper.from_array(np.asarray(value, order="C"), name))
    library.save(model, path)


def _write_keras(path: Path, target: str, options: Options, layers: Sequence[LayerWeights]) -> None:
    """Write an archive of Keras: layers that return sequences, one after the other. Raises UsageError."""
    choose_backend()  # Keras reads it when it is imported: in the process of the command for the first time
    library = import_library("keras", "keras")
    name = target.removeprefix(_KERAS_LAYERS)
    fixed = {key: value for key, value in options.items() if key not in ("units", "return_sequences", "dtype")}
    parts, weights = [], []
    for forward, backward in _both_directions(path, layers):
        layer = _keras_layer(library, name, fixed, forward)
        parts.append(layer if backward is None else library.layers.Bidirectional(layer, merge_mode="concat"))
        weights.append([*forward.arrays.values(), *(() if backward is None else backward.arrays.values())])
    model = library.Sequential([library.layers.Input((None, layers[0].input_size)), *parts])
    for part, arrays in zip(parts, weights, strict=True):
        part.set_weights([np.asarray(value) for value in arrays])
    model.save(path)


def _keras_layer(library: Any, name: str, options: Options, weights: LayerWeights) -> Any:
    """Make a layer of Keras that returns sequences, for the sizes of weights; a cell in the layer that runs it."""
    dtype = str(np.result_type(*weights.arrays.values()))
    layer_class = member(library.layers, name)
    if name.endswith("Cell"):
        cell = layer_class(weights.hidden_size, dtype=dtype, **options)
        return library.layers.RNN(cell, return_sequences=True, dtype=dtype)
    return layer_class(weights.hidden_size, dtype=dtype, return_sequences=True, **options)


def _both_directions(path: Path, layers: Sequence[LayerWeights]) -> Iterator[tuple[LayerWeights, LayerWeights | None]]:
    """Yield each layer with the one that reads the same sequence backward. Raises UsageError if one has no forward."""
    places = iter([*layers, None])
    layer = next(places)
    while layer is not None:
        if layer.is_reverse:
            raise UsageError(f"{path}: {layer.title} has no forward direction beside it: write .weights.h5")
        following = next(places)
        if following is not None and following.is_reverse:
            yield layer, following
            layer = next(places)
        else:
            yield layer, None
            layer = following
