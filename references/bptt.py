"""Truncated backpropagation through time, in two forms (003:394, 003:517-521).

Sliding: the gradient of every step's loss reaches back over the K last steps and no further, which is 003:394
with only the terms k > t - K of the inner sum kept. Chunked: the sequence is cut into chunks, the state is carried
from chunk to chunk (a "stateful" network) and no gradient crosses a cut.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Inexact

from rnn_harness.references.arguments import ArgumentError, expect_shape
from rnn_harness.references.array_types import Array
from rnn_harness.references.protocol import Arrays, Gradients, Reference, States


def _check_window(window: int) -> None:
    """Raise ArgumentError unless the window holds a step."""
    if window < 1:
        raise ArgumentError(f"the window is {window}, expected at least one step")


def _states_before(
    cell: Reference, parameters: Arrays, inputs: Inexact[Array, "T B n"], states: States | None
) -> list[States]:
    """Run step by step from `states` on, and return the states before each of the T steps."""
    before: list[States] = []
    current = cell.forward(parameters, inputs[:0], states).finals
    for t in range(len(inputs)):
        before.append(current)
        current = cell.forward(parameters, inputs[t : t + 1], current).finals
    return before


def truncated_bptt(
    cell: Reference,
    parameters: Arrays,
    inputs: Inexact[Array, "T B n"],
    d_outputs: Inexact[Array, "T B m"],
    window: int,
    states: States | None = None,
) -> Gradients:
    """Compute the gradient with sliding truncation: each step's output gradient goes back over at most `window` steps.

    Args:
        cell: the reference to run.
        parameters: the cell's parameters by name.
        inputs: the inputs, time first.
        d_outputs: the gradient for the outputs.
        window: how many steps a gradient goes back, the step of the output included; T or more for the full gradient.
        states: the initial states by name; zero where None.

    Returns:
        The truncated gradients; the initial states' is that of the steps whose window reaches the start.

    Raises:
        ArgumentError: if `window` < 1, or for arguments that do not fit.
    """
    _check_window(window)
    steps = len(inputs)
    before = _states_before(cell, parameters, inputs, states)
    total = cell.backward(cell.forward(parameters, inputs, states), np.zeros_like(d_outputs))
    for t in range(steps):
        start = max(0, t + 1 - window)
        run = cell.forward(parameters, inputs[start : t + 1], before[start])
        last_step = np.zeros_like(run.outputs)
        last_step[-1] = expect_shape("d_outputs", d_outputs, (steps, *run.outputs.shape[1:]))[t]
        part = cell.backward(run, last_step)
        total.inputs[start : t + 1] += part.inputs
        for name, gradient in part.parameters.items():
            total.parameters[name][...] += gradient
        if start == 0:
            for name, gradient in part.states.items():
                total.states[name][...] += gradient
    return total


def chunked_bptt(
    cell: Reference,
    parameters: Arrays,
    inputs: Inexact[Array, "T B n"],
    d_outputs: Inexact[Array, "T B m"],
    window: int,
    states: States | None = None,
) -> Iterator[Gradients]:
    """Compute the gradients chunk by chunk: the state is carried from chunk to chunk, and no gradient crosses a cut.

    The outputs over all chunks equal those of the whole sequence.

    Args:
        cell: the reference to run.
        parameters: the cell's parameters by name.
        inputs: the inputs, time first.
        d_outputs: the gradient for the outputs.
        window: the number of steps of a chunk; the last may be shorter.
        states: the initial states by name; zero where None.

    Yields:
        The gradients of one chunk.

    Raises:
        ArgumentError: if `window` < 1, or for arguments that do not fit.
    """
    _check_window(window)
    for start in range(0, len(inputs), window):
        run = cell.forward(parameters, inputs[start : start + window], states)
        states = run.finals
        yield cell.backward(run, d_outputs[start : start + window])
