"""How a sequence goes in and comes out: the four wirings of 001:162-195 and 003:207-221."""

from __future__ import annotations

import numpy as np
from jaxtyping import Inexact

from rnn_harness.references.arguments import ArgumentError
from rnn_harness.references.array_types import Array
from rnn_harness.references.protocol import Arrays, Reference, Run


def one_to_one(cell: Reference, parameters: Arrays, x: Inexact[Array, "B n"]) -> Inexact[Array, "B m"]:
    """Run one step from the zero state; for a simple RNN this is an ordinary dense layer.

    Args:
        cell: the reference to run.
        parameters: the cell's parameters by name.
        x: the input.

    Returns:
        The output of the step.

    Raises:
        ArgumentError: for arguments that do not fit.
    """
    first: Array = cell.forward(parameters, _checked_input(x)[None]).outputs[0]
    return first


def one_to_many(
    cell: Reference, parameters: Arrays, x: Inexact[Array, "B n"], steps: int
) -> Inexact[Array, "steps B m"]:
    """Run several steps from one input: the first step reads it, the later ones read zeros.

    Args:
        cell: the reference to run.
        parameters: the cell's parameters by name.
        x: the input of the first step.
        steps: the number of steps, at least 1.

    Returns:
        The outputs of all steps.

    Raises:
        ArgumentError: for arguments that do not fit.
    """
    if steps < 1:
        raise ArgumentError(f"steps is {steps}, expected at least 1")
    x = _checked_input(x)
    inputs = np.zeros((steps, *x.shape), x.dtype)
    inputs[0] = x
    return cell.forward(parameters, inputs).outputs


def many_to_one(cell: Reference, parameters: Arrays, inputs: Inexact[Array, "T B n"]) -> Inexact[Array, "B m"]:
    """Run over a sequence of at least one step, and return the last output alone.

    Args:
        cell: the reference to run.
        parameters: the cell's parameters by name.
        inputs: the inputs, time first.

    Returns:
        The output of the last step.

    Raises:
        ArgumentError: for no step, or arguments that do not fit.
    """
    if len(inputs) == 0:
        raise ArgumentError("a many-to-one wiring needs at least one step, got none")
    last: Array = cell.forward(parameters, inputs).outputs[-1]
    return last


def many_to_many(cell: Reference, parameters: Arrays, inputs: Inexact[Array, "T B n"]) -> Inexact[Array, "T B m"]:
    """Run over a sequence, and return the output of every step.

    Args:
        cell: the reference to run.
        parameters: the cell's parameters by name.
        inputs: the inputs, time first.

    Returns:
        One output a step.

    Raises:
        ArgumentError: for arguments that do not fit.
    """
    return cell.forward(parameters, inputs).outputs


def encode_decode(
    encoder: Reference,
    decoder: Reference,
    parameters: tuple[Arrays, Arrays],
    inputs: Inexact[Array, "T B n"],
    targets: Inexact[Array, "S B m"],
) -> tuple[Run, Run]:
    """Run many-to-many with different lengths (translation, 001:195): the decoder starts from the encoder's state.

    Args:
        encoder: the cell that reads the inputs.
        decoder: the cell that reads the targets; its states have the names of the encoder's.
        parameters: (the encoder's, the decoder's) parameters by name.
        inputs: what the encoder reads, T steps.
        targets: what the decoder reads, S steps.

    Returns:
        (the encoder's run, the decoder's run).

    Raises:
        ArgumentError: for states of different names, or arguments that do not fit.
    """
    if encoder.state_names != decoder.state_names:
        raise ArgumentError(f"encoder carries {encoder.state_names}, decoder {decoder.state_names}")
    encoded = encoder.forward(parameters[0], inputs)
    return encoded, decoder.forward(parameters[1], targets, encoded.finals)


def _checked_input(x: Array) -> Inexact[Array, "B n"]:
    """Return `x` as an array of two axes. Raises ArgumentError."""
    if np.ndim(x) != 2:
        raise ArgumentError(f"x has shape {np.shape(x)}, expected (B, input_size)")
    return np.asarray(x)
