"""The norm of ``d h_T / d s_{T-k}``, with s the whole state, for every lag k: how far back a gradient reaches.

The product of the steps' Jacobians is kept as few adjoint rows: a direction below float64's unit roundoff of the
largest is dropped. It would count again only if the steps before shrank the largest direction 2^53 times more than it:
units that do not act on each other can be made to do so, and then the norm is too small. The rows are kept with a
logarithm of their size, so nothing underflows; states are recomputed from sqrt(T) checkpoints.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnn_harness.arithmetic.assumptions import NEGLIGIBLE_ROW
from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.step_jacobian import CellSteps

REDUCTION_INTERVAL = 64
"""Steps after which rows that no longer matter are dropped."""
RESCALING_SIZE = 2.0**200
"""The size at which the rows are brought back to size one, long before their squares leave float64."""


@dataclass(frozen=True)
class DecayCurve:
    """The norm of the gradient by lag.

    Attributes:
        norms: log10 of the norm of d h_T / d s_{T-k} over sqrt(d), for k = 0 .. T, (T + 1,).
        cell_norms: The same for c alone, of an LSTM; None for other cells.
    """

    norms: Array
    cell_norms: Array | None


def decay_curve(cell: CellSteps, n: int, steps: int, seed: int, scale: float = 1.0) -> DecayCurve:
    """Run `steps` steps on inputs N(0, scale^2) from a zero state, then pull adjoints all the way back.

    Args:
        cell: The cell in fast form.
        n: The input size.
        steps: The number T of steps.
        seed: The seed of the inputs.
        scale: The standard deviation of the inputs.
    """
    length = max(1, math.isqrt(steps))
    starts = list(range(0, steps, length))
    state, checkpoints = np.zeros(cell.state_size), []
    for number, start in enumerate(starts):
        checkpoints.append(state)
        state = cell.last_state(segment_inputs(seed, number, min(length, steps - start), n, scale), state)
    d = cell.hidden_size
    rows = np.zeros((d, cell.state_size))
    rows[:, :d] = np.eye(d)
    norms = np.empty(steps + 1)
    cell_norms = np.empty(steps + 1) if cell.state_size > d else None
    exponent, lag, root = 0.0, 0, math.sqrt(d)
    norms[0] = 0.0
    if cell_norms is not None:
        cell_norms[0] = -math.inf
    for number in reversed(range(len(starts))):
        inputs = segment_inputs(seed, number, min(length, steps - starts[number]), n, scale)
        cell.run(inputs, checkpoints[number])
        for t in reversed(range(len(inputs))):
            rows = cell.pull_back(t, rows)
            lag += 1
            size = math.sqrt(np.vdot(rows, rows))
            if size == 0.0:
                norms[lag:] = -math.inf
                return DecayCurve(norms, cell_norms)
            norms[lag] = exponent + math.log10(size / root)
            if cell_norms is not None:
                cell_size = math.sqrt(np.vdot(rows[:, d:], rows[:, d:]))
                cell_norms[lag] = exponent + (math.log10(cell_size / root) if cell_size else -math.inf)
            if not 1 / RESCALING_SIZE < size < RESCALING_SIZE or lag % REDUCTION_INTERVAL == 0:
                rows = rows / size
                exponent += math.log10(size)
                rows = _drop_negligible(rows) if lag % REDUCTION_INTERVAL == 0 else rows
    return DecayCurve(norms, cell_norms)


def _drop_negligible(rows: Array) -> Array:
    """Return fewer rows with the same Gram matrix to float64's precision: the singular vectors that still count."""
    if len(rows) == 1:
        return rows
    _, sizes, vectors = np.linalg.svd(rows, full_matrices=False)
    count = max(1, int(np.sum(sizes > NEGLIGIBLE_ROW * sizes[0])))
    reduced: Array = sizes[:count, None] * vectors[:count]
    return reduced


def segment_inputs(seed: int, segment: int, steps: int, n: int, scale: float) -> Array:
    """Draw the inputs (steps, n) of a segment: the same ones at every call.

    Args:
        seed: Of the whole sequence.
        segment: The number of the segment, from 0.
        steps: The steps of a segment.
        n: The input size.
        scale: The standard deviation of the inputs, which are normal.
    """
    inputs: Array = np.random.default_rng([seed, segment]).standard_normal((steps, n)) * scale
    return inputs
