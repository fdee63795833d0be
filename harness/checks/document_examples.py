"""Entries that are no equation of a step: worked numbers, tables, programs, shapes, identities, the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.checks.bptt_identities import deviation, world
from rnn_harness.checks.check import Finding, compare_with_balls
from rnn_harness.records.verdict import Witness
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
from rnn_harness.specs.notation import Name, Tuple, parse
from rnn_harness.subjects.subject import LAYERS, Subject

Decided = tuple[Witness, str, Finding | str]
"""(witness, check, finding), or the reason in place of the finding where it is not run."""


def decide(spec: Spec, entry: Entry, library: Library, seed: int) -> Iterator[Decided]:
    """Every witness's word on one document entry."""
    match entry:
        case Example():
            yield "numeric", "example.recomputed", _example(entry)
        case Table():
            yield "reference", "table.codes", _table(entry)
        case Program():
            yield "reference", "program.parameters", _program(entry)
        case Shapes():
            yield "symbolic", "shapes.typed", Finding(entry.id, True, "the equations fix every shape")
        case Identity():
            yield from _identity(entry, library, seed)


def _example(entry: Example) -> Finding:
    if entry.reading is None and entry.errata:
        kinds = {kind for erratum in entry.errata for kind in erratum.finding}
        found = {one.category for one in audit_example(entry)}
        return Finding(entry.id, found <= kinds, "recomputed in rationals; the print does not hold")
    wrong = list(audit_example(entry, entry.text))
    detail = wrong[0].message if wrong else "every equality holds in rationals"
    return Finding(entry.id, not wrong, detail)


def _table(entry: Table) -> Finding | str:
    if entry.rows == "states":
        return "assumed states, nothing computes them"
    codes = np.array([[float(value) for value in row.numbers] for row in table_rows(entry)])
    made = one_hot(codes.argmax(axis=1), codes.shape[1])
    return Finding(entry.id, bool(np.array_equal(codes, made)), "the same codes as one_hot gives")


def _program(entry: Program) -> Finding:
    total = 0
    for layer in program_layers(entry):
        made = get_reference("rnn") if layer.class_name == "SimpleRNN" else OutputLayer("identity")
        total += layer.copies * sum(
            int(np.prod(shape)) for shape in made.parameter_shapes(layer.input_size, layer.units).values()
        )
    counted = count_parameters(entry)
    return Finding(entry.id, total == counted, f"{counted} parameters by formula, {total} in the reference's arrays")


def _identity(entry: Identity, library: Library, seed: int) -> Iterator[Decided]:
    subject = Subject.of(library.spec(entry.of))
    if entry.literal is not None:
        yield "numeric", "identity.numbers", "prose; what it counts is compared with the other sums"
        return
    sides = [side for chain in parse(entry.text) for side in chain.sides]
    arguments = next((side for side in _walk(sides) if isinstance(side, Tuple)), None)
    if arguments is not None:
        yield "symbolic", "identity.arguments", _arguments(entry, arguments, subject)
        return
    holds, worst, where = deviation(entry.text, world(subject, seed))
    yield "numeric", "identity.numbers", Finding(entry.id, holds, where, worst)


def _walk(sides: Sequence[object]) -> Iterator[object]:
    for side in sides:
        yield side
        for name in ("left", "right", "body"):
            if hasattr(side, name):
                yield from _walk([getattr(side, name)])


def _arguments(entry: Identity, printed: Tuple, subject: Subject) -> Finding:
    """The arguments printed are what the output depends on, after substituting the equations into each other."""
    program, context = subject.spec.program(LAYERS), subject.spec.context()
    assigned = {a.target.name: a.expression for a in program.assignments}
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
    """003:330 against the reference's cross-entropy: -log(y_tc) of the softmax, and its gradient y - e_c."""
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((3, 2, 4))
    classes = rng.integers(0, 4, (3, 2))
    balls = BallArithmetic.of("float64")
    with balls.scope():
        y = [balls.apply(Function.SOFTMAX, balls.array(step)) for step in logits]
        values = Values({}, {"y": np.array(y, dtype=object)}, {}, {"k": 4, "n": 1, "d": 1}, {"c": classes})
        steps = evaluate(spec.program(), values, balls).steps
        total = balls.settle(balls.batch_sum(np.array([step["L"].sum() for step in steps], dtype=object)[:, None]))
        found, gradient = cross_entropy(logits, classes)
        first = compare_with_balls("E-308", "the summed loss", total, np.array([found]))
        unit = np.zeros((3, 2, 4))
        np.put_along_axis(unit, classes[:, :, None], 1.0, axis=-1)
        slopes = np.array([balls.settle(balls.subtract(a, balls.array(b))) for a, b in zip(y, unit, strict=True)])
        second = compare_with_balls("E-308", "the gradient for the logits", slopes, gradient)
    return max((first, second), key=lambda one: (not one.agrees, one.error_over_bound or 0))
