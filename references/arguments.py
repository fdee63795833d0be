"""What a reference accepts, checked once per call, before anything is computed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Inexact
from numpy.typing import ArrayLike

from rnn_harness.references.array_types import Array, DType, LengthsArray, MaskArray
from rnn_harness.references.protocol import Arrays, Reference, States


class ArgumentError(ValueError):
    """An argument a reference cannot take: the message shows it, and says what was expected."""


@dataclass(frozen=True)
class AcceptedArguments:
    """Validated arguments of a forward, all arrays of one dtype.

    Attributes:
        parameters: every parameter by name.
        inputs: the inputs.
        states: the initial states by name, zero where the caller passed none.
        alive: whether a step lies within its row's length; None where every row is full length.
    """

    parameters: dict[str, Array]
    inputs: Inexact[Array, "T B n"]
    states: dict[str, Inexact[Array, "B d"]]
    alive: Bool[MaskArray, "T B"] | None


def expect_shape(argument: str, value: ArrayLike, shape: tuple[int, ...], dtype: DType | None = None) -> Array:
    """Return `value` as an array of exactly that shape (and dtype).

    Args:
        argument: the name of the argument, for the message.
        value: an array, or what NumPy turns into one.
        shape: the expected shape.
        dtype: the expected dtype, that of the inputs; any where None.

    Raises:
        ArgumentError: for another shape or dtype.
    """
    array = np.asarray(value)
    if array.shape != shape:
        raise ArgumentError(f"{argument} has shape {array.shape}, expected {shape}")
    if dtype is not None and array.dtype != dtype:
        raise ArgumentError(f"{argument} has dtype {array.dtype}, expected {dtype} like the inputs")
    return array


def expect_choice(argument: str, value: object, choices: tuple[object, ...]) -> None:
    """Check that an argument is one of the values that it may have.

    Args:
        argument: its name, for the message.
        value: its value.
        choices: the values that it may have.

    Raises:
        ArgumentError: that names the argument, its value and the choices.
    """
    if value not in choices:
        raise ArgumentError(f"{argument} is {value!r}, expected one of {', '.join(map(repr, choices))}")


def expect_names(argument: str, names: Collection[str], expected: Collection[str]) -> None:
    """Check that arrays are there for exactly the expected names.

    Args:
        argument: the name of the argument, for the message.
        names: the names that were passed.
        expected: the names that must be passed, no more and no fewer.

    Raises:
        ArgumentError: that lists every missing and every unknown name at once.
    """
    missing = sorted(set(expected) - set(names))
    unknown = sorted(set(names) - set(expected))
    if missing or unknown:
        parts = [f"missing {', '.join(missing)}"] if missing else []
        parts += [f"unknown {', '.join(unknown)}"] if unknown else []
        raise ArgumentError(f"{argument}: {'; '.join(parts)}; expected {', '.join(expected)}")


def accept_arguments(
    reference: Reference,
    hidden_size: int,
    parameters: Arrays,
    inputs: Array,
    states: Arrays | None,
    lengths: LengthsArray | None,
) -> AcceptedArguments:
    """Check the arguments of a reference's `forward`, whatever their shapes and dtypes.

    Args:
        reference: the reference that was called; it says which parameters and states there are.
        hidden_size: the hidden size d, as the parameters have it.
        parameters: every parameter by name.
        inputs: the inputs (T, B, n).
        states: the initial states (B, d) by name, or None for zero.
        lengths: the number of steps of every row (B,), or None for all.

    Returns:
        The arguments as arrays.

    Raises:
        ArgumentError: for the first argument that does not fit.
    """
    inputs = np.asarray(inputs)
    if inputs.ndim != 3:
        raise ArgumentError(f"inputs has shape {inputs.shape}, expected (T, B, input_size)")
    if inputs.dtype.kind not in "fc":
        raise ArgumentError(f"inputs has dtype {inputs.dtype}, expected float32 or float64")
    steps, batch, input_size = inputs.shape
    shapes = reference.parameter_shapes(input_size, hidden_size)
    expect_names("parameters", parameters, shapes)
    checked = {
        name: expect_shape(f"parameter {name}", parameters[name], shape, inputs.dtype) for name, shape in shapes.items()
    }
    initial = {name: np.zeros((batch, hidden_size), inputs.dtype) for name in reference.state_names}
    if states is not None:
        expect_names("states", states, initial)
        initial = {
            name: expect_shape(f"state {name}", states[name], zero.shape, inputs.dtype)
            for name, zero in initial.items()
        }
    return AcceptedArguments(checked, inputs, initial, alive_steps(lengths, steps, batch))


def alive_steps(lengths: LengthsArray | None, steps: int, batch: int) -> Bool[MaskArray, "T B"] | None:
    """Mark the steps that lie within their row's length.

    Args:
        lengths: the number of steps of every row (B,), or None for all.
        steps: the number of time steps T.
        batch: the number of batch rows B.

    Returns:
        Whether a step lies within its row's length; None where all do.

    Raises:
        ArgumentError: for lengths that are not B whole numbers within 0..T.
    """
    if lengths is None:
        return None
    lengths = np.asarray(lengths)
    if lengths.shape != (batch,) or lengths.dtype.kind not in "iu":
        raise ArgumentError(f"lengths is {lengths!r}, expected {batch} whole numbers")
    if batch and (lengths.min() < 0 or lengths.max() > steps):
        raise ArgumentError(f"lengths {lengths.tolist()} leave the range 0..{steps}")
    alive: MaskArray = np.arange(steps)[:, None] < lengths[None, :]
    return None if alive.all() else alive


def output_gradients(
    shape: tuple[int, ...],
    dtype: DType,
    alive: Bool[MaskArray, "T B"] | None,
    states: States,
    d_outputs: Array,
    d_finals: Arrays | None,
) -> tuple[Inexact[Array, "T B d"], dict[str, Inexact[Array, "B d"]]]:
    """Check the arguments of a reference's `backward`; output gradients past a row's length do not count.

    Args:
        shape: the shape of the outputs.
        dtype: the dtype of the inputs.
        alive: whether a step lies within its row's length; None where all do.
        states: the initial states by name, whose names and shapes the final states share.
        d_outputs: the gradient for the outputs.
        d_finals: the gradient for the final states by name, or None for zero.

    Returns:
        (the gradient for the outputs, the gradient for each final state by name, which the caller may overwrite).

    Raises:
        ArgumentError: for the first argument that does not fit.
    """
    d_outputs = expect_shape("d_outputs", d_outputs, shape, dtype)
    if alive is not None:
        d_outputs = np.where(alive[:, :, None], d_outputs, 0)
    finals = {name: np.zeros_like(value) for name, value in states.items()}
    if d_finals is not None:
        expect_names("d_finals", d_finals, states)
        finals = {
            name: expect_shape(f"d_finals {name}", d_finals[name], value.shape, dtype).copy()
            for name, value in states.items()
        }
    return d_outputs, finals


def freeze_ended(
    alive: Bool[MaskArray, "T B"] | None, t: int, new: Inexact[Array, "B d"], old: Inexact[Array, "B d"]
) -> None:
    """Let the rows of `new` keep the value of `old` where step `t` lies past their length.

    Args:
        alive: whether a step lies within its row's length; None where all do.
        t: the step, from 0.
        new: the state after the step; changed in place.
        old: the state before the step.
    """
    if alive is not None:
        ended = ~alive[t]
        new[ended] = old[ended]


def clear_ended(alive: Bool[MaskArray, "T B"] | None, t: int, gradient: Inexact[Array, "*gates B d"]) -> None:
    """Set the rows of `gradient` to zero where step `t` lies past their length.

    Args:
        alive: whether a step lies within its row's length; None where all do.
        t: the step, from 0.
        gradient: the gradient of one step, with or without an axis of gates; changed in place.
    """
    if alive is not None:
        gradient[..., ~alive[t], :] = 0
