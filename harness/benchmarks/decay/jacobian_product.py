"""The steps of a reference in fast form, checked against the reference's own backward."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN
from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.gru_steps import GRUSteps
from rnn_harness.benchmarks.decay.lstm_steps import LSTMSteps
from rnn_harness.benchmarks.decay.rnn_steps import RNNSteps
from rnn_harness.benchmarks.decay.step_jacobian import CellSteps
from rnn_harness.errors import UsageError
from rnn_harness.references import Reference
from rnn_harness.references.gru import GRU
from rnn_harness.references.lstm import LSTM
from rnn_harness.references.rnn import RNN

CHECKED_STEPS = 6
"""Steps whose Jacobians are compared with the reference's."""


def cell_steps(cell: Reference, parameters: Mapping[str, Array]) -> CellSteps:
    """Return the fast form of a reference with its parameters.

    Args:
        cell: The reference.
        parameters: Its parameters by name, in float64; they are not changed.

    Raises:
        UsageError: The variant has none: a GRU or LSTM whose activations are not tanh, or one with peepholes.
    """
    if isinstance(cell, RNN):
        return RNNSteps(cell, parameters)
    if isinstance(cell, GRU) and cell.candidate == "tanh":
        return GRUSteps(cell, parameters)
    if isinstance(cell, LSTM) and (cell.candidate, cell.output, cell.peephole) == ("tanh", "tanh", None):
        return LSTMSteps(cell, parameters)
    raise UsageError(f"the decay of {cell.name} in this variant is not measured: tanh cells without peepholes are")


def jacobians_agree(cell: Reference, parameters: Mapping[str, Array], n: int, seed: int, scale: float) -> bool:
    """Decide whether the fast form pulls random adjoints back as one step of the reference's own backward does.

    Args:
        cell: The reference.
        parameters: Those of the reference, by name.
        n: The input size.
        seed: The seed of inputs and adjoints.
        scale: The standard deviation of the inputs.
    """
    steps, rng = cell_steps(cell, parameters), np.random.default_rng([seed, 7])
    inputs = rng.standard_normal((CHECKED_STEPS, n)) * scale
    d = steps.hidden_size
    run = cell.forward(parameters, inputs[:, None])
    states = {name: run.trace[f"{'hidden' if name == 'h' else 'cell'}_state"][:, 0] for name in cell.state_names}
    steps.run(inputs, np.zeros(steps.state_size))
    for t in range(1, CHECKED_STEPS):
        adjoint = rng.standard_normal((1, steps.state_size))
        before = {name: state[t - 1 : t] for name, state in states.items()}
        finals = {name: adjoint[:, k * d : (k + 1) * d] for k, name in enumerate(cell.state_names)}
        step = cell.forward(parameters, inputs[t : t + 1, None], before)
        gradients = cell.backward(step, np.zeros((1, 1, d)), finals).states
        expected = np.concatenate([gradients[name] for name in cell.state_names], axis=1)
        if np.abs(steps.pull_back(t, adjoint) - expected).max() > SCREEN * np.abs(expected).max():
            return False
    return True
