"""Mistakes that lie between the equations of a step: what one gives stands where another's should."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rnn_harness.specs.expression import Add, Apply, Node, Role, ShapeError, Variable, describe, variables, walk
from rnn_harness.specs.program import Assignment, Program
from rnn_harness.specs.rewrite import replace_children, substitute
from rnn_harness.validation.spec_search.change import ZERO

MOST_LEVELS = 240
"""Levels of an expression that is run node by node, each of a few calls: those of one series, and not of two."""


@dataclass(frozen=True)
class ProgramChange:
    """A program that is wrong in how its equations are joined.

    Attributes:
        program: The rewritten program.
        equations: The ids of the equations at fault.
        sentences: What is wrong in each of them, by the symbols of the spec.
        cost: How unlikely the mistake is.
    """

    program: Program
    equations: tuple[str, ...]
    sentences: tuple[str, ...]
    cost: int


def program_changes(program: Program) -> Iterator[ProgramChange]:
    """Yield the programs that differ from one by how its equations are joined.

    Args:
        program: The right program, of one pass; of more passes nothing is yielded.
    """
    if len(program.passes) != 1:
        return
    yield from _states_handed_on(program)
    yield from _symbols_exchanged_everywhere(program)
    yield from _functions_moved(program)
    yield from _functions_moved_back(program)
    yield from _terms_moved(program)
    yield from _results_exchanged_throughout(program)
    yield from _arguments_shared(program)
    yield from _results_left_out(program)


def with_assignments(program: Program, assignments: tuple[Assignment, ...]) -> Program:
    """Return a program of one pass with other assignments.

    Args:
        program: The program; not changed.
        assignments: What it computes in its one pass.
    """
    (only,) = program.passes
    return replace(program, passes=(replace(only, assignments=assignments),))


def in_order(program: Program) -> Program:
    """Return a program whose assignments stand after those that they read; as it is where there is no such order.

    Args:
        program: A program; one of several passes is not changed.
    """
    if len(program.passes) != 1:
        return program
    waiting, ordered = [(a, frozenset(variables(a.expression))) for a in program.assignments], []
    unknown = {a.target for a, _ in waiting}
    while waiting:
        place = next((place for place, (_, read) in enumerate(waiting) if unknown.isdisjoint(read)), None)
        if place is None:
            return program
        assignment, _ = waiting.pop(place)
        unknown.discard(assignment.target)
        ordered.append(assignment)
    return with_assignments(program, tuple(ordered))


def _states_handed_on(program: Program) -> Iterator[ProgramChange]:
    """Yield programs that hand another result on as a state, which this step still computes with."""
    for state in program.states:
        number = next(i for i, a in enumerate(program.assignments) if a.target.name == state.name)
        inner = Variable(f"{state.name}#", state.shape, 0, Role.INTERMEDIATE)
        for later in program.assignments[number + 1 :]:
            if later.target.shape != state.shape:
                continue
            kept = [
                replace(a, target=inner)
                if i == number
                else replace(a, expression=substitute(a.expression, {state.at(0): inner}))
                for i, a in enumerate(program.assignments)
            ]
            handed = replace(program.assignments[number], expression=later.target)
            yield ProgramChange(
                with_assignments(program, (*kept, handed)),
                (program.assignments[number].equation,),
                (f"{later.target.name} is handed on as the state {state.name}",),
                3,
            )


def _symbols_exchanged_everywhere(program: Program) -> Iterator[ProgramChange]:
    """Yield programs that read another state in the place of one, in all equations that read it."""
    pasts = [state.at(-1) for state in program.states]
    yield from _results_read_nowhere(program, pasts)
    for past in pasts:
        readers = [a for a in program.assignments if past in set(variables(a.expression))]
        gates = [a for a in readers if a.target.role is Role.INTERMEDIATE]
        for group in (readers, gates):
            for other in pasts:
                if len(group) < 2 or other == past or other.shape != past.shape:
                    continue
                changed = tuple(
                    replace(a, expression=substitute(a.expression, {past: other})) if a in group else a
                    for a in program.assignments
                )
                equations = tuple(a.equation for a in group)
                words = f"{bare(other)} stands where {bare(past)} should"
                yield ProgramChange(with_assignments(program, changed), equations, (words,) * len(equations), 2)


def _results_read_nowhere(program: Program, pasts: list[Variable]) -> Iterator[ProgramChange]:
    """Yield programs that read an old state in the place of a result, in all equations that read it."""
    for result in (a.target for a in program.assignments if a.target.role is Role.INTERMEDIATE):
        all_readers = [a for a in program.assignments if result in set(variables(a.expression))]
        gates = [a for a in all_readers if a.target.role is Role.INTERMEDIATE]
        for past, readers in itertools.product(pasts, (all_readers, gates)):
            if past.shape != result.shape or len(readers) < 2:
                continue
            changed = tuple(
                replace(a, expression=substitute(a.expression, {result: past})) if a in readers else a
                for a in program.assignments
            )
            equations = tuple(a.equation for a in readers)
            words = f"{bare(past)} stands where {result.name} should"
            yield ProgramChange(with_assignments(program, changed), equations, (words,) * len(equations), 4)


def _results_left_out(program: Program) -> Iterator[ProgramChange]:
    """Yield programs of which one equation reads nothing in all places where it reads one result."""
    for number, assignment in enumerate(program.assignments):
        reads = Counter(v for node in walk(assignment.expression) for v in node.children if isinstance(v, Variable))
        for result in (v for v in reads if v.role is Role.INTERMEDIATE and reads[v] > 1):
            changed = list(program.assignments)
            with contextlib.suppress(ShapeError):
                expression = substitute(assignment.expression, {result: ZERO})
                if expression.shape != assignment.target.shape:
                    continue
                changed[number] = replace(assignment, expression=expression)
                words = f"{result.name} is left out"
                yield ProgramChange(with_assignments(program, tuple(changed)), (assignment.equation,), (words,), 3)


def _results_exchanged_throughout(program: Program) -> Iterator[ProgramChange]:
    """Yield programs of which one equation reads another result in all places where it reads one."""
    for number, assignment in enumerate(program.assignments):
        known = [a.target for a in program.assignments[:number]]
        reads = [v for node in walk(assignment.expression) for v in node.children if isinstance(v, Variable)]
        for result in (v for v in known if v.role is Role.INTERMEDIATE and reads.count(v) > 1):
            for substitute_for in (v for v in known if v != result and v.shape == result.shape):
                changed = list(program.assignments)
                expression = substitute(assignment.expression, {result: substitute_for})
                changed[number] = replace(assignment, expression=expression)
                words = f"{substitute_for.name} stands where {result.name} should"
                yield ProgramChange(with_assignments(program, tuple(changed)), (assignment.equation,), (words,), 2)


def _arguments_shared(program: Program) -> Iterator[ProgramChange]:
    """Yield programs in which a function is applied to what another equation's function is applied to."""
    for number, assignment in enumerate(program.assignments):
        for other, source in enumerate(program.assignments):
            target, given = assignment.expression, source.expression
            if number == other or not (isinstance(target, Apply) and isinstance(given, Apply)):
                continue
            if target.argument.shape != given.argument.shape or not _is_known(program, given.argument, number):
                continue
            changed = list(program.assignments)
            changed[number] = replace(assignment, expression=Apply(target.function, given.argument))
            words = f"{assignment.target.name} is computed from the sum that belongs into {source.target.name}"
            yield ProgramChange(with_assignments(program, tuple(changed)), (assignment.equation,), (words,), 4)


def _functions_moved(program: Program) -> Iterator[ProgramChange]:
    """Yield programs that apply a function to the new state and not to the result from which it is mixed."""
    for number, assignment in enumerate(program.assignments):
        expression = assignment.expression
        if assignment.target.role is not Role.INTERMEDIATE or not isinstance(expression, Apply):
            continue
        for later, reader in enumerate(program.assignments):
            if later <= number or assignment.target not in set(variables(reader.expression)):
                continue
            changed = list(program.assignments)
            changed[number] = replace(assignment, expression=expression.argument)
            changed[later] = replace(reader, expression=Apply(expression.function, reader.expression))
            words = (
                f"{expression.function.value} is applied to {reader.target.name} and not to {assignment.target.name}"
            )
            equations = (assignment.equation, reader.equation)
            yield ProgramChange(with_assignments(program, tuple(changed)), equations, (words,) * 2, 3)


def _functions_moved_back(program: Program) -> Iterator[ProgramChange]:
    """Yield programs that apply a function where a result is computed and not where it is read."""
    for number, assignment in enumerate(program.assignments):
        target = assignment.target
        for later, reader in enumerate(program.assignments[number + 1 :], number + 1):
            for part in {
                node for node in walk(reader.expression) if isinstance(node, Apply) and node.argument == target
            }:
                changed = list(program.assignments)
                changed[number] = replace(assignment, expression=Apply(part.function, assignment.expression))
                changed[later] = replace(reader, expression=with_part(reader.expression, part, target))
                words = f"{part.function.value} is applied where {target.name} is computed and not where it is read"
                equations = (assignment.equation, reader.equation)
                yield ProgramChange(with_assignments(program, tuple(changed)), equations, (words,) * 2, 4)


def _terms_moved(program: Program) -> Iterator[ProgramChange]:
    """Yield programs in which a term that belongs into one function's argument stands in another's."""
    sums = [
        (number, list(summands(a.expression.argument)))
        for number, a in enumerate(program.assignments)
        if isinstance(a.expression, Apply) and isinstance(a.expression.argument, Add)
    ]
    for number, terms in sums:
        for place, term in enumerate(terms):
            for other, others in sums:
                if other == number or term.shape != others[0].shape or not _is_known(program, term, other):
                    continue
                changed = list(program.assignments)
                changed[number] = _with_terms(changed[number], terms[:place] + terms[place + 1 :])
                changed[other] = _with_terms(changed[other], [*others, term])
                source, target = (program.assignments[i] for i in (number, other))
                words = f"{bare(term)} stands in {target.target.name} and not in {source.target.name}"
                equations = (source.equation, target.equation)
                yield ProgramChange(with_assignments(program, tuple(changed)), equations, (words,) * 2, 4)
                changed[number] = source
                words = f"{bare(term)} is added in {target.target.name} too"
                yield ProgramChange(with_assignments(program, tuple(changed)), (target.equation,), (words,), 5)


def summands(node: Node) -> Iterator[Node]:
    """Yield the summands of a sum.

    Args:
        node: A sum, or its only summand.
    """
    if isinstance(node, Add):
        yield from summands(node.left)
        yield from summands(node.right)
    else:
        yield node


def sum_of(terms: list[Node]) -> Node:
    """Return the sum of some terms.

    Args:
        terms: One or more.
    """
    total = terms[0]
    for term in terms[1:]:
        total = Add(total, term)
    return total


def _with_terms(assignment: Assignment, terms: list[Node]) -> Assignment:
    """Return an assignment of a function of a sum with other summands."""
    assert isinstance(assignment.expression, Apply), "only sums under a function are changed"
    return replace(assignment, expression=Apply(assignment.expression.function, sum_of(terms)))


def _is_known(program: Program, term: Node, number: int) -> bool:
    """Say whether all that a term reads is computed before an assignment."""
    later = {a.target for a in program.assignments[number:]}
    return not later & set(variables(term))


def bare(node: Node) -> str:
    """Write a node without the parentheses around it, and what is of this step without its time.

    Args:
        node: What a sentence names.
    """
    text = describe(node).replace("[t]", "")
    return text[1:-1] if text.startswith("(") else text


def with_part(node: Node, old: Node, new: Node) -> Node:
    """Return an expression with something else in the place of one of its parts, wherever that stands.

    Args:
        node: The expression.
        old: The part.
        new: What takes its place.
    """
    return new if node == old else replace_children(node, lambda child: with_part(child, old, new))


def levels(node: Node) -> int:
    """Return how many levels an expression has.

    Args:
        node: The expression.
    """
    return 1 + max(map(levels, node.children), default=0)


def holds_a_series(program: Program) -> bool:
    """Say whether an expression is so deep that a series stands in it, as for a gelu.

    Args:
        program: A program, or a rewrite of one.
    """
    return any(levels(assignment.expression) > MOST_LEVELS // 4 for assignment in program.assignments)
