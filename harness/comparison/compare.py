"""Compare two targets: what they are, whether they are the same function, and what they give."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.comparison.bounded_outputs import described_spec
from rnn_harness.comparison.cell_description import CellDescription, order_in_words
from rnn_harness.comparison.compare_model_with_cell import ModelAndCell, compare_model_with_cell
from rnn_harness.comparison.compare_models import ModelPair, ModelRunner, compare_models
from rnn_harness.comparison.confirm import ComparedPair, Decision, Runner, Translation, confirm
from rnn_harness.comparison.describe_model import cell_or_model, run_described_model
from rnn_harness.comparison.equality import FunctionComparison, compare_functions, family_pair
from rnn_harness.comparison.in_workers import (
    describe_any_isolated,
    run_isolated,
    run_model_isolated,
    side_by_side,
)
from rnn_harness.comparison.map_lines import map_lines
from rnn_harness.comparison.model_description import ModelDescription
from rnn_harness.comparison.other_specs import compare_other_specs
from rnn_harness.comparison.own_decay import decay_per_step
from rnn_harness.comparison.relation import states_in_words
from rnn_harness.comparison.run_cell import DrawnRun, RunOutputs, run_drawn
from rnn_harness.comparison.spec_module import shipped_spec, spec_target
from rnn_harness.comparison.tied_cell import as_one_layer
from rnn_harness.comparison.wrong_cells import compare_with_faults
from rnn_harness.records.comparison import ComparedCell, Comparison, DecaySource, Inclusion
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.request import Limits, ValidationRequest


@dataclass(frozen=True)
class _Side:
    """A target that is compared.

    Attributes:
        description: What it is.
        run_cell: Runs it as a cell, where its parameter map is known.
        run_model: Runs it as a model.
    """

    description: CellDescription | ModelDescription
    run_cell: Callable[[tuple[DrawnRun, ...], str], RunOutputs]
    run_model: ModelRunner

    def runner(self, cell: CellDescription) -> Runner:
        """Return what runs it as a cell.

        Args:
            cell: What it is.
        """
        return lambda runs: self.run_cell(runs, cell.map)


def compare_targets(
    left_side: ValidationRequest, right_side: ValidationRequest, limits: Limits | None = None
) -> Comparison:
    """Compare two targets, each of which runs in workers of its own; shipped equations are run in this process.

    Args:
        left_side: The first target.
        right_side: The second target.
        limits: How long each may take.

    Raises:
        UsageError: One of them cannot be loaded or driven.
        NotRun: One of them ended its process, raised an error, or gave no answer in time.
        HarnessError: The harness itself raised an error.
    """
    allowed = limits or Limits()
    if any(shipped_spec(request.target) is not None for request in (left_side, right_side)):
        # Two that are timed in one process must not run at once.
        return _compared(_side_of(left_side, allowed), _side_of(right_side, allowed))
    return _compared(*side_by_side(lambda: _side_of(left_side, allowed), lambda: _side_of(right_side, allowed)))


def _side_of(request: ValidationRequest, limits: Limits) -> _Side:
    """Describe a target in a worker; what we ship ourselves needs none, whose start takes most of the time."""
    shipped = shipped_spec(request.target)
    if shipped is not None:
        return _loaded_side(spec_target(shipped), request)
    return _Side(
        describe_any_isolated(request, limits),
        lambda runs, known_map: run_isolated(request, limits, runs, known_map),
        functools.partial(run_model_isolated, request, limits),
    )


def _loaded_side(target: Target, request: ValidationRequest) -> _Side:
    """Describe a target in this process."""
    return _Side(
        cell_or_model(request, target),
        functools.partial(run_drawn, request, target=target),
        functools.partial(run_described_model, request, target=target),
    )


def compare_loaded(left_side: Target, right_side: Target, spec: str = "auto") -> Comparison:
    """Compare two targets that are loaded already, in this process.

    Args:
        left_side: The first target.
        right_side: The second target.
        spec: A spec file, or the id of a shipped spec, that both are held against first.

    Raises:
        UsageError: One of them cannot be driven.
    """
    first, second = map(as_one_layer, (left_side, right_side))
    return _compared(
        _loaded_side(first, ValidationRequest(first.name, spec=spec)),
        _loaded_side(second, ValidationRequest(second.name, spec=spec)),
    )


def _compared(left_side: _Side, right_side: _Side) -> Comparison:
    """Compare two targets that are described: cells by their equations, models layer by layer."""
    first, second = left_side.description, right_side.description
    if isinstance(first, ModelDescription) and isinstance(second, ModelDescription):
        return compare_models(ModelPair(first, second, left_side.run_model, right_side.run_model), decide)
    if isinstance(first, ModelDescription):
        assert isinstance(second, CellDescription), "what is no model is a cell"
        pair = ModelAndCell(first, second, True, left_side.run_model, right_side.runner(second))
        return compare_model_with_cell(pair, compared_cell(second), decide)
    if isinstance(second, ModelDescription):
        pair = ModelAndCell(second, first, False, right_side.run_model, left_side.runner(first))
        return compare_model_with_cell(pair, compared_cell(first), decide)
    cells = ComparedPair(first, second, left_side.runner(first), right_side.runner(second))
    return replace(confirm(decide(first, second), cells), calls=order_in_words(first, second))


def decide(left_side: CellDescription, right_side: CellDescription) -> Decision:
    """Decide from two descriptions alone whether the targets are the same function.

    Args:
        left_side: What the first target is.
        right_side: What the second target is.
    """
    cells = compared_cell(left_side), compared_cell(right_side)
    unknown = [side for side in (left_side, right_side) if side.kind == "unknown"]
    if unknown:
        reasons = "; ".join(f"{side.target} is no cell that is known ({side.sentence})" for side in unknown)
        advice = "--spec FILE with its equations makes it known"
        return Decision(Comparison("undecided", f"{reasons}: {advice}", *cells))
    if left_side.reading != right_side.reading:
        orders = {"": "forward", "backward": "backward"}
        first, second = (orders.get(side.reading, side.reading) for side in (left_side, right_side))
        sentence = f"{left_side.target} reads a sequence {first}, {right_side.target} {second}"
        return Decision(Comparison("different", sentence, *cells))
    if left_side.faults or right_side.faults:
        return compare_with_faults(left_side, right_side, cells)
    first_cell, second_cell = left_side.family_cell, right_side.family_cell
    if first_cell is None or second_cell is None:
        return compare_other_specs(left_side, right_side, cells)
    if first_cell.model.family != second_cell.model.family:
        models = {left_side.target: first_cell.model, right_side.target: second_cell.model}
        sentence = f"they are cells of two families: {states_in_words(models)}"
        return Decision(Comparison("different", sentence, *cells))
    return _of_one_family(compare_functions(first_cell, second_cell), left_side, right_side, cells)


def _of_one_family(
    functions: FunctionComparison,
    left_side: CellDescription,
    right_side: CellDescription,
    cells: tuple[ComparedCell, ComparedCell],
) -> Decision:
    """Say what two cells of one family are to each other."""
    relation = functions.relation
    rows = Comparison(
        "undecided", "", *cells, map=map_lines(relation, left_side, right_side), obstacles=relation.obstacles
    )
    proof = f"{functions.identities} identities of polynomials proved at sizes 1 and 2" if functions.identities else ""
    if functions.left_is_included and functions.right_is_included:
        changed = [str(rule) for rule in relation.rules if rule.sign < 0 or rule.offset]
        sentence = "the same function" + (f", where {', '.join(changed)}" if changed else "")
        same = replace(
            rows, outcome="same", sentence=f"{left_side.target} and {right_side.target} are {sentence}", proof=proof
        )
        return Decision(same, _translation(functions, left_side, right_side))
    conditions = (
        *(f"{left_side.target}: {condition.sentence}" for condition in relation.left_conditions),
        *(f"{right_side.target}: {condition.sentence}" for condition in relation.right_conditions),
    )
    rows = replace(rows, conditions=conditions if functions.is_equal_under_conditions else ())
    if functions.parting_point is None:
        reason = functions.reason or "neither a proof that they are equal nor numbers on which they differ were found"
        return Decision(replace(rows, sentence=reason))
    included: Inclusion = "left" if functions.left_is_included else "right" if functions.right_is_included else ""
    sentence = "they are two functions"
    if included:
        smaller, larger = (left_side, right_side) if included == "left" else (right_side, left_side)
        sentence += f": {larger.target} computes all that {smaller.target} does, and more"
    if functions.is_equal_under_conditions:
        proof = f"equal where the conditions hold: {proof}"
    rows = replace(rows, outcome="different", sentence=sentence, included=included, proof=proof)
    translation = _translation(functions, left_side, right_side) if functions.is_equal_under_conditions else None
    return Decision(rows, translation, functions.parting_point)


def _translation(functions: FunctionComparison, left_side: CellDescription, right_side: CellDescription) -> Translation:
    """Return how weights of the left that meet the conditions become weights of the right."""
    first, second = left_side.family_cell, right_side.family_cell
    assert first is not None, "cells of one family have features"
    assert second is not None, "cells of one family have features"
    pair = family_pair(first, second, functions.relation, functions.relation.left_conditions)
    return Translation(pair.left, pair.constrain, lambda values: pair.right_values(values, np.array(0.0)))


def compared_cell(description: CellDescription) -> ComparedCell:
    """Return what a comparison says of a target by itself.

    Args:
        description: What its worker said.
    """
    times = description.times
    own_decay, by_equations = description.decay, _decay_by_equations(description)
    is_own = own_decay is not None and not own_decay.reason
    source: DecaySource = "products" if is_own else "equations" if by_equations is not None else ""
    count, sizes = description.parameters
    return ComparedCell(
        description.target,
        description.sentence,
        description.spec,
        count,
        times.sizes if times is not None else sizes,
        times.forward if times is not None else None,
        times.backward if times is not None else None,
        decay=own_decay.factor if own_decay is not None and is_own else by_equations,
        decay_by=source,
        decay_by_equations=by_equations if is_own else None,
        decay_note=own_decay.reason if own_decay is not None and (source or description.kind == "unknown") else "",
        note="; ".join(description.notes),
    )


def _decay_by_equations(description: CellDescription) -> float | None:
    """Return how fast the gradient of the target's equations shrinks with its weights; None where it is not known."""
    if description.kind == "unknown" or not description.initial or description.faults:
        return None
    weights = {name: value.array() for name, value in description.initial.items()}
    try:
        return decay_per_step(described_spec(description), weights)
    except (ValueError, KeyError, RuntimeError):  # what a worker says may not fit its own equations
        return None
