"""One mistake wherever a program does the same: in a function that all gates share, or a normalisation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace

from rnn_harness.specs.expression import Apply, Function, Multiply, Node, walk
from rnn_harness.specs.program import Program
from rnn_harness.specs.rewrite import replace_children
from rnn_harness.validation.spec_search.function_rewrites import replaced_functions
from rnn_harness.validation.spec_search.normalisation_rewrites import normalised, variants
from rnn_harness.validation.spec_search.program_rewrites import ProgramChange, with_assignments


def repeated_changes(program: Program) -> Iterator[ProgramChange]:
    """Yield programs in which every application of one function, or every normalisation, is another one.

    Args:
        program: The right program, of one pass; of more passes nothing is yielded.
    """
    if len(program.passes) != 1:
        return
    used = [node for assignment in program.assignments for node in walk(assignment.expression)]
    for function in (Function.SIGMOID, Function.TANH, Function.RELU):
        applied = [node for node in used if isinstance(node, Apply) and node.function is function]
        if len(applied) > 1:
            yield from _with_another_function(program, applied[0])
    sources = [node for node in used if normalised(node) is not None]
    if len(sources) > 1:
        for place, (words, _) in enumerate(variants(sources[0])):
            yield from _everywhere(program, functools.partial(_other_normalisation, place=place), f"all are {words}", 4)


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
    pairs = zip(assignments, program.assignments, strict=True)
    equations = tuple(dict.fromkeys(new.equation for new, old in pairs if new.expression != old.expression))
    yield ProgramChange(with_assignments(program, assignments), equations, (words,) * len(equations), cost)
