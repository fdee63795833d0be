"""The weights of one recurrent layer of a model as those of a cell, or the other way round."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.in_workers import run_model_isolated, run_own_isolated
from rnn_harness.comparison.model_description import LayerOfModel, ModelDescription, ModelWeights
from rnn_harness.comparison.run_cell import OwnRun, RunOutputs
from rnn_harness.conversion.check_layers import RunSide, checked_layer
from rnn_harness.conversion.convert_layer import convert_layer
from rnn_harness.conversion.convert_models import by_names_of
from rnn_harness.conversion.tie_cells import tie_cells
from rnn_harness.conversion.weight_groups import WeightGroup, weight_groups
from rnn_harness.conversion.weight_map import have_shapes_of
from rnn_harness.conversion.weight_pair import ConvertedGroup, WeightPair
from rnn_harness.errors import UsageError
from rnn_harness.records.conversion import Conversion
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.validation.request import Limits, ValidationRequest


@dataclass(frozen=True)
class LayerAndCell:
    """A layer of a model and a cell, between which weights go.

    Attributes:
        model: What the model is.
        cell: What the cell is.
        is_model_first: Whether the model has the weights; else it is to have them.
        model_request: Names the model.
        cell_request: Names the cell.
        limits: How long each may take.
        layer_name: Which layer is meant; empty for the only one.
    """

    model: ModelDescription
    cell: CellDescription
    is_model_first: bool
    model_request: ValidationRequest
    cell_request: ValidationRequest
    limits: Limits
    layer_name: str = ""

    @property
    def layer(self) -> LayerOfModel:
        """The layer that is meant.

        Raises:
            UsageError: There is no such layer, there are several, or its module computes others too.
        """
        layers = self.model.layers
        titles = ", ".join(f"{layer.title} of n = {layer.input_size}, d = {layer.hidden_size}" for layer in layers)
        chosen = [layer for layer in layers if self.layer_name in ("", layer.title, layer.part)]
        has = f"{self.model.target} is a model ({titles}) and {self.cell.target} is one layer"
        by_names = (
            f"in the place of {self.model.target} the class of its layers; they are found in its file by their names"
        )
        if not chosen:
            raise UsageError(f"--layer {self.layer_name}: {has}, expected one of {', '.join(_names(layers))}")
        if len(chosen) > 1 and not self.layer_name and len(_names(layers)) > 1:
            raise UsageError(
                f"{has}: name the layer with --layer, one of {', '.join(_names(layers))}; or name a model as the "
                f"other, too, or {by_names}"
            )
        if len(chosen) > 1 or not chosen[0].is_alone:
            raise UsageError(f"{has}: name a model as the other, too, or {by_names}")
        return chosen[0]


def _names(layers: tuple[LayerOfModel, ...]) -> tuple[str, ...]:
    """Give the names of the modules that compute the layers."""
    return tuple(dict.fromkeys(layer.part or layer.title for layer in layers))


@dataclass(frozen=True)
class ConvertedLayerOfModel:
    """What became of the weights of a layer.

    Attributes:
        result: What happened.
        pair: The layer and the cell, tied together; None where they are not.
        group: The weights before and after; None where they are not.
        of_model: The weights of the model by its own names; empty where nothing was converted.
    """

    result: Conversion
    pair: WeightPair | None = None
    group: ConvertedGroup | None = None
    of_model: Mapping[str, Array] = field(default_factory=dict)


def convert_layer_of_model(
    pair: LayerAndCell, weights: Mapping[str, Array], is_numbered: bool, allows_nearest: bool
) -> ConvertedLayerOfModel:
    """Convert the weights of one layer, and run both: the cell on what the layer reads inside its model.

    Args:
        pair: The model and the cell.
        weights: Arrays by the names of the file.
        is_numbered: Whether the file numbers the weights of a layer, as those of Keras do.
        allows_nearest: Whether weights that cannot be represented become the nearest that can.

    Raises:
        UsageError: The layer is not told, the file does not hold the weights, or the model has weights besides that
            are in no file.
        NotRun: One of them ended its process, or gave no answer in time.
        HarnessError: The harness itself raised an error.
    """
    layer = pair.layer
    targets = pair.model.target, pair.cell.target
    result = Conversion("undecided", "", *(targets if pair.is_model_first else targets[::-1]))
    if not layer.parameter_names:
        return ConvertedLayerOfModel(replace(result, sentence=f"the weights of {layer.title} are not mapped by name"))
    further = [name for name in pair.model.shapes if name not in layer.parameter_names.values()]
    if further and not pair.is_model_first:
        raise UsageError(
            f"{pair.model.target} has {', '.join(further[:6])}{' and others' if len(further) > 6 else ''} besides "
            f"{layer.title}, for which a file of {pair.cell.target} has no weights: name the class of {layer.title} in "
            f"the place of {pair.model.target}, and load what is written into that layer"
        )
    named = replace(layer.cell, target=f"{layer.title} of {pair.model.target}")
    tied = tie_cells(named, pair.cell) if pair.is_model_first else tie_cells(pair.cell, named)
    if tied.pair is None:
        return ConvertedLayerOfModel(replace(result, outcome=tied.outcome, sentence=tied.sentence))
    if pair.is_model_first:
        of_model = by_names_of(pair.model, weights)
        arrays = {cell_name: of_model[name] for cell_name, name in layer.parameter_names.items()}
        converted = convert_layer(tied.pair, WeightGroup("", 0, layer.is_reverse, arrays))
    else:
        converted = convert_layer(tied.pair, _only_group(tied.pair, weights, is_numbered))
        of_model = {name: converted.stored[cell_name] for cell_name, name in layer.parameter_names.items()}
        fault = _fault_of_shapes(pair.model, of_model)
        if fault:
            return ConvertedLayerOfModel(replace(result, outcome="refused", sentence=fault))
    left_out = [f"{name} {pair.model.shapes[name]}" for name in further]
    result = replace(result, map=tied.pair.lines, left_out=tuple(left_out))
    checked = _checked(pair, result, tied.pair, converted, of_model, allows_nearest)
    return ConvertedLayerOfModel(checked, tied.pair, converted, of_model)


def _only_group(tied: WeightPair, weights: Mapping[str, Array], is_numbered: bool) -> WeightGroup:
    """Give the one layer of a file. Raises UsageError where it holds several."""
    table = tied.left_map
    groups = weight_groups(weights, table.parameters, is_numbered, functools.partial(have_shapes_of, table))
    if len(groups) > 1:
        titles = ", ".join(f"{group.prefix}{group.title}" for group in groups)
        raise UsageError(f"the file holds {len(groups)} layers ({titles}) and one is to be converted: give one of them")
    return groups[0]


def _fault_of_shapes(model: ModelDescription, of_model: Mapping[str, Array]) -> str:
    """Say which weight does not fit the model; empty if all fit."""
    for name, value in of_model.items():
        if model.shapes[name] != value.shape:
            wanted = f"{name} of {model.target} is {model.shapes[name]}, and the weights are {value.shape}"
            return f"{wanted}: make it of the sizes of the file with --init-b"
    return ""


def _checked(
    pair: LayerAndCell,
    result: Conversion,
    tied: WeightPair,
    converted: ConvertedGroup,
    of_model: Mapping[str, Array],
    allows_nearest: bool,
) -> Conversion:
    """Run the model with its weights, and the cell with its own on what the layer reads there."""
    layer = pair.layer
    unseen = f"the result cannot be checked: {layer.title} of {pair.model.target}"
    dtype = tied.dtype
    if dtype is None or (pair.model.dtype != "float64" and dtype == "float64"):
        if "float32" not in pair.cell.dtypes:
            return replace(result, sentence="they take no dtype in common, so the result cannot be checked")
        dtype = "float32"
        tied = replace(tied, left=replace(tied.left, dtypes=(dtype,)), right=replace(tied.right, dtypes=(dtype,)))
    plain = {name: PlainArray.of(np.asarray(value)) for name, value in of_model.items()}
    answer = run_model_isolated(pair.model_request, pair.limits, ModelWeights(dtype, plain, None, layer.part))
    if answer.layer is None:
        return replace(result, sentence=f"{unseen}: {answer.reason}")
    if any(state.array().any() for state in answer.layer.states):
        return replace(result, sentence=f"{unseen} begins with a state that is not zero")
    read = answer.layer.inputs.array()
    d = layer.hidden_size
    runs = [
        OwnRun(dtype, {name: np.asarray(value) for name, value in side.items()}, read, d)
        for side in (converted.group.arrays, converted.stored)
    ]
    of_cell = runs[1] if pair.is_model_first else runs[0]
    cell_map = tied.right.map if pair.is_model_first else tied.left.map
    cell_outputs = run_own_isolated(pair.cell_request, pair.limits, (of_cell,), cell_map)
    layer_outputs = RunOutputs((answer.layer.outputs,), ("",))
    answers = (layer_outputs, cell_outputs) if pair.is_model_first else (cell_outputs, layer_outputs)
    sides = RunSide((runs[0],), answers[0]), RunSide((runs[1],), answers[1])
    row = replace(checked_layer(tied, converted, 0, sides), title=layer.title)
    result = replace(result, layers=(row,))
    if not row.is_checked:
        return replace(result, sentence=f"the check failed: {row.note}")
    if row.lost and not allows_nearest:
        sentence = (
            f"{tied.right.target} cannot represent these weights; the nearest that it can (--nearest) change the "
            f"outputs by up to {row.output_gap or 0.0:.2g} on what the layer reads"
        )
        return replace(result, outcome="refused", sentence=sentence)
    sentence = f"1 layer converted; both give outputs within the bounds of their equations, in {dtype}"
    return replace(result, outcome="nearest" if row.lost else "converted", sentence=sentence)
