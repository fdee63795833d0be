"""What a reference accepts, checked once per call, before anything is computed.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references.array_types import Array
from rnn_harness.references.protocol import Arrays, Reference


class ArgumentError(ValueError):
    """An argument a reference cannot take: the message shows it, and says what was expected."""


@dataclass(frozen=True)
class Accepted:
    """Validated arguments: all arrays of one dtype; `alive` (T, B) is None where every row is full length."""

    parameters: dict[str, Array]
    inputs: Array
    states: dict[str, Array]
    alive: NDArray[np.bool_] | None


def expect_shape(what: str, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any] | None = None) -> Array:
    """`value` as an array of exactly that shape (and dtype). Raises ArgumentError."""
    array = np.asarray(value)
    if array.shape != shape:
        raise ArgumentError(f"{what} has shape {array.shape}, expected {shape}")
    if dtype is not None and array.dtype != dtype:
        raise ArgumentError(f"{what} has dtype {array.dtype}, expected {dtype} like the inputs")
    return array


def expect_choice(what: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Raise ArgumentError unless `value` is one of `choices`."""
    if value not in choices:
        raise ArgumentError(f"{what} is {value!r}, expected one of {', '.join(map(repr, choices))}")


def expect_names(what: str, given: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Raise ArgumentError that lists every missing and every unknown name at once."""
    missing = sorted(set(expected) - set(given))
    unknown = sorted(set(given) - set(expected))
    if missing or unknown:
        parts = [f"missing {', '.join(missing)}"] if missing else []
        parts += [f"unknown {', '.join(unknown)}"] if unknown else []
        raise ArgumentError(f"{what}: {'; '.join(parts)}; expected {', '.join(expected)}")


def accept(
    reference: Reference,
    hidden_size: int,
    parameters: Arrays,
    inputs: Array,
    states: Arrays | None,
    lengths: NDArray[np.intp] | None,
) -> Accepted:
    """Check the arguments of `forward`. `inputs` (T, B, n); states (B, d); lengths (B,). Raises ArgumentError."""
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
    zero = {name: np.zeros((batch, hidden_size), inputs.dtype) for name in reference.state_names}
    if states is not None:
        expect_names("states", states, zero)
        zero = {
            name: expect_shape(f"state {name}", states[name], value.shape, inputs.dtype) for name, value in zero.items()
        }
    return Accepted(checked, inputs, zero, alive_steps(lengths, steps, batch))


def alive_steps(lengths: NDArray[np.intp] | None, steps: int, batch: int) -> NDArray[np.bool_] | None:
    """(T, B): whether a step lies within its row's length; None where all do. Raises ArgumentError."""
    if lengths is None:
        return None
    lengths = np.asarray(lengths)
    if lengths.shape != (batch,) or lengths.dtype.kind not in "iu":
        raise ArgumentError(f"lengths is {lengths!r}, expected {batch} whole numbers")
    if batch and (lengths.min() < 0 or lengths.max() > steps):
        raise ArgumentError(f"lengths {lengths.tolist()} leave the range 0..{steps}")
    alive: NDArray[np.bool_] = np.arange(steps)[:, None] < lengths[None, :]
    return None if alive.all() else alive


def cotangents(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    alive: NDArray[np.bool_] | None,
    states: dict[str, Array],
    d_outputs: Array,
    d_finals: Arrays | None,
) -> tuple[Array, dict[str, Array]]:
    """Check the arguments of `backward`; output gradients past a row's length do not count."""
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


def freeze(alive: NDArray[np.bool_] | None, t: int, new: Array, old: Array) -> None:
    """Rows of `new` (B, d) past their length keep `old`."""
    if alive is not None:
        ended = ~alive[t]
        new[ended] = old[ended]


def clear(alive: NDArray[np.bool_] | None, t: int, gradient: Array) -> None:
    """Rows of `gradient` (..., B, d) past their length become zero."""
    if alive is not None:
        gradient[..., ~alive[t], :] = 0
