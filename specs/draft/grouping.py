"""Displayed equations grouped into steps: those that define what the others of their group read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from rnn_harness.specs.draft.displayed import DisplayedEquation
from rnn_harness.specs.notation import Call, Chain, Name, NotationError, Tree, names, parse
from rnn_harness.specs.notation.syntax import Binary, Bracket, Derivative, Negative, Number, Total, Tuple
from rnn_harness.specs.symbols import Denoted, denote

TIME_LETTERS = ("t", "i", "n", "k")
"""Letters that count time in papers, the usual one first."""


@dataclass(frozen=True)
class Definition:
    """An equation that gives one symbol.

    Attributes:
        displayed: Where it stands.
        text: The part of the display that is this equation.
        target: The plain name of what it gives.
        timed: Whether the target is printed with a time.
        reads: What it reads, as printed, with the times counted from the target's.
        tree: The right side.
    """

    displayed: DisplayedEquation
    text: str
    target: str
    timed: bool
    reads: tuple[Denoted, ...]
    tree: Tree


@dataclass
class EquationGroup:
    """Equations of one step.

    Attributes:
        letter: The letter that counts time.
        given: What the equations of the whole document give that count time by the same letter: the plain name, and
            whether it is printed with a time.
        definitions: The equation of every symbol, in the order printed; of several that give one, the last.
        repeated: Lines on which the text of an equation is printed again, by the symbol that it gives.
        others: Equations of the group that give a symbol in another way.
    """

    letter: str
    given: frozenset[tuple[str, bool]] = frozenset()
    definitions: dict[str, Definition] = field(default_factory=dict)
    repeated: dict[str, list[int]] = field(default_factory=dict)
    others: list[Definition] = field(default_factory=list)

    @property
    def read(self) -> set[str]:
        """The names of everything with a time that an equation reads."""
        return {s.name for s in self.symbols if s.time is not None}

    @property
    def is_closed(self) -> bool:
        """Whether everything of a step before, and what the document gives anywhere, is given by an equation."""
        past = {s.name for s in self.symbols if s.time}
        present = {s.name for s in self.symbols if not s.time and (s.name, s.time is not None) in self.given}
        return bool(self.definitions) and past | present <= set(self.definitions)

    @property
    def has_layers(self) -> bool:
        """Whether symbols carry a layer."""
        return any(s.layer is not None for d in self.definitions.values() for s in d.reads)

    @property
    def symbols(self) -> list[Denoted]:
        """Everything that the equations read, in reading order."""
        return [s for d in self.definitions.values() for s in d.reads]

    def take(self, group: EquationGroup) -> None:
        """Put the equations of another group before those of this one.

        Args:
            group: A group that gives no symbol that this one gives.
        """
        self.definitions = {**group.definitions, **self.definitions}
        self.repeated = {**group.repeated, **self.repeated}
        self.others = [*group.others, *self.others]

    def add(self, definition: Definition) -> None:
        """Take an equation into the group.

        Args:
            definition: An equation; one whose symbol is given already takes its place.
        """
        known = self.definitions.get(definition.target)
        if known is not None and _plain(known.text) == _plain(definition.text):
            self.repeated.setdefault(definition.target, []).append(definition.displayed.line)
            return
        if known is not None:
            self.others.append(known)
            del self.definitions[definition.target]
        self.definitions[definition.target] = definition


def group_equations(displayed: tuple[DisplayedEquation, ...]) -> tuple[list[EquationGroup], dict[int, str]]:
    """Group the equations of a document into steps.

    Args:
        displayed: The displayed formulas of the document, in order.

    Returns:
        The groups, and why other formulas are in none, by their number.
    """
    groups: list[EquationGroup] = []
    reasons: dict[int, str] = {}
    lettered: list[tuple[int, str, list[Definition]]] = []
    for number, equation in enumerate(displayed):
        text = without_loose_bracket(equation.text)
        try:
            chains = parse(text)
        except NotationError as error:
            reasons[number] = f"cannot be read: {error}".splitlines()[0]
            continue
        letter = _time_letter(text)
        definitions = [d for chain, part in _texts(text, chains) for d in _definitions(equation, chain, part, letter)]
        if definitions:
            lettered.append((number, letter, definitions))
        else:
            reasons[number] = "defines no symbol by others: numbers, a derivative or a part of a calculation"
    read = {s.name for _, _, definitions in lettered for d in definitions for s in d.reads}
    for number, letter, definitions in lettered:
        given = frozenset((d.target, d.timed) for _, other, row in lettered if other == letter for d in row)
        for definition in definitions:
            if definition.target not in read and all(s.time is None for s in definition.reads):
                reasons[number] = "reads nothing with a time, and nothing reads it: a loss, or a constant"
                continue
            if not groups or _begins_another(groups[-1], definition, letter):
                groups.append(EquationGroup(letter, given))
            groups[-1].add(definition)
            _join_what_is_read(groups)
    return groups, reasons


def without_loose_bracket(text: str) -> str:
    """Return a text without a bracket that closes nothing; another text as it is.

    Args:
        text: The LaTeX of a formula.
    """
    try:
        parse(text)
    except NotationError as error:
        if error.category == "unbalanced":
            mended = text[: error.column - 1] + text[error.column :]
            try:
                parse(mended)
            except NotationError:
                return text
            return mended
    return text


def _join_what_is_read(groups: list[EquationGroup]) -> None:
    """Join the last group with those before it whose results it reads at its own time."""
    while len(groups) > 1:
        before, last = groups[-2:]
        read = {s.name for s in last.symbols if s.time == 0} - set(last.definitions)
        if before.letter != last.letter or not read & set(before.definitions):
            return
        if set(before.definitions) & set(last.definitions):
            return
        last.take(before)
        groups.remove(before)


def _begins_another(group: EquationGroup, definition: Definition, letter: str) -> bool:
    """Say whether an equation belongs to no step begun before it."""
    known = group.definitions.get(definition.target)
    if known is not None and _plain(known.text) == _plain(definition.text):
        return False
    if group.letter != letter and definition.timed:
        return True
    is_under_another_heading = known is not None and known.displayed.section != definition.displayed.section
    if not group.is_closed:
        return is_under_another_heading
    given = {s.name for s in definition.reads if s.time == 0}
    is_output = bool(given & set(group.definitions)) and not any(
        s.time is not None and s.time < 0 and s.name not in group.definitions for s in definition.reads
    )
    # A closed step takes what it reads itself, and what is made of its results; another way to give one begins anew.
    return known is not None or not (definition.target in group.read or is_output)


def _texts(text: str, chains: tuple[Chain, ...]) -> Iterator[tuple[Chain, str]]:
    """Yield the chains of a display with their own texts."""
    for chain, following in zip(chains, (*chains[1:], None), strict=True):
        if len(chains) == 1:
            yield chain, text
            continue
        part = text[chain.column - 1 : None if following is None else following.column - 1]
        yield chain, re.sub(r"\\(?:begin|end)\{\w+\*?\}|\\q?quad\s*$|\\\\\s*$|&", "", part).strip(" ,.;\n\t")


def _definitions(displayed: DisplayedEquation, chain: Chain, text: str, letter: str) -> Iterator[Definition]:
    """Yield what a chain of equalities defines, the last equality first."""
    for target, tree in zip(chain.sides[-2::-1], chain.sides[:0:-1], strict=True):
        if not isinstance(target, Name) or _is_no_expression(tree):
            continue
        symbol = denote(target, letter, frozenset(), {})
        if symbol.step is not None or symbol.component is not None:
            continue
        shift = -(symbol.time or 0)
        reads = []
        for name in names(tree):
            read = denote(name, letter, frozenset(), {})
            time = None if read.time is None else read.time + shift
            reads.append(Denoted(read.name, time, read.step, read.layer, read.component, read.transposed, read.latex))
        if any(read.time == 0 and (read.name, read.layer) == (symbol.name, symbol.layer) for read in reads):
            continue
        timed = symbol.time is not None
        if reads and (timed or any(read.time is not None for read in reads)):
            yield Definition(displayed, text, symbol.name, timed, tuple(reads), tree)


def _is_no_expression(tree: Tree) -> bool:
    """Say whether a side holds what no step computes: a derivative, a sum over an index, a function by name alone."""
    match tree:
        case Derivative() | Total() | Tuple():
            return True
        case Call():
            return tree.function not in _FUNCTIONS and isinstance(tree.argument, Tuple)
        case Binary():
            return _is_no_expression(tree.left) or _is_no_expression(tree.right)
        case Negative():
            return _is_no_expression(tree.body)
        case Bracket():
            numbers = len(tree.items) > 1 and all(isinstance(item, Number) for item in tree.items)
            return numbers or any(_is_no_expression(item) for item in tree.items)
        case _:
            return False


_FUNCTIONS = frozenset({"max", "min", "LN", "LayerNorm"})


def _time_letter(text: str) -> str:
    """Return the letter that counts time in an equation: the one of which something is added or taken off."""
    shifted = Counter(re.findall(r"[_^]\{?[^{}]*?\(?([a-z])\s*[-+]\s*1\)?", text))
    for letter in TIME_LETTERS:
        if shifted[letter]:
            return letter
    printed = Counter(re.findall(r"_\{?\(?([a-z])\)?(?![A-Za-z])", text))
    return max(TIME_LETTERS, key=lambda letter: (printed[letter], letter == "t"))


def _plain(text: str) -> str:
    """Reduce LaTeX to what two prints of one equation share."""
    return re.sub(r"\s|\\(?:left|right|,|;|!|quad)", "", text)
