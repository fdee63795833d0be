"""What a drafted spec file says of itself: what was read in another way, assumed, or could not be settled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rnn_harness.specs.draft.definition import labelled, mapped
from rnn_harness.specs.draft.displayed import DisplayedEquation, text_between
from rnn_harness.specs.draft.grouping import EquationGroup, plain_text
from rnn_harness.specs.draft.layers_told import layer_notes
from rnn_harness.specs.draft.reading import output_of
from rnn_harness.specs.draft.shapes import ShapeTable, timed_weights
from rnn_harness.specs.notation import Binary, Name, Tree, names
from rnn_harness.specs.symbols import denote

_STAR = re.compile(r"(?<!\^)(?<!\^\{)(?:\*|\\ast(?![A-Za-z]))")
_CONVOLUTION = re.compile(
    r"(?:`|\$)?(?:\*|\\ast)(?:`|\$)?[^.]{0,50}convolution|convolution[^.]{0,40}(?:`|\$)(?:\*|\\ast)(?:`|\$)",
    re.IGNORECASE,
)


def says_star_is_a_convolution(text: str) -> bool:
    """Say whether a document uses ``*`` for a convolution.

    Args:
        text: The document.
    """
    return bool(_CONVOLUTION.search(text_between(text)))


@dataclass(frozen=True)
class Surroundings:
    """What else a document holds.

    Attributes:
        groups: All its groups of equations.
        unread: The formulas that are in none.
        constants: The line of every symbol that is given by symbols without a time.
        is_star_a_convolution: Whether the text says that ``*`` is a convolution.
    """

    groups: tuple[EquationGroup, ...]
    unread: tuple[DisplayedEquation, ...]
    constants: Mapping[str, int]
    is_star_a_convolution: bool


def remarks(
    group: EquationGroup,
    shapes: Mapping[str, Mapping[str, str]],
    table: ShapeTable,
    aliases: Mapping[str, str],
    surroundings: Surroundings,
) -> list[str]:
    """Return the comments of a drafted spec file.

    Args:
        group: The equations of a step.
        shapes: The declared shapes by role and name.
        table: What is known of the sizes.
        aliases: Names that stand for others.
        surroundings: What else the document holds.
    """
    notes = [f"{x} and {y} are taken for one symbol" for x, y in aliases.items()]
    notes += dict.fromkeys(note for definition in group.definitions.values() for note in definition.notes)
    notes += [f"{name} is printed with a time, and is a weight by its letter" for name in sorted(timed_weights(group))]
    given_elsewhere = sorted(name for name in shapes["inputs"] if (name, True) in group.given)
    notes += [f"{name} is given by no equation of this step, but elsewhere in the document" for name in given_elsewhere]
    if not group.has_layers:
        below = " ".join(layer_notes(group)).split()
        unknown = [name for name in shapes["inputs"] if name not in given_elsewhere and name not in below]
        notes += _of_inputs(unknown, group, table, surroundings)
    notes += [
        f"{name}: line {surroundings.constants[name]} gives it by symbols without a time; put as a parameter"
        for name in shapes["parameters"]
        if name in surroundings.constants
    ]
    if surroundings.is_star_a_convolution and any(_STAR.search(d.displayed.text) for d in group.definitions.values()):
        notes.append("* is a convolution by the text, and is read as a product: no spec has a convolution")
    transposed = {s.name: None for s in group.symbols if s.transposed and s.time is None and s.name[:1].islower()}
    notes += [
        f"{name} is transposed before a vector: taken for a matrix; for one number in all entries it would be a vector"
        for name in transposed
    ]
    notes += _of_the_step(group, list(shapes["states"]))
    notes += _given_again(group, surroundings)
    notes += layer_notes(group)
    return notes + [f"could not be settled: {conflict}" for conflict in table.conflicts]


def _of_inputs(inputs: list[str], group: EquationGroup, table: ShapeTable, surroundings: Surroundings) -> list[str]:
    """Say which inputs may be none: a formula that was not read gives them, or no weight multiplies them."""
    notes = []
    unweighted = []
    weighted = _beside_weights(group, table.kinds)
    for name in inputs:
        base = name.partition("_")[0]
        lines = [u.line for u in surroundings.unread if _gives(u.text, base)]
        if lines:
            notes.append(f"{name} is taken for an input; line {lines[0]}, which is in no step, may give it")
        elif name not in weighted:
            unweighted.append(name)
    if unweighted and (len(inputs) > 1 or not group.definitions):
        verb, them = ("are taken for inputs", "them") if len(unweighted) > 1 else ("is taken for an input", "it")
        why = f"no equation of the document gives {them}, no weight multiplies {them}"
        notes.append(f"{', '.join(unweighted)} {verb}: {why}")
    return notes


def _gives(text: str, base: str) -> bool:
    """Say whether a formula begins with a letter, or holds it in the stack on its left side."""
    letter = re.escape(base if len(base) == 1 else f"\\{base}")
    left_side, sign, _ = text.partition("=")
    before = "" if "\\begin" in left_side else r"^[\s&]*(?:\\(?:math\w+|bm|boldsymbol|vec|tilde|hat|bar)\s*\{?\s*)*"
    return bool(sign) and bool(re.search(rf"{before}(?<![A-Za-z\\]){letter}(?![A-Za-z(])", left_side))


def _of_the_step(group: EquationGroup, states: list[str]) -> list[str]:
    """Say what is unusual in a step: nothing is carried, something runs backward, results that nothing reads."""
    notes = []
    if not states:
        notes.append("nothing is carried from one time to the next: no recurrent step")
    backward = sorted({s.name for s in group.symbols if s.time and s.time > 0})
    if backward:
        notes.append(
            f"{', '.join(backward)}: read from the step after, so this one runs backward over a whole sequence"
        )
    read = {s.name for s in group.symbols}
    unread = [name for name in group.definitions if name not in read]
    if states and unread and (len(unread) > 1 or output_of(group, states)):
        notes.append(f"{', '.join(unread)}: read by no equation; an output, or a part of another form of the step")
    return notes


def _given_again(group: EquationGroup, surroundings: Surroundings) -> list[str]:
    """Say where other steps of the document give what this one gives in another way."""
    lines: dict[int, None] = {}
    again: dict[str, None] = {}
    for other_group in surroundings.groups:
        for name, definition in other_group.definitions.items():
            mine = group.definitions.get(name)
            if other_group is group or mine is None or plain_text(mine.text) == plain_text(definition.text):
                continue
            lines.setdefault(definition.displayed.line)
            again.setdefault(name)
    if not again:
        return []
    where = ", ".join([*map(str, sorted(lines)[:4]), *["..."] * (len(lines) > 4)])
    return [f"other steps of the document give {', '.join(again)} in another way: line{'s' * (len(lines) > 1)} {where}"]


def _factors(tree: Tree) -> list[Tree]:
    """Return the factors that stand side by side."""
    if isinstance(tree, Binary) and not tree.sign:
        return [*_factors(tree.left), *_factors(tree.right)]
    return [tree]


def _beside_weights(group: EquationGroup, kinds: Mapping[str, str]) -> set[str]:
    """Return the plain names of what a weight multiplies, a matrix or a vector without a time."""
    multiplied: set[str] = set()

    def is_weight(name: Name) -> bool:
        symbol = labelled(denote(name, group.letter, frozenset(), {}))
        is_fixed = symbol.time is None and symbol.name not in group.definitions
        return (is_fixed and kinds.get(symbol.name) != "scalar") or kinds.get(symbol.name) == "matrix"

    def visit(tree: Tree) -> Tree:
        if isinstance(tree, Binary) and tree.sign not in ("+", "-", "/", "\\oplus"):
            for side, operand in ((tree.left, tree.right), (tree.right, tree.left)):
                if any(is_weight(factor) for factor in _factors(side) if isinstance(factor, Name)):
                    symbols = (denote(name, group.letter, frozenset(), {}) for name in names(operand))
                    multiplied.update(labelled(symbol).name for symbol in symbols)
        return tree

    for definition in group.definitions.values():
        mapped(definition.tree, visit)
    return multiplied
