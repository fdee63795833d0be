"""How far back does a gradient reach? The norm of ``d h_T / d s_{T-k}``, s the whole state, for every k.

The product of the steps' Jacobians is kept as few adjoint rows: a direction below float64's unit roundoff of the
largest is left out. It would count again only if the steps before shrank the largest direction 2^53 times more than
it: units that do not act on each other can be made to do so, and then the norm is too small. What is left lives beside
a logarithm of its size, so nothing underflows; states are recomputed from sqrt(T) checkpoints.

Dimension legend: T steps, k lag, n input size, d hidden size, s state size, r adjoint rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.jacobian_product import Tangent

REDUCE = 64
"""Steps after which rows that no longer matter are left out."""
FAR = 2.0**200
"""Where the rows are brought back to size one, long before their squares leave float64."""
NEGLIGIBLE = 2.0**-53
"""Against the largest row: below it, a row changes the norm by less than float64 can show."""


@dataclass(frozen=True)
class Curve:
    """`norms`: log10 of the norm of d h_T / d s_{T-k} over sqrt(d), for k = 0 .. T. `cell`: the same for c alone, of an
    LSTM.
    """

    norms: Array
    cell: Array | None


def decay(
    cell: Tangent, n: int, steps: int, seed: int, scale: float = 1.0, on_step: Callable[[int], None] = lambda _: None
) -> Curve:
    """Run `steps` steps on inputs N(0, scale^2) from a zero state, then all the way back.

    `on_step` is told how many of the 2 T steps are done.
    """
    length = max(1, math.isqrt(steps))
    starts = list(range(0, steps, length))
    state, checkpoints = np.zeros(cell.size), []
    for number, start in enumerate(starts):
        checkpoints.append(state)
        state = cell.last(_inputs(seed, number, min(length, steps - start), n, scale), state)
        on_step(start)
    d = cell.size if not hasattr(cell, "d") else cell.d
    rows = np.zeros((d, cell.size))
    rows[:, :d] = np.eye(d)
    norms = np.empty(steps + 1)
    own = np.empty(steps + 1) if cell.size > d else None
    exponent, lag, root = 0.0, 0, math.sqrt(d)
    norms[0] = 0.0
    if own is not None:
        own[0] = -math.inf
    for number in reversed(range(len(starts))):
        inputs = _inputs(seed, number, min(length, steps - starts[number]), n, scale)
        cell.run(inputs, checkpoints[number])
        for t in reversed(range(len(inputs))):
            rows = cell.pull(t, rows)
            lag += 1
            size = math.sqrt(np.vdot(rows, rows))
            if size == 0.0:
                norms[lag:] = -math.inf
                return Curve(norms, own)
            norms[lag] = exponent + math.log10(size / root)
            if own is not None:
                part = math.sqrt(np.vdot(rows[:, d:], rows[:, d:]))
                own[lag] = exponent + (math.log10(part / root) if part else -math.inf)
            if not 1 / FAR < size < FAR or lag % REDUCE == 0:
                rows = rows / size
                exponent += math.log10(size)
                rows = _reduced(rows) if lag % REDUCE == 0 else rows
        on_step(steps + lag)
    return Curve(norms, own)


def _reduced(rows: Array) -> Array:
    """The same Gram matrix with fewer rows: the singular vectors that still count."""
    if len(rows) == 1:
        return rows
    _, sizes, vectors = np.linalg.svd(rows, full_matrices=False)
    kept = max(1, int(np.sum(sizes > NEGLIGIBLE * sizes[0])))
    found: Array = sizes[:kept, None] * vectors[:kept]
    return found


def _inputs(seed: int, segment: int, steps: int, n: int, scale: float) -> Array:
    """The inputs of a segment, the same whenever they are asked for."""
    found: Array = np.random.default_rng([seed, segment]).standard_normal((steps, n)) * scale
    return found
