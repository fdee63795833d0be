"""Worked numbers, recomputed in rationals: every equality of a print, and tables of codes and states."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction

from rnn_harness.specs.notation import Binary, Bracket, Name, Negative, NotationError, Number, Tree, parse
from rnn_harness.specs.print_finding import PrintFinding
from rnn_harness.specs.schema import Example, Table
from rnn_harness.specs.symbols import denote

Exact = tuple[Fraction, ...]
"""A scalar is a tuple of length 1."""


class Unknown(ValueError):
    """A symbol of a worked example without a given value."""


def _key(name: Name) -> tuple[str, int | None]:
    what = denote(name, "t", frozenset(), {})
    return (what.name, what.time)


def givens(example: Example) -> dict[tuple[str, int | None], Exact]:
    """The given values by name and time. Raises NotationError."""
    found = {}
    for symbol, text in example.given.items():
        name, value = parse(symbol)[0].sides[0], parse(text)[0].sides[0]
        if not isinstance(name, Name):
            raise NotationError(f"{symbol!r} is not a symbol", symbol, 1)
        found[_key(name)] = evaluate(value, {})
    return found


def evaluate(tree: Tree, known: Mapping[tuple[str, int | None], Exact]) -> Exact:
    """The exact value of a side. Raises Unknown; products are entry by entry or with a scalar."""
    match tree:
        case Number():
            return (tree.value,)
        case Name():
            if _key(tree) not in known:
                raise Unknown(f"{_key(tree)[0]} has no given value")
            return known[_key(tree)]
        case Bracket():
            return tuple(value for item in tree.items for value in evaluate(item, known))
        case Negative():
            return tuple(-value for value in evaluate(tree.body, known))
        case Binary():
            left, right = evaluate(tree.left, known), evaluate(tree.right, known)
            if tree.sign == "/" and 0 in right:
                raise Unknown("a division by zero has no value")
            size = max(len(left), len(right))
            if len(left) not in (1, size) or len(right) not in (1, size):
                raise Unknown(f"{len(left)} and {len(right)} numbers cannot be combined")
            pairs = zip(
                left * size if len(left) == 1 else left,
                right * size if len(right) == 1 else right,
                strict=False,
            )
            if tree.sign in ("+", "\\oplus"):
                return tuple(a + b for a, b in pairs)
            if tree.sign == "-":
                return tuple(a - b for a, b in pairs)
            if tree.sign == "/":
                return tuple(a / b for a, b in pairs)
            return tuple(a * b for a, b in pairs)
        case _:
            raise Unknown(f"a {type(tree).__name__.lower()} has no exact value")


def show(value: Exact) -> str:
    """Numbers as decimals."""
    texts = [f"{float(entry):.10g}" for entry in value]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _compare(
    entry: str, left: Tree, right: Tree, known: Mapping[tuple[str, int | None], Exact]
) -> Iterator[PrintFinding]:
    a, b = evaluate(left, known), evaluate(right, known)
    if a == b:
        return
    if isinstance(left, Binary) and isinstance(right, Binary) and left.sign == right.sign:
        # Same form on both sides: the fault is in one of the operands.
        for one, other in ((left.left, right.left), (left.right, right.right)):
            yield from _compare(entry, one, other, known)
        return
    part = _meant_part(a, right, known)
    if part is not None:
        yield _differs(entry, a, part)
        return
    yield _differs(entry, a, b)


def _meant_part(value: Exact, printed: Tree, known: Mapping[tuple[str, int | None], Exact]) -> Exact | None:
    """The summand of a printed sum that is `value` but for less than half of its entries: what was meant by it."""
    if not isinstance(printed, Binary) or printed.sign not in ("+", "\\oplus"):
        return None
    for side in (printed.left, printed.right):
        part = evaluate(side, known)
        if len(part) == len(value) and 2 * sum(x != y for x, y in zip(part, value, strict=True)) < len(value):
            return part
    return None


def _differs(entry: str, a: Exact, b: Exact) -> PrintFinding:
    """`b` is printed where `a` is right."""
    wrong = [i + 1 for i in range(max(len(a), len(b))) if a[min(i, len(a) - 1)] != b[min(i, len(b) - 1)]]
    places = f" in entry {', '.join(map(str, wrong))}" if max(len(a), len(b)) > 1 else ""
    return PrintFinding(entry, "arithmetic", f"{show(b)} is printed for {show(a)}{places}", show(a))


def audit_example(example: Example, text: str | None = None) -> Iterator[PrintFinding]:
    """Every equality of the print (or of `text`) that does not hold, with the right numbers."""
    try:
        known = givens(example)
        chains = [chain for line in (text or example.printed).strip().splitlines() for chain in parse(line)]
        stated = set()
        for chain in chains:
            for left, right in itertools.pairwise(chain.sides):
                yield from _compare(example.id, left, right, known)
            stated |= {evaluate(side, known) for side in chain.sides if isinstance(side, Number | Negative | Bracket)}
        if example.asked is not None:
            answer = evaluate(parse(example.asked)[0].sides[0], known)
            if answer not in stated:
                message = f"the value asked for, {example.asked} = {show(answer)}, is stated nowhere"
                yield PrintFinding(example.id, "unstated result", message, show(answer))
    except NotationError as error:
        yield PrintFinding(example.id, error.category, str(error), column=error.column)
    except Unknown as error:
        yield PrintFinding(example.id, "undeclared symbol", str(error))


_ROW = re.compile(r"^(?P<label>[^:\[\\]*?)\s*(?::|\\quad)?\s*\[(?P<numbers>[^\]]*)\]")


def rows(table: Table) -> list[tuple[str, Exact]]:
    """The rows of a table: label and numbers. Raises NotationError on a line that is none, or of another length."""
    found: list[tuple[str, Exact]] = []
    for line in table.text.strip().splitlines():
        match = _ROW.match(line.strip())
        if match is None:
            raise NotationError(f"{line!r} is not a row; expected a label and numbers in brackets", line, 1)
        text = match["numbers"].strip()
        parts = list(text) if re.fullmatch(r"[01]+", text) else re.split(r"[,\s]+", text)
        try:
            values = tuple(Fraction(part) for part in parts)
        except (ValueError, ZeroDivisionError):
            raise NotationError(f"{text!r} is not a row of numbers", line, match.start("numbers") + 1) from None
        if found and len(values) != len(found[0][1]):
            message = f"a row of {len(values)} numbers under rows of {len(found[0][1])}"
            raise NotationError(message, line, match.start("numbers") + 1)
        found.append((match["label"].strip(), values))
    return found


def audit_table(table: Table) -> Iterator[PrintFinding]:
    """One-hot codes must be orthonormal and used; states of a tanh cell must lie strictly inside (-1, 1)."""
    try:
        found = rows(table)
    except NotationError as error:
        yield PrintFinding(table.id, error.category, str(error), column=error.column)
        return
    if table.rows == "states":
        for label, values in found:
            if any(abs(value) >= 1 for value in values):
                yield PrintFinding(table.id, "unreachable", f"row {label}: {show(values)} has an entry of size 1")
        return
    for i, (label, values) in enumerate(found):
        for other, others in found[i:]:
            product = sum(a * b for a, b in zip(values, others, strict=True))
            if product != (label == other and values == others):
                yield PrintFinding(table.id, "arithmetic", f"the codes of {label} and {other} are not orthonormal")
    for column in range(len(found[0][1]) if found else 0):
        if not any(values[column] for _, values in found):
            yield PrintFinding(table.id, "unused column", f"column {column + 1} is 0 in every code")
    for label, _ in found:
        if table.words and label not in table.words:
            yield PrintFinding(table.id, "unused symbol", f"{label} has a code, but does not occur in the data")
