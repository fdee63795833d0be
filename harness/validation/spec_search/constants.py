"""The constants of a cell: those that its spec leaves open, and one that is added to a bias."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from rnn_harness.arithmetic.assumptions import CONSTANT_SHIFT
from rnn_harness.array_types import Array
from rnn_harness.specs import Spec
from rnn_harness.specs.expression import Add, Constant, Node, Role, Variable
from rnn_harness.specs.latex import to_latex, variable_latex
from rnn_harness.specs.program import Program
from rnn_harness.specs.rewrite import replace_children, substitute
from rnn_harness.specs.schema import Equation
from rnn_harness.specs.traversal import variables
from rnn_harness.validation.identification.probe import Response
from rnn_harness.validation.spec_search.program_runs import ProgramRuns
from rnn_harness.validation.spec_search.spec_pieces import added_vectors, empty_parameters

MOST_STEPS = 12
"""Steps towards a constant."""
PARTS_OF_A_STEP = (1.0, 0.5, 0.25, 0.0625)
"""How much of a step towards several constants is tried, where whole ones do not lead to them."""
DIGITS, LARGEST_DENOMINATOR = 6, 100
"""Numbers that somebody wrote down: decimals of few digits, and simple fractions. Any other is no constant."""
MOST_OFFSET_BIASES = 6
"""Biases of a spec of which two are tried with a constant each: of more there are too many pairs."""
OFFSETS = {"kappa": r"\kappa", "eta": r"\eta", "theta": r"\theta"}
"""The letters of constants that are added, by name; the first ones are taken that a spec does not use."""


def with_constants(spec: Spec, values: Mapping[str, Fraction]) -> Spec:
    """Return a spec with other values of its constants.

    Args:
        spec: The spec; it is not changed.
        values: The values of all constants, by name.
    """
    return replace(spec, model=spec.model.model_copy(update={"constants": {k: str(v) for k, v in values.items()}}))


def constants_sentence(spec: Spec, usual: Mapping[str, Fraction]) -> str:
    """Say which values the constants of a spec have, and which it gives them itself; empty where it has none.

    Args:
        spec: A spec whose constants are those of a target.
        usual: The values that it gives to its constants where no target is known.
    """
    return ", ".join(_constant_sentence(name, value, usual.get(name)) for name, value in usual_constants(spec).items())


def _constant_sentence(name: str, value: Fraction, usual: Fraction | None) -> str:
    """Say the value of a constant: one of zero leaves out what it multiplies, which may be a mistake."""
    sentence = f"{name} = {_in_digits(value)}"
    if usual is None or value == usual:
        return sentence
    missing = "" if value else ": what it multiplies is missing"
    return f"{sentence} ({_in_digits(usual)} in its spec{missing})"


def _in_digits(value: Fraction) -> str:
    """Write a number as a decimal where it is a short one, else as a fraction."""
    decimal = f"{float(value):.{DIGITS}g}"
    return decimal if Fraction(decimal) == value else str(value)


@dataclass(frozen=True)
class Opening:
    """A spec whose constants are to be found.

    Attributes:
        program: Its program, with the constants among the parameters.
        usual: The values of the constants to begin from, by name.
        is_offset: Whether the constants are added to biases; else the spec names them itself.
    """

    program: Program
    usual: Mapping[str, Fraction]
    is_offset: bool = False

    def spec(self, spec: Spec) -> Spec:
        """Return the spec with the constants among its own.

        Args:
            spec: The spec that was opened.
        """
        if not self.is_offset:
            return spec
        pairs = zip(spec.program().assignments, self.program.assignments, strict=True)
        readings = {
            entry.equation: f"{variable_latex(entry.target)} = {to_latex(changed.expression)}"
            for entry, changed in pairs
            if changed.expression != entry.expression
        }
        return with_readings(spec, readings, {**spec.model.constants, **dict.fromkeys(self.usual, "0")})


def openings(spec: Spec) -> Iterator[Opening]:
    """Yield a spec with the constants that it names, or with one that is added to a bias, one bias after the other.

    Behind these it is yielded with one that is added to each of two biases, as to those of both gates.

    Args:
        spec: A spec; where it names no constants, a bias is left out that an equation with several symbols reads.
    """
    if spec.model.constants:
        yield Opening(open_program(spec), usual_constants(spec))
    else:
        yield from _offsets(spec)


def _offsets(spec: Spec) -> Iterator[Opening]:
    """Yield a spec with a constant that is added to one of its biases, one after the other, then to each of two."""
    program = spec.program()
    counts = Counter(assignment.equation for assignment in program.assignments)
    symbols = {v.name for entry in program.assignments for v in (entry.target, *variables(entry.expression))}
    names = [name for name in OFFSETS if name not in {*symbols, *spec.model.constants}]
    letters = [Variable(name, (), None, Role.PARAMETER, OFFSETS[name]) for name in names]
    biases = []
    for bias in (parameter for parameter in program.parameters if parameter.name in added_vectors(program)):
        readers = {entry.equation for entry in program.assignments if bias in variables(entry.expression)}
        if all(counts[equation] == 1 for equation in readers):  # else its text would define one of its symbols alone
            biases.append(bias)
    pairs = itertools.combinations(biases, 2) if len(biases) <= MOST_OFFSET_BIASES else ()
    for group in (*((bias,) for bias in biases), *pairs):
        if len(group) > len(letters):
            continue
        opened, added = program, letters[: len(group)]
        for bias, letter in zip(group, added, strict=True):
            opened = _changed(opened, functools.partial(_with_added, bias, letter))
        opened = replace(opened, parameters=(*program.parameters, *added))
        yield Opening(opened, dict.fromkeys((letter.name for letter in added), Fraction(0)), is_offset=True)


def offset_specs(spec: Spec) -> Iterator[Spec]:
    """Yield a spec with a constant that is added to one of its biases, one after the other, then to each of two.

    Args:
        spec: A spec; a bias is left out that an equation with several symbols reads.
    """
    return (opening.spec(spec) for opening in _offsets(spec))


def with_readings(spec: Spec, readings: Mapping[str, str], constants: Mapping[str, str]) -> Spec:
    """Return a spec with other texts for some equations, and other constants.

    Args:
        spec: The spec; it is not changed.
        readings: The texts, by the equations' ids.
        constants: The values of all constants, as they are written, by name.
    """

    def read(equation: Equation) -> Equation:
        text = readings.get(equation.id)
        return equation if text is None else equation.model_copy(update={"reading": text})

    changed = {"equations": tuple(map(read, spec.model.equations)), "constants": dict(constants)}
    return replace(spec, model=spec.model.model_copy(update=changed), used=tuple(map(read, spec.used)))


class OpenProgram:
    """A program whose constants are parameters, to be found from what a target gives where all others are zero.

    Attributes:
        names: The names of the constants.
        values: The values to begin from.
        runs: Runs of the program.
        parameters: The values of the other parameters, by name.

    Args:
        program: The program, with the constants among its parameters.
        constants: The usual values, by name.
        runs: Runs of the program with its constants in place; its probe and its states' order are taken.
        parameters: The values of other parameters, by name; all that are not among them are zero.
    """

    def __init__(
        self,
        program: Program,
        constants: Mapping[str, Fraction],
        runs: ProgramRuns,
        parameters: Mapping[str, Array] | None = None,
    ) -> None:
        self.names, self.values = tuple(constants), np.array([float(value) for value in constants.values()])
        self.runs = ProgramRuns(program, runs.probe, runs.order)
        self.parameters = {**empty_parameters(program, self.runs.sizes), **(parameters or {})}

    def fitted(self, target: Response, steps: int) -> dict[str, Fraction] | None:
        """Return the constants of the target; None where there are none that somebody would write down.

        Args:
            target: What the target gives with these parameters.
            steps: The time steps of that run.
        """
        # Where two constants do much the same, whole steps may lead far away, and small ones nowhere.
        ways = ((1.0,), PARTS_OF_A_STEP) if len(self.names) > 1 else ((1.0,),)
        return next((fit for parts in ways if (fit := self._fitted_in(parts, target, steps)) is not None), None)

    def _fitted_in(self, parts: tuple[float, ...], target: Response, steps: int) -> dict[str, Fraction] | None:
        """Return the constants of the target, of every step that part being taken which leaves the smallest gap."""
        values, tolerance = self.values, self.runs.probe.tolerance
        for _ in range(MOST_STEPS):
            around = self._gap_with_slopes(values, target, steps)
            if around is None:
                return None
            gap, slopes = around
            if np.abs(gap).max() <= tolerance:
                break
            moved = _told_apart(slopes)
            step = np.zeros_like(values)
            step[moved] = np.linalg.lstsq(slopes[:, moved], gap, rcond=CONSTANT_SHIFT)[0]
            values = self._moved(values, [part * step for part in parts], target, steps)
            if np.abs(step).max(initial=0.0) <= tolerance:  # the gap is as small as these constants make it
                break
        for exact in _written_down(values, tolerance):
            gaps = self._gaps(np.array([[float(value) for value in exact]]), target, steps)
            if gaps is not None and np.abs(gaps).max() <= tolerance:
                return dict(zip(self.names, exact, strict=True))
        return None

    def _moved(self, values: Array, possible: Sequence[Array], target: Response, steps: int) -> Array:
        """Return constants after that one of some steps which leaves the smallest gap."""
        choices = values - np.array(possible)
        gaps = self._gaps(choices, target, steps) if len(choices) > 1 else None
        best: Array = choices[0 if gaps is None else int(np.abs(gaps).max(axis=1).argmin())]
        return best

    def shows_all(self, values: Mapping[str, Fraction], target: Response, steps: int) -> bool:
        """Say whether each of some constants has an influence of its own on what the program gives.

        Args:
            values: The constants, by name.
            target: What the target gives with these parameters.
            steps: The time steps of that run.
        """
        around = self._gap_with_slopes(np.array([float(values[name]) for name in self.names]), target, steps)
        return around is not None and len(_told_apart(around[1])) == len(self.names)

    def _gap_with_slopes(self, values: Array, target: Response, steps: int) -> tuple[Array, Array] | None:
        """Return the gap, and how it changes with each constant; None where that is not known."""
        shifts = np.eye(len(values)) * CONSTANT_SHIFT
        gaps = self._gaps(np.concatenate([values[np.newaxis], values + shifts, values - shifts]), target, steps)
        if gaps is None:
            return None
        up, down = np.split(gaps[1:], 2)
        return gaps[0], (up - down).T / (2 * CONSTANT_SHIFT)

    def _gaps(self, choices: Array, target: Response, steps: int) -> Array | None:
        """Return what the program gives less what the target gives, a row for each row of constants.

        It is None where they cannot be compared.
        """
        columns = dict(zip(self.names, choices.T[:, :, np.newaxis, np.newaxis], strict=True))
        try:
            pairs = self.runs.stacked_pairs(target, {**self.parameters, **columns}, steps, len(choices))
        except (KeyError, ValueError):  # a rewritten program may read what is not computed yet
            return None
        if not pairs or any(a.shape != b.shape[1:] for a, b in pairs):
            return None
        gaps = np.concatenate([(b - a).reshape(len(choices), -1) for a, b in pairs], axis=1)
        return gaps if np.isfinite(gaps).all() else None


def _told_apart(slopes: Array) -> list[int]:
    """Return the constants whose influences differ: where two have one influence, the first keeps its usual value."""
    chosen: list[int] = []
    for number in reversed(range(slopes.shape[1])):
        if np.linalg.matrix_rank(slopes[:, [*chosen, number]], CONSTANT_SHIFT) > len(chosen):
            chosen.append(number)
    return chosen


def _written_down(values: Array, tolerance: float) -> Iterator[list[Fraction]]:
    """Yield numbers near some values: decimals of few digits first, then simple fractions.

    They have fewer digits than the tolerance shows, or else some of them would be near any value. What is smaller than
    the tolerance is zero.
    """
    values = np.where(np.abs(values) <= tolerance, 0.0, values)
    digits = max(1, min(DIGITS, math.floor(-math.log10(tolerance)) - 1))
    denominator = min(LARGEST_DENOMINATOR, 10 ** (digits // 2))
    yield [Fraction(f"{value:.{digits}g}") for value in values]
    yield [Fraction(float(value)).limit_denominator(denominator) for value in values]


def open_program(spec: Spec) -> Program:
    """Return the program of a spec with its constants as scalar parameters.

    Args:
        spec: A spec that names constants.
    """
    parameters = {**spec.model.parameters, **dict.fromkeys(spec.model.constants, "")}
    return replace(spec, model=spec.model.model_copy(update={"parameters": parameters, "constants": {}})).program()


def closed_program(program: Program, values: Mapping[str, Fraction]) -> Program:
    """Return a program with numbers in the place of some of its parameters.

    Args:
        program: A program whose constants are parameters.
        values: The numbers, by name.
    """
    numbers: dict[Variable, Node] = {v: Constant(values[v.name]) for v in program.parameters if v.name in values}
    closed = _changed(program, lambda expression: substitute(expression, numbers))
    return replace(closed, parameters=tuple(v for v in program.parameters if v not in numbers))


def _changed(program: Program, change: Callable[[Node], Node]) -> Program:
    """Return a program with other expressions."""
    passes = tuple(
        replace(part, assignments=tuple(replace(a, expression=change(a.expression)) for a in part.assignments))
        for part in program.passes
    )
    return replace(program, passes=passes)


def _with_added(bias: Variable, letter: Variable, node: Node) -> Node:
    """Return an expression with a letter added behind a bias, nested as the parser would nest it."""
    if node == bias:
        return Add(bias, letter)
    if isinstance(node, Add) and node.right == bias:
        return Add(Add(_with_added(bias, letter, node.left), bias), letter)
    return replace_children(node, lambda child: _with_added(bias, letter, child))


def usual_constants(spec: Spec) -> dict[str, Fraction]:
    """Return the values that a spec gives to its constants, by name.

    Args:
        spec: A spec; of one without constants there are none.
    """
    return {name: Fraction(text) for name, text in spec.model.constants.items()}
