"""What is expected of a case is computed once, shared, and out of reach of those who are judged."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from rnn_harness.cases.case import Case
from rnn_harness.evaluation.alternative_forms import widest_trajectory
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.expectation import Expectation, ExpectationCache
from rnn_harness.evaluation.judging_options import JudgingOptions, rounding
from rnn_harness.mutants import MUTANTS, build
from rnn_harness.specs import library
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.subject import LAYERS, Subject

CASE = Case(spec="gru.keep.column", seed=1)


def evaluation(case: Case = CASE, options: JudgingOptions | None = None) -> Evaluation:
    return Evaluation.of(Subject.of(library().spec(case.spec)), case, options)


def expected(cache: ExpectationCache, case: Case) -> Expectation:
    drawn = evaluation(case)
    d_outputs, d_finals = drawn.spec_cotangents
    return cache.expect(drawn.program, drawn.values, d_outputs, d_finals, rounding(case.dtype))


def test_the_same_numbers_share_one_expectation_whoever_is_judged() -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.spec == CASE.spec)
    subject = build(mutant, library().spec(mutant.spec))
    assert Evaluation.of(subject, CASE).expectations[0] is evaluation().expectations[0]
    assert evaluation().balls is evaluation().balls


@pytest.mark.parametrize(
    "change", [{"seed": 2}, {"T": 4}, {"dtype": "float32"}, {"scale": 0.5}, {"features": ("zeros",)}], ids=str
)
def test_other_numbers_have_another_expectation(change: dict[str, object]) -> None:
    assert evaluation(CASE.model_copy(update=change)).expectations[0] is not evaluation().expectations[0]


@pytest.mark.parametrize("part", ["d_outputs", "inputs"])
def test_one_number_changed_anywhere_is_another_expectation(part: str) -> None:
    arrays = draw_arrays(CASE, Subject.of(library().spec(CASE.spec)))
    first = evaluation().expectations[0]
    getattr(arrays, part).flat[-1] += 1
    assert evaluation().on(arrays).expectations[0] is not first


@pytest.mark.parametrize(
    "options",
    [JudgingOptions(operands=Fraction(1, 2**10)), JudgingOptions(absolute_function_error=True)],
    ids=["operands", "absolute"],
)
def test_other_roundings_have_another_expectation_and_wider_balls(options: JudgingOptions) -> None:
    wide = evaluation(options=options)
    assert wide.expectations[0] is not evaluation().expectations[0]
    assert wide.balls.steps[-1]["h"].flat[0].rad() > evaluation().balls.steps[-1]["h"].flat[0].rad()


def test_a_rounding_of_another_format_leaves_the_evaluation_as_it_is() -> None:
    judged = evaluation()
    coarse = judged.rounded_as("float32").gradient_balls["inputs"].flat[0]
    assert coarse.rad() > 1000 * judged.gradient_balls["inputs"].flat[0].rad()
    assert coarse.contains(judged.gradient_balls["inputs"].flat[0])


def test_what_comes_out_cannot_be_written_to() -> None:
    expectation = evaluation().expectations[0]
    step = expectation.trajectory.steps[0]
    with pytest.raises(TypeError):
        step["h"] = None  # type: ignore[index]
    for array in (step["h"], expectation.cotangents.states["h"], *expectation.values.parameters.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_widening_by_an_alternative_form_makes_a_trajectory_of_its_own() -> None:
    narrow = evaluation().balls
    wide = evaluation(options=JudgingOptions(absolute_function_error=True)).balls
    before = [str(ball) for ball in narrow.steps[0]["h"].flat]
    merged = widest_trajectory([narrow, wide])
    assert merged.steps[0]["h"].flat[0].rad() == wide.steps[0]["h"].flat[0].rad()
    assert [str(ball) for ball in narrow.steps[0]["h"].flat] == before


def test_a_subject_that_overwrites_its_arguments_does_not_change_what_is_expected() -> None:
    class Overwriting:
        def __init__(self, right) -> None:  # type: ignore[no-untyped-def]
            self.right = right

        def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
            return getattr(self.right, name)

        def forward(self, parameters, inputs, states=None, lengths=None):  # type: ignore[no-untyped-def]
            inputs *= 2
            return self.right.forward(parameters, inputs, states, lengths)

    right = evaluation()
    subject = replace(right.subject, cell=Overwriting(right.subject.cell))
    for judged in (Evaluation.of(subject, CASE), right.copied(subject)):
        assert judged.run is not None
        assert judged.expectations[0] is right.expectations[0]
        assert not np.array_equal(judged.arrays.inputs, right.arrays.inputs)


def test_numbers_overwritten_before_the_values_are_computed_do_not_reach_the_cache() -> None:
    cache, drawn = ExpectationCache(), evaluation()
    d_outputs, d_finals = drawn.spec_cotangents
    expectation = cache.expect(drawn.program, drawn.values, d_outputs, d_finals, rounding("float64"))
    drawn.arrays.inputs[...] = 0
    again = expected(cache, CASE)
    assert again is expectation
    assert np.array_equal(again.values.inputs["x"], evaluation().arrays.inputs)


def test_the_cache_holds_no_more_than_it_may() -> None:
    cache = ExpectationCache(most=3)
    for seed in range(5):
        expected(cache, CASE.model_copy(update={"seed": seed}))
    assert len(cache) == 3
    held = expected(cache, CASE).size
    small = ExpectationCache(most_balls=2 * held)
    for seed in range(5):
        expected(small, CASE.model_copy(update={"seed": seed}))
    assert (len(small), small.balls) == (2, 2 * held)
    assert expected(ExpectationCache(most_balls=held - 1), CASE) is not None


def test_an_expectation_is_of_plain_numbers() -> None:
    drawn = evaluation()
    moved = replace(drawn.arrays, inputs=drawn.bounded.array(drawn.arrays.inputs))
    with pytest.raises(TypeError, match="plain numbers"):
        assert drawn.on(moved).expectations


def test_the_program_is_that_of_the_spec() -> None:
    assert evaluation().expectations[0].program is library().spec(CASE.spec).program(LAYERS)
