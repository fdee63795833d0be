"""Both targets run with the weights of every layer, one layer on what those below it gave, within their bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF, UPWARD
from rnn_harness.array_types import Array
from rnn_harness.comparison.bounded_outputs import described_spec, measured_precision, output_bounds
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.equality import CellNumbers
from rnn_harness.comparison.run_cell import OwnRun, RunOutputs
from rnn_harness.conversion.weight_map import WeightMap
from rnn_harness.conversion.weight_pair import ConvertedGroup, WeightPair
from rnn_harness.records.conversion import ConvertedLayer
from rnn_harness.validation.request import DTYPES

STEPS, ROWS = 6, 2
"""The sequences on which the result is checked."""


@dataclass(frozen=True)
class RunSide:
    """One of the targets with all of its layers run.

    Attributes:
        runs: The layers, in order.
        answer: What they gave.
    """

    runs: tuple[OwnRun, ...]
    answer: RunOutputs

    def read(self, place: int) -> Array:
        """Return what a layer read, (T, B, n) in the order of time.

        Args:
            place: The number of the layer.
        """
        earlier = [np.zeros(0) if returned is None else returned.array() for returned in self.answer.outputs[:place]]
        return self.runs[place].read(earlier)


def own_run(dtype: str, layers: list[ConvertedGroup], place: int, weights: Mapping[str, Array]) -> OwnRun:
    """Return the run of a layer: on what the layers below it give, where there are some that fit, else on a sequence.

    Args:
        dtype: The dtype in which it runs.
        layers: All layers, in order.
        place: Which of them.
        weights: Its arrays by the target's names.
    """
    layer = layers[place]
    reads = _layers_below(layers, place)
    return OwnRun(
        dtype,
        {name: np.asarray(value) for name, value in weights.items()},
        None if reads else _drawn(layer.sizes.input_size),
        layer.sizes.hidden_size,
        reads,
        layer.group.is_reverse,
    )


def _layers_below(layers: list[ConvertedGroup], place: int) -> tuple[int, ...]:
    """Return the places of the layers whose outputs a layer reads; none where the sizes do not fit.

    The layers of torch's stack have one prefix; others have prefixes of their own.
    """
    group = layers[place].group
    has_siblings = sum(layer.group.prefix == group.prefix for layer in layers) > 1
    below = tuple(
        number
        for number, layer in enumerate(layers[:place])
        if layer.group.layer == group.layer - 1 and (not has_siblings or layer.group.prefix == group.prefix)
    )
    width = sum(layers[number].sizes.hidden_size for number in below)
    return below if width == layers[place].sizes.input_size else ()


def _drawn(n: int) -> Array:
    """Draw a sequence whose numbers every format holds."""
    return np.random.default_rng(20).standard_normal((STEPS, ROWS, n)).astype(np.float16).astype(np.float64)


def checked_layer(
    pair: WeightPair, layer: ConvertedGroup, place: int, run_sides: tuple[RunSide, RunSide]
) -> ConvertedLayer:
    """Hold what both gave for a layer against the bounds of their equations, on what it read.

    Args:
        pair: The targets.
        layer: The weights of the layer.
        place: Its number.
        run_sides: What both read and gave.
    """
    sizes = f"n = {layer.sizes.input_size}, d = {layer.sizes.hidden_size}"
    row = ConvertedLayer(layer.group.title, sizes, layer.lost, layer.rounding)
    if layer.fault:
        return replace(row, note=f"{layer.fault} of {pair.right.target} is not what was to be written")
    outputs = []
    sides = ((pair.left, pair.left_map, layer.group.arrays), (pair.right, pair.right_map, layer.stored))
    for side, (description, table, weights) in zip(run_sides, sides, strict=True):
        plain = side.answer.outputs[place]
        if plain is None:
            return replace(row, note=f"{description.target} was not run: {side.answer.reasons[place]}")
        order = slice(None, None, -1) if layer.group.is_reverse else slice(None)
        returned, inputs = plain.array()[order], side.read(place)[order]
        numbers = _numbers(table, weights, inputs, layer.sizes.hidden_size, description, pair.dtype or DTYPES[0])
        judged_in = dtypes_of_outputs(returned, pair.dtype or DTYPES[0])
        if not any(_is_within(description, numbers, returned, dtype) for dtype in judged_in):
            # Keras on torch multiplies matrices of float64 in float32, and adds the products in float64.
            if pair.dtype != "float64" or not _is_within(description, numbers, returned, "float64", "float32"):
                return replace(row, note=f"{description.target} gives outputs beyond the bound of its equations")
            row = replace(row, note=f"{description.target} computes in float32 inside")
        outputs.append(returned)
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
    table: WeightMap,
    weights: Mapping[str, Array],
    inputs: Array,
    d: int,
    description: CellDescription,
    dtype: str,
) -> CellNumbers:
    """Return the numbers of a layer's equations; sums of weights as balls, since a target rounds them in its dtype."""
    named = table.named(weights)
    largest = table.named({name: np.abs(value) for name, value in weights.items()})
    balls: dict[str, Array] = {}
    for name, value in named.items():
        count = table.summands(name)
        is_sum = count > 1
        radius = float(UNIT_ROUNDOFF[dtype]) * count * largest[name] * UPWARD if is_sum else 0 * value
        balls[name] = ArrayBall(value, radius, not is_sum)  # type: ignore[assignment]  # offers what arrays do here
    states = {state.name: np.zeros((inputs.shape[1], d)) for state in described_spec(description).program().states}
    return CellNumbers(balls, inputs, states)
