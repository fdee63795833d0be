"""Bounds of sequences that are computed in parallel over their steps, where the recurrence is linear in its states.

A state h_t = a_t h_{t-1} + b_t, unit by unit, with a_t and b_t that see no state (minGRU, SRU, QRNN and their like), is
also h_t = A_t h_0 + sum_s (A_t / A_s) b_s with A_t = a_1 ... a_t. Libraries compute that by scans, by cumulative
products or by cumulative sums of logarithms, and round otherwise than who goes step by step.

The claim. Let L_t be the sum of |log a_s| over the steps up to t, M_t = |a_t| M_{t-1} + |b_t| with M_0 = |h_0|, and k
the number of steps. An implementation that computes every a_s and b_s as one step does, and then the sum above by any
of these ways, is at most

    u (2 (k + 9) L_t + k + 24) M_t

farther from the truth than the bound of the equations from the start of the sequence. For a sum of k logarithms in any
order is off by at most (k - 1) u L_t (Higham 2002, section 4.2), each logarithm by 8 u of itself
(`FUNCTION_ROUNDINGS`), and the difference of two such sums by twice that and u L_t; exp makes of it a relative error of
the weight, with 8 u of its own (two of them where the weights are made as quotients); products of k factors are off by
k u of themselves; and the k weighted terms are added, with one rounding each and k u of their sum, whose size is at
most M_t. For terms of higher order it is enlarged by 2 `SMALL_FACTOR`, as long as the factor is below `SMALL_FACTOR`;
beyond, nothing is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_harness.arithmetic import NumpyArithmetic, Values, evaluate
from rnn_harness.arithmetic.array_ball_values import ArrayBall
from rnn_harness.arithmetic.assumptions import LINEAR_IN_STATES, SMALL_FACTOR, UPWARD
from rnn_harness.array_types import Array
from rnn_harness.evaluation.array_bounds import ArrayBounds
from rnn_harness.evaluation.evaluation import Evaluation

_SEED = 19_020


@dataclass(frozen=True)
class LinearRecurrence:
    """The numbers of a recurrence that is linear in its states, for one sequence.

    Attributes:
        factors: For each state, what its own old value is multiplied with, (T, B, d).
        terms: For each state, what is added, (T, B, d).
        read_from: For each state that is read off another one, that other one's name and the factor, (T, B, d).
    """

    factors: dict[str, Array]
    terms: dict[str, Array]
    read_from: dict[str, tuple[str, Array]]


def linear_recurrence(evaluation: Evaluation) -> LinearRecurrence | None:
    """Return the recurrence of a sequence's equations if it is linear in its states, unit by unit.

    Args:
        evaluation: A subject on a sequence; its own numbers are not used.

    Returns:
        The recurrence; None if a step is not linear, mixes units, or has states that depend on one another.
    """
    program, values = evaluation.program, evaluation.values
    if any(spec_pass.direction < 0 for spec_pass in program.passes) or not values.states:
        return None
    names, rng = list(values.states), np.random.default_rng(_SEED)
    arithmetic = NumpyArithmetic(np.float64)
    influence: dict[tuple[str, str], list[Array]] = {(to, of): [] for to in names for of in names}
    terms: dict[str, list[Array]] = {name: [] for name in names}
    for t in range(values.steps):
        inputs = {symbol: value[t : t + 1] for symbol, value in values.inputs.items()}

        def after(states: dict[str, Array], inputs: dict[str, Array] = inputs) -> dict[str, Array]:
            step = evaluate(program, Values(values.parameters, inputs, states, values.sizes), arithmetic).steps[0]
            return {name: np.asarray(step[name], dtype=np.float64) for name in names}

        zero = {name: np.zeros_like(value, dtype=np.float64) for name, value in values.states.items()}
        base = after(zero)
        drawn = {name: rng.standard_normal(value.shape) for name, value in zero.items()}
        predicted, size = dict(base), {name: np.abs(value) for name, value in base.items()}
        for of in names:
            moved = after({**zero, of: np.ones_like(zero[of])})
            for to in names:
                share = moved[to] - base[to]
                influence[to, of].append(share)
                predicted[to] = predicted[to] + share * drawn[of]
                size[to] = size[to] + np.abs(share * drawn[of])
        found = after(drawn)
        if any((np.abs(found[name] - predicted[name]) > LINEAR_IN_STATES * (size[name] + 1)).any() for name in names):
            return None
        for name in names:
            terms[name].append(base[name])
    return _by_states({key: np.stack(rows) for key, rows in influence.items()}, _stacked(terms))


def _stacked(table: dict[str, list[Array]]) -> dict[str, Array]:
    """Stack the steps of every state."""
    return {name: np.stack(rows) for name, rows in table.items()}


def _by_states(influence: dict[tuple[str, str], Array], terms: dict[str, Array]) -> LinearRecurrence | None:
    """Sort states into those that depend on themselves alone and those that are read off one of them."""
    factors: dict[str, Array] = {}
    read_from: dict[str, tuple[str, Array]] = {}
    for name in terms:
        used = [of for of in terms if influence[name, of].any()]
        if used == [name]:
            factors[name] = influence[name, name]
    for name in terms:
        if name in factors:
            continue
        used = [of for of in terms if influence[name, of].any()]
        if len(used) != 1 or used[0] not in factors or not factors[used[0]].all():
            return None
        read_from[name] = used[0], influence[name, used[0]] / factors[used[0]]
    return LinearRecurrence(factors, terms, read_from)


def bounds_in_parallel(evaluation: Evaluation) -> ArrayBall | None:
    """Return bounds of the outputs (T, B, .) that hold for who computes all steps in parallel, too.

    Args:
        evaluation: A subject on a sequence.

    Returns:
        The bounds; None where the recurrence is not linear in its states, or so long that nothing can be claimed.
    """
    recurrence = linear_recurrence(evaluation)
    output, unit = evaluation.subject.output_name, float(evaluation.rounding.unit)
    if recurrence is None:
        return None
    of, share = recurrence.read_from.get(output, (output, None))
    if of not in recurrence.factors:
        return None
    factor, term = recurrence.factors[of], recurrence.terms[of]
    size, logarithms = np.abs(evaluation.values.states[of]).astype(np.float64), np.zeros_like(term[0])
    steps, rows = len(term), []
    with np.errstate(all="ignore"):
        for a, b in zip(factor, term, strict=True):
            size = np.abs(a) * size + np.abs(b)
            logarithms = logarithms + np.abs(np.log(np.abs(a)))
            relative = unit * (2 * (steps + 9) * logarithms + steps + 24)
            if not (relative < SMALL_FACTOR).all():
                return None
            rows.append(relative * size)
        further = np.stack(rows) * (1 + 2 * SMALL_FACTOR) * UPWARD
        if share is not None:
            further = further * np.abs(share)
    bounds = ArrayBounds(evaluation).outputs
    return ArrayBall(bounds.middle, bounds.radius + further)
