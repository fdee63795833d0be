"""A reference with a layer for two classes on its last state, trained by its own hand-written backward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.initialisation import uniform
from rnn_harness.benchmarks.unrolled.sentence import ANSWERS, VOCABULARY, draw_sentences
from rnn_harness.references import Gradients, OutputLayer, Reference, Run, cross_entropy, softmax

BATCH_SIZE = 32
"""Sentences a training step."""
LEARNING_RATE = 0.02
"""Adam's step size; its decays are those of Kingma & Ba 2015, and a gradient that was always zero moves nothing."""
_FIRST_DECAY, _SECOND_DECAY = 0.9, 0.999


@dataclass(frozen=True)
class SentencePass:
    """One pass over sentences, forward and backward.

    Attributes:
        run: What the reference computed.
        gradients: Those of the loss for its inputs and parameters.
        layer_gradients: Those for the layer's parameters.
        last_gradient: The loss's gradient for the last hidden state, (B, d).
        probabilities: Of both classes, (B, 2).
    """

    run: Run
    gradients: Gradients
    layer_gradients: dict[str, Array]
    last_gradient: Array
    probabilities: Array


@dataclass
class SentenceModel:
    """A cell that answers a question after the last word.

    Attributes:
        cell: The reference.
        parameters: Its parameters by name; `train` changes them.
        layer_parameters: Those of the layer for the two classes.
        layer: A dense layer, without an activation, that reads the last hidden state.
    """

    cell: Reference
    parameters: dict[str, Array]
    layer_parameters: dict[str, Array]
    layer: OutputLayer = field(default_factory=lambda: OutputLayer("identity"))

    @classmethod
    def build(cls, cell: Reference, hidden_size: int, rng: np.random.Generator) -> SentenceModel:
        """Draw the parameters as torch does by default.

        Args:
            cell: The reference.
            hidden_size: The number d of units.
            rng: The source of the numbers.
        """
        parameters = uniform(cell, len(VOCABULARY), hidden_size, rng)
        limit = 1 / np.sqrt(hidden_size)
        shapes = OutputLayer("identity").parameter_shapes(hidden_size, len(ANSWERS))
        return cls(cell, parameters, {name: rng.uniform(-limit, limit, shape) for name, shape in shapes.items()})

    def answer(self, inputs: Array, classes: Array) -> SentencePass:
        """Run over sentences, and back from the mean cross entropy of the answers.

        Args:
            inputs: One-hot words (T, B, 3).
            classes: The right answers (B,).
        """
        run = self.cell.forward(self.parameters, inputs)
        last = run.outputs[-1:]
        logits = self.layer.forward(self.layer_parameters, last)
        _, delta = cross_entropy(logits, classes[None])
        d_last, layer_gradients = self.layer.backward_logits(self.layer_parameters, last, delta / len(classes))
        d_outputs = np.zeros_like(run.outputs)
        d_outputs[-1] = d_last[0]
        gradients = self.cell.backward(run, d_outputs)
        return SentencePass(run, gradients, layer_gradients, d_last[0], softmax(logits)[0])

    def train(self, steps: int, length: int, rng: np.random.Generator, check_interrupt: Callable[[], None]) -> None:
        """Train on fresh sentences with Adam.

        Args:
            steps: Steps of training.
            length: Words of a sentence.
            rng: The source of the sentences.
            check_interrupt: Called before every step.
        """
        trained = [self.parameters, self.layer_parameters]
        first = [{name: np.zeros_like(value) for name, value in group.items()} for group in trained]
        second = [{name: np.zeros_like(value) for name, value in group.items()} for group in trained]
        for step in range(1, steps + 1):
            check_interrupt()
            sentences = draw_sentences(rng, BATCH_SIZE, length)
            result = self.answer(sentences.inputs, sentences.classes)
            rate = LEARNING_RATE * np.sqrt(1 - _SECOND_DECAY**step) / (1 - _FIRST_DECAY**step)
            of_groups = (result.gradients.parameters, result.layer_gradients)
            for group, means, squares, gradients in zip(trained, first, second, of_groups, strict=True):
                for name, gradient in gradients.items():
                    means[name] += (1 - _FIRST_DECAY) * (gradient - means[name])
                    squares[name] += (1 - _SECOND_DECAY) * (gradient**2 - squares[name])
                    direction = np.zeros_like(means[name])
                    np.divide(means[name], np.sqrt(squares[name]), out=direction, where=squares[name] > 0)
                    group[name] = group[name] - rate * direction
