"""Two specs for which no map of parameters was found: where they part with weights of the same names, and when not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.protocol import Values
from rnn_harness.array_types import Array
from rnn_harness.comparison.apply_rules import parameter_shapes
from rnn_harness.comparison.confirm import Decision
from rnn_harness.comparison.equality import SIZES, parting_point_of
from rnn_harness.comparison.named_pair import NamedCell, pair_of
from rnn_harness.comparison.spec_module import spec_target
from rnn_harness.derivatives.program_pair import ProgramPair, compare_polynomials
from rnn_harness.errors import UsageError
from rnn_harness.records.comparison import Comparison
from rnn_harness.specs import Spec
from rnn_harness.specs.program import Program
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.search import TargetSearch
from rnn_harness.validation.spec_search.slot_map import SlotMap

_TRIED_SIZES = {"n": 2, "d": 3}
"""Sizes at which shapes are compared: all axes differ."""
_SECONDS = 6.0
"""What the search for a place that is written otherwise may take of the processor."""


@dataclass(frozen=True)
class _Condition:
    """What may hold for a weight of the first cell.

    Attributes:
        name: The weight.
        is_diagonal: Whether it is a diagonal matrix, and not zero.
    """

    name: str
    is_diagonal: bool = False

    def __str__(self) -> str:
        return f"{self.name} is {'diagonal' if self.is_diagonal else 'zero'}"

    def constrained(self, value: Array) -> Array:
        """Return a weight for which it holds."""
        zero = value - value
        if not self.is_diagonal:
            return zero
        places = np.arange(len(value))
        zero[places, places] = value[places, places]
        return zero


def compare_by_names(cells: tuple[NamedCell, NamedCell], targets: tuple[str, str], rows: Comparison) -> Decision:
    """Add to a comparison where two cells part if their weights of the same names are equal, and when they agree.

    That says nothing of other maps of their weights, so it changes no outcome.

    Args:
        cells: The two, for which no map was found.
        targets: Their names.
        rows: The comparison so far.
    """
    first, second = cells
    shapes = [_shapes(cell) for cell in cells]
    common = [name for name, shape in shapes[0].items() if shapes[1].get(name) == shape]
    if not common or not _have_equal_symbols(first.program, second.program):
        return Decision(rows)

    def by_names(parameters: dict[str, Array], wanted: dict[str, tuple[int, ...]]) -> dict[str, Array]:
        some = next(iter(parameters.values()))
        zero = np.array(some.flat[0] - some.flat[0])
        return {
            name: parameters[name] if name in common else np.broadcast_to(zero, shape).copy()
            for name, shape in wanted.items()
        }

    only_left = tuple(_Condition(name) for name in shapes[0] if name not in common)
    only_right = tuple(f"{targets[1]}: {name} is zero" for name in shapes[1] if name not in common)
    return _decided(
        pair_of(first, second, by_names),
        cells,
        targets,
        (only_left, only_right),
        rows,
        "with equal weights of equal names",
    )


def compare_by_rewrite(cells: tuple[NamedCell, NamedCell], targets: tuple[str, str], rows: Comparison) -> Decision:
    """Add to a comparison that the first cell is the second but for a place or two, whatever their weights are called.

    The first's weights are searched in the second's equations with a place or two written otherwise; it changes no
    outcome, for another map may exist.

    Args:
        cells: The two, for which no map was found.
        targets: Their names.
        rows: The comparison so far.
    """
    first, second = cells
    if not _have_equal_symbols(first.program, second.program):
        return Decision(rows)
    try:
        match = faulty_match(TargetSearch(probe_target(spec_target(first.spec))), second.spec, _SECONDS)
    except UsageError:  # a spec of layers, or one whose parameters have no influence
        return Decision(rows)
    if match is None or match.states != tuple(state.name for state in second.program.states):
        return Decision(rows)
    table, without_counterpart = match.table, _shapes(second)
    for _, role in table.roles:
        without_counterpart.pop(role.piece.parameter, None)
    only_right = tuple(f"{targets[1]}: {name} is zero" for name in without_counterpart)
    differences = zip(match.rewrite.equations, match.rewrite.sentences, strict=True)
    told = "; ".join(f"{equation}: {sentence}" for equation, sentence in differences)
    sentence = f"{rows.sentence}; read as {targets[1]}, {targets[0]} is written otherwise in {told}"
    pair = pair_of(first, second, lambda parameters, wanted: unpacked(table, parameters, wanted))
    with_sentence = replace(rows, sentence=sentence)
    return _decided(pair, cells, targets, ((), only_right), with_sentence, "under that map of their weights")


def searched_weights(left_side: Spec, right_side: Spec) -> SlotMap | None:
    """Search the left's equations, as a target, for the right's parameters.

    Args:
        left_side: The equations that stand for a target.
        right_side: The spec that it may equal.

    Returns:
        Which of the left's weights is which of the right's; None where no map makes the two equal.
    """
    try:
        match = TargetSearch(probe_target(spec_target(left_side))).match_spec(right_side)
    except UsageError:  # a spec of layers, or one whose parameters have no influence
        return None
    return None if match is None else match.table


def unpacked(table: SlotMap, parameters: dict[str, Array], shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
    """Read one cell's parameters as another's; what has no counterpart is zero.

    Args:
        table: Which of the first's slots is which of the other's parameters.
        parameters: The first's arrays, of any arithmetic.
        shapes: The shapes of the other's parameters.
    """
    found = table.unpack(parameters, shapes)
    some = next(iter(found.values()))
    zero = some.flat[0] - some.flat[0]
    return {name: found.get(name, np.broadcast_to(np.array(zero), shape).copy()) for name, shape in shapes.items()}


def _decided(
    pair: ProgramPair,
    cells: tuple[NamedCell, NamedCell],
    targets: tuple[str, str],
    only_one_has: tuple[tuple[_Condition, ...], tuple[str, ...]],
    rows: Comparison,
    under: str,
) -> Decision:
    """Say where two cells part under a map of their weights, and what has to hold for them to be equal under it."""
    point = parting_point_of(pair, (cells[0].spec, cells[1].spec))
    if point is None:
        return Decision(rows)
    only_left, only_right = only_one_has
    conditions = _conditions(pair, only_left, _shapes(cells[0]))
    told = (*(f"{targets[0]}: {condition}" for condition in conditions), *only_right) if conditions is not None else ()
    sentence = f"{rows.sentence}; {under} they part"
    if conditions is not None:
        sentence += ", and they are proved equal where the conditions hold"
    return Decision(replace(rows, sentence=sentence, conditions=told), None, point)


def _shapes(cell: NamedCell) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the weights that a cell has, by name."""
    shapes = parameter_shapes(cell.program, _TRIED_SIZES)
    return {name: shape for name, shape in shapes.items() if name not in cell.absent}


def _have_equal_symbols(first: Program, second: Program) -> bool:
    """Say whether inputs, states and outputs of two programs can be paired in their order."""
    return all(
        [variable.shape for variable in a] == [variable.shape for variable in b]
        for a, b in ((first.inputs, second.inputs), (first.states, second.states), (first.outputs, second.outputs))
    )


def _conditions(
    pair: ProgramPair, only_left: tuple[_Condition, ...], shapes: dict[str, tuple[int, ...]]
) -> tuple[_Condition, ...] | None:
    """Find what suffices for two cells to be equal: what the second lacks is zero, and one weight more; or None."""
    for further in _candidates(only_left, shapes):
        conditions = (*only_left, *further)
        if conditions and _leaves_a_matrix(conditions, shapes) and _is_proved(pair, conditions):
            return conditions
    return None


def _leaves_a_matrix(conditions: tuple[_Condition, ...], shapes: dict[str, tuple[int, ...]]) -> bool:
    """Say whether a matrix of the first cell is not zero: that cells without weights are equal says nothing of them."""
    zero = {condition.name for condition in conditions if not condition.is_diagonal}
    return any(len(shape) == 2 for name, shape in shapes.items() if name not in zero)


def _candidates(
    only_left: tuple[_Condition, ...], shapes: dict[str, tuple[int, ...]]
) -> Iterator[tuple[_Condition, ...]]:
    """Yield what may have to hold besides: nothing, a diagonal matrix, a weight that is zero."""
    names = [name for name in shapes if name not in {condition.name for condition in only_left}]
    yield ()
    square = [name for name in names if shapes[name] == (_TRIED_SIZES["d"],) * 2]
    yield from ((_Condition(name, is_diagonal=True),) for name in square)
    yield from ((_Condition(name),) for name in names)


def _is_proved(pair: ProgramPair, conditions: tuple[_Condition, ...]) -> bool:
    """Prove two programs equal on weights that meet conditions, at two sizes; the smaller one rules most out."""
    by_name = {condition.name: condition for condition in conditions}

    def constrain(values: Values) -> Values:
        kept = pair.constrain(values)
        parameters = {
            name: by_name[name].constrained(value) if name in by_name else value
            for name, value in kept.parameters.items()
        }
        return replace(kept, parameters=parameters)

    constrained = replace(pair, constrain=constrain)
    try:
        return all(not compare_polynomials(constrained, size).difference for size in SIZES)
    except ValueError:  # their equations are no polynomials in functions of polynomials
        return False
