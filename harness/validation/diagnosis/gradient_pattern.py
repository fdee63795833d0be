"""Wrong gradients in words: whose they are, and what they have in common with the right ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_harness.arithmetic.assumptions import NOISE_SHARE, SCREEN, SCREEN_SINGLE, UNIT_ROUNDOFF
from rnn_harness.array_types import Array
from rnn_harness.checks.check import compare_with_balls
from rnn_harness.families import GATE_NAMES
from rnn_harness.subjects.parameter_role import ParameterRole, find_role

Arrays = Mapping[str, Array]
_PARAMETER = "parameters."


@dataclass(frozen=True)
class GradientPattern:
    """What is wrong with the gradients of a cell.

    Attributes:
        part: Whose gradients are wrong.
        difference: What they are instead.
    """

    part: str
    difference: str


def gradient_pattern(gradients: Arrays, right: Arrays) -> GradientPattern | None:
    """Describe what is wrong with gradients.

    Args:
        gradients: The gradients of a cell: ``inputs``, ``states.<name>`` and ``parameters.<name>``.
        right: The right gradients, by the same names.

    Returns:
        The pattern, or None where all gradients are right.
    """
    wrong = [name for name, value in right.items() if not is_near(gradients[name], value)]
    if not wrong:
        return None
    parameters = [name for name in wrong if name.startswith(_PARAMETER)]
    names = parameters or wrong
    gates = {_gate_name(name) for name in parameters}
    if len(gates) == 1 and len(parameters) > 1:
        part = f"gradients of the {next(iter(gates))}"
    else:
        part = f"gradient{'s' if len(names) > 1 else ''} of {_listed(names)}"
    verb = "are" if len(names) > 1 else "is"
    return GradientPattern(part, f"the {part} {verb} {_compared(names, gradients, right)}")


def constant_factor(gradients: Arrays, right: Arrays) -> GradientPattern | None:
    """Describe gradients of parameters that are off by a constant factor near 1, as a wrong constant in a slope gives.

    Args:
        gradients: The gradients of a cell at one step, in float64.
        right: The right gradients, by the same names.

    Returns:
        The pattern, or None where no gradient, or not every wrong one, is off by such a factor.
    """
    names_by_factor: dict[str, list[str]] = {}
    for name, value in right.items():
        if not name.startswith(_PARAMETER) or gradients[name].shape != value.shape or not value.all():
            continue
        deviations = gradients[name] / value - 1
        deviation = float(np.median(deviations))
        if np.abs(deviations).max() < SCREEN:
            continue
        if np.abs(deviations - deviation).max() * NOISE_SHARE > abs(deviation):
            return None
        names_by_factor.setdefault(f"1 {'+' if deviation > 0 else '-'} {abs(deviation):.3g}", []).append(name)
    if not names_by_factor:
        return None
    sentences = [
        f"the gradient{'s' if len(names) > 1 else ''} of {_listed(names)} {'are' if len(names) > 1 else 'is'} {factor} "
        "times what is right"
        for factor, names in names_by_factor.items()
    ]
    first = next(iter(names_by_factor.values()))
    return GradientPattern(f"gradient{'s' if len(first) > 1 else ''} of {_listed(first)}", ", ".join(sentences))


def factors_of_float32(gradients: Arrays, right: Arrays) -> tuple[float, ...]:
    """List the factors by which gradients are off as a constant rounded to float32 makes them, in the place of 1.

    Args:
        gradients: The gradients of a cell at one step, in float64.
        right: The right gradients, by the same names.

    Returns:
        The factors that are not 1, each once; empty where there are none, or where a gradient is off in another way.
    """
    factors: dict[float, None] = {}
    for name, value in right.items():
        if not name.startswith(_PARAMETER) or gradients[name].shape != value.shape or not value.all():
            continue
        deviations = gradients[name] / value - 1
        deviation = float(np.median(deviations))
        if np.abs(deviations).max() < SCREEN:
            continue
        spread = float(np.abs(deviations - deviation).max())
        if spread * NOISE_SHARE > abs(deviation) or abs(deviation) > UNIT_ROUNDOFF["float32"]:
            return ()
        factors[1 + deviation] = None
    return tuple(factors)


def imprecise_gradients(gradients: Arrays, balls: Arrays) -> str:
    """Name the parameters whose gradients are outside of their bounds, in words.

    Args:
        gradients: The gradients of a cell.
        balls: The right gradients with their bounds, by the same names.

    Returns:
        ``the gradients``, where no gradient of a parameter is inside.
    """
    wrong = {
        name: not compare_with_balls("", name, row, gradients[name]).agrees
        for name, row in balls.items()
        if name.startswith(_PARAMETER)
    }
    names = [name for name, is_wrong in wrong.items() if is_wrong]
    return f"the gradients of {_listed(names)}" if names and not all(wrong.values()) else "the gradients"


def is_near(gradient: Array, right: Array) -> bool:
    """Say whether a gradient is right as far as float32 shows it.

    Args:
        gradient: A gradient, of any shape.
        right: The right gradient; another shape than its is wrong.
    """
    if gradient.shape != right.shape:
        return False
    largest = float(np.abs(right).max(initial=0))
    return bool(np.allclose(gradient, right, rtol=SCREEN_SINGLE, atol=SCREEN_SINGLE * largest))


def _role(name: str) -> ParameterRole | None:
    return find_role(name.removeprefix(_PARAMETER)) if name.startswith(_PARAMETER) else None


def _gate_name(name: str) -> str:
    role = _role(name)
    return GATE_NAMES.get(role.gate if role is not None else "", "state")


def _listed(names: list[str]) -> str:
    """Parameters in words, those of one kind together."""
    gates_of: dict[str, list[str]] = {}
    for name in names:
        noun, _, gate = _in_words(name).partition(" of ")
        gates_of.setdefault(noun, []).append(gate)
    rows = []
    for noun, gates in gates_of.items():
        named = [gate for gate in dict.fromkeys(gates) if gate]
        rows.append(noun + (f" of {' and '.join(named)}" if named else ""))
    return ", ".join(rows)


def _in_words(name: str) -> str:
    if name == "inputs":
        return "the inputs"
    if not name.startswith(_PARAMETER):
        return f"the initial {'cell' if name.endswith('c') else 'hidden'} state"
    role = _role(name)
    if role is None:
        return f"the {name.removeprefix(_PARAMETER)}"
    noun = "bias" if role.is_bias else role.kind.value
    return f"the {noun} of the {_gate_name(name)}" if role.gate else f"the {noun}"


def _compared(names: list[str], gradients: Arrays, right: Arrays) -> str:
    """What all of these gradients have in common with the right ones."""
    if all(not gradients[name].any() for name in names):
        return "zero"
    ratios = {_ratio(gradients[name], right[name]) for name in names}
    if len(ratios) == 1 and None not in ratios:
        factor = ratios.pop()
        return "of the wrong sign" if factor == -1 else f"{factor:g} times what is right"
    if all(gradients[name].ndim == 2 and is_near(gradients[name].T, right[name]) for name in names):
        return "transposed"
    for name in names:
        for other_name, value in right.items():
            if other_name not in names and is_near(gradients[name], value):
                return f"that of {_in_words(other_name)}"
    gradient, value = gradients[names[0]], right[names[0]]
    if gradient.shape == value.shape and gradient.size:
        differing = np.abs(gradient - value) > SCREEN_SINGLE * np.abs(value).max()
        if differing.sum() == 1 and gradient.size > 1:
            return f"wrong in the one entry {tuple(int(i) for i in np.argwhere(differing)[0])}"
    return "wrong"


def _ratio(gradient: Array, right: Array) -> float | None:
    """The one factor between two arrays, to three digits; None if there is none."""
    if gradient.shape != right.shape or not right.all():
        return None
    factors = gradient / right
    median = float(np.median(factors))
    return float(f"{median:.3g}") if np.allclose(factors, median, rtol=SCREEN_SINGLE, atol=0) else None
