"""Displayed equations grouped into steps: those that define what the others of their group read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rnn_harness.specs.draft.definition import Definition
from rnn_harness.specs.draft.displayed import DisplayedEquation
from rnn_harness.specs.draft.equations import read_equations
from rnn_harness.specs.symbols import Denoted


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

    @property
    def blocks(self) -> set[int]:
        """The numbers of the displays that the equations stand in."""
        return {d.displayed.block for d in self.definitions.values()}

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
        if known is not None and plain_text(known.text) == plain_text(definition.text):
            self.repeated.setdefault(definition.target, []).append(definition.displayed.line)
            return
        if known is not None:
            self.others.append(known)
            del self.definitions[definition.target]
        self.definitions[definition.target] = definition


def group_equations(
    displayed: tuple[DisplayedEquation, ...], document: str = ""
) -> tuple[list[EquationGroup], dict[int, str], dict[str, int]]:
    """Group the equations of a document into steps.

    Args:
        displayed: The displayed formulas of the document, in order.
        document: The whole text, which says what letters stand for.

    Returns:
        The groups; why other formulas are in none, by their number; and the lines of constants.
    """
    read_all = read_equations(displayed, document)
    definitions_read, reasons = read_all.definitions_found, read_all.reasons
    groups: list[EquationGroup] = []
    read = {s.name for definition, _ in definitions_read for s in definition.reads}
    blocks = _blocks(definitions_read)
    for definition, number in definitions_read:
        letter = definition.letter
        if definition.target not in read and all(s.time is None for s in definition.reads):
            reasons[number] = "reads nothing with a time, and nothing reads it: a loss, or a constant"
            continue
        begins = not groups or _begins_another(groups[-1], definition, letter)
        block = blocks[definition.displayed.block, letter]
        if groups and not begins and block.is_closed and _redefines(groups[-1], block):
            begins = True
        if groups and begins and block.is_closed and not block.others and groups[-1].blocks <= block.blocks:
            begins = False  # a display that is a step by itself stays together, in whatever order its rows stand
        if begins:
            given = frozenset((d.target, d.timed) for d, _ in definitions_read if d.letter == letter)
            groups.append(EquationGroup(letter, given))
        groups[-1].add(definition)
        _join_what_is_read(groups)
    return groups, reasons, read_all.constants


def _blocks(definitions_read: Sequence[tuple[Definition, int]]) -> dict[tuple[int, str], EquationGroup]:
    """Return the equations of every display alone, by its number and the letter of time."""
    blocks: dict[tuple[int, str], EquationGroup] = {}
    for definition, _ in definitions_read:
        block = blocks.setdefault((definition.displayed.block, definition.letter), EquationGroup(definition.letter))
        block.add(definition)
    return blocks


def _redefines(group: EquationGroup, block: EquationGroup) -> bool:
    """Say whether a display that is a step by itself gives in another way what a closed group before it gives."""
    if not group.is_closed or group.blocks & block.blocks:
        return False
    common = set(group.definitions) & set(block.definitions)
    return any(plain_text(group.definitions[name].text) != plain_text(block.definitions[name].text) for name in common)


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
    if known is not None and plain_text(known.text) == plain_text(definition.text):
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


def plain_text(text: str) -> str:
    """Reduce LaTeX to what two prints of one equation share.

    Args:
        text: The LaTeX of an equation.
    """
    return re.sub(r"\s|&|\\(?:left|right|,|;|!|quad)|[.,;]+\s*$", "", text)
