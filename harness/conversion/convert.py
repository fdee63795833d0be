"""Convert a file of weights from one target to another, and check that both then give the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from rnn_harness.arithmetic.assumptions import UNDERFLOW, UNIT_ROUNDOFF, UPWARD
from rnn_harness.array_types import Array
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.equality import FunctionComparison, compare_functions
from rnn_harness.comparison.in_workers import describe_isolated, run_own_isolated, side_by_side
from rnn_harness.comparison.map_lines import map_lines, whole_parameters
from rnn_harness.comparison.relation import Relation
from rnn_harness.conversion.arrays_left_out import arrays_left_out
from rnn_harness.conversion.check_layers import RunSide, checked_layer, own_run
from rnn_harness.conversion.conversion_code import conversion_code
from rnn_harness.conversion.convert_weights import converted
from rnn_harness.conversion.family_weights import FamilyTransfer, family_weights
from rnn_harness.conversion.model_files import LayerWeights, ensure_model_is_known, is_model_file, write_model
from rnn_harness.conversion.spec_weights import reason_against_specs, spec_transfer, spec_weights
from rnn_harness.conversion.weight_files import ensure_format_is_written, is_keras_file, read_weights, write_weights
from rnn_harness.conversion.weight_groups import WeightGroup, keras_name, output_name, weight_groups
from rnn_harness.conversion.weight_map import WeightMap, have_shapes_of
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
    """

    left: ValidationRequest
    right: ValidationRequest
    weights: Path | None
    output: Path | None
    allows_nearest: bool = False
    limits: Limits = field(default_factory=Limits)


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
        lambda: describe_isolated(request.left, request.limits, False, work=_WORK),
        lambda: describe_isolated(request.right, request.limits, False, work=_WORK),
    )
    result = Conversion("undecided", "", left_side.target, right_side.target)
    reason = _reason_against(left_side, right_side)
    if reason:
        return replace(result, sentence=reason)
    if left_side.kind == "spec":
        pair, code = _spec_pair(left_side, right_side), ""
    else:
        first, second = left_side.family_cell, right_side.family_cell
        assert first is not None, "a cell of another kind was refused"
        assert second is not None, "a cell of another kind was refused"
        functions = compare_functions(first, second)
        if not functions.is_equal_under_conditions:
            return _refused(result, functions)
        pair, code = _family_pair(left_side, right_side, functions.relation)
    result = replace(result, map=pair.lines, code=code)
    if weights is None or request.weights is None or request.output is None:
        if not code:
            sentence = f"they are {left_side.spec} both, and programs are written for the three families alone"
            return replace(result, sentence=f"{sentence}: give --weights and --output")
        return replace(result, outcome="converted", sentence="the map is proved; no weights were given")
    table = pair.left_map
    fits = functools.partial(have_shapes_of, table)
    groups = weight_groups(weights, table.parameters, is_keras_file(request.weights), fits)
    of_no_layer = arrays_left_out(
        weights, groups, left_side.target, table.parameters, without_influence=left_side.without_influence
    )
    result = replace(result, left_out=of_no_layer)
    layers = [_convert(pair, group) for group in groups]
    return _written(_checked(result, pair, request, layers), pair, request, layers)


def _family_pair(left_side: CellDescription, right_side: CellDescription, relation: Relation) -> tuple[WeightPair, str]:
    """Tie two cells of one family together, and write the program that converts their weights."""
    maps = family_weights(left_side), family_weights(right_side)
    code = conversion_code((left_side.target, right_side.target), (maps[0].table, maps[1].table), relation)
    lines = map_lines(relation, left_side, right_side)
    carry_out = functools.partial(converted, relation)
    return WeightPair(left_side, right_side, *maps, FamilyTransfer(relation), carry_out, lines), code


def _spec_pair(left_side: CellDescription, right_side: CellDescription) -> WeightPair:
    """Tie two cells of one spec together: the weights have the same names in its equations."""
    maps = spec_weights(left_side), spec_weights(right_side)
    lines = (
        f"{' + '.join(places)}  <-  {' + '.join(left_side.places.get(name, ())) or '0'}"
        for name, places in right_side.places.items()
    )
    transfer = spec_transfer(left_side, right_side)
    return WeightPair(
        left_side, right_side, *maps, transfer, lambda named, _: dict(named), whole_parameters(sorted(lines))
    )


def _reason_against(left_side: CellDescription, right_side: CellDescription) -> str:
    """Say why nothing can be converted; empty if it can."""
    for side in (left_side, right_side):
        if side.kind == "unknown":
            return f"{side.target} is no cell that is known: {side.sentence}"
        if side.faults:
            return f"{side.target} is wrong ({side.sentence}): its weights mean something else than they should"
    if "spec" in (left_side.kind, right_side.kind):
        return reason_against_specs(left_side, right_side)
    families = [side.model.family for side in (left_side, right_side) if side.model is not None]
    return "" if len(set(families)) == 1 else f"they are cells of two families: {' and '.join(families)}"


def _refused(result: Conversion, functions: FunctionComparison) -> Conversion:
    """Say that no weights carry the function over."""
    obstacles = functions.relation.obstacles
    if not obstacles:
        reason = functions.reason or "their equations were not proved equal under any condition"
        return replace(result, sentence=f"nothing is proved: {reason}")
    return replace(result, outcome="refused", sentence="no weights make them equal: " + "; ".join(obstacles))


def _convert(pair: WeightPair, group: WeightGroup) -> ConvertedGroup:
    """Convert one layer; what is lost is told, and the nearest weights take its place."""
    try:
        sizes = pair.left_map.sizes(group.arrays)
        given = pair.left_map.named(group.arrays)
    except ValueError as error:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in group.arrays.items())
        raise UsageError(
            f"{group.title} has {shapes}, which do not fit together as weights of {pair.left.target} ({error}); "
            "expected the parameters of one layer of it"
        ) from None
    fixed = pair.right.sizes
    if fixed is not None and fixed != tuple(sizes):
        raise UsageError(
            f"{pair.right.target} exists for n = {fixed[0]}, d = {fixed[1]} alone; the weights of {group.title} are "
            f"for n = {sizes.input_size}, d = {sizes.hidden_size}"
        )
    lost = pair.transfer.losses(given)
    wanted = pair.convert(pair.transfer.nearest(given) if lost else given, pair.right_map.shapes(sizes))
    dtype = np.result_type(*(value.dtype for value in group.arrays.values()))
    stored = pair.right_map.stored(wanted, np.dtype(dtype))
    back = pair.right_map.named(stored)
    rounding = max(float(np.max(np.abs(back[name] - value))) for name, value in wanted.items())
    fault = _fault_of_stored(pair.right_map, stored, wanted)
    return ConvertedGroup(group, sizes, stored, lost, rounding, fault)


def _fault_of_stored(table: WeightMap, stored: Mapping[str, Array], wanted: Mapping[str, Array]) -> str:
    """Name a weight that differs from what was wanted by more than its format rounds, when it is read back.

    Both targets are run with the weights that they have: of weights in wrong places each would stay within its bounds.
    """
    named = table.named(stored)
    largest = table.named({name: np.abs(value) for name, value in stored.items()})
    format_name = str(np.result_type(*(value.dtype for value in stored.values())))
    for name, value in wanted.items():
        size = np.maximum(largest[name], np.abs(value))
        unit, underflow = float(UNIT_ROUNDOFF[format_name]), float(UNDERFLOW[format_name])
        radius = ((table.summands(name) + 1) * unit * size + underflow) * UPWARD
        if not (np.abs(named[name] - value) <= radius).all():
            return name
    return ""


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
