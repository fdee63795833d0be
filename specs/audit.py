"""Read every print as it stands and report what is wrong with it; no finding is entered by hand."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator

from rnn_harness.specs.assemble import order_assignments, statements
from rnn_harness.specs.audit_numbers import audit_example, audit_table
from rnn_harness.specs.audit_program import audit_program
from rnn_harness.specs.audit_shapes import audit_shapes
from rnn_harness.specs.context import Context, ElaborationError
from rnn_harness.specs.elaborate import elaborate
from rnn_harness.specs.expression import Role
from rnn_harness.specs.load import library
from rnn_harness.specs.notation import Chain, Name, NotationError, Total, names, parse
from rnn_harness.specs.passes import group_passes
from rnn_harness.specs.print_finding import PrintFinding
from rnn_harness.specs.schema import Entry, Equation, Example, Identity, Program, Shapes, Table
from rnn_harness.specs.spec import Spec


def audit(spec: Spec, specs: Iterable[Spec] | None = None) -> tuple[PrintFinding, ...]:
    """Audit every print of one spec.

    Args:
        spec: the spec.
        specs: where other specs are looked up; the shipped ones where None.

    Raises:
        SpecError: where the spec itself cannot be computed.
    """
    known = tuple(specs) if specs is not None else library().specs
    if spec not in known:
        known = (*known, spec)
    return tuple(finding for entry in spec.entries for finding in audit_entry(spec, entry, known))


def audit_entry(spec: Spec, entry: Entry, specs: Iterable[Spec]) -> Iterator[PrintFinding]:
    """Audit one print.

    Args:
        spec: the spec that holds the entry.
        entry: the entry.
        specs: where other specs are looked up.

    Yields:
        The findings, in the order of the text.

    Raises:
        SpecError: where the spec itself cannot be computed.
    """
    try:
        yield from _audit_by_type(spec, entry, tuple(specs))
    except (NotationError, ElaborationError) as error:
        yield PrintFinding(entry.id, error.category, str(error), column=error.column)


def _audit_by_type(spec: Spec, entry: Entry, specs: tuple[Spec, ...]) -> Iterator[PrintFinding]:
    """Audit an entry with the rules for its type."""
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
    """Read, elaborate and order an equation as printed; report the first stage at which that fails."""
    text = entry.printed
    try:
        chains = parse(text)
    except NotationError as error:
        yield PrintFinding(entry.id, error.category, str(error), entry.reading or "", error.column)
        return
    context = spec.context()
    reported: set[str] = set()
    backward = _walking_backward(spec, entry, context)
    for chain in chains:
        for side in chain.sides:
            for name in names(side):
                yield from _audit_name(entry, chain, name, context, reported, backward)
    if reported:
        return
    context.product_signs.clear()
    try:
        for chain in chains:
            for side in chain.sides:
                elaborate(side, context)
        group_passes(order_assignments(statements(entry, context, text), context))
    except ElaborationError as error:
        yield PrintFinding(entry.id, error.category, str(error), entry.reading or "", error.column)
        return
    matrix_signs = _matrix_product_signs(entry.document, specs)
    for printed in dict.fromkeys(context.product_signs):
        if printed.meaning == "entry by entry" and printed.sign in matrix_signs:
            place = matrix_signs[printed.sign]
            message = f"{printed.sign} multiplies two vectors entry by entry here, and by a matrix in {place}"
            yield PrintFinding(entry.id, "ambiguous product", message)


def _walking_backward(spec: Spec, entry: Equation, context: Context) -> set[str]:
    """Return the states that are computed backward in time.

    Those are read from the step after by their equation, as printed, or by the equations (readings) of a program in
    which they are carried that way.
    """
    try:
        program = spec.program()
        backward = {state.name for walk in program.passes if walk.direction < 0 for state in walk.carried}
    except ValueError:
        backward = set()
    for chain in parse(entry.printed):
        backward |= {context.denote(side).name for side in chain.sides if isinstance(side, Name)}
    return backward


def _audit_name(
    entry: Equation, chain: Chain, name: Name, context: Context, reported: set[str], backward_states: set[str]
) -> Iterator[PrintFinding]:
    """Report a name that is not declared, or whose value is not known when the chain's first side is computed."""
    symbol = context.denote(name)
    known = symbol.name in context.shapes or context.layer is not None or context.names_function(name)
    if not known and symbol.name not in reported:
        reported.add(symbol.name)
        try:
            context.variable(name)
        except ElaborationError as error:
            yield PrintFinding(
                entry.id, error.category, str(error), _reading(entry, reported - {symbol.name}), name.column
            )
    if symbol.time is None:
        return
    targets = [context.denote(side) for side in chain.sides if isinstance(side, Name)]
    now = targets[0].time or 0 if targets else 0
    late = symbol.time - now
    backward = late == 1 and context.roles.get(symbol.name) is Role.STATE and symbol.name in backward_states
    if late > 0 and not backward:
        correction = _reading(entry, reported)
        reported.add("future")
        message = f"{symbol.name} at t{symbol.time:+d} is not known yet at t{f'{now:+d}' if now else ''}"
        yield PrintFinding(entry.id, "future", message, correction, name.column)


def _reading(entry: Equation, reported: set[str]) -> str:
    """Return the reading for the first finding of an equation, and nothing for the later ones."""
    return "" if reported or entry.reading is None else entry.reading


@functools.lru_cache(maxsize=8)
def _matrix_product_signs(document: str, specs: tuple[Spec, ...]) -> dict[str, str]:
    """Return the signs a document uses for the product with a matrix, each with the first place."""
    places: dict[str, str] = {}
    for spec in specs:
        for equation in spec.model.equations:
            if equation.document != document or not spec.is_cell:
                continue
            context = spec.context()
            context.product_signs.clear()
            for chain in parse(equation.text):
                for side in chain.sides:
                    elaborate(side, context)
            for printed in context.product_signs:
                if printed.meaning == "product" and printed.sign:
                    places.setdefault(printed.sign, f"{document}:{equation.line}")
    return places


def _audit_identity(entry: Identity, specs: Iterable[Spec]) -> Iterator[PrintFinding]:
    """Report an identity whose sum begins at another step than that of most identities of the same spec."""
    lower = _first_step(entry)
    places: dict[int, list[str]] = {}
    for spec in specs:
        for identity in spec.model.identities:
            if identity.of != entry.of or identity.literal is not None or identity.id == entry.id:
                continue
            with contextlib.suppress(NotationError):
                if (start := _first_step(identity)) is not None:
                    places.setdefault(start, []).append(f"{identity.document}:{identity.line}")
    usual = max(places, key=lambda start: len(places[start]), default=lower)
    if lower is not None and lower != usual and usual is not None:
        usual_places = ", ".join(places[usual])
        yield PrintFinding(entry.id, "index", f"the steps begin at {lower} here, and at {usual} in {usual_places}")


def _first_step(entry: Identity) -> int | None:
    """Return the lower limit of the first sum over t, if there is one."""
    for chain in parse(entry.literal or entry.text):
        for side in chain.sides:
            if isinstance(side, Total) and side.index == "t":
                return side.lower
    return None
