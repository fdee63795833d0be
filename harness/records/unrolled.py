"""One cell over one sentence: every gate and state, and how far each gradient of the unrolled cell reaches."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from rnn_harness.records.measurement_base import MeasurementRecord, join_key

TrainingStage = Literal["before training", "after training"]
"""When the parameters of a cell are looked at."""


class UnrolledQuantity(BaseModel):
    """A gate, a candidate or a state over the sentence.

    Attributes:
        name: Its name in words: ``reset gate``.
        values: Its value by step and unit, (T, d).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    name: str
    values: tuple[tuple[float, ...], ...]


class UnrolledMeasurement(MeasurementRecord):
    """What a reference computes over one sentence, step by step, forward and backward.

    Attributes:
        stage: Whether its parameters are trained.
        sizes: n, d and T.
        words: The words of the sentence, one a step.
        words_source: The document and the lines that the words are from.
        question: What the cell is asked after the last word.
        answer: The right answer.
        probability: The probability that it gives to the right answer.
        training_steps: The steps of training until then.
        quantities: Gates, candidate and states over the sentence, in the order in which a step computes them.
        loss_gradients: The norm of the loss's gradient for the hidden state after each step, (T,).
        log10_flow: log10 of the norm of d h_s / d (state after step t) over sqrt(d), for s = 1 .. T a row with t = 0 ..
            s - 1; an LSTM's state is h and c together.
    """

    kind: Literal["unrolled"] = "unrolled"
    unit: Literal["value"] = "value"
    stage: TrainingStage
    sizes: dict[str, int]
    words: tuple[str, ...]
    words_source: str
    question: str
    answer: str
    probability: float
    training_steps: int
    quantities: tuple[UnrolledQuantity, ...]
    loss_gradients: tuple[float, ...]
    log10_flow: tuple[tuple[float, ...], ...]

    @property
    def aspect(self) -> str:
        """Before or after training."""
        return self.stage

    @property
    def key(self) -> str:
        """Kind, subject, spec, stage and the sentence."""
        return join_key(self.kind, self.subject, self.spec, self.stage, " ".join(self.words))
