"""Right cells that look wrong are not refuted, and told what is special; a mistake next to each is refuted still."""

from __future__ import annotations

import pytest

from rnn_harness.cases.case import Case
from rnn_harness.checks.check import Finding
from rnn_harness.errors import NotRun
from rnn_harness.validation import Target, ValidationRequest, collect_validation, identify, load_target, run_validation
from rnn_harness.validation.consistency.driven_cell import make_cell, numbered_states
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.judging.candidate_judge import judge_case
from rnn_harness.validation.judging.candidate_kernel import candidate_kernel
from rnn_harness.validation.judging.function_checks import diagnose_no_function
from rnn_harness.validation.judging.kept_state import KeptState, kept_state
from rnn_harness.validation.judging.observed_habits import with_observed_habits
from rnn_harness.validation.loading.fresh_state import with_fresh_state
from tests.helpers import HELPERS, alarming_cells

CELLS = alarming_cells.__file__


def finding(name: str, check: str) -> Finding:
    """What one check finds of a cell on a small case."""
    target = load_target(f"{CELLS}:{name}")
    kernel = candidate_kernel(target, identify(target)[0])
    judged = judge_case(kernel, check, Case(spec=kernel.spec, dtype="float64", T=2, seed=1))
    assert judged is not None
    return judged


@pytest.mark.parametrize("name", ["IndexedState", "IndexedStates"])
def test_states_that_are_read_by_their_index_are_no_mixed_rows(name: str) -> None:
    probe = probe_target(load_target(f"{CELLS}:{name}"))
    assert diagnose_no_function(probe, "it") is None


def test_rows_that_are_mixed_are_found_though_the_state_is_read_by_its_index() -> None:
    diagnosis = diagnose_no_function(probe_target(load_target(f"{CELLS}:MixesRows")), "it")
    assert diagnosis is not None
    assert diagnosis.part == "behaviour: position"


def test_a_mask_that_is_kept_for_a_sequence_is_random_in_training() -> None:
    with pytest.raises(NotRun, match="it is random in training"):
        finding("MaskOfASequence", "behaviour.training")


def test_a_learned_initial_state_is_told() -> None:
    learned = finding("LearnedStart", "behaviour.default-state")
    assert (learned.agrees, learned.detail) == (True, "called without a state it starts from one that it holds: start")


def test_an_initial_state_that_is_neither_zero_nor_learned_is_refuted() -> None:
    assert not finding("StartsFromOnes", "behaviour.default-state").agrees


@pytest.mark.parametrize(("name", "agrees"), [("LSTMWithoutBiases", True), ("LSTMFromOnes", False)])
def test_states_that_the_equations_call_otherwise_begin_from_zeros_too(name: str, agrees: bool) -> None:
    assert finding(name, "behaviour.default-state").agrees is agrees


def test_a_stack_that_runs_more_layers_without_a_state_is_not_held_to_those_of_one_state() -> None:
    with pytest.raises(NotRun, match=r"computes with more parameters than where one is given: cells\.1\.weight_ih"):
        finding("LayersOfStates", "behaviour.default-state")


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad:UserWarning")
def test_a_reentrant_checkpoint_is_differentiated_in_the_way_it_takes() -> None:
    assert finding("Checkpointed", "backward.bound").agrees
    with pytest.raises(NotRun, match="gives its parameters no gradient unless its input or its state wants one"):
        finding("Checkpointed", "behaviour.frozen-parameters")


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad:UserWarning")
def test_a_gradient_lost_in_a_reentrant_checkpoint_is_refuted() -> None:
    lost = finding("CheckpointedDetached", "backward.bound")
    assert not lost.agrees
    assert "states.h" in lost.detail.partition("wrong:")[2]


def test_a_backward_written_by_hand_need_not_have_a_second_derivative() -> None:
    assert finding("HandwrittenBackward", "backward.bound").agrees
    with pytest.raises(NotRun, match="the backward of KeptActivation is written by hand and promises no second"):
        finding("HandwrittenBackward", "behaviour.gradgrad")


def test_a_second_derivative_that_torch_gives_is_refuted_where_it_is_wrong() -> None:
    assert not finding("SecondDerivativeLost", "behaviour.gradgrad").agrees


def test_what_has_no_training_mode_is_not_judged_in_it() -> None:
    target = load_target(f"{CELLS}:WithoutTraining")
    kernel = candidate_kernel(target, identify(target)[0])
    with pytest.raises(NotRun, match="it has no training mode: there is no such mode"):
        judge_case(kernel, "behaviour.training", Case(spec=kernel.spec, dtype="float64", T=2, seed=1))
    probe = probe_target(target)
    cell = make_cell(
        target.make_module,
        target.capabilities,
        probe.convention,
        probe.sizes,
        "float64",
        numbered_states(probe.convention),
    )
    with pytest.raises(NotRun, match="it has no training mode: there is no such mode"):
        cell.in_training()


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("StepsOfAStream", "agrees", ""),
        ("CutStepsOfAStream", "agrees", ""),
        ("StepsThatAreNotReset", "refuted", "after reset() it does not give what a new module gives"),
    ],
)
def test_a_step_that_keeps_its_state_is_judged_over_a_sequence(name: str, outcome: str, words: str) -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation(name, run_validation(load_target(f"{CELLS}:{name}"), request))
    assert validation.outcome == outcome
    assert words in (validation.diagnosis.difference if validation.diagnosis else "")
    if outcome == "agrees":
        assert validation.spec == "rnn.tanh"


def test_a_rate_that_is_learned_is_no_constant_that_is_rounded() -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation("x", run_validation(load_target(f"{CELLS}:LearnedLeak"), request))
    assert validation.outcome == "consistent", validation.diagnosis


def test_a_layer_that_keeps_its_state_is_not_taken_for_a_step_whose_rows_are_mixed() -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation("x", run_validation(load_target(f"{CELLS}:BatchFirstStream"), request))
    assert validation.outcome == "agrees", validation.diagnosis


@pytest.mark.parametrize("name", ["Stream", "StreamWithReset"])
def test_a_state_kept_for_a_stream_is_told_and_its_cell_judged_from_a_new_one(name: str) -> None:
    target = load_target(f"{CELLS}:{name}")
    assert kept_state(target) == KeptState(is_for_a_stream=True)
    fresh = with_fresh_state(target)
    assert diagnose_no_function(probe_target(fresh), "it") is None
    assert identify(fresh)[0].spec == "rnn.tanh"
    assert fresh.capabilities.notes[-1].startswith("it keeps a state between calls")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("StreamWithoutEnd", "keeps its state between calls with the graph of the earlier calls"),
        ("StreamResetInPart", "after reset_state() it does not give what a new module gives"),
        ("StreamThatFades", "the same call twice gives other numbers"),
        ("CountsItsCalls", "the same call twice gives other numbers"),
    ],
)
def test_a_state_that_is_kept_in_a_wrong_way_is_refuted(name: str, words: str) -> None:
    validation = collect_validation(name, run_validation(load_target(f"{CELLS}:{name}"), ValidationRequest()))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert words in validation.diagnosis.difference


def test_the_verdict_on_a_stream_is_that_of_its_cell() -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation("Stream", run_validation(load_target(f"{CELLS}:Stream"), request))
    assert validation.outcome == "agrees"
    assert "it keeps a state between calls" in str(validation)


def observed(name: str) -> tuple[Target, Probe]:
    """A target with what is seen of its habits, and the runs of it."""
    target = load_target(f"{CELLS}:{name}")
    probe = probe_target(target)
    return with_observed_habits(target, probe), probe


def test_gradients_that_are_means_over_the_batch_are_told_and_judged_as_means() -> None:
    target, probe = observed("MeanGradients")
    assert str(probe.convention).endswith("; the gradients of its weights are means over the batch, not sums")
    kernel = candidate_kernel(target, identify(target, probe)[0])
    for rows in (1, 3, 4):
        judged = judge_case(kernel, "backward.bound", Case(spec=kernel.spec, dtype="float64", T=3, B=rows, seed=rows))
        assert judged is not None
        assert judged.agrees, judged.detail


@pytest.mark.parametrize("name", ["MeanGradientsWithoutBias", "MeanGradientsOfThree", "HandwrittenBackward", "Stream"])
def test_what_is_no_mean_of_all_gradients_is_none(name: str) -> None:
    assert not observed(name)[1].convention.averages_gradients


def test_a_share_of_the_gradient_that_is_no_mean_is_refuted() -> None:
    assert not finding("MeanGradientsWithoutBias", "backward.bound").agrees


def test_float32_inside_of_float64_agrees_and_is_told() -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation("FloatInside", run_validation(load_target(f"{CELLS}:FloatInside"), request))
    assert validation.outcome == "agrees"
    assert "it computes in float32 although it takes float64" in str(validation)


def test_what_float32_inside_does_not_explain_is_refuted() -> None:
    assert observed("FloatInsideAndWrong")[0].capabilities.is_single_inside
    request = ValidationRequest(dtypes=("float64",), examples=0)
    validation = collect_validation("wrong", run_validation(load_target(f"{CELLS}:FloatInsideAndWrong"), request))
    assert validation.outcome == "refuted"


@pytest.mark.parametrize("name", ["HandwrittenBackward", "IndexedState"])
def test_float64_is_not_taken_for_float32(name: str) -> None:
    assert not observed(name)[0].capabilities.is_single_inside


def test_a_state_that_is_not_handed_on_is_refuted() -> None:
    target = load_target(f"{CELLS}:HandsTheOldStateOn")
    validation = collect_validation("old", run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "the state that comes back is the one that went in: the new one" in validation.diagnosis.difference


def test_a_layer_made_without_a_kept_state_must_not_keep_it() -> None:
    cells = HELPERS / "handwritten" / "layers_from_weights.py"
    assert load_target(f"{cells}:TimeRNN").capabilities.kept_state_fault == ""
    target = load_target(f"{cells}:TimeRNNThatKeeps")
    validation = collect_validation("keeps", run_validation(target, ValidationRequest(dtypes=("float64",))))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert validation.diagnosis.difference.startswith("made with stateful=False it keeps its state")
