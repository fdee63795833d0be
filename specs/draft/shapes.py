"""The shapes of the symbols of a step, by unification: what stands beside what must have the same size."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from rnn_harness.specs.draft.definition import labelled
from rnn_harness.specs.draft.grouping import EquationGroup
from rnn_harness.specs.notation import Binary, Bracket, Call, Name, Negative, Number, Tree, Tuple, names
from rnn_harness.specs.symbols import Denoted, denote

_ENTRYWISE = ("\\odot", "\\circ", "\\otimes", "\\star")
_SUMS = ("+", "-", "\\oplus")
_ACCENTS = ("_tilde", "_hat", "_bar", "_dot", "_check", "_prime", "_star", "_right", "_left")
BELOW = "@below"
"""Ends the name of a symbol of the layer below."""
Length = tuple[int, ...]
"""A size as the unknown sizes whose sum it is; empty for a number alone."""


class ShapeConflict(Exception):
    """Sizes that cannot be made equal, or a product whose meaning the shapes do not settle."""


@dataclass
class ShapeTable:
    """The unknown sizes of a group, and what is known of them.

    Attributes:
        kinds: ``scalar``, ``vector`` or ``matrix`` by the plain name of a symbol.
        lengths: The sizes of a symbol: one of a vector, two of a matrix.
        conflicts: What could not be settled, in words.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, tuple[Length, ...]] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    _bound: dict[int, Length] = field(default_factory=dict)
    _count: int = 0

    def new(self) -> Length:
        """Return a size of which nothing is known."""
        self._count += 1
        return (self._count,)

    def resolved(self, length: Length) -> Length:
        """Return a size by the unknown sizes that are left.

        Args:
            length: A size.
        """
        parts: list[int] = []
        for part in length:
            parts += self.resolved(self._bound[part]) if part in self._bound else (part,)
        return tuple(sorted(parts))

    def equate(self, first: Length, second: Length) -> Length:
        """Make two sizes equal.

        Args:
            first: A size; of a number alone, the other one is taken.
            second: A size.

        Raises:
            ShapeConflict: They cannot be equal.
        """
        a, b = self.resolved(first), self.resolved(second)
        if not a or not b or a == b:
            return a or b
        common = [part for part in a if part in b]
        for part in common:
            a, b = _without(a, part), _without(b, part)
        for first, second in ((a, b), (b, a)):
            if len(first) == 1 and second and first[0] not in second:
                self._bound[first[0]] = second
                return self.resolved(first)
        raise ShapeConflict("two sizes that stand side by side are not equal")


def _without(parts: Length, part: int) -> Length:
    """Return a size less one of its parts."""
    place = parts.index(part)
    return parts[:place] + parts[place + 1 :]


class ShapeInference:
    """Finds the shapes of a group's symbols.

    Attributes:
        table: What is known of their sizes.

    Args:
        group: The equations of a step.
        aliases: Names that stand for others.
    """

    def __init__(self, group: EquationGroup, aliases: dict[str, str]) -> None:
        self.group, self.aliases, self.table = group, aliases, ShapeTable()
        symbols = [self._denoted(name) for d in group.definitions.values() for name in names(d.tree)]
        weights = timed_weights(group)
        self._vectors = {s.name for s in symbols if s.time is not None} - weights | set(group.definitions)
        for definition in group.definitions.values():
            for name in _factors_of_products(definition.tree):
                self.table.kinds[self._denoted(name).name] = "matrix"
        entrywise = {
            self._denoted(name).name for d in group.definitions.values() for name in _entrywise_factors(d.tree)
        }
        printed = {name: kind for d in group.definitions.values() for name, kind in d.kinds.items()}
        entrywise |= {name for name, kind in printed.items() if kind == "vector"}
        self.table.kinds |= {name: kind for name, kind in printed.items() if kind == "matrix"}
        for symbol in symbols:
            self.table.kinds.setdefault(symbol.name, "vector")
            if _is_small(symbol.name) and symbol.name not in entrywise | set(printed):
                self.table.kinds[symbol.name] = "scalar"
        self.table.kinds |= dict.fromkeys(self._vectors, "vector")
        for symbol_name, kind in self.table.kinds.items():
            self.table.lengths[symbol_name] = tuple(
                self.table.new() for _ in range({"scalar": 0, "vector": 1, "matrix": 2}[kind])
            )

    def _denoted(self, name: Name) -> Denoted:
        """Interpret a name; what stands in the layer below is another symbol."""
        symbol = labelled(denote(name, self.group.letter, frozenset(), self.aliases))
        return replace(symbol, name=f"{symbol.name}{BELOW}") if symbol.layer else symbol

    def infer(self) -> ShapeTable:
        """Return the shapes; what cannot be settled is noted in the table."""
        for name, definition in self.group.definitions.items():
            try:
                self.table.equate(self.table.lengths[self.aliases.get(name, name)][0], self._length(definition.tree))
            except ShapeConflict as conflict:
                self.table.conflicts.append(f"line {definition.displayed.line}: {conflict}")
        return self.table

    def _length(self, tree: Tree) -> Length:
        """Return the size of what a part of an equation gives. Raises ShapeConflict."""
        match tree:
            case Number():
                return ()
            case Name():
                symbol = self._denoted(tree)
                if self.table.kinds[symbol.name] == "matrix":
                    raise ShapeConflict(f"{symbol.name} stands alone, and multiplies elsewhere")
                lengths = self.table.lengths[symbol.name]
                return lengths[0] if lengths else ()
            case Negative():
                return self._length(tree.body)
            case Call():
                return self._length(tree.argument)
            case Bracket():
                return tuple(part for item in tree.items for part in self._length(item))
            case Tuple():  # the arguments of max and min stand side by side
                return functools.reduce(self.table.equate, map(self._length, tree.items), ())
            case Binary() if tree.sign in (*_SUMS, *_ENTRYWISE, "/"):
                return self.table.equate(self._length(tree.left), self._length(tree.right))
            case Binary():
                return self._product(tree)
            case _:
                raise ShapeConflict(f"a {type(tree).__name__.lower()} stands in no step")

    def _product(self, tree: Binary) -> Length:
        """Return the size of a row of factors, of which matrices act on what stands beside them."""
        factors = list(_row(tree))
        pending: list[tuple[Length, Length]] = []
        result: Length | None = None
        for factor in factors:
            if isinstance(factor, Name) and (symbol := self._denoted(factor)).transposed and symbol.time is not None:
                what = "their product is a matrix or one number, which stands in no step"
                raise ShapeConflict(f"{symbol.name} is transposed beside a vector: {what}")
            matrix = self._matrix(factor)
            if matrix is not None and result is None:
                pending.append(matrix)
            elif matrix is not None:
                self.table.equate(matrix[0], result or ())
                result = matrix[1]
            else:
                length = self._length(factor)
                if not length:  # a number scales what stands beside it
                    continue
                for rows, columns in reversed(pending):
                    self.table.equate(columns, length)
                    length = rows
                pending = []
                result = length if result is None else self.table.equate(result, length)
        if pending:
            raise ShapeConflict("a matrix multiplies nothing")
        return result or ()

    def _matrix(self, tree: Tree) -> tuple[Length, Length] | None:
        """Return rows and columns of a factor that is a matrix, as it is printed; None for any other."""
        if not isinstance(tree, Name):
            return None
        symbol = self._denoted(tree)
        if self.table.kinds[symbol.name] != "matrix":
            return None
        rows, columns = self.table.lengths[symbol.name]
        return (columns, rows) if symbol.transposed else (rows, columns)


def timed_weights(group: EquationGroup) -> set[str]:
    """Return the symbols that are printed with a time, and whose letter is otherwise that of weights.

    Args:
        group: The equations of a step.
    """
    timed = {s.name for s in group.symbols if s.time is not None and s.name not in group.definitions}
    labelled_names = {s.name for s in group.symbols if s.time is None and not s.name.endswith(_ACCENTS)}
    return {name for name in timed if any(label.startswith(f"{name}_") for label in labelled_names)}


def _row(tree: Tree) -> Iterable[Tree]:
    """Yield the factors of a row, in the order printed."""
    if isinstance(tree, Binary) and tree.sign not in (*_SUMS, *_ENTRYWISE, "/"):
        yield from _row(tree.left)
        yield from _row(tree.right)
    else:
        yield tree


def _factors_of_products(tree: Tree) -> Iterable[Name]:
    """Yield the names that stand in a row of factors, where a matrix may stand."""
    match tree:
        case Binary() if tree.sign not in (*_SUMS, *_ENTRYWISE, "/"):
            for factor in _row(tree):
                if isinstance(factor, Name):
                    yield factor
                else:
                    yield from _factors_of_products(factor)
        case Binary():
            yield from _factors_of_products(tree.left)
            yield from _factors_of_products(tree.right)
        case Negative():
            yield from _factors_of_products(tree.body)
        case Call():
            yield from _factors_of_products(tree.argument)
        case Bracket() | Tuple():
            for item in tree.items:
                yield from _factors_of_products(item)
        case _:
            pass


def _entrywise_factors(tree: Tree) -> Iterable[Name]:
    """Yield the names that are multiplied entry by entry: a number would need no sign for that."""
    match tree:
        case Binary():
            sides = (tree.left, tree.right)
            yield from (side for side in sides if tree.sign in _ENTRYWISE and isinstance(side, Name))
            for side in sides:
                yield from _entrywise_factors(side)
        case Negative():
            yield from _entrywise_factors(tree.body)
        case Call():
            if tree.function in ("LN", "LayerNorm") and isinstance(tree.argument, Tuple):  # gain and shift
                yield from (item for item in tree.argument.items[1:] if isinstance(item, Name))
            yield from _entrywise_factors(tree.argument)
        case Bracket() | Tuple():
            for item in tree.items:
                yield from _entrywise_factors(item)
        case _:
            pass


def _is_small(name: str) -> bool:
    """Say whether a symbol without time is a number by its letter: a small Greek one is, a Latin one is not."""
    head = name.partition("_")[0]
    return len(head) > 1 and head.islower()
