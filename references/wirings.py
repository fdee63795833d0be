"""How a sequence goes in and comes out: the four wirings of 001:162-195 and 003:207-221.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import numpy as np

from rnn_harness.references.arguments import ArgumentError
from rnn_harness.references.array_types import Array
from rnn_harness.references.protocol import Arrays, Reference, Run


def one_to_one(cell: Reference, parameters: Arrays, x: Array) -> Array:
    """One step from the zero state: (B, d) from `x` (B, n); for a simple RNN an ordinary dense layer."""
    first: Array = cell.forward(parameters, _batch(x)[None]).outputs[0]
    return first


def one_to_many(cell: Reference, parameters: Arrays, x: Array, steps: int) -> Array:
    """(steps, B, d) from one input `x` (B, n): it is read at the first step, the later ones read zeros."""
    if steps < 1:
        raise ArgumentError(f"steps is {steps}, expected at least 1")
    x = _batch(x)
    inputs = np.zeros((steps, *x.shape), x.dtype)
    inputs[0] = x
    return cell.forward(parameters, inputs).outputs


def many_to_one(cell: Reference, parameters: Arrays, inputs: Array) -> Array:
    """The last output, (B, d), of a sequence `inputs` (T, B, n) of at least one step."""
    if len(inputs) == 0:
        raise ArgumentError("a many-to-one wiring needs at least one step, got none")
    last: Array = cell.forward(parameters, inputs).outputs[-1]
    return last


def many_to_many(cell: Reference, parameters: Arrays, inputs: Array) -> Array:
    """One output a step, (T, B, d), from `inputs` (T, B, n)."""
    return cell.forward(parameters, inputs).outputs


def encode_decode(
    encoder: Reference, decoder: Reference, parameters: tuple[Arrays, Arrays], inputs: Array, targets: Array
) -> tuple[Run, Run]:
    """Many-to-many with different lengths (translation, 001:195): the decoder starts from the encoder's state.

    `inputs` (T, B, n), `targets` (S, B, m): what the decoder reads. Both cells carry states of the same names.
    """
    if encoder.state_names != decoder.state_names:
        raise ArgumentError(f"encoder carries {encoder.state_names}, decoder {decoder.state_names}")
    read = encoder.forward(parameters[0], inputs)
    return read, decoder.forward(parameters[1], targets, read.finals)


def _batch(x: Array) -> Array:
    if np.ndim(x) != 2:
        raise ArgumentError(f"x has shape {np.shape(x)}, expected (B, input_size)")
    return np.asarray(x)
