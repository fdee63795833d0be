"""How cells are initialised: torch's default, orthogonal, gaussian, and biases that keep gates open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.references import Reference
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind, parameter_role

Parameters = dict[str, Array]
DrawParameters = Callable[[Reference, int, int, np.random.Generator], Parameters]
"""Draws the parameters of a reference, given n and d."""


@dataclass(frozen=True)
class Initialisation:
    """A way to draw parameters, and the inputs that go with it.

    Attributes:
        name: The name by which it is chosen and reported.
        title: What it does, in words.
        families: The families it is meant for.
        draw: Draws the parameters of a reference, given n and d.
        input_scale: The standard deviation of the inputs.
    """

    name: str
    title: str
    families: tuple[str, ...]
    draw: DrawParameters = field(repr=False)
    input_scale: float = 1.0


def uniform(cell: Reference, n: int, d: int, rng: np.random.Generator) -> Parameters:
    """Draw as torch does by default: everything uniform within 1/sqrt(d), two biases added up.

    Args:
        cell: Its parameters are drawn, in the order of their names.
        n: The input size.
        d: The hidden size.
        rng: The source of the numbers.
    """
    limit = 1 / np.sqrt(d)
    shapes = cell.parameter_shapes(n, d)
    # A candidate with a bias inside the reset gate has its two biases apart: neither is a sum of two.
    apart = {name for name in ("b_g", "b_hg") if "b_hg" in shapes}
    parameters = {}
    for name, shape in sorted(shapes.items()):
        parameters[name] = rng.uniform(-limit, limit, shape)
        if parameter_role(name).is_bias and name not in apart:
            parameters[name] = parameters[name] + rng.uniform(-limit, limit, shape)
    return parameters


def orthogonal(cell: Reference, n: int, d: int, rng: np.random.Generator) -> Parameters:
    """Draw as Keras does by default: recurrent matrices orthogonal, input matrices Glorot, no bias.

    Args:
        cell: Its parameters are drawn, in the order of their names.
        n: The input size.
        d: The hidden size.
        rng: The source of the numbers.
    """
    parameters = {}
    for name, shape in sorted(cell.parameter_shapes(n, d).items()):
        if is_kind(name, ParameterKind.RECURRENT):
            parameters[name] = np.linalg.qr(rng.standard_normal(shape))[0]
        elif len(shape) == 2:
            limit = np.sqrt(6 / (shape[0] + shape[1]))
            parameters[name] = rng.uniform(-limit, limit, shape)
        else:
            parameters[name] = np.zeros(shape)
    return parameters


def gaussian(gain: float) -> DrawParameters:
    """Return an initialisation with recurrent entries N(0, gain^2 / d) and no bias.

    Args:
        gain: About the spectral radius of the recurrent matrix, for large d.
    """

    def draw(cell: Reference, n: int, d: int, rng: np.random.Generator) -> Parameters:
        parameters = {}
        for name, shape in sorted(cell.parameter_shapes(n, d).items()):
            scale = gain / np.sqrt(d) if is_kind(name, ParameterKind.RECURRENT) else 1 / np.sqrt(n)
            parameters[name] = rng.standard_normal(shape) * scale if len(shape) == 2 else np.zeros(shape)
        return parameters

    return draw


def with_bias(name: str, bias: float) -> DrawParameters:
    """Return torch's default with every entry of one bias set to a number.

    Args:
        name: The reference's name of the bias.
        bias: The number.
    """

    def draw(cell: Reference, n: int, d: int, rng: np.random.Generator) -> Parameters:
        parameters = uniform(cell, n, d, rng)
        parameters[name] = np.full(d, bias)
        return parameters

    return draw


def chrono(longest: int) -> DrawParameters:
    """Return the initialisation of Tallec & Ollivier 2018: b_f = log U(1, longest - 1), b_i = -b_f.

    Args:
        longest: The longest dependency expected, in steps, more than 2.
    """

    def draw(cell: Reference, n: int, d: int, rng: np.random.Generator) -> Parameters:
        parameters = uniform(cell, n, d, rng)
        parameters["b_f"] = np.log(rng.uniform(1, longest - 1, d))
        parameters["b_i"] = -parameters["b_f"]
        return parameters

    return draw


_ALL_FAMILIES = ("rnn", "gru", "lstm")
INITIALISATIONS: tuple[Initialisation, ...] = (
    Initialisation("torch", "torch default, uniform within 1/sqrt(d)", _ALL_FAMILIES, uniform),
    Initialisation("orthogonal", "orthogonal recurrent, Glorot input weights, no bias", _ALL_FAMILIES, orthogonal),
    Initialisation("gain-0.9", "recurrent N(0, 0.81/d), small inputs", ("rnn",), gaussian(0.9), 0.01),
    Initialisation("gain-1.5", "recurrent N(0, 2.25/d), small inputs", ("rnn",), gaussian(1.5), 0.01),
    Initialisation("gain-3", "recurrent N(0, 9/d), small inputs", ("rnn",), gaussian(3.0), 0.01),
    Initialisation("keep", "torch default, update gate's bias 4", ("gru",), with_bias("b_z", 4.0)),
    Initialisation("forget-1", "torch default, forget gate's bias 1", ("lstm",), with_bias("b_f", 1.0)),
    Initialisation("forget-5", "torch default, forget gate's bias 5", ("lstm",), with_bias("b_f", 5.0)),
    Initialisation("chrono", "torch default, biases for lags up to 200", ("lstm",), chrono(200)),
)


def find_initialisation(name: str) -> Initialisation:
    """Return the initialisation of a name.

    Args:
        name: The name in full, such as ``chrono``.

    Raises:
        UsageError: There is none of that name; those there are are listed.
    """
    for initialisation in INITIALISATIONS:
        if initialisation.name == name:
            return initialisation
    known = ", ".join(initialisation.name for initialisation in INITIALISATIONS)
    raise UsageError(f"there is no initialisation {name!r}; there are {known}")
