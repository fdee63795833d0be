"""A target that is near a cell: is it that cell computed coarsely, or another function with a constant of its own?

Functions that are computed coarsely show wherever they are used, and coarse arithmetic shows where arguments are moved
a little. What equals the cell with its input weights alone, or with its recurrent weights alone, and is smooth, is
neither: running statistics of a normalisation, for example, multiply its inputs by a number near 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rnn_harness.arithmetic.assumptions import LINEARITY, LITTLE_STEP
from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.validation.identification.decode import Decoder
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.probe import Probe

_SEED = 4200
_SCALE = 4.0
"""With weights of one kind alone that are so many times larger, functions get arguments as large as with all."""


def is_another_function(identification: Identification, probe: Probe, tolerance: float) -> bool:
    """Say whether a target is another function than the cell that it is near.

    Args:
        identification: The cell; the target equals it up to the tolerance of the probe, and no more closely.
        probe: Runs of the target.
        tolerance: The largest difference of two numbers that count as equal in the format of the probe.
    """
    fine = replace(probe, tolerance=tolerance)
    decoder = Decoder(fine, identification.assignment.layout, identification.model, identification.states)
    return any(_is_exact_alone(decoder, identification, block_kind) for block_kind in ("x", "h")) and is_smooth(probe)


def with_parameter(probe: Probe, name: str, value: Array) -> Probe:
    """Return the probe with another value of a parameter.

    Args:
        probe: Runs of a target.
        name: The parameter's name.
        value: Its value, in its shape.
    """
    return replace(probe, parameters={**probe.parameters, name: value}, _responses={})


def _is_exact_alone(decoder: Decoder, identification: Identification, block_kind: str) -> bool:
    """Whether the target equals the cell where it has weights of one kind alone, and these have an influence.

    They are made larger: a function that is right near 0 need not be right for what all weights together give.
    """
    probe, layout = decoder.probe, identification.assignment.layout
    roles = {
        index: role for index, role in identification.assignment.roles if layout.gate_blocks[index].kind == block_kind
    }
    without, alone = probe.masked(layout, frozenset()), probe.masked(layout, frozenset(roles), _SCALE)
    parameters = {name: _SCALE * value for name, value in decoder.parameters(roles).items()}
    return not probe.equal(without, alone) and decoder.agree(alone, decoder.run_model(parameters, probe.steps))


def is_smooth(probe: Probe) -> bool:
    """Say whether twice a little step changes what comes back twice as much, for whatever has an influence, alone.

    Arithmetic that is coarse somewhere loses the little step of what goes through it.

    Args:
        probe: Runs of a target.
    """
    silent = (*probe.ignored, *probe.constant)
    moves = [_moved_parameter(name) for name in probe.parameters if name not in silent]
    moves += [_moved_inputs, *(_moved_state(place) for place in range(probe.convention.states))]
    step = LITTLE_STEP[probe.dtype]
    try:
        return all(
            _is_straight(*(results_of(move(probe, length)) for length in (0.0, step, 2 * step))) for move in moves
        )
    except UsageError:  # it takes no such numbers, and so nothing is known
        return False


def _direction(array: Array) -> Array:
    return np.random.default_rng(_SEED).standard_normal(array.shape)


def _moved_parameter(name: str) -> Callable[[Probe, float], Probe]:
    def move(probe: Probe, length: float) -> Probe:
        value = probe.parameters[name]
        return with_parameter(probe, name, value + length * _direction(value))

    return move


def _moved_inputs(probe: Probe, length: float) -> Probe:
    return replace(probe, inputs=probe.inputs + length * _direction(probe.inputs), _responses={})


def _moved_state(place: int) -> Callable[[Probe, float], Probe]:
    def move(probe: Probe, length: float) -> Probe:
        states = list(probe.states)
        states[place] = states[place] + length * _direction(states[place])
        return replace(probe, states=tuple(states), _responses={})

    return move


def results_of(probe: Probe) -> Array:
    """Return everything that a run with all parameters gives, as one vector.

    Args:
        probe: Runs of a target.
    """
    return np.concatenate([array.ravel() for array in probe.complete().arrays])


def _is_straight(still: Array, near: Array, far: Array) -> bool:
    """Whether the second step changes as much as the first."""
    change = np.abs(near - still).max(initial=0)
    return bool(change > 0 and np.abs(far - 2 * near + still).max() <= LINEARITY * change)
