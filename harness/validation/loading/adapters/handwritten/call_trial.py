"""One call of forward in a way that fits, with cotangents for its results and the difference quotients of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rnn_harness.arithmetic.assumptions import ASSIGNMENT_STEP, SCREEN_SINGLE
from rnn_harness.array_types import Array
from rnn_harness.validation.loading.adapters.handwritten.cell_source import CellSource
from rnn_harness.validation.loading.adapters.handwritten.forward_search import trial_arguments
from rnn_harness.validation.loading.adapters.handwritten.forward_way import ForwardWay
from rnn_harness.validation.loading.adapters.handwritten.trial_numbers import TrialNumbers

DIRECTIONS = 2
INPUT = "inputs"
PARAMETER = "parameters."


def state_place(number: int) -> str:
    """Return the place of a state, as gradients are looked up by it.

    Args:
        number: The state's number, from 0.
    """
    return f"states.{number}"


class Slope(NamedTuple):
    """A derivative in one direction.

    Attributes:
        direction: Of the shape of what is moved.
        value: The central difference quotient.
    """

    direction: Array
    value: float


@dataclass(frozen=True)
class CallTrial:
    """A call of forward, what it gives, and by how much the results change with everything that goes in.

    Attributes:
        source: The cell.
        way: How it is called.
        values: What goes in, by the name of its gradient: ``inputs``, ``states.0``, ``parameters.W``.
        cotangents: Random gradients of a loss with respect to the results, in the order of `ForwardWay.results`.
        slopes: The derivatives of that loss, by the same names.
    """

    source: CellSource
    way: ForwardWay
    values: Mapping[str, Array]
    cotangents: tuple[Array, ...]
    slopes: Mapping[str, tuple[Slope, ...]]

    def has_influence(self, place: str) -> bool:
        """Say whether the results change with what goes in there at all.

        Args:
            place: The input, a state, or a parameter.
        """
        return any(slope.value for slope in self.slopes[place])

    def is_gradient(self, place: str, gradient: Array) -> bool:
        """Say whether an array is the gradient of what goes in there, as far as difference quotients show it.

        Args:
            place: What goes in.
            gradient: An array of its size.
        """
        shaped = gradient.reshape(self.values[place].shape)
        scale = 1 + float(np.abs(shaped).max(initial=0))
        return all(
            abs(float((shaped * slope.direction).sum()) - slope.value) <= SCREEN_SINGLE * scale
            for slope in self.slopes[place]
        )


def try_call(source: CellSource, way: ForwardWay, numbers: TrialNumbers) -> CallTrial:
    """Call forward, and measure its slopes.

    Args:
        source: The cell.
        way: How it is called.
        numbers: What it is called with.
    """
    x, states = trial_arguments(way, numbers)
    values = {INPUT: x} | {state_place(number): state for number, state in enumerate(states)}
    values |= {f"{PARAMETER}{name}": value for name, value in source.parameters.items()}
    rng = np.random.default_rng(11)
    cotangents = tuple(rng.standard_normal(result.shape) for result in results_at(source, way, values))
    slopes = {}
    for place, value in values.items():
        directions = [rng.standard_normal(value.shape) for _ in range(DIRECTIONS)]
        slopes[place] = tuple(
            Slope(direction, _quotient(source, way, values, place, direction, cotangents)) for direction in directions
        )
    return CallTrial(source, way, values, cotangents, slopes)


def results_at(source: CellSource, way: ForwardWay, values: Mapping[str, Array]) -> list[Array]:
    """Return what forward gives, in the order of `ForwardWay.results`.

    Args:
        source: The cell.
        way: How it is called.
        values: What goes in, by the name of its gradient.
    """
    cell = source.fresh(parameters_of(values))
    states = [values[state_place(number)] for number in range(way.states)]
    return way.read(cell, way.call(cell, values[INPUT].copy(), [state.copy() for state in states]))


def parameters_of(values: Mapping[str, Array]) -> dict[str, Array]:
    """Return the parameters among what goes in, by their own names.

    Args:
        values: Arrays by place: the input, states and parameters.
    """
    return {name.removeprefix(PARAMETER): value for name, value in values.items() if name.startswith(PARAMETER)}


def _quotient(
    source: CellSource,
    way: ForwardWay,
    values: Mapping[str, Array],
    place: str,
    direction: Array,
    cotangents: tuple[Array, ...],
) -> float:
    """The central difference quotient of the loss in one direction; exactly zero where nothing changes."""
    ahead, behind = (
        results_at(source, way, {**values, place: values[place] + step * direction})
        for step in (ASSIGNMENT_STEP, -ASSIGNMENT_STEP)
    )
    total = sum(float(((a - b) * cotangent).sum()) for a, b, cotangent in zip(ahead, behind, cotangents, strict=True))
    return total / (2 * ASSIGNMENT_STEP)
