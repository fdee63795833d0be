"""A target that differs from a program by one number: a factor near 1, or a number near 0 that is added.

What is computed coarsely differs by more than a number: with none is it within the roundings of float64.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rnn_harness.arithmetic.assumptions import COARSE_CONTROL_BITS, CONSTANT_SHIFT, FACT_MARGIN, UNIT_ROUNDOFF
from rnn_harness.array_types import Array
from rnn_harness.specs.expression import (
    Add,
    Apply,
    Function,
    MatrixVector,
    Multiply,
    Node,
    Role,
    Subtract,
    Variable,
    VectorMatrix,
    describe,
)
from rnn_harness.specs.program import Assignment, Program
from rnn_harness.specs.rewrite import replace_children
from rnn_harness.specs.traversal import variables, walk
from rnn_harness.validation.identification.probe import Probe, Response
from rnn_harness.validation.spec_search.program_rewrites import with_assignments
from rnn_harness.validation.spec_search.program_runs import ProgramRuns
from rnn_harness.validation.spec_search.rewrites import with_child
from rnn_harness.validation.spec_search.signature import read_signature

MOST_STEPS = 6
"""Steps towards a number; each squares its error."""
EXPLAINED = 1 / 8
"""The share of a difference that a small number may leave: what bends is far below, what it does not explain is all."""
DIGITS = 10
NUMBER = Variable("kappa", (), None, Role.PARAMETER, r"\kappa")
"""The number where it stands in a program."""
_ROUNDED = 2.0 ** (COARSE_CONTROL_BITS + 2) * float(UNIT_ROUNDOFF["float32"])
"""A number that is closer to the usual one may be that one, in float32 or written with six digits: that is a loss of
precision."""
Change = Callable[[Node], Node]


class _Operation(NamedTuple):
    """What a number does to a vector: with the usual one, nothing."""

    words: str
    usual: float
    change: Change


_OPERATIONS = (
    _Operation("multiplies", 1.0, lambda node: Multiply(NUMBER, node)),
    _Operation("is added to", 0.0, lambda node: Add(node, NUMBER)),
)


@dataclass(frozen=True)
class NumberBeside:
    """The one number by which a target differs from a program.

    Attributes:
        sentence: What it is and does.
        open_numbers: The values of the numbers that were known in their first digits alone, by name.
    """

    sentence: str
    open_numbers: Mapping[str, float]


@dataclass(frozen=True)
class Numbered:
    """A program with a number in it.

    Attributes:
        program: The program, with the number among its parameters.
        usual: The number with which it is the program without it.
        words: What the number does, as the end of a sentence that begins with it.
    """

    program: Program
    usual: float
    words: str

    def sentence(self, value: float) -> str:
        """Say what a number does.

        Args:
            value: The number.
        """
        return f"{value:.{DIGITS}g} {self.words}"


def number_beside(
    program: Program,
    parameters: Mapping[str, Array],
    probe: Probe,
    states: tuple[str, ...],
    open_numbers: Mapping[str, float],
) -> NumberBeside | None:
    """Find the one number by which a target differs from a program; None where there is none.

    Args:
        program: What the target is near.
        parameters: Those of the target, by the program's names.
        probe: Runs of the target in float64; its tolerance is not read.
        states: The names of the target's states, in its order.
        open_numbers: Parameters of a single number whose values are known in their first digits alone.
    """
    if read_signature(program, probe) is None:
        return None
    target, steps = probe.complete(), len(probe.inputs)
    largest = max((float(np.abs(value).max(initial=0.0)) for value in target.arrays), default=0.0)
    margin = FACT_MARGIN * max(1.0, largest)
    for numbered in _numbered(program):
        runs = ProgramRuns(numbered.program, probe, states)
        begin = {NUMBER.name: numbered.usual, **open_numbers}
        gaps_of = functools.partial(_gaps, runs, parameters, target, steps, tuple(begin))
        values = _fitted(np.array([*begin.values()]), gaps_of, margin)
        if values is not None:
            value, *fitted = (float(each) for each in values)
            beside = NumberBeside(numbered.sentence(value), dict(zip(open_numbers, fitted, strict=True)))
            return beside if abs(value - numbered.usual) >= _ROUNDED else None
    known = {name: np.array(value) for name, value in open_numbers.items()}
    factor = _factor_of_outputs(ProgramRuns(program, probe, states), {**parameters, **known}, target, margin)
    return None if factor is None else NumberBeside(factor, open_numbers)


def _fitted(begin: Array, gaps_of: Callable[[Array], Array | None], margin: float) -> Array | None:
    """Return the numbers with which no gap is beyond the margin; None where a step towards them leaves much of one.

    Args:
        begin: The numbers to begin from, (K,).
        gaps_of: Gives the gaps of many choices of numbers, (R, gaps), from these, (R, K); None where there are none.
        margin: The largest gap.
    """
    values, shifts = begin, np.eye(len(begin)) * CONSTANT_SHIFT
    for _ in range(MOST_STEPS):
        gaps = gaps_of(np.concatenate([values[np.newaxis], values + shifts, values - shifts]))
        if gaps is None:
            return None
        up, down = np.split(gaps[1:], 2)
        gap, slopes = gaps[0], (up - down).T / (2 * CONSTANT_SHIFT)
        size = np.abs(gap).max()
        if size <= margin:
            return values
        if not slopes[:, 0].any():
            return None
        step = np.linalg.lstsq(slopes, gap, rcond=CONSTANT_SHIFT)[0]
        if np.abs(gap - slopes @ step).max() > EXPLAINED * size:
            return None
        values = values - step
    return None


def _gaps(
    runs: ProgramRuns,
    parameters: Mapping[str, Array],
    target: Response,
    steps: int,
    names: tuple[str, ...],
    choices: Array,
) -> Array | None:
    """Return what a program gives with some numbers less what the target gives, a row each; None without an answer."""
    columns = dict(zip(names, choices.T[:, :, np.newaxis, np.newaxis], strict=True))
    pairs = runs.stacked_pairs(target, {**parameters, **columns}, steps, len(choices))
    if not pairs or any(a.shape != b.shape[1:] for a, b in pairs):
        return None
    gaps = np.concatenate([(b - a).reshape(len(choices), -1) for a, b in pairs], axis=1)
    return gaps if np.isfinite(gaps).all() else None


def _factor_of_outputs(
    runs: ProgramRuns, parameters: Mapping[str, Array], target: Response, margin: float
) -> str | None:
    """Say by which number a target multiplies its outputs alone, where its last states are those of the program."""
    if not runs.probe.convention.sequence or not target.finals:
        return None
    (outputs, computed), *finals = runs.pairs(target, runs.respond(parameters, len(target.outputs[0])))
    if any(np.abs(a - b).max(initial=0.0) > margin for a, b in finals) or not computed.any():
        return None
    factor = float((outputs * computed).sum() / (computed * computed).sum())
    is_factor = np.abs(outputs - factor * computed).max(initial=0.0) <= margin
    return f"{factor:.{DIGITS}g} multiplies the outputs" if is_factor and abs(factor - 1) >= _ROUNDED else None


def _numbered(program: Program) -> Iterator[Numbered]:
    """Yield a program with a number in each of its places, those first where one number stands in several."""
    if len(program.passes) != 1:
        return
    yield from _in_many_places(program)
    for place, assignment in enumerate(program.assignments):
        for operation in _OPERATIONS:
            for part, expression in _changed_once(assignment.expression, operation.change):
                changed = {place: replace(assignment, expression=expression)}
                yield _with(program, changed, operation.usual, f"{operation.words} {describe(part)}")
        old = next((state.at(-1) for state in program.states if state.name == assignment.target.name), None)
        if old is not None:
            mixed = Add(assignment.expression, Multiply(NUMBER, Subtract(old, assignment.expression)))
            words = f"is the share of {describe(old)} that stays in {assignment.target.name}"
            yield _with(program, {place: replace(assignment, expression=mixed)}, 0.0, words)


def _in_many_places(program: Program) -> Iterator[Numbered]:
    """Yield a program with one number wherever a symbol is read, or in all functions of one kind."""
    nodes = [node for assignment in program.assignments for node in walk(assignment.expression)]
    for symbol in dict.fromkeys(v for v in nodes if isinstance(v, Variable) and len(v.shape) == 1 and v.time == -1):
        yield from _throughout(program, functools.partial(operator.eq, symbol), describe(symbol))
        yield from _throughout(
            program, functools.partial(_is_product, symbol), f"every product with {describe(symbol)}"
        )
    for symbol in program.inputs:
        yield from _throughout(program, functools.partial(operator.eq, symbol), describe(symbol))
    for function in dict.fromkeys(node.function for node in nodes if isinstance(node, Apply)):
        is_it = functools.partial(_is_function, function)
        yield from _throughout(program, is_it, f"every {function.value}")
        yield from _throughout(program, is_it, f"the argument of every {function.value}", in_argument=True)
    yield from _throughout(program, _is_of_weights, "the argument of every function of weights", in_argument=True)


def _is_function(function: Function, node: Node) -> bool:
    return isinstance(node, Apply) and node.function is function


def _is_product(symbol: Variable, node: Node) -> bool:
    return isinstance(node, MatrixVector | VectorMatrix) and symbol in variables(node.vector)


def _is_of_weights(node: Node) -> bool:
    return isinstance(node, Apply) and any(v.role is Role.PARAMETER for v in variables(node.argument))


def _throughout(
    program: Program, is_place: Callable[[Node], bool], place: str, in_argument: bool = False
) -> Iterator[Numbered]:
    """Yield a program with one number in all places of a kind.

    Args:
        program: The program.
        is_place: Whether a node is such a place.
        place: What the place is called.
        in_argument: Whether the number acts on the argument of a function that stands there.
    """
    for operation in _OPERATIONS:

        def changed(node: Node, change: Change = operation.change) -> Node:
            rebuilt = replace_children(node, changed)
            if not is_place(rebuilt):
                return rebuilt
            if in_argument and isinstance(rebuilt, Apply):
                return replace(rebuilt, argument=change(rebuilt.argument))
            return change(rebuilt)

        assignments = {i: replace(a, expression=changed(a.expression)) for i, a in enumerate(program.assignments)}
        yield _with(program, assignments, operation.usual, f"{operation.words} {place}")


def _with(program: Program, changed: Mapping[int, Assignment], usual: float, words: str) -> Numbered:
    """Return a program with other assignments in some places, and the number among its parameters."""
    assignments = tuple(changed.get(place, assignment) for place, assignment in enumerate(program.assignments))
    opened = with_assignments(program, assignments)
    return Numbered(replace(opened, parameters=(*program.parameters, NUMBER)), usual, words)


def _changed_once(node: Node, change: Change) -> Iterator[tuple[Node, Node]]:
    """Yield each vector of an expression, with the expression that is changed there."""
    if len(node.shape) == 1:
        yield node, change(node)
    for place, child in enumerate(node.children):
        for part, expression in _changed_once(child, change):
            changed = with_child(node, place, expression)
            if changed is not None:
                yield part, changed
