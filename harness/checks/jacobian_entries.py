"""The derivative by every single number at once: one evaluation in which each direction is a row of its own.

Dimension legend: T time steps, B batch rows, P directions (one for every entry of inputs, states and parameters).
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
    """The spec's gradient by complex steps, every entry, in float64, by the subject's flat names."""
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
    found = [
        {name: total[places[i, name]].reshape(v.shape) for name, v in table.items()} for i, table in enumerate(tables)
    ]
    return evaluation.gathered(Cotangents({k: list(v) for k, v in found[1].items()}, found[2], found[0]))


def _read(evaluation: Evaluation) -> set[str]:
    """Names the program's expressions use (alternative forms have parameters of their own)."""
    return {v.name for one in evaluation.program.assignments for v in variables(one.expression)}


def _moved(
    tables: tuple[dict[str, Array], ...], count: int
) -> tuple[list[dict[str, Any]], dict[tuple[int, str], slice]]:
    """Parameters, inputs (T, P, B, n) and states (P, B, d) with one entry moved in each direction; their slices."""
    places: dict[tuple[int, str], slice] = {}
    moved: list[dict[str, Any]] = [{}, {}, {}]
    start = 0
    for kind, table in enumerate(tables):
        for name, value in table.items():
            rows = np.arange(start, start + value.size)
            places[kind, name] = slice(start, start + value.size)
            start += value.size
            index = np.unravel_index(np.arange(value.size), value.shape)
            if kind == 0 and value.ndim == 2:
                moved[kind][name] = Perturbed(value, places[kind, name], (value.shape[0], value.shape[1]))
                continue
            if kind == 0:
                whole = np.zeros((count, 1, *value.shape))
                whole[rows, 0, index[0]] = 1
            elif kind == 1:
                whole = np.zeros((len(value), count, *value.shape[1:]))
                whole[index[0], rows, index[1], index[2]] = 1
            else:
                whole = np.zeros((count, *value.shape))
                whole[rows, index[0], index[1]] = 1
            moved[kind][name] = Moved(value, whole)
    return moved, places


def entry_pairs(evaluation: Evaluation) -> Iterator[tuple[str, Array, Array]]:
    """(flat name, the subject's gradient, the numeric one) for everything a gradient is taken for."""
    own = evaluation.flat_gradients
    for name, measured in numeric_gradients(evaluation).items():
        yield name, own[name], measured
