"""Two cells tied together by the proof that they are equal: how the weights of one follow from the other's."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from rnn_harness.array_types import Array
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.equality import FunctionComparison, compare_functions
from rnn_harness.comparison.map_lines import map_lines, whole_parameters
from rnn_harness.comparison.relation import Relation
from rnn_harness.conversion.conversion_code import conversion_code
from rnn_harness.conversion.convert_weights import converted
from rnn_harness.conversion.family_weights import FamilyTransfer, family_weights
from rnn_harness.conversion.spec_code import spec_code
from rnn_harness.conversion.spec_weights import reason_against_specs, spec_transfer, spec_weights
from rnn_harness.conversion.weight_pair import WeightPair
from rnn_harness.records.conversion import ConversionOutcome
from rnn_harness.validation.spec_search.complements import weights_of_other_sign


@dataclass(frozen=True)
class TiedCells:
    """Two cells whose relation is proved, or the reason why it is not.

    Attributes:
        pair: The relation; None where there is none.
        code: The program that converts their weights; empty where none was written.
        outcome: What becomes of the conversion where there is no relation.
        sentence: Why there is none.
    """

    pair: WeightPair | None = None
    code: str = ""
    outcome: ConversionOutcome = "undecided"
    sentence: str = ""


def _family_pair(left_side: CellDescription, right_side: CellDescription, relation: Relation) -> tuple[WeightPair, str]:
    """Tie two cells of one family together, and write the program that converts their weights."""
    maps = family_weights(left_side), family_weights(right_side)
    code = conversion_code((left_side.target, right_side.target), (maps[0].table, maps[1].table), relation)
    lines = map_lines(relation, left_side, right_side)
    carry_out = functools.partial(converted, relation)
    return WeightPair(left_side, right_side, *maps, FamilyTransfer(relation), carry_out, lines), code


def _spec_pair(left_side: CellDescription, right_side: CellDescription) -> TiedCells:
    """Tie two cells of one spec together: weights have the same names in its equations, and most have the same sign."""
    maps = spec_weights(left_side), spec_weights(right_side)
    negated = weights_of_other_sign(maps[0].spec, maps[1].spec)
    lines = []
    for name, places in right_side.places.items():
        sources = " + ".join(left_side.places.get(name, ())) or "0"
        lines.append(f"{' + '.join(places)}  <-  {f'-({sources})' if name in negated else sources}")

    def convert(named: Mapping[str, Array], _: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        return {name: -value if name in negated else value for name, value in named.items()}

    transfer = spec_transfer(left_side, right_side)
    pair = WeightPair(left_side, right_side, *maps, transfer, convert, whole_parameters(sorted(lines)))
    names, tables = (left_side.target, right_side.target), (maps[0].match.table, maps[1].match.table)
    return TiedCells(pair, spec_code(names, tables, negated))


def tie_cells(left_side: CellDescription, right_side: CellDescription) -> TiedCells:
    """Tie two cells together, or say why no weights go from one to the other.

    Args:
        left_side: The cell that has the weights.
        right_side: The cell that is to have them.

    Raises:
        NotRun: The process of one of them sent no parameter map.
    """
    reason = _reason_against(left_side, right_side)
    if reason:
        return TiedCells(sentence=reason)
    if left_side.kind == "spec":
        return _spec_pair(left_side, right_side)
    first, second = left_side.family_cell, right_side.family_cell
    assert first is not None, "a cell of another kind was refused"
    assert second is not None, "a cell of another kind was refused"
    families = first.model.family, second.model.family
    if families[0] != families[1]:
        return TiedCells(outcome="refused", sentence=f"they are cells of two families: {' and '.join(families)}")
    functions = compare_functions(first, second)
    if not functions.is_equal_under_conditions:
        return _refused(functions)
    return TiedCells(*_family_pair(left_side, right_side, functions.relation))


def _reason_against(left_side: CellDescription, right_side: CellDescription) -> str:
    """Say why nothing can be converted; empty if it can."""
    for side in (left_side, right_side):
        if side.kind == "unknown":
            return f"{side.target} is no cell that is known: {side.sentence}"
        if side.faults:
            return f"{side.target} is wrong ({side.sentence}): its weights mean something else than they should"
    if "spec" in (left_side.kind, right_side.kind):
        return reason_against_specs(left_side, right_side)
    return ""


def _refused(functions: FunctionComparison) -> TiedCells:
    """Say that no weights carry the function over."""
    obstacles = functions.relation.obstacles
    if not obstacles:
        reason = functions.reason or "their equations were not proved equal under any condition"
        return TiedCells(sentence=f"nothing is proved: {reason}")
    return TiedCells(outcome="refused", sentence="no weights make them equal: " + "; ".join(obstacles))
