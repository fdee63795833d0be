"""How cells are initialised: torch's default, orthogonal, gaussian, and biases that keep gates open.

Dimension legend: n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.references import Reference
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind, parameter_role

Parameters = dict[str, Array]
Maker = Callable[[Reference, int, int, np.random.Generator], Parameters]


@dataclass(frozen=True)
class Initialisation:
    """`cells`: the families it is meant for. `make` draws parameters. `inputs`: the inputs' standard deviation."""

    name: str
    title: str
    cells: tuple[str, ...]
    make: Maker = field(repr=False)
    inputs: float = 1.0


def uniform(cell: Reference, n: int, d: int, rng: np.random.Generator) -> Parameters:
    """torch's default: everything uniform within 1/sqrt(d), two biases added up."""
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
    """Keras's default: recurrent matrices orthogonal, input matrices Glorot, no bias."""
    found = {}
    for name, shape in sorted(cell.parameter_shapes(n, d).items()):
        if is_kind(name, ParameterKind.RECURRENT):
            found[name] = np.linalg.qr(rng.standard_normal(shape))[0]
        elif len(shape) == 2:
            limit = np.sqrt(6 / (shape[0] + shape[1]))
            found[name] = rng.uniform(-limit, limit, shape)
        else:
            found[name] = np.zeros(shape)
    return found


def gaussian(gain: float) -> Maker:
    """Recurrent entries N(0, gain^2 / d), no bias."""

    def make(cell: Reference, n: int, d: int, rng: np.random.Generator) -> Parameters:
        found = {}
        for name, shape in sorted(cell.parameter_shapes(n, d).items()):
            scale = gain / np.sqrt(d) if is_kind(name, ParameterKind.RECURRENT) else 1 / np.sqrt(n)
            found[name] = rng.standard_normal(shape) * scale if len(shape) == 2 else np.zeros(shape)
        return found

    return make


def biased(name: str, value: float) -> Maker:
    """torch's default with one bias set."""

    def make(cell: Reference, n: int, d: int, rng: np.random.Generator) -> Parameters:
        found = uniform(cell, n, d, rng)
        found[name] = np.full(d, value)
        return found

    return make


def chrono(longest: int) -> Maker:
    """Tallec & Ollivier 2018: b_f = log U(1, longest - 1), b_i = -b_f."""

    def make(cell: Reference, n: int, d: int, rng: np.random.Generator) -> Parameters:
        found = uniform(cell, n, d, rng)
        found["b_f"] = np.log(rng.uniform(1, longest - 1, d))
        found["b_i"] = -found["b_f"]
        return found

    return make


EVERY = ("rnn", "gru", "lstm")
INITIALISATIONS: tuple[Initialisation, ...] = (
    Initialisation("torch", "torch default, uniform within 1/sqrt(d)", EVERY, uniform),
    Initialisation("orthogonal", "orthogonal recurrent, Glorot input weights, no bias", EVERY, orthogonal),
    Initialisation("gain-0.9", "recurrent N(0, 0.81/d), small inputs", ("rnn",), gaussian(0.9), 0.01),
    Initialisation("gain-1.5", "recurrent N(0, 2.25/d), small inputs", ("rnn",), gaussian(1.5), 0.01),
    Initialisation("gain-3", "recurrent N(0, 9/d), small inputs", ("rnn",), gaussian(3.0), 0.01),
    Initialisation("keep", "torch default, update gate's bias 4", ("gru",), biased("b_z", 4.0)),
    Initialisation("forget-1", "torch default, forget gate's bias 1", ("lstm",), biased("b_f", 1.0)),
    Initialisation("forget-5", "torch default, forget gate's bias 5", ("lstm",), biased("b_f", 5.0)),
    Initialisation("chrono", "torch default, biases for lags up to 200", ("lstm",), chrono(200)),
)


def initialisation(name: str) -> Initialisation:
    """The one of that name. Raises UsageError that lists them."""
    found = next((one for one in INITIALISATIONS if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in INITIALISATIONS)
        raise UsageError(f"there is no initialisation {name!r}; there are {known}")
    return found
