"""Truncated backpropagation through time, in two forms (003:394, 003:517-521).

Sliding: the gradient of every step's loss reaches back over the K last steps and no further, which is 003:394
with only the terms k > t - K of the inner sum kept. Chunked: the sequence is cut into chunks, the state is carried
from chunk to chunk (a "stateful" network) and no gradient crosses a cut.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, K window.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnn_harness.references.arguments import ArgumentError, expect_shape
from rnn_harness.references.array_types import Array
from rnn_harness.references.protocol import Arrays, Gradients, Reference


def _check(window: int) -> None:
    if window < 1:
        raise ArgumentError(f"the window is {window}, expected at least one step")


def _states_before(cell: Reference, parameters: Arrays, inputs: Array, states: Arrays | None) -> list[Arrays]:
    """The state before each step, from the zero or the given one on: T dictionaries of (B, d)."""
    before: list[Arrays] = []
    current = cell.forward(parameters, inputs[:0], states).finals
    for t in range(len(inputs)):
        before.append(current)
        current = cell.forward(parameters, inputs[t : t + 1], current).finals
    return before


def truncated(
    cell: Reference,
    parameters: Arrays,
    inputs: Array,
    d_outputs: Array,
    window: int,
    states: Arrays | None = None,
) -> Gradients:
    """Sliding truncation: each step's output gradient goes back over at most `window` steps, its own included.

    `inputs` (T, B, n), `d_outputs` (T, B, d). A window of T or more gives the full gradient. The states' gradient
    is that of the steps whose window reaches the start. Raises ArgumentError if `window` < 1.
    """
    _check(window)
    steps = len(inputs)
    before = _states_before(cell, parameters, inputs, states)
    total = cell.backward(cell.forward(parameters, inputs, states), np.zeros_like(d_outputs))
    for t in range(steps):
        start = max(0, t + 1 - window)
        run = cell.forward(parameters, inputs[start : t + 1], before[start])
        alone = np.zeros_like(run.outputs)
        alone[-1] = expect_shape("d_outputs", d_outputs, (steps, *run.outputs.shape[1:]))[t]
        part = cell.backward(run, alone)
        total.inputs[start : t + 1] += part.inputs
        for name, gradient in part.parameters.items():
            total.parameters[name][...] += gradient
        if start == 0:
            for name, gradient in part.states.items():
                total.states[name][...] += gradient
    return total


def chunked(
    cell: Reference,
    parameters: Arrays,
    inputs: Array,
    d_outputs: Array,
    window: int,
    states: Arrays | None = None,
) -> Iterator[Gradients]:
    """Stateful truncation: one `Gradients` per chunk of `window` steps, the state carried, gradients cut.

    The outputs over all chunks equal those of the whole sequence. Raises ArgumentError if `window` < 1.
    """
    _check(window)
    for start in range(0, len(inputs), window):
        run = cell.forward(parameters, inputs[start : start + window], states)
        states = run.finals
        yield cell.backward(run, d_outputs[start : start + window])
