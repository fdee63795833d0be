"""Gates, states and gradients of a cell over the sentence of the documents, before training and after."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.unrolled.sentence import ANSWERS, QUESTION, SENTENCE, SOURCE, VOCABULARY, encode_sentence
from rnn_harness.benchmarks.unrolled.sentence_model import SentenceModel
from rnn_harness.records.measurement_stamp import stamp
from rnn_harness.records.unrolled import TrainingStage, UnrolledMeasurement, UnrolledQuantity
from rnn_harness.references import Reference, Run, get_reference

UNROLLED_CELLS: Mapping[str, str] = {"rnn": "rnn.tanh", "gru": "gru.keep.column", "lstm": "lstm.column"}
"""The spec that is unrolled of each family: the cell as the documents print it."""
HIDDEN_SIZE = 4
TRAINING_STEPS = 400
_QUANTITIES = (
    "reset_gate",
    "update_gate",
    "forget_gate",
    "input_gate",
    "candidate",
    "cell_state",
    "output_gate",
    "hidden_state",
)
"""The names of a trace in the order in which a step computes them."""


def measure_unrolled(
    family: str, seed: int = 0, check_interrupt: Callable[[], None] = lambda: None
) -> Iterator[UnrolledMeasurement]:
    """Unroll the cell of a family over the sentence, train it, and unroll it again.

    Args:
        family: rnn, gru or lstm.
        seed: Of the parameters and the sentences of training.
        check_interrupt: Called before every step of training.
    """
    rng = np.random.default_rng([seed, 3])
    model = SentenceModel.build(get_reference(family), HIDDEN_SIZE, rng)
    yield _unroll(family, model, "before training", 0)
    model.train(TRAINING_STEPS, len(SENTENCE), rng, check_interrupt)
    yield _unroll(family, model, "after training", TRAINING_STEPS)


def _unroll(family: str, model: SentenceModel, stage: TrainingStage, training_steps: int) -> UnrolledMeasurement:
    """Return what the model computes over the sentence, forward and backward."""
    inputs = encode_sentence(SENTENCE)
    answer = int("cut" in SENTENCE)
    result = model.answer(inputs, np.array([answer]))
    last = np.linalg.norm(result.last_gradient)
    jacobians = state_jacobians(model.cell, model.parameters, inputs, result.run)
    loss_gradients = [
        float(np.linalg.norm(result.last_gradient[0] @ after[-1][:, :HIDDEN_SIZE])) for after in jacobians[1:]
    ]
    return stamp(
        UnrolledMeasurement(
            subject=family.upper(),
            spec=UNROLLED_CELLS[family],
            agrees=True,
            stage=stage,
            sizes={"n": len(VOCABULARY), "d": HIDDEN_SIZE, "T": len(SENTENCE)},
            words=SENTENCE,
            words_source=SOURCE,
            question=QUESTION,
            answer=ANSWERS[answer],
            probability=float(result.probabilities[0, answer]),
            training_steps=training_steps,
            quantities=tuple(
                UnrolledQuantity(name=name.replace("_", " "), values=_rows(result.run.trace[name][:, 0]))
                for name in _QUANTITIES
                if name in result.run.trace
            ),
            loss_gradients=(*loss_gradients, float(last)),
            log10_flow=tuple(
                tuple(_log10_norm(jacobians[t][s - t - 1]) for t in range(s)) for s in range(1, len(SENTENCE) + 1)
            ),
        )
    )


def state_jacobians(cell: Reference, parameters: Mapping[str, Array], inputs: Array, run: Run) -> list[list[Array]]:
    """Return d h_s / d (state after step t), by the reference's own backward from every unit of h_s.

    Args:
        cell: The reference.
        parameters: Its parameters by name.
        inputs: One sequence (T, 1, n).
        run: The reference's run over it from zero states.

    Returns:
        For each t = 0 .. T - 1, for each s = t + 1 .. T, an array (d, s): an LSTM's state is h and c side by side.
    """
    steps, d = len(inputs), run.outputs.shape[-1]
    traces = {name: run.trace["hidden_state" if name == "h" else "cell_state"][:, 0] for name in cell.state_names}
    jacobians = []
    for t in range(steps):
        states = {
            name: np.repeat(trace[t - 1 : t] if t else np.zeros((1, d)), d, axis=0) for name, trace in traces.items()
        }
        of_later = []
        for s in range(t + 1, steps + 1):
            span = np.repeat(inputs[t:s], d, axis=1)
            d_outputs = np.zeros((s - t, d, d))
            d_outputs[-1] = np.eye(d)
            gradients = cell.backward(cell.forward(parameters, span, states), d_outputs).states
            of_later.append(np.concatenate([gradients[name] for name in cell.state_names], axis=1))
        jacobians.append(of_later)
    return jacobians


def _log10_norm(jacobian: Array) -> float:
    """Return log10 of the norm over the root of its rows, as the decay of gradients is measured."""
    size = float(np.linalg.norm(jacobian)) / math.sqrt(len(jacobian))
    return math.log10(size) if size else -math.inf


def _rows(values: Array) -> tuple[tuple[float, ...], ...]:
    """Return an array (T, d) as plain numbers with six decimals."""
    return tuple(tuple(round(float(value), 6) for value in row) for row in values)
