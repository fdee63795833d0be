"""The derivative by every single number at once: one evaluation in which each direction is a row of its own.

There are P directions, one for every entry of inputs, states and parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.arithmetic.entry_step import EntryArithmetic, Moved, Perturbed, imaginary_parts
from rnn_harness.array_types import Array
from rnn_harness.derivatives import Cotangents
from rnn_harness.evaluation.evaluation import Evaluation, final_states
from rnn_harness.specs.expression import variables


def numeric_gradients(evaluation: Evaluation) -> dict[str, Array]:
    """Return the spec's gradient by complex steps, every entry, in float64, by the subject's flat names.

    Args:
        evaluation: a subject on a case; every number moves in a direction of its own, all in one evaluation.
    """
    values = evaluation.values
    read = _read(evaluation)
    parameters = {name: value for name, value in values.parameters.items() if name in read}
    tables: tuple[dict[str, Array], ...] = (parameters, dict(values.inputs), dict(values.states))
    count = sum(value.size for table in tables for value in table.values())
    tables_moved, places = _moved(tables, count)
    run = evaluate(
        evaluation.program,
        Values(tables_moved[0], tables_moved[1], tables_moved[2], values.sizes),
        EntryArithmetic(count),
    )
    d_outputs, d_finals = evaluation.spec_cotangents
    total = np.zeros(count)
    for name, cotangent in d_outputs.items():
        for t in range(evaluation.case.T):
            total += np.einsum("pbd,bd->p", imaginary_parts(run.steps[t][name]), cotangent[t])
    for name, state in final_states(evaluation.program, run).items():
        total += np.einsum("pbd,bd->p", imaginary_parts(state), d_finals[name])
    by_parameter, by_input, by_state = (
        {name: total[places[i, name]].reshape(v.shape) for name, v in table.items()} for i, table in enumerate(tables)
    )
    inputs = {name: list(gradient) for name, gradient in by_input.items()}
    return evaluation.gathered(Cotangents(inputs, by_state, by_parameter))


def _read(evaluation: Evaluation) -> set[str]:
    """Names the program's expressions use (alternative forms have parameters of their own)."""
    return {v.name for step in evaluation.program.assignments for v in variables(step.expression)}


def _moved(
    tables: tuple[dict[str, Array], ...], count: int
) -> tuple[list[dict[str, Any]], dict[tuple[int, str], slice]]:
    """Parameters, inputs (T, P, B, n) and states (P, B, d) with one entry moved in each direction; their slices."""
    places: dict[tuple[int, str], slice] = {}
    moved: list[dict[str, Any]] = [{}, {}, {}]
    start = 0
    for group, table in enumerate(tables):
        for name, value in table.items():
            rows = np.arange(start, start + value.size)
            places[group, name] = slice(start, start + value.size)
            start += value.size
            index = np.unravel_index(np.arange(value.size), value.shape or (1,))
            if group == 0 and value.ndim == 2:
                moved[group][name] = Perturbed(value, places[group, name], (value.shape[0], value.shape[1]))
                continue
            if group == 0:
                directions = np.zeros((count, 1, *(value.shape or (1,))))
                directions[rows, 0, index[0]] = 1
            elif group == 1:
                directions = np.zeros((len(value), count, *value.shape[1:]))
                directions[index[0], rows, index[1], index[2]] = 1
            else:
                directions = np.zeros((count, *value.shape))
                directions[rows, index[0], index[1]] = 1
            moved[group][name] = Moved(value, directions)
    return moved, places


def entry_pairs(evaluation: Evaluation) -> Iterator[tuple[str, Array, Array]]:
    """Yield (flat name, the subject's gradient, the numeric one) for everything a gradient is taken for.

    Args:
        evaluation: a subject on a case.
    """
    claimed = evaluation.flat_gradients
    for name, measured in numeric_gradients(evaluation).items():
        yield name, claimed[name], measured
