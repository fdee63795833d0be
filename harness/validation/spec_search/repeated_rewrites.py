"""One mistake wherever a program does the same: in a function that all gates share, or a normalisation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace

from rnn_harness.specs.expression import (
    Add,
    Apply,
    Constant,
    Divide,
    Function,
    Multiply,
    Node,
    Role,
    Subtract,
    Variable,
    walk,
)
from rnn_harness.specs.program import Program
from rnn_harness.specs.rewrite import replace_children, substitute
from rnn_harness.validation.spec_search.function_rewrites import replaced_functions
from rnn_harness.validation.spec_search.normalisation_rewrites import (
    BY_VARIANCE,
    OUTSIDE,
    normalised,
    normalised_with_gain,
    variants,
)
from rnn_harness.validation.spec_search.program_rewrites import (
    MOST_LEVELS,
    ProgramChange,
    holds_a_series,
    levels,
    with_assignments,
    with_part,
)


def repeated_changes(program: Program) -> Iterator[ProgramChange]:
    """Yield programs in which every application of one function, or every normalisation, is another one.

    Args:
        program: The right program, of one pass; of more passes nothing is yielded.
    """
    if len(program.passes) != 1 or holds_a_series(program):
        return
    used = [node for assignment in program.assignments for node in walk(assignment.expression)]
    for function in (Function.SIGMOID, Function.TANH, Function.RELU):
        applied = [node for node in used if isinstance(node, Apply) and node.function is function]
        if len(applied) > 1:
            yield from _with_another_function(program, applied[0])
    yield from _normalised_states(program)
    roots = [node for node in used if _is_printed_root(node)]
    sources = [node for node in used if normalised(node) is not None]
    if roots and len(roots) + len(sources) > 1:
        yield from _everywhere(program, _by_variance, f"all are {BY_VARIANCE}", 1)
        yield from _everywhere(program, _outside_of_the_root, f"all are {OUTSIDE}", 1)
    if len(sources) > 1:
        for place, (words, _) in enumerate(variants(sources[0])):
            yield from _everywhere(program, functools.partial(_other_normalisation, place=place), f"all are {words}", 4)

    if sum(_without_gain(node) is not None for node in used) > 1:
        yield from _everywhere(program, _without_gain, "the gains of all normalisations are left out", 3)


def _without_gain(node: Node) -> Node | None:
    """Return what a gain multiplies that is normalised, by LN or by symbols of its own; None where a node is none."""
    if not isinstance(node, Multiply):
        return None
    for gain, inner in ((node.left, node.right), (node.right, node.left)):
        by_symbols = (
            isinstance(inner, Divide) and isinstance(inner.left, Subtract) and isinstance(inner.right, Variable)
        )
        is_gain = isinstance(gain, Variable) and gain.role is Role.PARAMETER and len(gain.shape) == 1
        if is_gain and (by_symbols or normalised(inner) is not None):
            return inner
    return None


def _normalised_states(program: Program) -> Iterator[ProgramChange]:
    """Yield programs that carry on a state as normalised that only a reader of it should normalise."""
    for number, assignment in enumerate(program.assignments):
        target = assignment.target
        for later, reader in enumerate(program.assignments[number + 1 :], number + 1):
            parts = {node for node in walk(reader.expression) if normalised_with_gain(node) == target}
            for part in parts if target.role is Role.STATE else ():
                changed = list(program.assignments)
                changed[number] = replace(assignment, expression=substitute(part, {target: assignment.expression}))
                changed[later] = replace(reader, expression=with_part(reader.expression, part, target))
                words = f"{target.name} is carried on normalised, and normalised only where it is read in the equations"
                yield ProgramChange(with_assignments(program, tuple(changed)), (assignment.equation,), (words,), 4)


def _is_printed_root(node: Node) -> bool:
    """Say whether a node is the root of a variance and a constant, as equations print it that normalise together."""
    is_root = isinstance(node, Apply) and node.function is Function.SQRT and isinstance(node.argument, Add)
    return is_root and any(isinstance(term, Constant) and 0 < term.value < 1 for term in node.children[0].children)


def _by_variance(node: Node) -> Node | None:
    return node.children[0] if _is_printed_root(node) else _variant(node, BY_VARIANCE)


def _outside_of_the_root(node: Node) -> Node | None:
    if not _is_printed_root(node):
        return _variant(node, OUTSIDE)
    first, second = node.children[0].children
    variance, constant = (second, first) if isinstance(first, Constant) else (first, second)
    return Add(Apply(Function.SQRT, variance), constant)


def _variant(node: Node, words: str) -> Node | None:
    """Return what is taken for a normalisation, by the words for it; None where a node is none."""
    argument = normalised(node)
    return None if argument is None else dict(variants(argument))[words]


def _with_another_function(program: Program, example: Apply) -> Iterator[ProgramChange]:
    """Yield programs with each function that is taken for one, wherever it is applied."""
    for change in replaced_functions(example):

        def mistaken(node: Node, words: str = change.words) -> Node | None:
            if isinstance(node, Apply) and node.function is example.function:
                return next((c.expression for c in replaced_functions(node) if c.words == words), None)
            return None

        yield from _everywhere(program, mistaken, f"{change.words}, everywhere", 4)


def _other_normalisation(node: Node, place: int) -> Node | None:
    argument = normalised(node) if isinstance(node, Multiply) else None
    return None if argument is None else list(variants(argument))[place][1]


def _everywhere(
    program: Program, mistaken: Callable[[Node], Node | None], words: str, cost: int
) -> Iterator[ProgramChange]:
    """Yield the program with another node wherever there is one for a node."""

    def changed(node: Node) -> Node:
        inside = replace_children(node, changed)
        result = mistaken(inside)
        return inside if result is None else result

    assignments = tuple(replace(a, expression=changed(a.expression)) for a in program.assignments)
    if max(levels(a.expression) for a in assignments) > MOST_LEVELS:  # a series of a series
        return
    pairs = zip(assignments, program.assignments, strict=True)
    equations = tuple(dict.fromkeys(new.equation for new, old in pairs if new.expression != old.expression))
    yield ProgramChange(with_assignments(program, assignments), equations, (words,) * len(equations), cost)
