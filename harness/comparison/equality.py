"""Are two cells of one family the same function? Decided from their equations alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from flint import arb

from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.protocol import Values
from rnn_harness.array_types import Array
from rnn_harness.comparison.apply_rules import constrained, parameter_shapes, renamed, right_parameters
from rnn_harness.comparison.inputs_side_by_side import inputs_together
from rnn_harness.comparison.relation import Condition, FamilyCell, Relation, relate
from rnn_harness.derivatives.program_pair import (
    Gap,
    ProgramPair,
    Witness,
    compare_polynomials,
    exact_values,
    find_witness,
    run_both,
)
from rnn_harness.specs import Spec
from rnn_harness.specs.program import Program
from rnn_harness.validation.judging.generated_spec import generate_spec

SIZES = (1, 2)
"""The sizes at which polynomials are compared."""


@dataclass(frozen=True)
class PartingPoint:
    """Numbers on which two cells differ, and the first equations that do.

    Attributes:
        numbers: All numbers that are not zero, with the sizes, in words.
        gap: Which value differs, and its two values.
        left: The numbers of the left cell.
        right: The numbers of the right cell.
        equations: The left's and the right's equation; both empty where no two values can be paired.
    """

    numbers: str
    gap: Gap
    left: CellNumbers
    right: CellNumbers
    equations: tuple[str, str] = ("", "")

    def exchanged(self) -> PartingPoint:
        """Return the same with left and right exchanged."""
        return PartingPoint(self.numbers, self.gap.exchanged(), self.right, self.left, self.equations[::-1])


@dataclass(frozen=True)
class CellNumbers:
    """Numbers of a sequence, by the names of a cell's equations.

    Attributes:
        parameters: Arrays by the names of its weights.
        inputs: (T, B, n).
        states: The initial states (B, d).
    """

    parameters: Mapping[str, Array]
    inputs: Array
    states: Mapping[str, Array]


@dataclass(frozen=True)
class FunctionComparison:
    """What two cells are to each other as functions.

    Attributes:
        relation: The map between their parameters, and what it needs.
        identities: How many polynomials were proved equal; 0 where the proof could not be made.
        is_equal_under_conditions: Whether they are proved equal where the conditions hold.
        parting_point: Where they differ without the conditions; None where nothing was found.
        reason: Why a proof could not be made; empty if it could.
    """

    relation: Relation
    identities: int
    is_equal_under_conditions: bool
    parting_point: PartingPoint | None = None
    reason: str = ""

    @property
    def left_is_included(self) -> bool:
        """Whether the right computes all that the left does."""
        return self.is_equal_under_conditions and not self.relation.left_conditions

    @property
    def right_is_included(self) -> bool:
        """Whether the left computes all that the right does."""
        return self.is_equal_under_conditions and not self.relation.right_conditions


def family_spec(cell: FamilyCell) -> Spec:
    """Write the equations of a cell.

    Args:
        cell: Its features and the weights that it has; the equations have no others.
    """
    return generate_spec(cell.model, cell.names)


def family_pair(
    left_side: FamilyCell, right_side: FamilyCell, relation: Relation, conditions: Sequence[Condition]
) -> ProgramPair:
    """Make the two programs of a relation, the right one on weights that follow from the left's.

    Args:
        left_side: The cell whose weights are free.
        right_side: The other cell.
        relation: How the right's weights follow.
        conditions: What is made to hold for the left's weights; none where they are to part.
    """
    first, second = family_spec(left_side).program(), family_spec(right_side).program()

    def right_values(values: Values, zero: Array) -> Values:
        shapes = parameter_shapes(second, values.sizes)
        return renamed(values, right_parameters(relation.rules, values.parameters, shapes, zero), second)

    def constrain(values: Values) -> Values:
        zero = _zero_like(values)
        return replace(values, parameters=constrained(conditions, values.parameters, zero))

    states = {state.name: state.name for state in first.states}
    return ProgramPair(first, second, right_values, states, constrain)


def _zero_like(values: Values) -> Array:
    """Return the zero of the arithmetic that numbers are of."""
    some = next(iter(values.parameters.values())).flat[0]
    return np.array(some - some, dtype=object if not isinstance(some, float) else None)


def compare_functions(left_side: FamilyCell, right_side: FamilyCell) -> FunctionComparison:
    """Prove two cells of one family equal, as far as they are, and find where they part.

    Args:
        left_side: A cell without faults.
        right_side: Another of the same family.
    """
    relation = relate(left_side, right_side)
    identities, is_equal, reason = 0, False, ""
    if not relation.obstacles:
        pair = family_pair(left_side, right_side, relation, relation.left_conditions)
        try:
            comparisons = [compare_polynomials(pair, size) for size in SIZES]
        except ValueError as error:
            reason = str(error)
        else:
            is_equal = not any(comparison.difference for comparison in comparisons)
            identities = sum(comparison.identities for comparison in comparisons)
    result = FunctionComparison(relation, identities, is_equal, None, reason)
    if result.left_is_included and result.right_is_included:
        return result
    return replace(result, parting_point=_parting_point(left_side, right_side, result))


def _parting_point(left_side: FamilyCell, right_side: FamilyCell, result: FunctionComparison) -> PartingPoint | None:
    """Find numbers on which the cells differ: of the left, or of the right where that contains the left."""
    if result.left_is_included:
        turned = parting_point_of(
            family_pair(right_side, left_side, relate(right_side, left_side), ()),
            (family_spec(right_side), family_spec(left_side)),
        )
        return None if turned is None else turned.exchanged()
    return parting_point_of(
        family_pair(left_side, right_side, result.relation, ()), (family_spec(left_side), family_spec(right_side))
    )


def parting_point_of(pair: ProgramPair, specs: tuple[Spec, Spec]) -> PartingPoint | None:
    """Find numbers on which two programs differ; None where none were found.

    Args:
        pair: The programs.
        specs: Their specs, for the text of equations.
    """
    witness = find_witness(pair)
    if witness is None:
        return None
    other = pair.right_values(witness.values, np.array(0.0))
    equations = _differing_equations(pair, witness, specs)
    return PartingPoint(witness.numbers, witness.gap, _numbers_of(witness.values), _numbers_of(other), equations)


def _numbers_of(values: Values) -> CellNumbers:
    """Return the numbers of a step of one row."""
    return CellNumbers(values.parameters, inputs_together(values.inputs), values.states)


def _differing_equations(pair: ProgramPair, witness: Witness, specs: tuple[Spec, Spec]) -> tuple[str, str]:
    """Return the first equations that give different values for a symbol that both have; empty texts if none do.

    An update gate that is the other's complement counts as equal: the last equation is where that shows.
    """
    arithmetic = BallArithmetic()
    zero = np.array(arithmetic.number(Fraction(0))[0, 0], dtype=object)
    left_side, right_side = run_both(pair, exact_values(witness.values, arithmetic), arithmetic, zero)
    for assignment in pair.left.assignments:
        name = assignment.target.name
        if name in right_side and not _agree(left_side[name], right_side[name]):
            return _text(specs[0], assignment.equation), _text(specs[1], _equation_of(pair.right, name))
    return "", ""


def _agree(left_side: Array, right_side: Array) -> bool:
    """Say whether two arrays of balls may hold the same values, or each the other's complement."""
    pairs: list[tuple[arb, arb]] = list(zip(left_side.flat, right_side.flat, strict=True))
    return all(a.overlaps(b) for a, b in pairs) or all((a + b).overlaps(arb(1)) for a, b in pairs)


def _equation_of(program: Program, name: str) -> str:
    return next(assignment.equation for assignment in program.assignments if assignment.target.name == name)


def _text(spec: Spec, equation: str) -> str:
    return next(entry.text for entry in spec.equations if entry.id == equation).strip()
