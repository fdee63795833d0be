"""How the weights of one cell of a family become those of another, and what must be so for the two to be equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from rnn_harness.families import FAMILIES
from rnn_harness.subjects.parameter_role import ParameterKind, ParameterRole, parameter_role
from rnn_harness.validation.cells.activations import ACTIVATIONS
from rnn_harness.validation.cells.cell_model import CellModel

Form = Literal["", "to a diagonal", "to a matrix"]
"""Whether a vector becomes the matrix with it on its diagonal, or a matrix its diagonal."""
_KINDS = (ParameterKind.INPUT, ParameterKind.RECURRENT, ParameterKind.PEEPHOLE, ParameterKind.BIAS)


@dataclass(frozen=True)
class FamilyCell:
    """A cell of one of the three families.

    Attributes:
        model: Its features, without faults.
        names: The reference's names of the parameters that it has.
    """

    model: CellModel
    names: frozenset[str]


@dataclass(frozen=True)
class ParameterRule:
    """How a parameter of the right cell follows from those of the left.

    Attributes:
        right: The parameter of the right cell.
        left: The parameter of the left cell; empty for zero.
        sign: 1, or -1 where it changes its sign.
        offset: What is added to it.
        form: Whether it becomes a matrix of a vector, or a vector of a matrix.
    """

    right: str
    left: str
    sign: int = 1
    offset: Fraction = Fraction(0)
    form: Form = ""

    def __str__(self) -> str:
        """Write the rule: ``b_f = -b_i + 1``."""
        text = {"": self.left, "to a diagonal": f"diagonal of {self.left}", "to a matrix": f"diag({self.left})"}[
            self.form
        ]
        text = f"-{text}" if self.sign < 0 else text
        if not self.offset:
            return f"{self.right} = {text or 0}"
        number = f"{float(abs(self.offset)):g}"
        if not text:
            return f"{self.right} = {'-' if self.offset < 0 else ''}{number}"
        return f"{self.right} = {text} {'-' if self.offset < 0 else '+'} {number}"


@dataclass(frozen=True)
class Condition:
    """What must hold for the weights of one cell if the other is to compute the same.

    Attributes:
        kind: A parameter is ``zero``; a matrix is ``diagonal``; a parameter is ``tied`` to another one.
        name: The parameter.
        tie: How a tied parameter follows from others of its cell.
    """

    kind: Literal["zero", "diagonal", "tied"]
    name: str
    tie: ParameterRule | None = None

    @property
    def sentence(self) -> str:
        """Say it in words: ``b_hg (the recurrent bias of the candidate) is zero``."""
        role = parameter_role(self.name)
        verb = "are" if role.kind in (ParameterKind.INPUT, ParameterKind.RECURRENT) else "is"
        words = f"{self.name} ({role.in_words()})"
        if self.kind == "tied":
            return f"{words}: {self.tie}"
        return f"{words} {verb} {self.kind}"


@dataclass(frozen=True)
class Relation:
    """What makes a right cell equal to a left one.

    Attributes:
        rules: How every parameter of the right follows from the left's.
        left_conditions: What must hold for the left cell's weights; without any, the right computes all that it does.
        right_conditions: What the rules make of the right cell's weights; without any, the left computes all that it
            does.
        obstacles: Differences that no weights remove, in words.
    """

    rules: tuple[ParameterRule, ...]
    left_conditions: tuple[Condition, ...] = ()
    right_conditions: tuple[Condition, ...] = ()
    obstacles: tuple[str, ...] = ()


@dataclass
class _Builder:
    """Collects the parts of a relation."""

    left: FamilyCell
    right: FamilyCell
    rules: list[ParameterRule] = field(default_factory=list)
    left_conditions: list[Condition] = field(default_factory=list)
    right_conditions: list[Condition] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)

    def gate(self, right_side: str, left_side: str, sign: int = 1, offset: Fraction = Fraction(0)) -> None:
        """Make a gate of the right cell out of one of the left: the argument times `sign`, plus `offset`."""
        for kind in _KINDS:
            source, result = ParameterRole(kind, left_side).name, ParameterRole(kind, right_side).name
            added = offset if kind is ParameterKind.BIAS else Fraction(0)
            self.parameter(result, source, sign, added)

    def parameter(self, right_side: str, left_side: str, sign: int = 1, offset: Fraction = Fraction(0)) -> None:
        """Make a parameter of the right cell out of one of the left, where they have it."""
        has_right, has_left = right_side in self.right.names, left_side in self.left.names
        if has_right:
            form = self._form(right_side) if has_left else ""
            self.rules.append(
                ParameterRule(right_side, left_side if has_left else "", sign if has_left else 1, offset, form)
            )
            if not has_left and offset:
                self.right_conditions.append(Condition("tied", right_side, ParameterRule(right_side, "", 1, offset)))
            elif not has_left:
                self.right_conditions.append(Condition("zero", right_side))
        elif has_left:
            self.left_conditions.append(Condition("zero", left_side))
        if offset and not has_right:
            self.obstacles.append(
                f"one of them adds {float(abs(offset)):g} to the argument of its forget gate, and the other has no "
                "bias that could hold it"
            )

    def _form(self, name: str) -> Form:
        """The form of a rule; peepholes are matrices in one cell and vectors in the other."""
        if parameter_role(name).kind is not ParameterKind.PEEPHOLE:
            return ""
        left_side, right_side = self.left.model.peephole, self.right.model.peephole
        if left_side == "full" and right_side == "diagonal":
            self.left_conditions.append(Condition("diagonal", name))
            return "to a diagonal"
        if left_side == "diagonal" and right_side == "full":
            self.right_conditions.append(Condition("diagonal", name))
            return "to a matrix"
        return ""

    def tie(self, right_side: str, left_side: str, offset: Fraction) -> Iterator[Condition]:
        """Yield that one gate of a cell is the other with its sign changed: what a coupled gate is without being so."""
        for kind in _KINDS:
            name, source = ParameterRole(kind, right_side).name, ParameterRole(kind, left_side).name
            added = offset if kind is ParameterKind.BIAS else Fraction(0)
            yield Condition("tied", name, ParameterRule(name, source, -1, added))

    def built(self) -> Relation:
        """Return what was collected."""
        parts = (self.rules, self.left_conditions, self.right_conditions, self.obstacles)
        return Relation(*(tuple(dict.fromkeys(part)) for part in parts))  # type: ignore[arg-type]


def relate(left_side: FamilyCell, right_side: FamilyCell) -> Relation:
    """Find the map of parameters under which two cells of one family come nearest to each other.

    Args:
        left_side: The cell whose weights are given.
        right_side: The cell whose weights are wanted; of the same family.
    """
    builder = _Builder(left_side, right_side)
    builder.obstacles += _differing_functions(left_side.model, right_side.model)
    if left_side.model.family == "rnn":
        builder.gate("", "")
    elif left_side.model.family == "gru":
        _relate_gru(builder)
    else:
        _relate_lstm(builder)
    return builder.built()


def _differing_functions(left_side: CellModel, right_side: CellModel) -> Iterator[str]:
    """Yield the functions in which two cells differ, in words."""
    places = {"gate": "gates", "candidate": "candidate", "output": "output"}
    names = {"rnn": {"candidate": "state"}, "gru": {"gate": "gates", "candidate": "candidate"}, "lstm": places}
    for attribute, place in names[left_side.family].items():
        first, second = (vars(model)[attribute] for model in (left_side, right_side))
        if first != second:
            verb = "go" if place == "gates" else "goes"
            words = [ACTIVATIONS[name].wording for name in (first, second)]
            yield f"the {place} {verb} through {words[0]} in one and through {words[1]} in the other"
    for attribute, words_of_limit in (
        ("clip", "the arguments of gates and candidate"),
        ("cell_clip", "the cell state"),
    ):
        limits = [vars(model)[attribute] for model in (left_side, right_side)]
        if limits[0] != limits[1]:
            limit = f"{min(limit for limit in limits if limit):g}"
            yield f"{words_of_limit} are limited in one: they agree as long as nothing leaves -{limit} to {limit}"


def _relate_gru(builder: _Builder) -> None:
    left_side, right_side = builder.left.model, builder.right.model
    builder.gate("r", "r")
    builder.gate("z", "z", 1 if left_side.update == right_side.update else -1)
    builder.gate("g", "g")
    builder.parameter("b_hg", "b_hg")
    if left_side.reset != right_side.reset:
        recurrent = Condition("diagonal", ParameterRole(ParameterKind.RECURRENT, "g").name)
        builder.left_conditions.append(recurrent)
        builder.right_conditions.append(recurrent)


def _relate_lstm(builder: _Builder) -> None:
    left_side, right_side = builder.left.model, builder.right.model
    for letter in "go":
        builder.gate(letter, letter)
    given, wanted = Fraction(left_side.offset), Fraction(right_side.offset)
    match (left_side.forget, right_side.forget):
        case (first, second) if first == second:
            if "i" in left_side.letters:
                builder.gate("i", "i")
            if "f" in left_side.letters:
                builder.gate("f", "f", 1, given - wanted)
        case ("coupled", "coupling"):
            builder.gate("f", "i", -1, -wanted)
        case ("coupling", "coupled"):
            builder.gate("i", "f", -1, -given)
        case ("coupled", "own"):
            builder.gate("i", "i")
            builder.gate("f", "i", -1, -wanted)
            builder.right_conditions += _present(builder.tie("f", "i", -wanted), builder.right.names)
        case ("coupling", "own"):
            builder.gate("f", "f", 1, given - wanted)
            builder.gate("i", "f", -1, -given)
            builder.right_conditions += _present(builder.tie("i", "f", -wanted), builder.right.names)
        case ("own", "coupled"):
            builder.gate("i", "i")
            builder.left_conditions += _present(builder.tie("f", "i", -given), builder.left.names)
        case ("own", "coupling"):
            builder.gate("f", "f", 1, given - wanted)
            builder.left_conditions += _present(builder.tie("i", "f", -given), builder.left.names)
        case _:
            builder.gate("i", "i" if "i" in left_side.letters else "f")
            builder.obstacles.append(
                "one of them has no forget gate: the other's would have to stay open, which no finite weights do"
            )
    if left_side.peephole and right_side.peephole and left_side.peephole_state != right_side.peephole_state:
        output = Condition("zero", ParameterRole(ParameterKind.PEEPHOLE, "o").name)
        builder.left_conditions.append(output)
        builder.right_conditions.append(output)


def _present(conditions: Iterator[Condition], names: frozenset[str]) -> list[Condition]:
    """Return the conditions on parameters that a cell has."""
    return [condition for condition in conditions if condition.name in names]


def states_in_words(models: Mapping[str, CellModel]) -> str:
    """Say which cells with which states two targets are, where their families differ.

    Args:
        models: The two cells by the names of their targets.
    """
    parts = []
    for name, model in models.items():
        states = " and ".join(model.state_names)
        parts.append(
            f"{name} is a {FAMILIES[model.family].title} with the state{'s' if 'and' in states else ''} {states}"
        )
    return ", ".join(parts)
