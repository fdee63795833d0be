"""Convert a file of weights from one target to another, and check that both then give the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rnn_harness.array_types import Array
from rnn_harness.comparison.in_workers import describe_any_isolated, run_own_isolated, side_by_side
from rnn_harness.comparison.model_description import ModelDescription
from rnn_harness.conversion.arrays_left_out import arrays_left_out
from rnn_harness.conversion.check_layers import RunSide, checked_layer, own_run
from rnn_harness.conversion.convert_layer import convert_layer
from rnn_harness.conversion.convert_layer_of_model import LayerAndCell, convert_layer_of_model
from rnn_harness.conversion.convert_models import ModelConversion, convert_models
from rnn_harness.conversion.model_files import LayerWeights, ensure_model_is_known, is_model_file, write_model
from rnn_harness.conversion.tie_cells import tie_cells
from rnn_harness.conversion.weight_files import ensure_format_is_written, is_keras_file, read_weights, write_weights
from rnn_harness.conversion.weight_groups import WeightGroup, keras_name, output_name, weight_groups
from rnn_harness.conversion.weight_map import have_shapes_of
from rnn_harness.conversion.weight_pair import ConvertedGroup, WeightPair
from rnn_harness.errors import UsageError
from rnn_harness.records.conversion import Conversion
from rnn_harness.validation.request import Limits, ValidationRequest

_WORK = "its weights were converted"


@dataclass(frozen=True)
class ConversionRequest:
    """What is converted.

    Attributes:
        left: Names the target that has the weights.
        right: Names the target that is to have them.
        weights: The file of weights; None where only the program is wanted.
        output: The file that is written; None where only the program is wanted.
        allows_nearest: Whether weights that cannot be represented become the nearest that can.
        limits: How long each target may take.
        layer: Of the target that is a model, where the other is one layer, the layer that is meant; empty for the only
            one.
    """

    left: ValidationRequest
    right: ValidationRequest
    weights: Path | None
    output: Path | None
    allows_nearest: bool = False
    limits: Limits = field(default_factory=Limits)
    layer: str = ""


def convert_targets(request: ConversionRequest) -> Conversion:
    """Convert weights between two targets, each of which runs in workers of its own.

    Args:
        request: What is converted, and whether losses are allowed.

    Returns:
        What became of it; a file is written where the outcome is ``converted`` or ``nearest``.

    Raises:
        UsageError: A target cannot be loaded or driven, or the file does not hold its weights.
        NotRun: A target ended its process, raised an error, or gave no answer in time.
        HarnessError: The harness itself raised an error.
    """
    weights = None if request.weights is None else read_weights(request.weights)
    if request.output is not None and is_model_file(request.output):
        ensure_model_is_known(request.output, request.right.target)
    elif request.output is not None:
        ensure_format_is_written(request.output)
    left_side, right_side = side_by_side(
        lambda: describe_any_isolated(request.left, request.limits, False, work=_WORK),
        lambda: describe_any_isolated(request.right, request.limits, False, work=_WORK),
    )
    result = Conversion("undecided", "", left_side.target, right_side.target)
    if request.layer and isinstance(left_side, ModelDescription) is isinstance(right_side, ModelDescription):
        raise UsageError(_not_one_layer(request, isinstance(left_side, ModelDescription)))
    if isinstance(left_side, ModelDescription) and isinstance(right_side, ModelDescription):
        return _with_models(
            result,
            request,
            weights,
            ModelConversion(left_side, right_side, request.left, request.right, request.limits),
        )
    if isinstance(left_side, ModelDescription):
        both = request.left, request.right, request.limits, request.layer
        return _with_layer(result, request, weights, LayerAndCell(left_side, right_side, True, *both))  # type: ignore[arg-type]
    if isinstance(right_side, ModelDescription):
        both = request.right, request.left, request.limits, request.layer
        return _with_layer(result, request, weights, LayerAndCell(right_side, left_side, False, *both))
    tied = tie_cells(left_side, right_side)
    pair, code = tied.pair, tied.code
    if pair is None:
        return replace(result, outcome=tied.outcome, sentence=tied.sentence)
    result = replace(result, map=pair.lines, code=code)
    if weights is None or request.weights is None or request.output is None:
        if not code:
            sentence = f"they are {left_side.spec} both, in a form of storage that no program is written for"
            return replace(result, sentence=f"{sentence}: give --weights and --output")
        return replace(result, outcome="converted", sentence="the map is proved; no weights were given")
    table = pair.left_map
    fits = functools.partial(have_shapes_of, table)
    groups = weight_groups(weights, table.parameters, is_keras_file(request.weights), fits)
    of_no_layer = arrays_left_out(
        weights, groups, left_side.target, table.parameters, without_influence=left_side.without_influence
    )
    result = replace(result, left_out=of_no_layer)
    layers = [convert_layer(pair, group) for group in groups]
    return _written(_checked(result, pair, request, layers), pair, request, layers)


def _not_one_layer(request: ConversionRequest, are_models: bool) -> str:
    """Say why no layer is to be named."""
    sentence = f"--layer {request.layer}: it names a layer of a model where the other target is one layer"
    if not are_models:
        return f"{sentence}, and neither of these is a model"
    has_options = bool(request.right.options)
    more = "; --init counts for both: give --init-b= for one that is made without" if has_options else ""
    return f"{sentence}, and both are read as models{more}"


def _with_models(
    result: Conversion, request: ConversionRequest, weights: Mapping[str, Array] | None, models: ModelConversion
) -> Conversion:
    """Convert between two models, and write what is checked."""
    output = request.output
    if weights is None or output is None:
        sentence = "programs are written for layers, not for whole models: name the class of the layers"
        return replace(result, sentence=sentence)
    if is_model_file(output) or is_keras_file(output):
        raise UsageError(f"--output {output}: the weights of a model are written by its own names: .pt, .npz, ...")
    converted = convert_models(models, weights, request.allows_nearest)
    if converted.result.outcome in ("converted", "nearest"):
        write_weights(output, dict(converted.arrays))
    return converted.result


def _with_layer(
    result: Conversion, request: ConversionRequest, weights: Mapping[str, Array] | None, pair: LayerAndCell
) -> Conversion:
    """Convert between a layer of a model and a cell, and write what is checked."""
    layer, output = pair.layer, request.output
    if weights is None or request.weights is None or output is None:
        sentence = f"programs are written for layers: name the class of {layer.title} in the place of the model"
        return replace(result, sentence=sentence)
    if not pair.is_model_first and (is_model_file(output) or is_keras_file(output)):
        raise UsageError(f"--output {output}: the weights of a model are written by its own names: .pt, .npz, ...")
    converted = convert_layer_of_model(pair, weights, is_keras_file(request.weights), request.allows_nearest)
    if pair.is_model_first and converted.pair is not None and converted.group is not None:
        return _written(converted.result, converted.pair, request, [converted.group])
    if converted.result.outcome in ("converted", "nearest"):
        write_weights(output, dict(converted.of_model))
    return converted.result


def _checked(
    result: Conversion, pair: WeightPair, request: ConversionRequest, layers: list[ConvertedGroup]
) -> Conversion:
    """Run both targets with their weights, and hold both against the bounds of their equations."""
    dtype = pair.dtype
    if dtype is None:
        return replace(result, sentence="they take no dtype in common, so the result cannot be checked")
    runs = [
        tuple(own_run(dtype, layers, place, weights) for place, weights in enumerate(side))
        for side in ([layer.group.arrays for layer in layers], [layer.stored for layer in layers])
    ]
    left_side, right_side = side_by_side(
        lambda: run_own_isolated(request.left, request.limits, runs[0], pair.left.map),
        lambda: run_own_isolated(request.right, request.limits, runs[1], pair.right.map),
    )
    sides = RunSide(runs[0], left_side), RunSide(runs[1], right_side)
    rows = [checked_layer(pair, layer, place, sides) for place, layer in enumerate(layers)]
    failed = [row for row in rows if not row.is_checked]
    lossy = [row for row in rows if row.lost]
    result = replace(result, layers=tuple(rows))
    if failed:
        return replace(result, sentence=f"the check failed: {failed[0].title}: {failed[0].note}")
    if lossy and not request.allows_nearest:
        gap = max(row.output_gap or 0.0 for row in lossy)
        sentence = (
            f"{pair.right.target} cannot represent these weights; the nearest that it can (--nearest) change the "
            f"outputs by up to {gap:.2g} on a drawn sequence"
        )
        return replace(result, outcome="refused", sentence=sentence)
    count = f"{len(rows)} layer{'s' if len(rows) > 1 else ''}"
    sentence = f"{count} converted; both give outputs within the bounds of their equations, in {dtype}"
    if any(run.reads for run in runs[0]):
        read = {place for run in runs[0] for place in run.reads}
        gap = max(row.output_gap or 0.0 for place, row in enumerate(rows) if place not in read)
        sentence += f", each layer on what those below it gave; the outputs of the whole are {gap:.2g} apart at most"
    if lossy:
        return replace(result, outcome="nearest", sentence=f"{sentence}; what cannot be represented was left out")
    return replace(result, outcome="converted", sentence=sentence)


def _written(
    result: Conversion, pair: WeightPair, request: ConversionRequest, layers: list[ConvertedGroup]
) -> Conversion:
    """Write the weights, if they were converted."""
    if result.outcome not in ("converted", "nearest") or request.output is None:
        return result
    if is_model_file(request.output):
        parts = [
            LayerWeights(layer.group.title, layer.group.is_reverse, *layer.sizes, layer.stored) for layer in layers
        ]
        write_model(request.output, request.right.target, request.right.options, parts)
        return result
    groups = [layer.group for layer in layers]
    rows: dict[str, Array] = {}
    for layer in layers:
        for place, (name, value) in enumerate(layer.stored.items()):
            rows[_name(request.output, pair, groups)(place, name, layer.group)] = value
    write_weights(request.output, rows)
    return result


def _name(output: Path, pair: WeightPair, groups: list[WeightGroup]) -> Callable[[int, str, WeightGroup], str]:
    """Return what names the parameters of a layer in the file."""
    if is_keras_file(output):
        layer_class = pair.right.target.rpartition(":")[2].rpartition(".")[2]
        return lambda place, _, group: keras_name(place, layer_class, group, groups)
    tree = "params/" if output.suffix in (".msgpack", ".orbax") else ""
    return lambda _, name, group: tree + output_name(name, group, groups)
