"""Entries that are no equation of a step: worked numbers, tables, programs, shapes, identities, the loss."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.checks.bptt_identities import check_identity, unroll
from rnn_harness.checks.check import EntryCheck, Finding, compare_with_balls, worst_finding
from rnn_harness.checks.printed_shapes import decide_shapes
from rnn_harness.checks.whiteboard import decide_places
from rnn_harness.errors import NotRun
from rnn_harness.references import OutputLayer, cross_entropy, get_reference, one_hot
from rnn_harness.specs import (
    Entry,
    Example,
    Identity,
    Library,
    Program,
    Shapes,
    Spec,
    Table,
    audit_example,
    count_parameters,
    program_layers,
    table_rows,
)
from rnn_harness.specs.expression import Function, Role, variables
from rnn_harness.specs.notation import Binary, Name, Negative, Total, Tree, Tuple, parse
from rnn_harness.subjects.subject import LAYERS, Subject


def document_checks(entry: Entry, library: Library, seed: int) -> Iterator[EntryCheck]:
    """Yield what witnesses can say about an entry that is no equation.

    Args:
        entry: worked numbers, a table, a program, shapes or an identity.
        library: where the spec is found that an identity speaks about.
        seed: what numbers are drawn from.
    """
    match entry:
        case Example():
            yield EntryCheck("example.recomputed", "numeric", lambda: _example(entry))
            if entry.places is not None:
                yield EntryCheck("example.places", "symbolic", lambda: decide_places(entry))
        case Table():
            yield EntryCheck("table.codes", "reference", lambda: _table(entry))
            if entry.rows == "states":
                yield EntryCheck("table.last-event", "symbolic", lambda: _last_event(entry))
        case Program():
            yield EntryCheck("program.parameters", "reference", lambda: _program(entry))
        case Shapes():
            yield EntryCheck("shapes.typed", "reference", lambda: decide_shapes(entry, library, seed))
        case Identity():
            yield _identity_check(entry, library, seed)


def _example(entry: Example) -> Finding:
    """Recompute every equality of worked numbers. Raises NotRun where there is none, and nothing is asked for."""
    equalities = sum(len(chain.sides) - 1 for line in entry.text.strip().splitlines() for chain in parse(line))
    if not equalities and entry.asked is None:
        raise NotRun("no equality is printed, nothing can be recomputed")
    mistakes = list(audit_example(entry, entry.text))
    if entry.reading is None and entry.errata:
        declared = {category for erratum in entry.errata for category in erratum.finding}
        audited = {mistake.category for mistake in mistakes}
        agrees = bool(audited) and audited <= declared
        message = "the print does not hold" if audited else "an erratum is declared, and every equality holds"
        return Finding(entry.id, agrees, f"recomputed in rationals; {message}")
    detail = mistakes[0].message if mistakes else f"{equalities} equalities hold in rationals"
    return Finding(entry.id, not mistakes, detail)


def _table(entry: Table) -> Finding:
    """Compare a table of codes with `one_hot`. Raises NotRun for a table of states."""
    if entry.rows == "states":
        raise NotRun("assumed states, nothing computes them")
    codes = np.array([[float(value) for value in row.numbers] for row in table_rows(entry)])
    computed = one_hot(codes.argmax(axis=1), codes.shape[1])
    return Finding(entry.id, bool(np.array_equal(codes, computed)), "the same codes as one_hot gives")


_ASPECTS = ("power", "conflict", "tragedy", "revenge")
_WORDS_OF_LAST_EVENT = (1, 1, -1)
"""000:99: more power, more conflict, less tragedy, as signs of the change."""


def _last_event(entry: Table) -> Finding:
    """Decide that the words at the last event of a table of states do not describe its last row."""
    before, last = (row.numbers for row in table_rows(entry)[-2:])
    signs = tuple((now > then) - (now < then) for then, now in zip(before, last, strict=True))
    said = signs[:3] == _WORDS_OF_LAST_EVENT and last[3] == 1
    changes = zip(_ASPECTS, before, last, strict=True)
    detail = ", ".join(f"{name} {float(then):g} -> {float(now):g}" for name, then, now in changes)
    return Finding(entry.id, not said, detail)


def _program(entry: Program) -> Finding:
    """Count the parameters of a printed program by formula and in the reference's arrays."""
    total = 0
    for layer in program_layers(entry):
        module = get_reference("rnn") if layer.class_name == "SimpleRNN" else OutputLayer("identity")
        shapes = module.parameter_shapes(layer.input_size, layer.units).values()
        total += layer.copies * sum(int(np.prod(shape)) for shape in shapes)
    counted = count_parameters(entry)
    return Finding(entry.id, total == counted, f"{counted} parameters by formula, {total} in the reference's arrays")


def _identity_check(entry: Identity, library: Library, seed: int) -> EntryCheck:
    """The check of a derivative written as sums and products, or of the arguments that it is said to have."""
    subject = Subject.of(library.spec(entry.of))
    sides = [] if entry.literal is not None else [side for chain in parse(entry.text) for side in chain.sides]
    arguments = next((node for side in sides for node in _nodes(side) if isinstance(node, Tuple)), None)
    if arguments is not None:
        return EntryCheck("identity.arguments", "symbolic", lambda: _arguments(entry, arguments, subject))
    return EntryCheck("identity.numbers", "numeric", lambda: _identity(entry, subject, seed))


def _identity(entry: Identity, subject: Subject, seed: int) -> Finding:
    if entry.literal is not None:
        raise NotRun("prose; what it counts is compared with the other sums")
    result = check_identity(entry.text, unroll(subject, seed))
    return Finding(entry.id, result.agrees, result.where, result.worst)


def _nodes(tree: Tree) -> Iterator[Tree]:
    """The tree, and the operands of its sums and products."""
    yield tree
    match tree:
        case Binary():
            yield from _nodes(tree.left)
            yield from _nodes(tree.right)
        case Total() | Negative():
            yield from _nodes(tree.body)


def _arguments(entry: Identity, printed: Tuple, subject: Subject) -> Finding:
    """Decide whether the arguments printed are what the output depends on, after all substitutions."""
    program, context = subject.spec.program(LAYERS), subject.spec.context()
    assigned = {assignment.target.name: assignment.expression for assignment in program.assignments}
    free: set[str] = set()
    waiting = [program.outputs[0].name]
    while waiting:
        for variable in variables(assigned[waiting.pop()]):
            if variable.time == 0 and variable.role is not Role.INPUT:
                waiting.append(variable.name)
            else:
                free.add(str(variable))
    named = {str(context.variable(item)) for item in printed.items if isinstance(item, Name)}
    missing = ", ".join(sorted(free ^ named))
    return Finding(entry.id, free == named, f"differs in {missing}" if missing else "the same arguments")


def loss(spec: Spec, seed: int) -> Finding:
    """Decide 003:330 against the reference's cross-entropy: -log(y_tc) of the softmax, and its gradient y - e_c.

    Args:
        spec: the spec of the loss, whose program is evaluated.
        seed: of the logits (3, 2, 4) and the classes (3, 2).
    """
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((3, 2, 4))
    classes = rng.integers(0, 4, (3, 2))
    balls = BallArithmetic.of("float64")
    with balls.scope():
        y = [balls.apply(Function.SOFTMAX, balls.array(step)) for step in logits]
        values = Values({}, {"y": np.array(y, dtype=object)}, {}, {"k": 4, "n": 1, "d": 1}, {"c": classes})
        steps = evaluate(spec.program(), values, balls).steps
        total = balls.settle(balls.batch_sum(np.array([step["L"].sum() for step in steps], dtype=object)[:, None]))
        summed, gradient = cross_entropy(logits, classes)
        first = compare_with_balls("E-308", "the summed loss", total, np.array([summed]))
        unit = np.zeros((3, 2, 4))
        np.put_along_axis(unit, classes[:, :, None], 1.0, axis=-1)
        slopes = np.array([balls.settle(balls.subtract(a, balls.array(b))) for a, b in zip(y, unit, strict=True)])
        second = compare_with_balls("E-308", "the gradient for the logits", slopes, gradient)
    return worst_finding((first, second))
