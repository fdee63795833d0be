"""An equation of a document that gives one symbol, and what becomes of it where it is written in another way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from rnn_harness.specs.draft.displayed import DisplayedEquation
from rnn_harness.specs.draft.surface import surface_latex
from rnn_harness.specs.notation import Binary, Bracket, Call, Chain, Name, Negative, Number, Tree, names
from rnn_harness.specs.notation.syntax import Derivative, Total, Tuple
from rnn_harness.specs.symbols import Denoted, denote

_FUNCTIONS = frozenset({"max", "min", "LN", "LayerNorm"})


@dataclass(frozen=True)
class Definition:
    """An equation that gives one symbol.

    Attributes:
        displayed: Where it stands.
        text: The part of the display that is this equation, as the notation reads it.
        target: The plain name of what it gives.
        timed: Whether the target is printed with a time.
        reads: What it reads, as printed, with the times counted from the target's.
        tree: The right side.
        printed_target: The left side.
        letter: The letter that counts time.
        notes: In words, what was read in another way than it is printed.
        kinds: What symbols are of which the print shows single entries: ``vector`` or ``matrix``.
    """

    displayed: DisplayedEquation
    text: str
    target: str
    timed: bool
    reads: tuple[Denoted, ...]
    tree: Tree
    printed_target: Name
    letter: str
    notes: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)

    def written(self, tree: Tree, note: str, target: Name | None = None) -> Definition:
        """Return the equation with another right side.

        Args:
            tree: The right side.
            note: What was changed, in words; empty where the text says it.
            target: The left side; None where it stays.
        """
        left_side = self.printed_target if target is None else target
        text = f"{surface_latex(left_side)} = {surface_latex(tree)}"
        notes = (*self.notes, note) if note and note not in self.notes else self.notes
        return replace(_defined(self.displayed, text, left_side, tree, self.letter, notes), kinds=self.kinds)

    def with_tree(self, tree: Tree) -> Definition:
        """Return the equation with a right side that the same text stands for.

        Args:
            tree: The right side.
        """
        definition = _defined(self.displayed, self.text, self.printed_target, tree, self.letter, self.notes)
        return replace(definition, kinds=self.kinds)

    def with_note(self, note: str) -> Definition:
        """Return the equation with one more note.

        Args:
            note: A remark for the reader.
        """
        return replace(self, notes=(*self.notes, note))


def _defined(
    displayed: DisplayedEquation, text: str, target: Name, tree: Tree, letter: str, notes: tuple[str, ...]
) -> Definition:
    """Interpret the names of an equation, with times counted from the target's."""
    symbol = denote(target, letter, frozenset(), {})
    shift = -(symbol.time or 0)
    reads = []
    for name in names(tree):
        read = labelled(denote(name, letter, frozenset(), {}))
        time = None if read.time is None else read.time + shift
        reads.append(replace(read, time=time))
    return Definition(displayed, text, symbol.name, symbol.time is not None, tuple(reads), tree, target, letter, notes)


def labelled(symbol: Denoted) -> Denoted:
    """Return ``b_1`` as a symbol with a label: its digit counts weights, no times, unless it is 0.

    Args:
        symbol: A symbol as printed, with its number apart.
    """
    if symbol.step and symbol.time is None:
        return replace(symbol, name=f"{symbol.name}_{symbol.step}", step=None)
    return symbol


def definitions_of(
    displayed: DisplayedEquation, chain: Chain, text: str, letter: str, notes: tuple[str, ...] = ()
) -> Iterator[Definition]:
    """Yield what a chain of equalities defines, the last equality first.

    Args:
        displayed: Where it stands.
        chain: The equalities, side by side as they are printed.
        text: Its text, as the notation reads it.
        letter: The letter that counts time.
        notes: What was read in another way than it is printed.
    """
    targets = [side for side in chain.sides[:-1] if isinstance(side, Name)]
    if chain.sides and isinstance(chain.sides[0], Name) and len(targets) < len(chain.sides) - 1:
        # y = f(x) = g(x): one symbol in two ways, of which the first is taken.
        sides, is_cut = chain.sides[:2], True
    else:
        sides, is_cut = chain.sides, False
    for target, tree in zip(sides[-2::-1], sides[:0:-1], strict=True):
        if not isinstance(target, Name) or _is_no_expression(tree):
            continue
        symbol = denote(target, letter, frozenset(), {})
        if symbol.step is not None or symbol.component is not None:
            continue
        definition = _defined(displayed, text, target, tree, letter, notes)
        if is_cut:
            definition = definition.written(tree, "")
        reads = definition.reads
        if any(read.time == 0 and (read.name, read.layer) == (symbol.name, symbol.layer) for read in reads):
            continue
        if reads:
            yield definition


def _is_no_expression(tree: Tree) -> bool:
    """Say whether a side holds what no step computes: a derivative, a sum over an index, a function by name alone."""
    match tree:
        case Derivative() | Total() | Tuple():
            return True
        case Call():
            if isinstance(tree.argument, Tuple):
                return tree.function not in _FUNCTIONS or any(map(_is_no_expression, tree.argument.items))
            return _is_no_expression(tree.argument)
        case Binary():
            return _is_no_expression(tree.left) or _is_no_expression(tree.right)
        case Negative():
            return _is_no_expression(tree.body)
        case Bracket():
            numbers = len(tree.items) > 1 and all(isinstance(item, Number) for item in tree.items)
            return numbers or any(_is_no_expression(item) for item in tree.items)
        case _:
            return False


def mapped(tree: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """Return a tree of which every part was changed, from the leaves up.

    Args:
        tree: The root.
        change: What becomes of a part whose own parts were changed.
    """
    match tree:
        case Binary():
            tree = replace(tree, left=mapped(tree.left, change), right=mapped(tree.right, change))
        case Negative() | Total():
            tree = replace(tree, body=mapped(tree.body, change))
        case Call():
            tree = replace(tree, argument=mapped(tree.argument, change))
        case Bracket() | Tuple():
            tree = replace(tree, items=tuple(mapped(item, change) for item in tree.items))
        case _:
            pass
    return change(tree)


def retimed(name: Name, letter: str, time: str) -> Name:
    """Return a name at another time.

    Args:
        name: The name, with a time below or above.
        letter: The letter that counts time.
        time: The time as printed, ``t`` or ``t-1``.
    """
    pattern = re.compile(rf"(?<![A-Za-z\\]){re.escape(letter)}(\s*[-+]\s*\d+)?(?![A-Za-z])")
    if pattern.search(name.sub):
        return replace(name, sub=pattern.sub(time, name.sub, count=1))
    return replace(name, sup=pattern.sub(time, name.sup, count=1))
