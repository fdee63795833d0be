"""Numbers of parameters that do not come from the specs: the references' arrays, and the modules of torch and Keras."""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from rnn_harness.attributes import member
from rnn_harness.benchmarks.closed_form import count_parameters
from rnn_harness.errors import UsageError
from rnn_harness.families import FAMILIES, KERAS_LAYERS, TORCH_MODULES, torch_class
from rnn_harness.kernels.spec_signature import SpecSignature
from rnn_harness.specs import Spec
from rnn_harness.subjects.subject import Subject

SIZES = ({"n": 3, "d": 4, "k": 2}, {"n": 16, "d": 32, "k": 5}, {"n": 100, "d": 20, "k": 3})
"""The sizes at which closed forms are compared."""


def compare_counts(spec: Spec) -> dict[str, bool]:
    """Compare the closed form of a spec with every independent count that there is.

    Args:
        spec: The spec; torch and Keras are asked only where they have the same cell.

    Returns:
        By whose count it is, whether the closed form equals it at all of `SIZES`.
    """
    layers = 2 if spec.model.layers else 1
    verdicts = {}
    if spec.reference is not None:
        counts = [(_reference_count(spec, sizes), count_parameters(spec, sizes, layers)) for sizes in SIZES]
        verdicts["the reference's arrays"] = all(ours == expected for ours, expected in counts)
    elif not spec.model.layers:
        counts = [(_array_count(spec, sizes), count_parameters(spec, sizes)) for sizes in SIZES]
        verdicts["the arrays of its torch module"] = all(ours == expected for ours, expected in counts)
    if spec.id in TORCH_MODULES:
        verdicts["torch"] = all(_torch_agrees(spec, sizes, layers) for sizes in SIZES)
    if spec.id in KERAS_LAYERS and _has_keras():
        verdicts["Keras"] = all(_keras_agrees(spec, sizes) for sizes in SIZES)
    return verdicts


def _reference_count(spec: Spec, sizes: Mapping[str, int]) -> int:
    shapes = Subject.of(spec).parameter_shapes(dict(sizes))
    return sum(math.prod(shape) for shape in shapes.values())


def _array_count(spec: Spec, sizes: Mapping[str, int]) -> int:
    """Count the numbers in the arrays with which the equations of a spec are run."""
    shapes = SpecSignature(spec).parameter_shapes(sizes["n"], sizes["d"])
    return sum(math.prod(shape) for shape in shapes.values())


def _torch_agrees(spec: Spec, sizes: dict[str, int], layers: int) -> bool:
    """Compare with torch, which adds two biases where the equations have one: so many more, and no others."""
    entry = TORCH_MODULES[spec.id]
    family = FAMILIES[entry.family]
    module = torch_class(family.torch_class)(sizes["n"], sizes["d"], layers, bidirectional=entry.bidirectional)
    # The GRU's candidate has two biases in the equations too.
    doubled_gates = len(family.gates) - (family.name == "gru")
    doubled = doubled_gates * sizes["d"] * layers * (2 if entry.bidirectional else 1)
    total: int = sum(parameter.numel() for parameter in module.parameters())
    return total == count_parameters(spec, sizes, layers) + doubled


def _keras_agrees(spec: Spec, sizes: dict[str, int]) -> bool:
    entry = KERAS_LAYERS[spec.id]
    layer = member(_keras().layers, entry.layer_class)(sizes["d"], **entry.options)
    layer.build((None, None, sizes["n"]))
    total = sum(int(np.prod(variable.shape)) for variable in layer.trainable_variables)
    return total == count_parameters(spec, sizes)


def stacked_model_counts(outputs: int) -> Iterator[tuple[str, int]]:
    """Count the parameters of 003's models: two simple RNNs of 20 units over one number, and a dense layer.

    Args:
        outputs: The number of the dense layer's outputs; with more than one it is applied at every step.

    Yields:
        Whose count it is, and the count; torch's is less its second biases.
    """
    import torch

    layers = (torch.nn.RNN(1, 20, 2), torch.nn.Linear(20, outputs))
    parameters = [row for layer in layers for row in layer.named_parameters()]
    yield "torch", sum(parameter.numel() for name, parameter in parameters if not name.startswith("bias_hh"))
    if _has_keras():
        keras = _keras()
        dense = keras.layers.Dense(outputs)
        top = dense if outputs == 1 else keras.layers.TimeDistributed(dense)
        first = keras.layers.SimpleRNN(20, return_sequences=True)
        second = keras.layers.SimpleRNN(20, return_sequences=outputs > 1)
        yield "Keras", int(keras.Sequential([keras.Input((None, 1)), first, second, top]).count_params())


def _has_keras() -> bool:
    return importlib.util.find_spec("keras") is not None


def _keras() -> Any:
    """Import Keras, with torch as backend unless another was chosen: it reads its backend when it is imported."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        return importlib.import_module("keras")
    except ImportError as error:
        raise UsageError(f"keras is not installed ({error}): pip install 'rnn-harness[keras]'") from None
