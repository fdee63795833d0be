"""Cells that are known ones but for a mistake: what can be said of them beside another cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN
from rnn_harness.array_types import Array
from rnn_harness.comparison.apply_rules import right_parameters
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.confirm import Decision
from rnn_harness.comparison.equality import CellNumbers, PartingPoint
from rnn_harness.comparison.relation import FamilyCell, relate
from rnn_harness.derivatives.program_pair import Gap
from rnn_harness.records.comparison import ComparedCell, Comparison
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.judging.generated_spec import generate_spec

ABSORBED = ("negated", "doubled", "transposed", "inverted")
"""Mistakes that other weights undo: the class of functions stays the same."""
_TRIES = 200


def compare_with_faults(
    left_side: CellDescription, right_side: CellDescription, cells: tuple[ComparedCell, ComparedCell]
) -> Decision:
    """Compare two cells of which one at least is a known cell but for a mistake.

    Args:
        left_side: What the first target is.
        right_side: What the second target is.
        cells: What a comparison says of each by itself.
    """
    wrong = [side for side in (left_side, right_side) if side.faults]
    names = "; ".join(f"{side.target} is a known cell but for a mistake ({side.sentence})" for side in wrong)
    undecided = Comparison("undecided", names, *cells)
    if left_side.model is None or right_side.model is None or left_side.model.family != right_side.model.family:
        return Decision(replace(undecided, sentence=f"{names}; the other is a cell of another kind"))
    if left_side.model == right_side.model and set(left_side.names) == set(right_side.names):
        sentence = f"{names}; with the same weights they give the same, but there are no equations of it to prove"
        return Decision(replace(undecided, sentence=sentence))
    if any(change.endswith(ABSORBED) for side in wrong for _, change in side.faults):
        return Decision(replace(undecided, sentence=f"{names}, which other weights may undo"))
    point = _parting_point(left_side, right_side)
    if point is None:
        return Decision(undecided)
    return Decision(replace(undecided, outcome="different"), None, point)


def _parting_point(left_side: CellDescription, right_side: CellDescription) -> PartingPoint | None:
    """Find small numbers on which the two differ, with the same weights but for what their features change."""
    first, second = left_side.family_cell, right_side.family_cell
    assert first is not None, "a cell with a mistake is one of a family"
    assert second is not None, "a cell with a mistake is one of a family"
    models = [_model(side) for side in (left_side, right_side)]
    for size in (1, 2):
        for seed in range(_TRIES):
            rng = np.random.default_rng([seed, size])
            numbers = _draw(first, size, rng)
            if _gap(models, first, second, numbers) is None:
                continue
            small = _with_more_zeros(models, first, second, numbers)
            gap = _gap(models, first, second, small)
            assert gap is not None, "a number is set to zero only where the two still differ"
            rows = {**small.parameters, "x": small.inputs, **small.states}
            text = ", ".join(f"{name} = {(value + 0.0).tolist()}" for name, value in rows.items() if value.any())
            other = CellNumbers(_translated(first, second, small), small.inputs, small.states)
            return PartingPoint(f"sizes {size}; {text}", gap, small, other)
    return None


def _model(description: CellDescription) -> CellModel:
    assert description.model is not None, "a cell of a family has features"
    return description.model.model()


def _draw(cell: FamilyCell, size: int, rng: np.random.Generator) -> CellNumbers:
    """Draw small numbers, most of them zero, over two steps: a mistake in the state shows only then."""

    def pick(*shape: int) -> Array:
        numbers: Array = rng.choice([-1.0, 0.5, 1.0, 2.0], shape) * (rng.random(shape) < 0.6)
        return numbers

    program = generate_spec(cell.model, cell.names).program()
    shapes = {v.name: tuple(axis.size({"n": size, "d": size}) for axis in v.shape) for v in program.parameters}
    parameters = {name: pick(*shape) for name, shape in shapes.items()}
    return CellNumbers(parameters, pick(2, 1, size), {state.name: pick(1, size) for state in program.states})


def _translated(first: FamilyCell, second: FamilyCell, numbers: CellNumbers) -> dict[str, Array]:
    """Return the weights of the second cell."""
    program = generate_spec(second.model, second.names).program()
    d = next(iter(numbers.states.values())).shape[1]
    sizes = {"n": numbers.inputs.shape[2], "d": d}
    shapes = {v.name: tuple(axis.size(sizes) for axis in v.shape) for v in program.parameters}
    return right_parameters(relate(first, second).rules, numbers.parameters, shapes, np.array(0.0))


def _gap(models: list[CellModel], first: FamilyCell, second: FamilyCell, numbers: CellNumbers) -> Gap | None:
    """Return the first output in which the two differ by far more than rounding; None if there is none."""
    states = tuple(numbers.states[name] for name in models[0].state_names)
    outputs, _ = models[0].run(numbers.parameters, numbers.inputs, states)
    others, _ = models[1].run(_translated(first, second, numbers), numbers.inputs, states)
    for index in np.ndindex(*outputs.shape):
        if abs(outputs[index] - others[index]) > SCREEN * (1 + abs(outputs[index])):
            place = f"h[{index[2]}] at step {index[0] + 1}"
            return Gap(place, float(outputs[index]), float(others[index]))
    return None


def _with_more_zeros(
    models: list[CellModel], first: FamilyCell, second: FamilyCell, numbers: CellNumbers
) -> CellNumbers:
    """Set every number to zero, in place, without which the two still differ."""
    for value in (*numbers.parameters.values(), numbers.inputs, *numbers.states.values()):
        for index in np.ndindex(*value.shape):
            before = value[index]
            value[index] = 0.0
            if before and _gap(models, first, second, numbers) is None:
                value[index] = before
    return numbers
