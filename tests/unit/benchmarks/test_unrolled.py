"""A cell over the documents' sentence: its gradients are those of difference quotients, and it learns the answer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnn_harness.benchmarks.decay.initialisation import uniform
from rnn_harness.benchmarks.unrolled.measure import HIDDEN_SIZE, UNROLLED_CELLS, measure_unrolled, state_jacobians
from rnn_harness.benchmarks.unrolled.sentence import SENTENCE, VOCABULARY, draw_sentences, encode_sentence
from rnn_harness.benchmarks.unrolled.sentence_model import SentenceModel
from rnn_harness.records.unrolled import UnrolledMeasurement
from rnn_harness.references import get_reference

STEP = 1e-6


@pytest.mark.parametrize("family", UNROLLED_CELLS)
def test_the_flow_is_that_of_difference_quotients(family: str) -> None:
    cell = get_reference(family)
    parameters = uniform(cell, len(VOCABULARY), HIDDEN_SIZE, np.random.default_rng(1))
    inputs = encode_sentence(SENTENCE[:5])
    run = cell.forward(parameters, inputs)
    jacobian = state_jacobians(cell, parameters, inputs, run)[2][2]
    before = {name: run.trace["hidden_state" if name == "h" else "cell_state"][1] for name in cell.state_names}
    for number, name in enumerate(cell.state_names):
        for unit in range(HIDDEN_SIZE):
            ends = []
            for sign in (1, -1):
                moved = {key: value.copy() for key, value in before.items()}
                moved[name][0, unit] += sign * STEP
                ends.append(cell.forward(parameters, inputs[2:], moved).outputs[-1, 0])
            quotient = (ends[0] - ends[1]) / (2 * STEP)
            assert jacobian[:, number * HIDDEN_SIZE + unit] == pytest.approx(quotient, abs=1e-8)


def test_the_loss_of_the_sentence_falls_by_the_references_own_backward() -> None:
    rng = np.random.default_rng(0)
    model = SentenceModel.build(get_reference("gru"), HIDDEN_SIZE, rng)
    sentences = draw_sentences(np.random.default_rng(1), 64, len(SENTENCE))
    first = _mean_loss(model, sentences.inputs, sentences.classes)
    model.train(60, len(SENTENCE), rng, lambda: None)
    assert _mean_loss(model, sentences.inputs, sentences.classes) < 0.7 * first


def _mean_loss(model: SentenceModel, inputs: np.ndarray, classes: np.ndarray) -> float:
    """Return the mean cross entropy of the answers."""
    probabilities = model.answer(inputs, classes).probabilities
    return float(-np.log(probabilities[np.arange(len(classes)), classes]).mean())


def test_half_of_the_drawn_sentences_have_one_cut_and_those_are_positive() -> None:
    sentences = draw_sentences(np.random.default_rng(0), 400, 6)
    cuts = sentences.inputs[:, :, 0].sum(axis=0)
    assert (cuts == sentences.classes).all()
    assert 0.4 < sentences.classes.mean() < 0.6


@pytest.fixture(scope="module")
def stages() -> list[UnrolledMeasurement]:
    """Return an RNN before and after training."""
    return list(measure_unrolled("rnn"))


def test_both_stages_hold_every_step_and_the_loss_sees_what_the_flow_says(stages: list[UnrolledMeasurement]) -> None:
    for row in stages:
        assert [len(flow) for flow in row.log10_flow] == list(range(1, len(SENTENCE) + 1))
        assert {len(quantity.values) for quantity in row.quantities} == {len(SENTENCE)}
        # The gradient after step t is at most the last one times the Jacobian's norm, sqrt(d) times the flow's.
        for t, size in enumerate(row.loss_gradients[:-1], 1):
            largest = row.loss_gradients[-1] * math.sqrt(HIDDEN_SIZE) * 10 ** row.log10_flow[-1][t]
            assert 0 < size <= largest * (1 + 1e-9)


def test_after_training_the_answer_is_surer(stages: list[UnrolledMeasurement]) -> None:
    before, after = stages
    assert (before.stage, after.stage) == ("before training", "after training")
    assert after.probability > max(before.probability, 0.9)
