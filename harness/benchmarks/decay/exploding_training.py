"""Training where the gradient explodes: does the loss become no number, as 001:238 says that it does?"""

from __future__ import annotations

import math

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.initialisation import Initialisation
from rnn_harness.records.measurement_base import TrainedLength
from rnn_harness.references import Reference, cross_entropy

TRAINED_LENGTHS = (100, 200, 400)
"""Time steps of the sequences: over some of them a gradient that grows overflows float32, over others it does not."""
_TRAINING_STEPS = 10
_LEARNING_RATE = 0.1
_BATCH_SIZE = 8
_CLASSES = 2


def train_unclipped(
    cell: Reference, initial: Initialisation, input_size: int, hidden_size: int, steps: int, seed: int = 0
) -> TrainedLength:
    """Train a cell with a softmax on top by gradient descent in float32, without a limit to its gradient.

    The class of a sequence is drawn and read from the last hidden state. The loss is computed before every step of
    training and after the last one; a loss that is no number ends it.

    Args:
        cell: The reference that is trained, by its own backward.
        initial: Draws its parameters, and says how large the inputs are.
        input_size: n.
        hidden_size: d.
        steps: The time steps T of every sequence.
        seed: For parameters, inputs and classes.
    """
    rng = np.random.default_rng(seed)
    drawn = initial.draw(cell, input_size, hidden_size, rng)
    weights: dict[str, Array] = {name: value.astype(np.float32) for name, value in drawn.items()}
    limit = 1 / math.sqrt(hidden_size)
    top = rng.uniform(-limit, limit, (_CLASSES, hidden_size)).astype(np.float32)
    inputs = (initial.input_scale * rng.standard_normal((steps, _BATCH_SIZE, input_size))).astype(np.float32)
    classes = rng.integers(0, _CLASSES, (1, _BATCH_SIZE))
    losses: list[float] = []
    log10_gradient: float | None = None
    # Overflow and what follows from it is what is measured here, so NumPy does not warn of it.
    with np.errstate(over="ignore", invalid="ignore"):
        for trained in range(_TRAINING_STEPS + 1):
            run = cell.forward(weights, inputs)
            last = run.outputs[-1]
            total, slope = cross_entropy((last @ top.T)[None], classes)
            losses.append(total / _BATCH_SIZE)
            if trained == _TRAINING_STEPS or not math.isfinite(losses[-1]):
                break
            of_logits = slope[0] / _BATCH_SIZE
            d_outputs = np.zeros_like(run.outputs)
            d_outputs[-1] = of_logits @ top
            gradients = cell.backward(run, d_outputs).parameters
            if not trained:
                norm = math.sqrt(sum(float((value.astype(np.float64) ** 2).sum()) for value in gradients.values()))
                log10_gradient = math.log10(norm) if math.isfinite(norm) and norm else None
            top = top - _LEARNING_RATE * (of_logits.T @ last)
            weights = {name: value - _LEARNING_RATE * gradients[name] for name, value in weights.items()}
    last_loss = losses[-1] if math.isfinite(losses[-1]) else None
    return TrainedLength(steps, len(losses) - 1, log10_gradient, losses[0], last_loss)
