"""The weights of a head: they have no influence on the states, but on scores that come back beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.validation.loading.adapters.handwritten.call_trial import (
    INPUT,
    PARAMETER,
    CallTrial,
    parameters_of,
    state_place,
)
from rnn_harness.validation.loading.adapters.handwritten.forward_way import ResultPath, result_entries


def weights_of_read_outs(trial: CallTrial, names: Iterable[str], hidden_size: int) -> frozenset[str]:
    """Return the weights that change an array, beside the states, which has no axis of the hidden size.

    A gate that is computed and not used may come back as well, but has the hidden size; caches, one level deeper, are
    not looked at.

    Args:
        trial: A call of the cell, at sizes that differ pairwise.
        names: Weights without influence on its states and outputs.
        hidden_size: The number of units.
    """
    chosen = {path for path, _ in trial.way.results}

    def read_outs(values: Mapping[str, Array]) -> dict[ResultPath, Array]:
        cell = trial.source.fresh(parameters_of(values))
        states = [values[state_place(number)].copy() for number in range(trial.way.states)]
        entries = result_entries(trial.way.call(cell, values[INPUT].copy(), states))
        return {
            path: value
            for path, value in entries.items()
            if len(path) <= 1 and path not in chosen and value.size > 1 and hidden_size not in value.shape
        }

    names = tuple(names)
    before = read_outs(trial.values) if names else {}
    if not before:
        return frozenset()
    changed: set[str] = set()
    for name in names:
        place = f"{PARAMETER}{name}"
        after = read_outs({**trial.values, place: trial.values[place] + 1})
        if any(path in after and not np.array_equal(before[path], after[path]) for path in before):
            changed.add(name)
    return frozenset(changed)
