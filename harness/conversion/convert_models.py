"""The weights of a model in another: recurrent layers, and what stands around them, checked by running both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.array_types import Array
from rnn_harness.comparison.in_workers import run_model_isolated, side_by_side
from rnn_harness.comparison.model_description import LayerOfModel, ModelDescription, ModelWeights
from rnn_harness.comparison.model_gaps import smallest_gap
from rnn_harness.comparison.parameters_around import pair_around
from rnn_harness.conversion.convert_layer import convert_layer
from rnn_harness.conversion.tie_cells import TiedCells, tie_cells
from rnn_harness.conversion.weight_groups import WeightGroup
from rnn_harness.conversion.weight_pair import ConvertedGroup
from rnn_harness.errors import UsageError
from rnn_harness.records.conversion import Conversion, ConvertedLayer
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.validation.request import Limits, ValidationRequest

STEPS, ROWS = 6, 4
"""The sequences on which the result is checked."""


@dataclass(frozen=True)
class ModelConversion:
    """Two models between which weights go.

    Attributes:
        source: What the first is, which has the weights.
        receiver: What the second is.
        source_request: Names the first.
        receiver_request: Names the second.
        limits: How long each may take.
    """

    source: ModelDescription
    receiver: ModelDescription
    source_request: ValidationRequest
    receiver_request: ValidationRequest
    limits: Limits


@dataclass(frozen=True)
class ConvertedModel:
    """What became of the weights of a model.

    Attributes:
        result: What happened.
        arrays: The weights by the second model's names; empty where nothing was converted.
    """

    result: Conversion
    arrays: Mapping[str, Array]


def convert_models(models: ModelConversion, weights: Mapping[str, Array], allows_nearest: bool) -> ConvertedModel:
    """Convert the weights of a model, layer by layer, and run both models with theirs.

    Args:
        models: The two.
        weights: Arrays by the names of the file.
        allows_nearest: Whether weights that cannot be represented become the nearest that can.

    Raises:
        UsageError: The file does not hold the weights of the first.
        NotRun: A model ended its process, or gave no answer in time.
        HarnessError: The harness itself raised an error.
    """
    source, receiver = models.source, models.receiver
    result = Conversion("undecided", "", source.target, receiver.target)
    if len(source.layers) != len(receiver.layers):
        counts = (
            f"{source.target} has {len(source.layers)} recurrent layers and {receiver.target} {len(receiver.layers)}"
        )
        return ConvertedModel(replace(result, outcome="refused", sentence=f"{counts}, each direction counted"), {})
    if any(not layer.parameter_names for model in (source, receiver) for layer in model.layers):
        return ConvertedModel(replace(result, sentence="the weights of a layer are not mapped by name"), {})
    source_arrays = by_names_of(source, weights)
    around = pair_around(source, receiver)
    if isinstance(around, str):
        return ConvertedModel(replace(result, outcome="refused", sentence=around), {})
    known: dict[tuple[str, str], TiedCells] = {}
    layers: list[ConvertedGroup] = []
    lines: list[str] = []
    arrays: dict[str, Array] = {}
    for place, (first, second) in enumerate(zip(source.layers, receiver.layers, strict=True)):
        key = first.cell.map, second.cell.map  # the layers of a stack are all alike
        if key not in known:
            known[key] = tie_cells(first.cell, second.cell)
        tied = known[key]
        if tied.pair is None:
            sentence = f"{first.title} and {second.title}: {tied.sentence}"
            return ConvertedModel(replace(result, outcome=tied.outcome, sentence=sentence), {})
        layer_arrays = {name: source_arrays[of_model] for name, of_model in first.parameter_names.items()}
        layer = convert_layer(tied.pair, WeightGroup("", place, first.is_reverse, layer_arrays))
        arrays |= {second.parameter_names[name]: value for name, value in layer.stored.items()}
        lines += [f"{first.title}: {line}" for line in tied.pair.lines]
        layers.append(layer)
    arrays |= {name: source_arrays[source] for name, source in around.items()}
    lines += [f"{name}  <-  {source}" for name, source in around.items()]
    result = replace(result, map=tuple(lines), layers=tuple(map(_row, source.layers, layers)))
    fault = _fault(receiver, arrays, layers)
    if fault:
        return ConvertedModel(replace(result, outcome="refused", sentence=fault), {})
    checked = _checked(
        models, result, {name: source_arrays[name] for name in source.shapes}, arrays, layers, allows_nearest
    )
    return ConvertedModel(checked, arrays)


def by_names_of(model: ModelDescription, weights: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays of a file by a model's names, before which all may have one prefix.

    Args:
        model: The model, which has all of them.
        weights: Arrays by the names of the file.

    Raises:
        UsageError: The file lacks one, has one of another shape, or one for which the model has no parameter.
    """
    for prefix in dict.fromkeys(name.removesuffix(next(iter(model.shapes))) for name in weights):
        if all(prefix + name in weights for name in model.shapes):
            break
    else:
        lacking = [name for name in model.shapes if name not in weights]
        raise UsageError(
            f"the file has no {', '.join(lacking[:8])} of {model.target}; it has {', '.join(list(weights)[:12])}"
        )
    source_arrays = {name: weights[prefix + name] for name in model.shapes}
    wrong = [
        f"{name} {value.shape} in the place of {model.shapes[name]}"
        for name, value in source_arrays.items()
        if value.shape != model.shapes[name]
    ]
    if wrong:
        raise UsageError(
            f"the file has {', '.join(wrong[:4])}: make {model.target} of the sizes of the file with "
            "--init (--init-b gives the second its own options, and --init-b= none)"
        )
    spare = [name for name in weights if name.removeprefix(prefix) not in source_arrays]
    if spare:
        listed = ", ".join(f"{name} {weights[name].shape}" for name in spare[:8])
        raise UsageError(f"the file has {listed}, for which {model.target} has no parameter")
    return source_arrays


def _row(layer: LayerOfModel, converted: ConvertedGroup) -> ConvertedLayer:
    """Return what is said of one layer."""
    sizes = f"n = {converted.sizes.input_size}, d = {converted.sizes.hidden_size}"
    note = f"{converted.fault} is not what was to be written" if converted.fault else ""
    return ConvertedLayer(layer.title, sizes, converted.lost, converted.rounding, note=note)


def _fault(receiver: ModelDescription, arrays: Mapping[str, Array], layers: Sequence[ConvertedGroup]) -> str:
    """Say what of the weights does not fit the second model; empty if all fit."""
    for name, value in arrays.items():
        if receiver.shapes[name] != value.shape:
            wanted = f"{name} of {receiver.target} is {receiver.shapes[name]}, and the weights are {value.shape}"
            return f"{wanted}: make it of the sizes of the file with --init-b"
    return next(
        (f"the check failed: {layer.fault} is not what was to be written" for layer in layers if layer.fault), ""
    )


def _checked(
    models: ModelConversion,
    result: Conversion,
    source_arrays: Mapping[str, Array],
    arrays: Mapping[str, Array],
    layers: Sequence[ConvertedGroup],
    allows_nearest: bool,
) -> Conversion:
    """Run both models with their weights on one sequence."""
    source, receiver = models.source, models.receiver
    if bool(source.vocabulary) != bool(receiver.vocabulary):
        return replace(result, sentence="one of them takes tokens and the other numbers, so both cannot be run alike")
    dtype = "float64" if source.dtype == receiver.dtype == "float64" else "float32"
    sequence = PlainArray.of(_sequence(models))
    model_weights = [
        ModelWeights(dtype, {name: PlainArray.of(np.asarray(value)) for name, value in side.items()}, sequence)
        for side in (source_arrays, arrays)
    ]
    outputs = side_by_side(
        lambda: run_model_isolated(models.source_request, models.limits, model_weights[0]),
        lambda: run_model_isolated(models.receiver_request, models.limits, model_weights[1]),
    )
    gap = smallest_gap(*outputs)
    if gap is None:
        return replace(result, sentence="what they give first has two shapes, or was not seen: nothing is checked")
    lossy = any(layer.lost for layer in layers)
    gap_in_words = (
        f"the outputs of the whole models are {gap:.2g} of the largest apart ({STEPS} steps of {ROWS} rows, {dtype})"
    )
    if lossy and not allows_nearest:
        sentence = (
            f"{receiver.target} cannot represent these weights; with the nearest that it can (--nearest) {gap_in_words}"
        )
        return replace(result, outcome="refused", sentence=sentence)
    count = f"{len(layers)} layers and {len(arrays) - sum(len(layer.stored) for layer in layers)} other parameters"
    if lossy:
        return replace(
            result, outcome="nearest", sentence=f"{count} converted, the nearest that there are: {gap_in_words}"
        )
    # Both models round, and so does the file; the layers themselves are proved equal.
    if gap > STRUCTURAL[dtype]:
        return replace(
            result, sentence=f"the check failed: {gap_in_words}: the models are wired in two ways, or not alike"
        )
    return replace(result, outcome="converted", sentence=f"{count} converted; {gap_in_words}")


def _sequence(models: ModelConversion) -> Array:
    """Draw tokens that both know, or numbers that every format holds, (T, B) or (T, B, n)."""
    rng, first = np.random.default_rng(20), models.source.layers[0]
    vocabulary = min(models.source.vocabulary, models.receiver.vocabulary)
    if vocabulary:
        return rng.integers(1, vocabulary, (STEPS, ROWS)).astype(np.float64)
    return rng.standard_normal((STEPS, ROWS, first.input_size)).astype(np.float16).astype(np.float64)
