"""Recompute worked numbers in rationals: every equality of a print, and tables of codes and states."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from rnn_harness.specs.notation import Binary, Bracket, Name, Negative, NotationError, Number, Tree, parse
from rnn_harness.specs.print_finding import PrintFinding
from rnn_harness.specs.schema import Example, Table
from rnn_harness.specs.symbols import denote

Exact = tuple[Fraction, ...]
"""The exact numbers of a vector; a scalar is a tuple of length 1."""

Symbol = tuple[str, int | None]
"""A plain name and its time."""

KnownValues = Mapping[Symbol, Exact]
"""The values that an example states for its symbols."""


class UnknownValue(ValueError):
    """A part of a worked example that has no exact value, such as a symbol for which none is stated."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a printed table.

    Attributes:
        label: the words in front of the numbers.
        numbers: the numbers in brackets.
    """

    label: str
    numbers: Exact


def _symbol(name: Name) -> Symbol:
    """Return the plain name and the time of a printed name."""
    denoted = denote(name, "t", frozenset(), {})
    return (denoted.name, denoted.time)


def stated_values(example: Example) -> dict[Symbol, Exact]:
    """Read the values that an example states, by name and time.

    Args:
        example: the worked example; each of its values is read as an expression without symbols.

    Returns:
        The exact values; the time of a symbol without one is None.

    Raises:
        NotationError: for a text that cannot be read.
        UnknownValue: for a text that is no number.
    """
    values = {}
    for symbol, text in example.given.items():
        name, value = parse(symbol)[0].sides[0], parse(text)[0].sides[0]
        if not isinstance(name, Name):
            raise NotationError(f"{symbol!r} is not a symbol", symbol, 1)
        values[_symbol(name)] = evaluate_exactly(value, {})
    return values


def evaluate_exactly(tree: Tree, known: KnownValues) -> Exact:
    """Compute the exact value of a side; products are entry by entry or with a scalar.

    Args:
        tree: the side, as printed.
        known: the values of its symbols.

    Raises:
        UnknownValue: where a part has no exact value.
    """
    match tree:
        case Number():
            return (tree.value,)
        case Name():
            if _symbol(tree) not in known:
                raise UnknownValue(f"{_symbol(tree)[0]} has no given value")
            return known[_symbol(tree)]
        case Bracket():
            return tuple(value for item in tree.items for value in evaluate_exactly(item, known))
        case Negative():
            return tuple(-value for value in evaluate_exactly(tree.body, known))
        case Binary():
            first, second = evaluate_exactly(tree.left, known), evaluate_exactly(tree.right, known)
            if tree.sign == "/" and 0 in second:
                raise UnknownValue("a division by zero has no value")
            size = max(len(first), len(second))
            if len(first) not in (1, size) or len(second) not in (1, size):
                raise UnknownValue(f"{len(first)} and {len(second)} numbers cannot be combined")
            pairs = zip(
                first * size if len(first) == 1 else first,
                second * size if len(second) == 1 else second,
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
            raise UnknownValue(f"a {type(tree).__name__.lower()} has no exact value")


def format_numbers(value: Exact) -> str:
    """Write numbers as decimals, in brackets where there are several.

    Args:
        value: a vector, or a scalar as a tuple of length 1; each number is shown to 10 significant digits.
    """
    texts = [f"{float(entry):.10g}" for entry in value]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _compare(entry: str, left_side: Tree, right_side: Tree, known: KnownValues) -> Iterator[PrintFinding]:
    """Report an equality whose sides have different values, in the smallest part that differs."""
    a, b = evaluate_exactly(left_side, known), evaluate_exactly(right_side, known)
    if a == b:
        return
    if isinstance(left_side, Binary) and isinstance(right_side, Binary) and left_side.sign == right_side.sign:
        # Same form on both sides: the fault is in one of the operands.
        for first, second in ((left_side.left, right_side.left), (left_side.right, right_side.right)):
            yield from _compare(entry, first, second, known)
        return
    part = _meant_part(a, right_side, known)
    if part is not None:
        yield _differs(entry, a, part)
        return
    yield _differs(entry, a, b)


def _meant_part(value: Exact, printed: Tree, known: KnownValues) -> Exact | None:
    """Return the summand of a printed sum that differs from `value` in less than half of its entries, if any."""
    if not isinstance(printed, Binary) or printed.sign not in ("+", "\\oplus"):
        return None
    for side in (printed.left, printed.right):
        part = evaluate_exactly(side, known)
        if len(part) == len(value) and 2 * sum(x != y for x, y in zip(part, value, strict=True)) < len(value):
            return part
    return None


def _differs(entry: str, a: Exact, b: Exact) -> PrintFinding:
    """Return the finding that `b` is printed where `a` is right."""
    wrong = [i + 1 for i in range(max(len(a), len(b))) if a[min(i, len(a) - 1)] != b[min(i, len(b) - 1)]]
    places = f" in entry {', '.join(map(str, wrong))}" if max(len(a), len(b)) > 1 else ""
    return PrintFinding(
        entry, "arithmetic", f"{format_numbers(b)} is printed for {format_numbers(a)}{places}", format_numbers(a)
    )


def audit_example(example: Example, text: str | None = None) -> Iterator[PrintFinding]:
    """Recompute every equality of an example.

    Args:
        example: the example.
        text: LaTeX to read in place of the print.

    Yields:
        A finding for each equality that does not hold, with the right numbers, and for an answer stated nowhere.
    """
    try:
        known = stated_values(example)
        chains = [chain for line in (text or example.printed).strip().splitlines() for chain in parse(line)]
        stated = set()
        for chain in chains:
            for left_side, right_side in itertools.pairwise(chain.sides):
                yield from _compare(example.id, left_side, right_side, known)
            stated |= {
                evaluate_exactly(side, known) for side in chain.sides if isinstance(side, Number | Negative | Bracket)
            }
        if example.asked is not None:
            answer = evaluate_exactly(parse(example.asked)[0].sides[0], known)
            if answer not in stated:
                message = f"the value asked for, {example.asked} = {format_numbers(answer)}, is stated nowhere"
                yield PrintFinding(example.id, "unstated result", message, format_numbers(answer))
    except NotationError as error:
        yield PrintFinding(example.id, error.category, str(error), column=error.column)
    except UnknownValue as error:
        yield PrintFinding(example.id, "undeclared symbol", str(error))


_ROW = re.compile(r"^(?P<label>[^:\[\\]*?)\s*(?::|\\quad)?\s*\[(?P<numbers>[^\]]*)\]")


def table_rows(table: Table) -> list[TableRow]:
    """Read the rows of a table.

    Args:
        table: a row is a label and numbers in brackets: a word of zeros and ones without separators, or decimals and
            fractions with commas or spaces between them.

    Raises:
        NotationError: on a line that is no row, or a row of another length than those above it.
    """
    rows: list[TableRow] = []
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
        if rows and len(values) != len(rows[0].numbers):
            message = f"a row of {len(values)} numbers under rows of {len(rows[0].numbers)}"
            raise NotationError(message, line, match.start("numbers") + 1)
        rows.append(TableRow(match["label"].strip(), values))
    return rows


def audit_table(table: Table) -> Iterator[PrintFinding]:
    """Check a table: one-hot codes must be orthonormal and used, states of a tanh cell lie strictly inside (-1, 1).

    Args:
        table: the table.

    Yields:
        A finding for each row, pair of rows or column that is wrong.
    """
    try:
        rows = table_rows(table)
    except NotationError as error:
        yield PrintFinding(table.id, error.category, str(error), column=error.column)
        return
    if table.rows == "states":
        for row in rows:
            if any(abs(number) >= 1 for number in row.numbers):
                message = f"row {row.label}: {format_numbers(row.numbers)} has an entry of size 1"
                yield PrintFinding(table.id, "unreachable", message)
        return
    for i, row in enumerate(rows):
        for below in rows[i:]:
            product = sum(a * b for a, b in zip(row.numbers, below.numbers, strict=True))
            if product != (row == below):
                message = f"the codes of {row.label} and {below.label} are not orthonormal"
                yield PrintFinding(table.id, "arithmetic", message)
    for column in range(len(rows[0].numbers) if rows else 0):
        if not any(row.numbers[column] for row in rows):
            yield PrintFinding(table.id, "unused column", f"column {column + 1} is 0 in every code")
    for row in rows:
        if table.words and row.label not in table.words:
            yield PrintFinding(table.id, "unused symbol", f"{row.label} has a code, but does not occur in the data")
