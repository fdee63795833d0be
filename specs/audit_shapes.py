"""Compare printed shapes of symbols with the shapes that the equations need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rnn_harness.specs.assemble import statements
from rnn_harness.specs.context import ElaborationError
from rnn_harness.specs.dimensions import Dimension, Shape, show_shape
from rnn_harness.specs.elaborate import elaborate
from rnn_harness.specs.expression import Role
from rnn_harness.specs.notation import Name, NotationError, parse
from rnn_harness.specs.print_finding import PrintFinding
from rnn_harness.specs.schema import Shapes
from rnn_harness.specs.spec import Spec

_UNDERBRACED = re.compile(r"\\underbrace\{(?P<body>.*?)\}_\{(?P<shape>[^{}]*\\times[^{}]*)\}")
_MEMBER = re.compile(r"^(?P<symbol>.+?)\s*\\in\s*\\mathbb\{R\}\^(?P<shape>\{[^{}]*\}|\w)$")


def _parse_shape(text: str) -> Shape:
    r"""Read a shape as printed, sizes with ``\times`` between them. Raises NotationError."""
    try:
        return tuple(Dimension.parse(part.strip()) for part in text.strip("{}").split("\\times"))
    except ValueError as error:
        raise NotationError(str(error), text, 1) from None


def audit_shapes(entry: Shapes, specs: Iterable[Spec]) -> Iterator[PrintFinding]:
    """Compare printed shapes with the equations of the spec that uses the symbols.

    Args:
        entry: the printed shapes.
        specs: where the spec is looked up.

    Yields:
        A finding for each shape that the equations contradict.

    Raises:
        NotationError: for a print that cannot be read.
    """
    spec = next((spec for spec in specs if spec.id == entry.of), None)
    if spec is None:
        yield PrintFinding(entry.id, "undeclared symbol", f"there is no spec {entry.of!r} to hold the shapes against")
        return
    text = entry.literal or entry.printed
    if _UNDERBRACED.search(text):
        yield from _audit_values(entry, spec)
    else:
        yield from _audit_declarations(entry, spec, text)


def _audit_values(entry: Shapes, spec: Spec) -> Iterator[PrintFinding]:
    """Compare shapes in numbers, printed under each symbol, with the symbols' shapes at the stated sizes."""
    printed = [_parse_shape(match["shape"]) for match in _UNDERBRACED.finditer(entry.printed)]
    meant = [part.strip() for part in (entry.reading or "").split(";")]
    if len(printed) != len(meant):
        message = f"{len(printed)} shapes are printed, and {len(meant)} symbols read under them"
        raise NotationError(message, entry.printed, 1)
    context = spec.context()
    for shape, text in zip(printed, meant, strict=True):
        node = elaborate(parse(text)[0].sides[0], context)
        unknown = {letter for size in (*node.shape, *shape) for letter in size.symbols} - set(entry.sizes)
        if unknown:
            raise NotationError(f"the size of {', '.join(sorted(unknown))} is not given", entry.printed, 1)
        right = tuple(size.size(entry.sizes) for size in node.shape)
        right = right if len(right) == 2 else (*right, 1)
        stated = tuple(size.size(entry.sizes) for size in shape)
        if stated != right:
            shown, expected = "×".join(map(str, stated)), "×".join(map(str, right))
            yield PrintFinding(entry.id, "shape", f"{text} is printed as {shown}, it is {expected}", expected)


def _audit_declarations(entry: Shapes, spec: Spec, text: str) -> Iterator[PrintFinding]:
    """Put declared shapes into the equations in place of the spec's, one symbol at a time."""
    for line in text.strip().splitlines():
        match = _MEMBER.match(line.strip())
        if match is None:
            yield PrintFinding(entry.id, "syntax", f"{line!r} is not of the form 'symbol in R^shape'")
            continue
        symbol = parse(match["symbol"])[0].sides[0]
        if not isinstance(symbol, Name):
            raise NotationError(f"{match['symbol']!r} is not a symbol", line, 1)
        shape = _parse_shape(match["shape"])
        context = spec.context()
        name = context.denote(symbol).name
        if name not in context.shapes:
            yield PrintFinding(
                entry.id, "undeclared symbol", f"{name} does not occur in {spec.id}", column=symbol.column
            )
            continue
        needed = context.shapes[name]
        if shape == needed:
            continue
        context.shapes[name] = shape
        faults = []
        for equation in spec.equations:
            for statement in statements(equation, context):
                try:
                    side = elaborate(statement.tree, context)
                    target = context.variable(statement.target)
                    if side.shape != target.shape:
                        raise ElaborationError(
                            "shape", f"{name} is {show_shape(target.shape)}, not {show_shape(side.shape)}"
                        )
                except ElaborationError as error:
                    faults.append(f"{equation.id}: {error}")
        role = context.roles[name]
        if faults or role in (Role.STATE, Role.INTERMEDIATE):
            reason = faults[0] if faults else "its equation gives another"
            message = f"{name} is printed {show_shape(shape)}, it must be {show_shape(needed)} ({reason})"
            yield PrintFinding(entry.id, "shape", message, show_shape(needed))
