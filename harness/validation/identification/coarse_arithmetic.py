"""Arithmetic inside a target that is coarser than its format: is there any, how coarse is it, and may it hide a cell?

A cell in bfloat16 inside, or with weights of 8 bits, equals no equations to the digits of its format. How much it
rounds is measured on the target itself: along a short way of all its arguments an exact cell is nearly a polynomial,
and what is left of the results beside one is rounding.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.assumptions import COARSEST, LITTLE_STEP, ROUNDING_MARGINS
from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.cell_model import BlockKind, CellModel
from rnn_harness.validation.identification.decode import BlockRole, Decoder
from rnn_harness.validation.identification.identify import state_orders
from rnn_harness.validation.identification.near_match import is_smooth, results_of, with_parameter
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe

_BLOCK_KINDS: tuple[BlockKind, ...] = ("x", "h", "b")
_INNER_BIAS = "b_hg"
_SEED = 4201
_LARGE_STEP = 0.25
_POINTS, _WINDOW, _DEGREE = 601, 41, 2
"""The points on a way along which every number grows or shrinks by half of itself, and the polynomials that are fitted
to some neighbours: rounding moves many results away from them, a kink those of one window in fifteen."""
_SIGNS = (-0.5, 0.5)
_SHARE = 0.9
"""The share of the points that lie no farther from their polynomials than what counts as rounding."""
_SCALES = (1.0, 0.25)
"""Functions that are flat for the probe's parameters hide rounding that they show for smaller ones."""


def computes_coarsely(probe: Probe) -> bool:
    """Say whether a target loses a little step of its arguments, as arithmetic in a narrower format inside does.

    Args:
        probe: Runs of the target.
    """
    return not is_smooth(probe) or any(_is_rounded(probe, name) for name in probe.parameters)


@dataclass(frozen=True)
class RoundingInside:
    """How much of what a target gives is rounding.

    Attributes:
        size: How far results lie from a smooth curve along ways of all arguments, or how far one of them jumps.
        largest: The largest result along such a way.
    """

    size: float
    largest: float


def rounding_inside(probe: Probe) -> RoundingInside:
    """Measure how much of a target's results is rounding.

    Args:
        probe: Runs of the target.

    Raises:
        UsageError: The target does not take numbers that are a little different.
    """
    rng = np.random.default_rng(_SEED)
    ways = [_results_along_a_way(probe, scale, rng) for scale in _SCALES]
    return RoundingInside(max(map(_noise, ways)), max(float(np.abs(results).max()) for results in ways))


def _results_along_a_way(probe: Probe, scale: float, rng: np.random.Generator) -> Array:
    """The results along one way, whose middle are parameters that are multiplied by `scale`: a row for each point."""
    silent = (*probe.ignored, *probe.constant)
    parameters = {name: value if name in silent else scale * value for name, value in probe.parameters.items()}
    ways = {name: value * rng.choice(_SIGNS, value.shape) for name, value in parameters.items() if name not in silent}
    inputs_way = probe.inputs * rng.choice(_SIGNS, probe.inputs.shape)
    states_ways = [state * rng.choice(_SIGNS, state.shape) for state in probe.states]
    return np.stack(
        [
            results_of(
                replace(
                    probe,
                    parameters=parameters | {name: parameters[name] + length * change for name, change in ways.items()},
                    inputs=probe.inputs + length * inputs_way,
                    states=tuple(
                        state + length * change for state, change in zip(probe.states, states_ways, strict=True)
                    ),
                    _responses={},
                )
            )
            for length in np.linspace(-1, 1, _POINTS)
        ]
    )


def _noise(results: Array) -> float:
    """The rounding along one way."""
    jumps = float(np.abs(np.diff(results, 2, axis=0)).max())
    windows = np.lib.stride_tricks.sliding_window_view(results, _WINDOW, axis=0)
    basis = np.linalg.qr(np.vander(np.linspace(-1, 1, _WINDOW), _DEGREE + 1))[0]
    middle = _WINDOW // 2
    distances = np.abs(windows[..., middle] - windows @ (basis @ basis[middle]))
    return max(jumps, float(np.quantile(distances, _SHARE, axis=0).max()))


def may_be_rounding(probe: Probe, layouts: list[Layout], model: CellModel, rounding: RoundingInside) -> bool:
    """Say whether a target that computes coarsely may be a cell, as far as its rounding lets anyone see.

    Args:
        probe: Runs of the target.
        layouts: The layouts that its parameters may have.
        model: The cell that it should be.
        rounding: The target's rounding, as `rounding_inside` measures it.

    Returns:
        Whether some layout equals the cell up to a few times the target's rounding, or the rounding is so large that
        nothing can be seen.
    """
    if not rounding.size * ROUNDING_MARGINS[-1] < COARSEST * rounding.largest or not _is_finite_at_zero(probe, layouts):
        return True
    return any(
        Decoder(loose, layout, model, states).assignments()
        or (margin == ROUNDING_MARGINS[-1] and _equals_in_some_gate_order(loose, layout, model, states))
        for margin, loose in ((margin, with_rounding(probe, rounding.size * margin)) for margin in ROUNDING_MARGINS)
        for layout in layouts
        for states in state_orders(model, loose)
    )


def _equals_in_some_gate_order(probe: Probe, layout: Layout, model: CellModel, states: tuple[str, ...]) -> bool:
    """Whether a target equals a cell whose gates stand in one order in all of its parameters.

    With all parameters at once: rounding may hide what a block does by itself.
    """
    indices = {
        block_kind: [index for index, block in enumerate(layout.gate_blocks) if block.kind == block_kind]
        for block_kind in _BLOCK_KINDS
    }
    decoder, complete = Decoder(probe, layout, model, states), probe.complete()
    for order in itertools.permutations(range(len(model.letters))):
        names = {block_kind: [model.parameter_names(block_kind)[gate] for gate in order] for block_kind in _BLOCK_KINDS}
        if _INNER_BIAS in model.parameter_names("b"):  # of two biases the second is that of the recurrent product
            names["b"] += [_INNER_BIAS if name == "b_g" else name for name in names["b"]]
        roles = {
            index: BlockRole(name)
            for block_kind in _BLOCK_KINDS
            for index, name in zip(indices[block_kind], itertools.cycle(names[block_kind]))
        }
        if decoder.agree(complete, decoder.predict(roles, len(probe.inputs))):
            return True
    return False


def with_rounding(probe: Probe, tolerance: float) -> Probe:
    """Return the probe with a larger tolerance.

    Args:
        probe: Runs of a target.
        tolerance: The largest difference of two numbers that count as equal; the probe's own where that is larger.
    """
    return replace(probe, tolerance=max(probe.tolerance, tolerance))


def _is_finite_at_zero(probe: Probe, layouts: list[Layout]) -> bool:
    """Whether numbers come back where all parameters are zero: weights in units of their largest are 0/0 there."""
    runs = (probe.masked(layout, frozenset()) for layout in layouts)
    return all(bool(np.isfinite(array).all()) for run in runs for array in run.arrays)


def _is_rounded(probe: Probe, name: str) -> bool:
    """Whether a little step of one entry of a parameter is lost, and a large one is not.

    What is rounded in units of the largest entry follows a step of all entries.
    """
    value = probe.parameters[name]
    if name in (*probe.ignored, *probe.constant) or not value.size:
        return False
    direction = np.zeros(value.size)
    direction[np.argsort(np.abs(value), axis=None)[value.size // 2]] = 1.0
    try:
        still, near, far = (
            results_of(with_parameter(probe, name, value + length * direction.reshape(value.shape)))
            for length in (0.0, LITTLE_STEP[probe.dtype], _LARGE_STEP)
        )
    except UsageError:  # it takes no such numbers, and so nothing is known
        return False
    return bool(np.array_equal(still, near) and not np.array_equal(still, far))
