"""A model held against one cell: its recurrent layer is compared, and run where the model calls it.

People build a model around a layer and ask whether that layer is the one they know: what stands around it (tokens,
a head, rows before steps) is told, and not compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.comparison.bounded_outputs import measured_precision, output_bounds
from rnn_harness.comparison.cell_description import CellDescription, order_in_words
from rnn_harness.comparison.compare_models import (
    Decide,
    ModelRunner,
    compared_model,
    drawn_layer,
    weights_by_model_names,
)
from rnn_harness.comparison.confirm import Decision, Runner, Translation, with_counterexample
from rnn_harness.comparison.equality import CellNumbers
from rnn_harness.comparison.model_description import LayerNumbers, LayerOfModel, ModelDescription, ModelWeights
from rnn_harness.comparison.run_cell import DrawnRun
from rnn_harness.records.comparison import ComparedCell, Comparison
from rnn_harness.records.parameter_map_file import MapFile
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.validation.identification.saved_map import from_map_file


@dataclass(frozen=True)
class ModelAndCell:
    """A model and a cell that are compared.

    Attributes:
        model: What the model is.
        cell: What the cell is.
        is_model_first: Whether the model is the first of the two.
        run_model: Runs the model on weights.
        run_cell: Runs the cell on numbers.
    """

    model: ModelDescription
    cell: CellDescription
    is_model_first: bool
    run_model: ModelRunner
    run_cell: Runner

    @property
    def dtype(self) -> str:
        """The widest dtype in which both run."""
        is_wide = self.model.dtype == "float64" and "float64" in self.cell.dtypes
        return "float64" if is_wide else "float32"

    def ordered(self, of_model: ComparedCell, of_cell: ComparedCell) -> tuple[ComparedCell, ComparedCell]:
        """Put what is said of both into the order in which they were named.

        Args:
            of_model: What is said of the model.
            of_cell: What is said of the cell.
        """
        return (of_model, of_cell) if self.is_model_first else (of_cell, of_model)


def compare_model_with_cell(pair: ModelAndCell, of_cell: ComparedCell, decide: Decide) -> Comparison:
    """Compare the recurrent layers of a model with a cell.

    Args:
        pair: The model and the cell.
        of_cell: What a comparison says of the cell by itself.
        decide: Decides about a layer and the cell.

    Raises:
        NotRun: One of them ended its process, or gave no answer in time.
        HarnessError: The harness itself raised an error.
    """
    decisions = [_decision(pair, layer, decide) for layer in pair.model.layers]
    apart = next((place for place, row in enumerate(decisions) if row.comparison.outcome != "same"), None)
    layer, decision = pair.model.layers[apart or 0], decisions[apart or 0]
    sides = pair.ordered(_compared_layer(pair, layer), of_cell)
    in_order = (layer.cell, pair.cell) if pair.is_model_first else (pair.cell, layer.cell)
    calls = order_in_words(*(replace(cell, target=side.target) for cell, side in zip(in_order, sides, strict=True)))
    rows = replace(with_counterexample(decision), left=sides[0], right=sides[1], calls=calls)
    if apart is not None:
        return replace(rows, sentence=f"{layer.title} of {pair.model.target}: {rows.sentence}")
    if len(decisions) > 1:
        sides = pair.ordered(compared_model(pair.model), of_cell)
        return replace(rows, outcome="undecided", sentence=_as_many(pair), left=sides[0], right=sides[1])
    return _run_in_its_model(pair, layer, decision.translation, rows)


def _decision(pair: ModelAndCell, layer: LayerOfModel, decide: Decide) -> Decision:
    """Decide about one layer and the cell, in the order in which they were named, under the name of the layer."""
    titled = replace(layer.cell, target=_name(pair, layer))
    return decide(titled, pair.cell) if pair.is_model_first else decide(pair.cell, titled)


def _name(pair: ModelAndCell, layer: LayerOfModel) -> str:
    """Name a layer of the model in sentences."""
    return f"{layer.title} of {pair.model.target}"


def _as_many(pair: ModelAndCell) -> str:
    """Say that every layer is the cell, and what is to be typed for the whole."""
    count, name = len(pair.model.layers), pair.cell.target
    sentence = (
        f"each of the {count} recurrent layers of {pair.model.target}, each direction counted, is the same function "
    )
    sentence += f"as {name}, which is one layer; "
    if name not in ("torch.nn:RNN", "torch.nn:GRU", "torch.nn:LSTM"):
        return f"{sentence}compare with a stack of as many"
    directions = 2 if any(layer.is_reverse for layer in pair.model.layers) else 1
    option = "--init-b" if pair.is_model_first else "--init"
    words = [f"{option} num_layers={count // directions}", *([f"{option} bidirectional=true"] * (directions - 1))]
    return f"{sentence}add {' '.join(words)} to compare with a stack of as many"


def _compared_layer(pair: ModelAndCell, layer: LayerOfModel) -> ComparedCell:
    """Return what a comparison says of a layer of the model, with what stands around it."""
    used = set(layer.parameter_names.values())
    further = [name for name in pair.model.further if name not in used]
    more = f"it has besides {', '.join(further[:6])}{' and others' if len(further) > 6 else ''}" if further else ""
    note = "; ".join(part for part in (*pair.model.wiring, more) if part)
    return ComparedCell(_name(pair, layer), layer.cell.sentence, layer.cell.spec, note=note, is_model=True)


def _run_in_its_model(
    pair: ModelAndCell, layer: LayerOfModel, translation: Translation | None, rows: Comparison
) -> Comparison:
    """Run the model on drawn weights, and the cell on what its layer reads: both must stay within their bounds."""
    names = f"{_name(pair, layer)} and {pair.cell.target}"
    unseen = "their equations are proved equal, but the layer was not seen to compute them inside its model"
    if translation is None or not layer.parameter_names or not layer.is_alone:
        return replace(rows, outcome="undecided", sentence=f"{unseen}: its weights are not mapped by name")
    if pair.cell.sizes is not None and pair.cell.sizes != (layer.input_size, layer.hidden_size):
        sizes = f"n, d = {(layer.input_size, layer.hidden_size)}, and {pair.cell.target} for {pair.cell.sizes} alone"
        return replace(rows, outcome="undecided", sentence=f"{unseen}: it is made for {sizes}")
    drawn = drawn_layer(translation, {"n": layer.input_size, "d": layer.hidden_size}, 0)
    of_layer, of_cell = ({k: v.astype(np.float32).astype(np.float64) for k, v in side.items()} for side in drawn)
    if not pair.is_model_first:
        of_layer, of_cell = of_cell, of_layer
    weights = weights_by_model_names(layer, of_layer)
    answer = pair.run_model(ModelWeights(pair.dtype, weights, None, layer.part))
    states = {} if answer.layer is None else _states(layer, answer.layer)
    if answer.layer is None or states is None:
        reason = answer.reason or "its states cannot be told apart"
        return replace(rows, outcome="undecided", sentence=f"{unseen}: {reason}")
    read = answer.layer.inputs.array()
    numbers = CellNumbers(of_layer, read, states), CellNumbers(of_cell, read, states)
    run = DrawnRun(pair.dtype, _plain(of_cell), answer.layer.inputs, _plain(states))
    given = pair.run_cell((run,))
    outputs = given.outputs[0]
    if outputs is None:
        return replace(
            rows, outcome="undecided", sentence=f"{names}: {pair.cell.target} was not run: {given.reasons[0]}"
        )
    compared = []
    descriptions = (layer.cell, answer.layer.outputs.array()), (pair.cell, outputs.array())
    for (description, numbers_given), named, side in zip(
        descriptions, numbers, (_compared_layer(pair, layer), _side(rows, pair)), strict=True
    ):
        bounds = output_bounds(description, named, pair.dtype)
        if numbers_given.shape != bounds.shape:
            return replace(rows, outcome="undecided", sentence=f"{unseen}: it gave numbers of another shape there")
        compared.append(replace(side, precision=(measured_precision(numbers_given, bounds, pair.dtype),)))
    left_side, right_side = pair.ordered(compared[0], compared[1])
    gap = float(np.max(np.abs(descriptions[0][1] - descriptions[1][1]), initial=0.0))
    steps, batch = read.shape[:2]
    rounding = f"on what the layer reads inside its model ({steps} steps of {batch} rows): {gap:.2g} apart at most "
    rows = replace(rows, left=left_side, right=right_side, rounding=f"{rounding}in {pair.dtype}")
    beyond = [side.target for side in compared if not all(row.is_within_bound for row in side.precision)]
    if beyond:
        sentence = f"{unseen}: {' and '.join(beyond)} gave numbers beyond the bound of the equations there"
        return replace(rows, outcome="undecided", sentence=sentence)
    return rows


def _side(rows: Comparison, pair: ModelAndCell) -> ComparedCell:
    """Return what is said of the cell."""
    return rows.right if pair.is_model_first else rows.left


def _plain(arrays: Mapping[str, Array]) -> dict[str, PlainArray]:
    return {name: PlainArray.of(value) for name, value in arrays.items()}


def _states(layer: LayerOfModel, numbers: LayerNumbers) -> dict[str, Array] | None:
    """Return the states that a layer began with, by the names of its equations; None where they cannot be named."""
    order = from_map_file(MapFile.model_validate_json(layer.cell.map)).states
    given = [state.array() for state in numbers.states]
    rows = numbers.inputs.array().shape[1]
    if not given:
        return {name: np.zeros((rows, layer.hidden_size)) for name in order}
    return dict(zip(order, given, strict=True)) if len(given) == len(order) else None
