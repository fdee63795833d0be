"""A fault that is said not to show where some parameters are alone changes nothing there."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from rnn_harness.validation.cells.cell_model import BlockKind, CellModel, Fault
from rnn_harness.validation.cells.visible_faults import SKIPPED_WEIGHTS, FaultVisibility
from rnn_harness.validation.diagnosis.faults import candidate_faults

MODELS = [
    CellModel("rnn"),
    CellModel("gru", reset="after", update="write"),
    CellModel("gru"),
    CellModel("lstm", peephole="diagonal"),
    CellModel("lstm", peephole="full", peephole_state="old", forget="coupled"),
    CellModel("lstm", offset=1.0),
]
D, N, PAIRS = 5, 4, 150


def name_of(model: CellModel) -> str:
    return f"{model.family}-{model.reset}-{model.peephole or 'plain'}-{model.forget}-{model.offset:g}"


def every_parameter(model: CellModel, rng: np.random.Generator) -> dict[str, np.ndarray]:
    widths: dict[BlockKind, tuple[int, ...]] = {"x": (D, N), "h": (D, D), "b": (D,)}
    return {name: rng.normal(size=shape) for kind, shape in widths.items() for name in model.parameter_names(kind)}


def results(model: CellModel, parameters: dict[str, np.ndarray], steps: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    states = tuple(rng.normal(size=(2, D)) for _ in model.state_names)
    outputs, finals = model.run(parameters, rng.normal(size=(steps, 2, N)), states)
    return [outputs, *finals]


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_a_fault_of_a_term_changes_nothing_where_all_parameters_are_zero(model: CellModel) -> None:
    faulty = [replace(model, faults=(fault,)) for fault in candidate_faults(model)]
    silent = [wrong for wrong in faulty if not FaultVisibility(wrong, 3).visible(())]
    assert len(silent) >= 10 * len(model.letters)
    right = results(model, {}, 3)
    for wrong in silent:
        for expected, actual in zip(right, results(wrong, {}, 3), strict=True):
            np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_two_faults_give_what_those_of_them_give_that_show(model: CellModel, steps: int) -> None:
    rng = np.random.default_rng(5)
    parameters = every_parameter(model, rng)
    pairs = list(itertools.combinations(candidate_faults(model), 2))
    hidden = 0
    for place in rng.choice(len(pairs), size=min(PAIRS, len(pairs)), replace=False):
        wrong = replace(model, faults=pairs[place])
        for count in (0, 1, 2, 4):
            chosen = rng.choice(sorted(parameters), size=min(count, len(parameters)), replace=False)
            alone = {str(name): parameters[str(name)] for name in chosen}
            visible = FaultVisibility(wrong, steps).visible(alone)
            hidden += visible != wrong.faults
            shown = replace(wrong, faults=visible)
            for expected, actual in zip(results(wrong, alone, steps), results(shown, alone, steps), strict=True):
                np.testing.assert_array_equal(actual, expected)
    assert hidden > PAIRS


def test_an_activation_shows_where_a_fault_gives_the_candidate_an_argument_of_its_own() -> None:
    fault = Fault("g", "as relu")
    assert FaultVisibility(CellModel("gru", faults=(fault,)), 1).visible(("W_xr",)) == ()
    beside = CellModel("gru", faults=(fault, SKIPPED_WEIGHTS))
    assert FaultVisibility(beside, 1).visible(("W_xr",)) == (fault, SKIPPED_WEIGHTS)
