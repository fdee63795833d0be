"""What holds for any recurrent cell: no right one breaks it, and of a wrong one the property and the part are named."""

from __future__ import annotations

import inspect

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.records.record import Record
from rnn_harness.records.validation import Diagnosis
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import Target, ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.consistency import unknown_cell
from rnn_harness.validation.consistency.unknown_cell import judge_unknown
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.layout_faults import WrongLayout
from tests.helpers import HELPERS, consistent_cells

RIGHT = [
    name for name, cell in inspect.getmembers(consistent_cells, inspect.isclass) if cell.__module__.endswith("cells")
]


def _target(module: str, name: str) -> Target:
    return load_target(f"{HELPERS / module}.py:{name}")


def _layout_fault(target: Target) -> str:
    """What is wrong with how the outputs of a target lie; it may also be called in no known way."""
    try:
        probe_target(target)
    except UsageError as error:
        return str(error) if isinstance(error, WrongLayout) else ""
    return ""


def _answers(target: Target, dtypes: tuple[str, ...] = ("float64",)) -> tuple[list[Record], list[Diagnosis]]:
    answers = list(judge_unknown(target, probe_target(target), ValidationRequest(dtypes=dtypes)))
    diagnoses = [answer.diagnosis for answer in answers if answer.diagnosis is not None]
    return [answer.record for answer in answers], diagnoses


REALLY_TRIED: dict[str, tuple[str, ...]] = {
    "SineLayer": ("split-sequence", "long-gradients", "complex-steps"),
    "BothDirections": ("long-gradients",),
    "BackwardLayer": ("split-sequence",),
    "WithLengths": ("lengths",),
    "Packed": ("lengths",),
    "WithMask": ("lengths",),
    "WithReset": ("reset",),
    "TwoStates": ("states-left-out",),
    "RandomInTraining": ("training",),
    "SinglePrecisionInside": ("difference-quotients",),
    "Rectified": ("difference-quotients",),
    "SpareParameter": ("parameters-used",),
    "WithScores": ("rows-of-every-result",),
    "NamesItsAxes": ("declared-layout",),
}
"""Properties that a right cell must have been tried for, beside those that every cell is."""


def _check_right(name: str, records: list[Record]) -> None:
    assert [f"{r.check}: {r.reason}" for r in records if r.outcome is Outcome.REFUTED or r.harness_error] == []
    agreeing = {record.check for record in records if record.outcome is Outcome.AGREES}
    tried = ("same-call-twice", "rows-apart", "large-batches", *REALLY_TRIED.get(name, ()))
    assert {f"consistency.{check}" for check in tried} <= agreeing


OF_THE_KIND = {
    "FadesWithUnits": "SineCell",
    "NamesItsAxesLater": "NamesItsAxes",
    "ShiftedWindow": "Windowed",
    "BackwardLayer": "BothDirections",
}
"""Right cells that the default run leaves out, each with one of its kind there."""
RIGHT_DEEP = pytest.mark.deep(
    "tests/unit/validation/test_consistency.py::test_a_right_cell_breaks_no_property_and_was_tried_for_what_it_has"
)


@pytest.mark.parametrize("name", [pytest.param(n, marks=RIGHT_DEEP if n in OF_THE_KIND else ()) for n in RIGHT])
def test_a_right_cell_breaks_no_property_and_was_tried_for_what_it_has(name: str) -> None:
    records, _ = _answers(_target("consistent_cells", name))
    _check_right(name, records)


@pytest.mark.deep(
    "tests/unit/validation/test_consistency.py::test_a_right_cell_breaks_no_property_and_was_tried_for_what_it_has"
)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_cell_breaks_no_property_in_any_format(name: str) -> None:
    target = _target("consistent_cells", name)
    records, _ = _answers(target, target.capabilities.dtypes)
    _check_right(name, records)


def test_of_a_layer_whose_steps_read_earlier_inputs_no_state_is_asked_to_hold_them() -> None:
    records, _ = _answers(_target("consistent_cells", "ShiftedWindow"))
    (split,) = [record for record in records if record.check == "consistency.split-sequence"]
    assert split.outcome is Outcome.NOT_RUN
    assert "every step reads the inputs of 2 steps" in split.reason


def test_every_cell_that_must_be_tried_for_more_is_one_of_the_right_ones() -> None:
    assert set(REALLY_TRIED) <= set(RIGHT)


WRONG = (
    ("IgnoresItsState", "state-used", "the state that is given is not used"),
    ("IgnoresAnOptionalState", "state-used", "the state that is given is not used"),
    ("HalvesItsLastState", "split-sequence", "differ from 1 + 2 + 3 with the state carried over"),
    ("GivesBackTheFirstState", "last-state", "that comes back is that of step 1 of 6, not that of the last step"),
    ("CarriesNothingOn", "last-state", "the states come back as they were given, and the input of a step reaches"),
    ("LeavesTheLastInputOut", "split-sequence", "differ from 1 + 2 + 3 with the state carried over"),
    ("StartsEveryFourthStepAnew", "split-sequence", "6 steps in one call differ from"),
    ("BackwardAndNotTurned", "order-of-steps", "its outputs are not turned back"),
    ("UnusedGate", "parameters-used", "gate.weight, gate.bias have no influence"),
    ("UnusedShift", "parameters-used", "shift has no influence on anything"),
    ("UsesOneOfItsList", "parameters-used", "gains.1: never read, though every other one of the list is"),
    ("NaNForLargeInputs", "special-rows", "times the usual size give NaN"),
    ("LastStateFromZeros", "state-used", "the state that is given is not used: any other gives the same"),
    ("MatrixMemoryWithoutStabiliser", "special-rows", "an exponential overflows before it is divided out"),
    ("LosesTheRowAxis", "batch-of-one", "for a batch of one row the states of all steps have shape (3, 3)"),
    ("NaNSpreads", "rows-apart", "NaN in the first row of the batch change other rows"),
    ("HalfOfTheGradient", "difference-quotients", "h2h.weight through the states of all steps are not the slopes"),
    ("GradientsDoNotAddUp", "gradients-add-up", "together is not the sum of those through each"),
    ("OneCacheForAllCalls", "two-calls-one-backward", "another call before the backward changes the gradients"),
    ("WritesIntoItsWeightsInTraining", "training", "in training it writes into h2h.weight"),
    ("BackwardDrawsAnotherMask", "training", "are not the slopes of its own results"),
    ("LastStateDetached", "final-state-gradients", "the gradient of the last state 2 is lost"),
    ("OneStateForBoth", "states-left-out", "with h given and c left out, c should be zero, but c is taken from h"),
    ("StateOfThePaddedEnd", "lengths", "the state that comes back is that of the padded end"),
    (
        "StateOfOneStepTooFew",
        "lengths",
        "with lengths for complete rows, the state that comes back is that of step 4 of 5",
    ),
    ("MaskOnOutputsAlone", "lengths", "with mask, the state that comes back is that of the padded end"),
    ("KeepsAShareOfTheOldState", "reset", "unit by unit: the reset does not reach the interpolation"),
    ("ResetsEveryRow", "reset", "where done is 1 for some rows, the other rows change, too"),
    ("ResetTurnedAround", "reset", "done is turned around"),
    ("ScoresOverTheRows", "rows-of-every-result", "other rows of a tensor of shape (11, 5)"),
    ("NamesItsAxesWrongly", "declared-layout", "it says B, T, _ = x.shape, but it runs along the first axis"),
    ("PaddedStepInTheState", "lengths", "the state that comes back is that of the padded end"),
    ("HoldsOneStateOfTwo", "lengths", "the state 1 past a row's end stays what it was, and the state 2 does not"),
    ("LastRowsOfLargeBatches", "large-batches", "batches of more than 48 rows are wrong"),
    ("LargeBatchesAsAWhole", "large-batches", "batches of more than 299 rows are wrong"),
    ("ManyUnitsForgetTheGain", "large-sizes", "with 96 units or more (not with 95): gain has no influence"),
    ("ManyInputsMixRows", "large-sizes", "with 257 inputs or more (not with 256)"),
    ("LeavesTheFirstStepOut", "order-of-steps", "the input of the first step reaches no output and no state"),
    ("CutsItsGradient", "long-gradients", "across every 150th step (150, 300, 450, ...)"),
    (
        "LastStateAloneCutsItsGradient",
        "long-gradients",
        "over 120 steps no gradient, or a wrong one, comes across every 50th",
    ),
    ("CutsItsGradientOnce", "long-gradients", "over 1,000 steps the gradient of the inputs is not the slope"),
)
"""Wrong cells, the property that each breaks, and how the sentence names the part at fault."""


def _check_wrong(name: str, check: str, phrase: str) -> None:
    records, diagnoses = _answers(_target("inconsistent_cells", name))
    refuted = {record.check: record.reason for record in records if record.outcome is Outcome.REFUTED}
    assert phrase in refuted[f"consistency.{check}"]
    assert diagnoses
    assert [record.harness_error for record in records if record.harness_error] == []


@pytest.mark.parametrize(("name", "check", "phrase"), WRONG)
def test_of_a_wrong_cell_the_property_is_named(
    name: str, check: str, phrase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_questions = unknown_cell._questions  # the other ones are asked by the deep tests
    monkeypatch.setattr(
        unknown_cell,
        "_questions",
        lambda cell, is_widest: (question for question in all_questions(cell, is_widest) if question.name == check),
    )
    _check_wrong(name, check, phrase)


@pytest.mark.deep("tests/unit/validation/test_consistency.py::test_of_a_wrong_cell_the_property_is_named")
@pytest.mark.parametrize(("name", "check", "phrase"), WRONG)
def test_of_a_wrong_cell_the_property_is_named_among_all(name: str, check: str, phrase: str) -> None:
    _check_wrong(name, check, phrase)


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("TimeFirst", "the outputs are time first though the inputs are batch first"),
        ("ViewForTranspose", "batch and time are mixed"),
        ("LastStepFirst", "the outputs run backwards in time"),
        ("OneStepLate", "the outputs are one step late"),
        ("FirstInputAtEveryStep", "the input of the first step is used at every step"),
        ("ReplacesTheCallersState", "it replaces entries of the dictionary"),
    ],
)
def test_what_cannot_be_driven_as_it_is_is_a_finding(name: str, phrase: str) -> None:
    target = _target("inconsistent_cells", name)
    validation = collect_validation(name, run_validation(target, ValidationRequest(dtypes=("float64",))))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert phrase in validation.diagnosis.difference


@pytest.mark.parametrize("name", ["SineLayer", "BackwardLayer", "BothDirections", "Windowed"])
def test_of_a_right_layer_no_layout_is_found_wrong(name: str) -> None:
    assert _layout_fault(_target("consistent_cells", name)) == ""


def test_an_unknown_cell_that_breaks_nothing_is_consistent() -> None:
    request = ValidationRequest(dtypes=("float64",))
    validation = collect_validation("x", run_validation(_target("consistent_cells", "SineLayer"), request))
    assert validation.outcome == "consistent"
    assert "held" in str(validation)


def test_an_unknown_cell_that_breaks_a_property_is_refuted_with_it() -> None:
    request = ValidationRequest(dtypes=("float64",))
    validation = collect_validation("x", run_validation(_target("inconsistent_cells", "CutsItsGradient"), request))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert validation.diagnosis.part == "backward: long sequences"


@pytest.mark.parametrize(("name", "count"), [("step_of_classes", 0), ("step_of_classes_and_batch", 1)])
def test_the_rows_of_a_read_out_of_a_numpy_function_are_judged(name: str, count: int) -> None:
    records, _ = _answers(load_target(f"{HELPERS / 'steps_with_read_out.py'}:{name}"))
    refuted = [record.check for record in records if record.outcome is Outcome.REFUTED]
    assert refuted == ["consistency.rows-of-every-result"] * count


@pytest.mark.parametrize(("name", "check"), [("SineCell", "rows-apart"), ("TwoStates", "long-gradients")])
def test_the_most_precise_of_the_formats_that_are_asked_for_is_tried_for_everything(name: str, check: str) -> None:
    target = _target("consistent_cells", name)
    probe = probe_target(target)
    alone = ValidationRequest(dtypes=("float32",))
    beside = ValidationRequest(dtypes=("float32",), other_dtypes=("float64",))
    tried = [{answer.record.check for answer in judge_unknown(target, probe, request)} for request in (alone, beside)]
    assert [f"consistency.{check}" in checks for checks in tried] == [True, False]
    outcomes = {answer.record.outcome for answer in judge_unknown(target, probe, alone)}
    assert Outcome.REFUTED not in outcomes
