"""Steps of a simple RNN, batch in columns, with a softmax of its scores; one takes it over the batch, too."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_harness.array_types import Array


def _scores(parameters: Mapping[str, Array], a_next: Array) -> Array:
    return parameters["Wya"] @ a_next + parameters["by"]


def _next_state(xt: Array, a_prev: Array, parameters: Mapping[str, Array]) -> Array:
    state: Array = np.tanh(parameters["Wax"] @ xt + parameters["Waa"] @ a_prev + parameters["ba"])
    return state


def step_of_classes(xt: Array, a_prev: Array, parameters: Mapping[str, Array]) -> tuple[Array, Array]:
    """Right: every column adds up to one."""
    a_next = _next_state(xt, a_prev, parameters)
    powers = np.exp(_scores(parameters, a_next))
    return a_next, powers / powers.sum(axis=0)


def step_of_classes_and_batch(xt: Array, a_prev: Array, parameters: Mapping[str, Array]) -> tuple[Array, Array]:
    """Wrong: all columns add up to one together."""
    a_next = _next_state(xt, a_prev, parameters)
    powers = np.exp(_scores(parameters, a_next))
    return a_next, powers / powers.sum()
