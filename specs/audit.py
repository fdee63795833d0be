"""Read every print as it stands and report what is wrong with it; nothing here is typed in by hand."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator

from rnn_harness.specs.assemble import assign, statements
from rnn_harness.specs.audit_numbers import audit_example, audit_table
from rnn_harness.specs.audit_program import audit_program
from rnn_harness.specs.audit_shapes import audit_shapes
from rnn_harness.specs.context import Context, ElaborationError
from rnn_harness.specs.elaborate import elaborate
from rnn_harness.specs.expression import Role
from rnn_harness.specs.load import library
from rnn_harness.specs.notation import Chain, Name, NotationError, Total, names, parse
from rnn_harness.specs.passes import passes
from rnn_harness.specs.print_finding import PrintFinding
from rnn_harness.specs.schema import Entry, Equation, Example, Identity, Program, Shapes, Table
from rnn_harness.specs.spec import Spec


def audit(spec: Spec, specs: Iterable[Spec] | None = None) -> tuple[PrintFinding, ...]:
    """Everything found in the prints of one spec; `specs`: where other specs are looked up (default: shipped)."""
    known = tuple(specs) if specs is not None else library().specs
    if spec not in known:
        known = (*known, spec)
    return tuple(finding for entry in spec.entries for finding in audit_entry(spec, entry, known))


def audit_entry(spec: Spec, entry: Entry, specs: Iterable[Spec]) -> Iterator[PrintFinding]:
    """What is found in one print. Raises SpecError where the spec itself cannot be computed."""
    try:
        yield from _audit_kind(spec, entry, tuple(specs))
    except (NotationError, ElaborationError) as error:
        yield PrintFinding(entry.id, error.kind, str(error), column=error.column)


def _audit_kind(spec: Spec, entry: Entry, specs: tuple[Spec, ...]) -> Iterator[PrintFinding]:
    match entry:
        case Equation():
            yield from _audit_equation(spec, entry, specs)
        case Example():
            yield from audit_example(entry)
        case Table():
            yield from audit_table(entry)
        case Program():
            yield from audit_program(entry)
        case Shapes():
            yield from audit_shapes(entry, specs)
        case Identity():
            yield from _audit_identity(entry, specs)


def _audit_equation(spec: Spec, entry: Equation, specs: tuple[Spec, ...]) -> Iterator[PrintFinding]:
    text = entry.printed
    try:
        chains = parse(text)
    except NotationError as error:
        yield PrintFinding(entry.id, error.kind, str(error), entry.reading or "", error.column)
        return
    context = spec.context()
    seen: set[str] = set()
    backward = _walking_backward(spec, entry, context)
    for chain in chains:
        for side in chain.sides:
            for name in names(side):
                yield from _audit_name(entry, chain, name, context, seen, backward)
    if seen:
        return
    context.stars.clear()
    try:
        for chain in chains:
            for side in chain.sides:
                elaborate(side, context)
        assigned = assign(statements(entry, context, text), context)
        passes(assigned)
    except ElaborationError as error:
        yield PrintFinding(entry.id, error.kind, str(error), entry.reading or "", error.column)
        return
    products = _star_products(entry.document, specs)
    for sign, meaning in dict.fromkeys(context.stars):
        if meaning == "entry by entry" and sign in products:
            message = f"{sign} multiplies two vectors entry by entry here, and by a matrix in {products[sign]}"
            yield PrintFinding(entry.id, "ambiguous product", message)


def _walking_backward(spec: Spec, entry: Equation, context: Context) -> set[str]:
    """States that walk backward in time: read from the step after by their own equation, as printed, or by the
    equations (readings) of a program in which they are carried that way.
    """
    try:
        program = spec.program()
        found = {state.name for one in program.passes if one.direction < 0 for state in one.carried}
    except ValueError:
        found = set()
    for chain in parse(entry.printed):
        found |= {context.denote(side).name for side in chain.sides if isinstance(side, Name)}
    return found


def _audit_name(
    entry: Equation, chain: Chain, name: Name, context: Context, seen: set[str], backward_states: set[str]
) -> Iterator[PrintFinding]:
    """A name must be declared, and its value known when the chain's first side is computed."""
    what = context.denote(name)
    known = what.name in context.shapes or context.layer is not None
    if not known and what.name not in seen:
        seen.add(what.name)
        try:
            context.variable(name)
        except ElaborationError as error:
            yield PrintFinding(entry.id, error.kind, str(error), _reading(entry, seen - {what.name}), name.column)
    if what.time is None:
        return
    targets = [context.denote(side) for side in chain.sides if isinstance(side, Name)]
    now = targets[0].time or 0 if targets else 0
    late = what.time - now
    backward = late == 1 and context.roles.get(what.name) is Role.STATE and what.name in backward_states
    if late > 0 and not backward:
        correction = _reading(entry, seen)
        seen.add("future")
        message = f"{what.name} at t{what.time:+d} is not known yet at t{f'{now:+d}' if now else ''}"
        yield PrintFinding(entry.id, "future", message, correction, name.column)


def _reading(entry: Equation, seen: set[str]) -> str:
    """The reading, told with the first finding of an equation only."""
    return "" if seen or entry.reading is None else entry.reading


@functools.lru_cache(maxsize=8)
def _star_products(document: str, specs: tuple[Spec, ...]) -> dict[str, str]:
    """Signs a document uses for the product with a matrix, each with the first place it does."""
    found: dict[str, str] = {}
    for spec in specs:
        for equation in spec.model.equations:
            if equation.document != document or not spec.is_cell:
                continue
            context = spec.context()
            context.stars.clear()
            for chain in parse(equation.text):
                for side in chain.sides:
                    elaborate(side, context)
            for sign, meaning in context.stars:
                if meaning == "product" and sign:
                    found.setdefault(sign, f"{document}:{equation.line}")
    return found


def _audit_identity(entry: Identity, specs: Iterable[Spec]) -> Iterator[PrintFinding]:
    """An identity must be readable, and sum over the same steps as the others about the same spec."""
    lower = _first_step(entry)
    others: dict[int, list[str]] = {}
    for spec in specs:
        for other in spec.model.identities:
            if other.of != entry.of or other.literal is not None or other.id == entry.id:
                continue
            with contextlib.suppress(NotationError):
                if (start := _first_step(other)) is not None:
                    others.setdefault(start, []).append(f"{other.document}:{other.line}")
    usual = max(others, key=lambda start: len(others[start]), default=lower)
    if lower is not None and lower != usual and usual is not None:
        places = ", ".join(others[usual])
        yield PrintFinding(entry.id, "index", f"the steps begin at {lower} here, and at {usual} in {places}")


def _first_step(entry: Identity) -> int | None:
    """The lower limit of a sum over t, if there is one."""
    for chain in parse(entry.literal or entry.text):
        for side in chain.sides:
            if isinstance(side, Total) and side.index == "t":
                return side.lower
    return None
