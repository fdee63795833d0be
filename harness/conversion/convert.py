"""Convert a file of weights from one target to another, and check that both then give the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF, UPWARD
from rnn_harness.array_types import Array
from rnn_harness.comparison.bounded_outputs import measured_precision, output_bounds
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.equality import CellNumbers, FunctionComparison, compare_functions
from rnn_harness.comparison.in_workers import describe_isolated, run_own_isolated, side_by_side
from rnn_harness.comparison.map_lines import map_lines
from rnn_harness.comparison.relation import Relation
from rnn_harness.comparison.run_cell import OwnRun, RunOutputs
from rnn_harness.comparison.stored_weights import stored_weights
from rnn_harness.conversion.conversion_code import conversion_code
from rnn_harness.conversion.convert_weights import (
    converted,
    losses,
    named_weights,
    nearest_weights,
    reference_shapes,
    weight_sizes,
)
from rnn_harness.conversion.model_files import LayerWeights, ensure_model_is_known, is_model_file, write_model
from rnn_harness.conversion.weight_files import ensure_format_is_written, is_keras_file, read_weights, write_weights
from rnn_harness.conversion.weight_groups import WeightGroup, keras_name, output_name, weight_groups
from rnn_harness.errors import NotRun, UsageError, named_error
from rnn_harness.records.conversion import Conversion, ConvertedLayer
from rnn_harness.records.parameter_map_file import MapFile
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.parameter_blocks import BlockMap
from rnn_harness.validation.identification.saved_map import from_map_file
from rnn_harness.validation.request import DTYPES, Limits, ValidationRequest

STEPS, ROWS = 6, 2
"""The sequences on which the result is checked."""


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
    """

    left: ValidationRequest
    right: ValidationRequest
    weights: Path | None
    output: Path | None
    allows_nearest: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class _ConvertedGroup:
    """The weights of a layer before and after.

    Attributes:
        group: The layer.
        sizes: Its sizes.
        stored: The second target's weights, as they are written.
        lost: What was lost, in words.
        rounding: The largest number that the format rounded away.
    """

    group: WeightGroup
    sizes: CellSizes
    stored: Mapping[str, Array]
    lost: tuple[str, ...]
    rounding: float


@dataclass(frozen=True)
class _Pair:
    """Two targets whose relation is proved.

    Attributes:
        left: What the first is.
        right: What the second is.
        left_map: Where the first keeps its weights.
        right_map: Where the second keeps its.
        relation: How the weights follow.
    """

    left: CellDescription
    right: CellDescription
    left_map: BlockMap
    right_map: BlockMap
    relation: Relation

    @property
    def dtype(self) -> str | None:
        """The widest dtype that both take; None if there is none."""
        return next((d for d in DTYPES if d in self.left.dtypes and d in self.right.dtypes), None)


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
        lambda: describe_isolated(request.left, request.limits, False),
        lambda: describe_isolated(request.right, request.limits, False),
    )
    result = Conversion("undecided", "", left_side.target, right_side.target)
    reason = _reason_against(left_side, right_side)
    if reason:
        return replace(result, sentence=reason)
    first, second = left_side.family_cell, right_side.family_cell
    assert first is not None, "a cell of another kind was refused"
    assert second is not None, "a cell of another kind was refused"
    functions = compare_functions(first, second)
    if not functions.is_equal_under_conditions:
        return _refused(result, functions)
    pair = _Pair(left_side, right_side, _table(left_side), _table(right_side), functions.relation)
    code = conversion_code((left_side.target, right_side.target), (pair.left_map, pair.right_map), pair.relation)
    result = replace(result, map=map_lines(pair.relation, left_side, right_side), code=code)
    if weights is None or request.weights is None or request.output is None:
        return replace(result, outcome="converted", sentence="the map is proved; no weights were given")
    names = tuple(name for name, _ in pair.left_map.forms)
    groups = weight_groups(weights, names, is_keras_file(request.weights))
    layers = [_convert(pair, group) for group in groups]
    return _written(_checked(result, pair, request, layers), pair, request, layers)


def _reason_against(left_side: CellDescription, right_side: CellDescription) -> str:
    """Say why nothing can be converted; empty if it can."""
    for side in (left_side, right_side):
        if side.kind == "unknown":
            return f"{side.target} is no cell that is known: {side.sentence}"
        if side.faults:
            return f"{side.target} is wrong ({side.sentence}): its weights mean something else than they should"
        if side.kind == "spec":
            return f"{side.target} is {side.sentence}; weights of the three families alone are converted"
    families = [side.model.family for side in (left_side, right_side) if side.model is not None]
    return "" if len(set(families)) == 1 else f"they are cells of two families: {' and '.join(families)}"


def _refused(result: Conversion, functions: FunctionComparison) -> Conversion:
    """Say that no weights carry the function over."""
    obstacles = functions.relation.obstacles
    if not obstacles:
        reason = functions.reason or "their equations were not proved equal under any condition"
        return replace(result, sentence=f"nothing is proved: {reason}")
    return replace(result, outcome="refused", sentence="no weights make them equal: " + "; ".join(obstacles))


def _table(description: CellDescription) -> BlockMap:
    """Return where a target keeps its weights. Raises NotRun if what its process says of it is no map."""
    try:
        return from_map_file(MapFile.model_validate_json(description.map)).assignment.table
    except (ValueError, TypeError, KeyError) as error:
        raise NotRun(f"{description.target}: its process sent no parameter map ({named_error(error)})") from None


def _convert(pair: _Pair, group: WeightGroup) -> _ConvertedGroup:
    """Convert one layer; what is lost is told, and the nearest weights take its place."""
    sizes = weight_sizes(pair.left_map, group.arrays)
    fixed = pair.right.sizes
    if fixed is not None and fixed != tuple(sizes):
        raise UsageError(
            f"{pair.right.target} exists for n = {fixed[0]}, d = {fixed[1]} alone; the weights of {group.title} are "
            f"for n = {sizes.input_size}, d = {sizes.hidden_size}"
        )
    given = named_weights(pair.left_map, group.arrays)
    lost = tuple(f"{loss.condition.sentence}: broken by up to {loss.size:.3g}" for loss in losses(pair.relation, given))
    wanted = converted(pair.relation, nearest_weights(pair.relation, given) if lost else given, _shapes(pair, sizes))
    dtype = np.result_type(*(value.dtype for value in group.arrays.values()))
    stored = stored_weights(pair.right_map, wanted, np.dtype(dtype))
    back = named_weights(pair.right_map, stored)
    rounding = max(float(np.max(np.abs(back[name] - value))) for name, value in wanted.items())
    return _ConvertedGroup(group, sizes, stored, lost, rounding)


def _shapes(pair: _Pair, sizes: CellSizes) -> dict[str, tuple[int, ...]]:
    return reference_shapes(pair.right_map, sizes)


def _checked(result: Conversion, pair: _Pair, request: ConversionRequest, layers: list[_ConvertedGroup]) -> Conversion:
    """Run both targets with their weights, and hold both against the bounds of their equations."""
    dtype = pair.dtype
    if dtype is None:
        return replace(result, sentence="they take no dtype in common, so the result cannot be checked")
    inputs = [_drawn(layer.sizes.input_size) for layer in layers]
    runs = [
        [
            OwnRun(dtype, {name: np.asarray(value) for name, value in weights.items()}, x, layer.sizes.hidden_size)
            for weights, x, layer in zip(side, inputs, layers, strict=True)
        ]
        for side in ([layer.group.arrays for layer in layers], [layer.stored for layer in layers])
    ]
    left_side, right_side = side_by_side(
        lambda: run_own_isolated(request.left, request.limits, tuple(runs[0]), pair.left.map),
        lambda: run_own_isolated(request.right, request.limits, tuple(runs[1]), pair.right.map),
    )
    rows = [
        _checked_layer(pair, layer, place, (left_side, right_side), inputs[place]) for place, layer in enumerate(layers)
    ]
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
    if lossy:
        return replace(result, outcome="nearest", sentence=f"{sentence}; what cannot be represented was left out")
    return replace(result, outcome="converted", sentence=sentence)


def _drawn(n: int) -> Array:
    """Draw a sequence whose numbers every format holds."""
    return np.random.default_rng(20).standard_normal((STEPS, ROWS, n)).astype(np.float16).astype(np.float64)


def _checked_layer(
    pair: _Pair, layer: _ConvertedGroup, place: int, answers: tuple[RunOutputs, RunOutputs], inputs: Array
) -> ConvertedLayer:
    """Hold what both gave for a layer against the bounds of their equations."""
    sizes = f"n = {layer.sizes.input_size}, d = {layer.sizes.hidden_size}"
    row = ConvertedLayer(layer.group.title, sizes, layer.lost, layer.rounding)
    outputs = []
    sides = ((pair.left, pair.left_map, layer.group.arrays), (pair.right, pair.right_map, layer.stored))
    for answer, (description, table, weights) in zip(answers, sides, strict=True):
        given = answer.outputs[place]
        if given is None:
            return replace(row, note=f"{description.target} was not run: {answer.reasons[place]}")
        numbers = _numbers(table, weights, inputs, layer.sizes.hidden_size, description, pair.dtype or DTYPES[0])
        judged_in = dtypes_of_outputs(given.array(), pair.dtype or DTYPES[0])
        if not any(_is_within(description, numbers, given.array(), dtype) for dtype in judged_in):
            # Keras on torch multiplies matrices of float64 in float32, and adds the products in float64.
            if pair.dtype != "float64" or not _is_within(description, numbers, given.array(), "float64", "float32"):
                return replace(row, note=f"{description.target} gives outputs beyond the bound of its equations")
            row = replace(row, note=f"{description.target} computes in float32 inside")
        outputs.append(given.array())
    gap = float(np.max(np.abs(outputs[0] - outputs[1])))
    return replace(row, output_gap=gap, is_checked=True)


def dtypes_of_outputs(outputs: Array, dtype: str) -> tuple[str, ...]:
    """Return the dtypes whose bound outputs may meet.

    A cell that computes in float32 inside gives numbers of float32 whatever it is asked for, and its map is known to
    `SCREEN_SINGLE` alone: the bound of float32 counts then. Numbers that float32 does not hold were computed in more.

    Args:
        outputs: What a target gave.
        dtype: The dtype that it was asked for.
    """
    if dtype == "float64" and np.array_equal(outputs, outputs.astype(np.float32).astype(np.float64)):
        return DTYPES
    return (dtype,)


def _is_within(
    description: CellDescription, numbers: CellNumbers, outputs: Array, dtype: str, arithmetic: str = ""
) -> bool:
    """Say whether outputs lie within the bounds of a dtype, or of a narrower format in which it computes."""
    bounds = output_bounds(description, numbers, dtype, arithmetic)
    return outputs.shape == bounds.shape and measured_precision(outputs, bounds, dtype).is_within_bound


def _numbers(
    table: BlockMap,
    weights: Mapping[str, Array],
    inputs: Array,
    d: int,
    description: CellDescription,
    dtype: str,
) -> CellNumbers:
    """Return the numbers of a layer's equations; sums of weights as balls, since a target rounds them in its dtype."""
    named = named_weights(table, weights)
    parts: dict[str, list[str]] = {}
    for block in table.blocks:
        parts.setdefault(block.name, []).append(block.parameter)
    largest = named_weights(table, {name: np.abs(value) for name, value in weights.items()})
    balls: dict[str, Array] = {}
    for name, value in named.items():
        is_sum = len(parts[name]) > 1
        radius = float(UNIT_ROUNDOFF[dtype]) * len(parts[name]) * largest[name] * UPWARD if is_sum else 0 * value
        balls[name] = ArrayBall(value, radius, not is_sum)  # type: ignore[assignment]  # offers what arrays do here
    assert description.model is not None, "a cell of a family has features"
    states = {name: np.zeros((inputs.shape[1], d)) for name in description.model.model().state_names}
    return CellNumbers(balls, inputs, states)


def _written(result: Conversion, pair: _Pair, request: ConversionRequest, layers: list[_ConvertedGroup]) -> Conversion:
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


def _name(output: Path, pair: _Pair, groups: list[WeightGroup]) -> Callable[[int, str, WeightGroup], str]:
    """Return what names the parameters of a layer in the file."""
    if is_keras_file(output):
        layer_class = pair.right.target.rpartition(":")[2].rpartition(".")[2]
        return lambda place, _, group: keras_name(place, layer_class, group, groups)
    tree = "params/" if output.suffix in (".msgpack", ".orbax") else ""
    return lambda _, name, group: tree + output_name(name, group, groups)
