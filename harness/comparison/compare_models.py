"""Two models layer by layer: every pair is compared by its equations, the wiring by running both on the same weights.

The layers are proved equal, or not; that they are wired alike is seen on drawn numbers alone, and said so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.arithmetic.protocol import Values
from rnn_harness.array_types import Array
from rnn_harness.comparison.apply_rules import parameter_shapes
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.compare_padded import draw_padded_rows, draw_sequence, padded_finding
from rnn_harness.comparison.confirm import Decision, Translation, with_counterexample
from rnn_harness.comparison.in_workers import side_by_side
from rnn_harness.comparison.model_description import (
    LayerOfModel,
    ModelDescription,
    ModelOutputs,
    ModelWeights,
    PaddedRows,
)
from rnn_harness.comparison.model_gaps import smallest_gap
from rnn_harness.comparison.parameters_around import pair_around
from rnn_harness.comparison.stored_weights import stored_weights
from rnn_harness.records.comparison import ComparedCell, Comparison
from rnn_harness.records.parameter_map_file import MapFile
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.validation.identification.saved_map import from_map_file

STEPS, ROWS = 6, 4
"""The sequences on which the wiring is compared."""
DRAWS = 2
"""How often weights and sequences are drawn: one may silence a rectifier."""
Decide = Callable[[CellDescription, CellDescription], Decision]
"""Decides from two descriptions whether two cells are the same function."""
ModelRunner = Callable[[ModelWeights], ModelOutputs]
"""Runs a model on weights."""


@dataclass(frozen=True)
class ModelPair:
    """Two models that are compared.

    Attributes:
        left: What the first is.
        right: What the second is.
        run_left: Runs the first.
        run_right: Runs the second.
    """

    left: ModelDescription
    right: ModelDescription
    run_left: ModelRunner
    run_right: ModelRunner

    @property
    def dtype(self) -> str:
        """The widest dtype in which both run."""
        return "float64" if self.left.dtype == self.right.dtype == "float64" else "float32"

    @property
    def model_around(self) -> ModelDescription | None:
        """The model that holds a stack, such as the other is, and more around it; None where none does."""
        models = [model for model in (self.left, self.right) if model.further]
        if len(models) != 1 or len({layer.part for layer in models[0].layers}) > 1:
            return None
        return models[0]

    @property
    def around(self) -> dict[str, str]:
        """What stands around the layers of both, the left's names by the right's; empty where it cannot be paired."""
        paired = pair_around(self.left, self.right) if self.left.further and self.right.further else {}
        return {} if isinstance(paired, str) else paired


def compare_models(pair: ModelPair, decide: Decide) -> Comparison:
    """Compare two models.

    Args:
        pair: The models.
        decide: Decides about two layers.

    Raises:
        NotRun: One of them ended its process, or gave no answer in time.
        HarnessError: The harness itself raised an error.
    """
    rows = Comparison("undecided", "", compared_model(pair.left), compared_model(pair.right))
    counts = len(pair.left.layers), len(pair.right.layers)
    if counts[0] != counts[1]:
        sentence = (
            f"{pair.left.target} has {counts[0]} recurrent layers and {pair.right.target} {counts[1]}, each direction "
            "counted: they are not compared as wholes; compare the layers"
        )
        return replace(rows, sentence=sentence)
    decisions = [decide(a.cell, b.cell) for a, b in zip(pair.left.layers, pair.right.layers, strict=True)]
    comparisons = [with_counterexample(decision) for decision in decisions]
    rows = replace(
        rows,
        map=(
            *_titled(pair, [comparison.map for comparison in comparisons]),
            *(f"{of_right}  <-  {of_left}" for of_right, of_left in pair.around.items()),
        ),
        conditions=_titled(pair, [comparison.conditions for comparison in comparisons]),
        obstacles=_titled(pair, [comparison.obstacles for comparison in comparisons]),
    )
    apart = next((place for place, row in enumerate(comparisons) if row.outcome != "same"), None)
    if apart is not None:
        titles = f"{pair.left.layers[apart].title} and {pair.right.layers[apart].title}"
        row = comparisons[apart]
        return replace(
            rows,
            outcome=row.outcome,
            sentence=f"{titles}: {row.sentence}",
            proof=row.proof,
            counterexample=row.counterexample,
        )
    proofs = [row.proof for row in dict.fromkeys(comparisons) if row.proof]
    rows = replace(rows, proof=f"of each of {counts[0]} layers: {'; '.join(dict.fromkeys(proofs))}")
    return _with_wiring(rows, pair, decisions)


def compared_model(description: ModelDescription) -> ComparedCell:
    """Return what a comparison says of a model by itself.

    Args:
        description: What its worker said.
    """
    layers = "; ".join(f"{layer.title}: {layer.cell.sentence}" for layer in description.layers)
    sentence = f"a model of {len(description.layers)} recurrent layers, each direction counted: {layers}"
    return ComparedCell(description.target, sentence, is_model=True)


def _titled(pair: ModelPair, groups: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Put the title of its layer before each line."""
    return tuple(
        f"{layer.title}: {line}" for layer, lines in zip(pair.left.layers, groups, strict=True) for line in lines
    )


def _with_wiring(rows: Comparison, pair: ModelPair, decisions: Sequence[Decision]) -> Comparison:
    """Run both on the same weights; undecided where that cannot be done, or they give something else."""
    reason = _reason_against_a_run(pair, decisions)
    if reason:
        return replace(
            rows, sentence=f"their layers are the same functions; how they are wired is not compared: {reason}"
        )
    around = pair.model_around
    draws = [_Draw.of(pair, decisions, seed) for seed in range(DRAWS)]
    runs = [_run_both(pair, draw) for draw in draws] if around is None else []
    gaps = [smallest_gap(*run) for run in runs] if around is None else [_gap_inside(pair, draw) for draw in draws]
    wiring = "; ".join(dict.fromkeys((*pair.left.wiring, *pair.right.wiring)))
    known = [gap for gap in gaps if gap is not None]
    if len(known) < DRAWS:
        sentence = "their layers are the same functions; what they give first has two shapes, or was not seen"
        return replace(rows, sentence=f"{sentence}: {wiring}")
    largest = max(known)
    sequences = f"{STEPS} steps of {ROWS} rows in {pair.dtype}, {DRAWS} draws of weights"
    if largest > STRUCTURAL[pair.dtype]:
        sentence = "their layers are the same functions; on the same weights the models give something else"
        return replace(
            rows, sentence=f"{sentence}: {wiring}", rounding=f"{largest:.2g} of the largest apart ({sequences})"
        )
    gap = f"On the same weights: {largest:.2g} of the largest number apart"
    if around is not None:
        sentence = f"the layers of {pair.left.target} and of {pair.right.target} are proved equal, and on what "
        sentence += f"{around.layers[0].part} reads inside {around.target} both stacks gave the same"
        left_side, right_side = (_named_stack(side, around) for side in (rows.left, rows.right))
        rounding = f"{gap} ({DRAWS} draws of weights, {pair.dtype})"
        return replace(rows, outcome="same", sentence=sentence, rounding=rounding, left=left_side, right=right_side)
    padded = padded_finding(pair.left, pair.right, runs, [draw.rows for draw in draws], pair.dtype)
    if padded.outcome in ("different", "undecided"):
        sentence = f"their layers are proved equal: {padded.sentence}"
        return replace(rows, outcome=padded.outcome, sentence=sentence, rounding=gap)
    sentence = f"{pair.left.target} and {pair.right.target} are the same function: their layers are proved equal, and "
    sentence += f"the wiring gave the same on drawn numbers ({sequences})"
    return replace(rows, outcome="same", sentence=sentence, rounding=gap, lengths=padded.sentence)


def _named_stack(side: ComparedCell, around: ModelDescription) -> ComparedCell:
    """Name the stack that was compared, where a target is a model with more around it."""
    if side.target != around.target:
        return side
    besides = f"it has besides {', '.join(around.further)}"
    return replace(side, target=f"{around.layers[0].part} of {side.target}", note=besides)


@dataclass(frozen=True)
class _Draw:
    """Weights that are the same for both models, and sequences to run them on.

    Attributes:
        of_left: Those of the left, by its names.
        of_right: Those of the right.
        sequence: A sequence, no step of which is padding.
        rows: Rows of several lengths; None where the two have different tokens for padding.
    """

    of_left: dict[str, PlainArray]
    of_right: dict[str, PlainArray]
    sequence: PlainArray
    rows: PaddedRows | None

    @classmethod
    def of(cls, pair: ModelPair, decisions: Sequence[Decision], seed: int) -> _Draw:
        """Draw weights of the left and sequences, and make the right's weights of them."""
        packed: list[dict[str, PlainArray]] = [{}, {}]
        for place, decision in enumerate(decisions):
            layers = pair.left.layers[place], pair.right.layers[place]
            sizes = {"n": layers[0].input_size, "d": layers[0].hidden_size}
            sides = drawn_layer(_translation(decision), sizes, seed + DRAWS * place)
            for arrays, layer, named in zip(packed, layers, sides, strict=True):
                arrays |= weights_by_model_names(layer, named)
        rng = np.random.default_rng(seed + DRAWS * len(decisions))
        for of_right, of_left in pair.around.items():
            value = PlainArray.of(0.7 * rng.standard_normal(pair.left.shapes[of_left]))
            packed[0][of_left] = packed[1][of_right] = value
        sequence = draw_sequence(pair.left, pair.right, (STEPS, ROWS), rng)
        rows = draw_padded_rows(pair.left, pair.right, ROWS, seed)
        return cls(packed[0], packed[1], sequence, rows)


def _run_both(pair: ModelPair, draw: _Draw) -> tuple[ModelOutputs, ModelOutputs]:
    """Run both models on the same weights and the same sequences."""
    sides = (pair.left, draw.of_left), (pair.right, draw.of_right)
    weights = [
        ModelWeights(pair.dtype, arrays, draw.sequence, rows=draw.rows, names=tuple(model.shapes))
        for model, arrays in sides
    ]
    return side_by_side(functools.partial(pair.run_left, weights[0]), functools.partial(pair.run_right, weights[1]))


def _gap_inside(pair: ModelPair, draw: _Draw) -> float | None:
    """Run a model, and the stack that the other is on what the model's stack reads; None where that is not seen."""
    sides = [(pair.left, draw.of_left, pair.run_left), (pair.right, draw.of_right, pair.run_right)]
    (around, weights, run), (_, weights_of_stack, run_stack) = sides if sides[0][0].further else sides[::-1]
    watched, names = around.layers[0].part, tuple(around.shapes)
    layer = run(ModelWeights(pair.dtype, weights, None, watched, names=names)).layer
    if layer is None or any(state.array().any() for state in layer.states):
        return None
    stack = pair.right if around is pair.left else pair.left
    given = run_stack(ModelWeights(pair.dtype, weights_of_stack, layer.inputs, names=tuple(stack.shapes)))
    return smallest_gap(ModelOutputs(time_first=layer.outputs), given)


def _reason_against_a_run(pair: ModelPair, decisions: Sequence[Decision]) -> str:
    """Say why both cannot be run on the same weights; empty if they can."""
    both_have_more = bool(pair.left.further and pair.right.further)
    if both_have_more and isinstance(reason := pair_around(pair.left, pair.right), str):
        return reason
    if both_have_more and bool(pair.left.vocabulary) != bool(pair.right.vocabulary):
        return "one of them takes tokens and the other numbers"
    for model in (pair.left, pair.right):
        if model.further and not both_have_more and model is not pair.model_around:
            return f"{model.target} has further parameters ({', '.join(model.further[:4])})"
        if any(not layer.parameter_names for layer in model.layers):
            return f"the weights of {model.target} are not mapped by name"
    if any(decision.translation is None for decision in decisions):
        return "the map of their weights is not known"
    for first, second in zip(pair.left.layers, pair.right.layers, strict=True):
        sizes = [(layer.input_size, layer.hidden_size) for layer in (first, second)]
        if sizes[0] != sizes[1]:
            return f"{first.title} has n, d = {sizes[0]} and {second.title} {sizes[1]}: make them of the same sizes"
    return ""


def _translation(decision: Decision) -> Translation:
    """Return the map of a pair of layers that are the same function."""
    assert decision.translation is not None, "a pair without a map is not run"
    return decision.translation


def drawn_layer(
    translation: Translation, sizes: dict[str, int], seed: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Draw weights of the left that meet the conditions, and make the right's of them.

    Args:
        translation: How the weights follow.
        sizes: The named sizes of the layer.
        seed: Where the numbers start.

    Returns:
        The weights of both by the names of their equations.
    """
    rng, program = np.random.default_rng(seed), translation.left
    shapes = parameter_shapes(program, sizes)
    parameters = {name: 0.7 * rng.standard_normal(shape) for name, shape in shapes.items()}
    inputs = {program.inputs[0].name: np.zeros((1, 1, sizes["n"]))}
    states = {state.name: np.zeros((1, sizes["d"])) for state in program.states}
    values = translation.constrain(Values(parameters, inputs, states, sizes))
    sides = values.parameters, translation.right_values(values).parameters
    left_side, right_side = ({name: np.asarray(value, np.float64) for name, value in side.items()} for side in sides)
    return left_side, right_side


def weights_by_model_names(layer: LayerOfModel, named: dict[str, Array]) -> dict[str, PlainArray]:
    """Return the weights of a layer by the model's names.

    Args:
        layer: Says where the model keeps them.
        named: The weights by the names of its equations.
    """
    table = from_map_file(MapFile.model_validate_json(layer.cell.map)).assignment.table
    stored = stored_weights(table, named, np.dtype(np.float64))
    return {layer.parameter_names[own]: PlainArray.of(value) for own, value in stored.items()}
