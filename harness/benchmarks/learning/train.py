"""Train recurrent layers on a task, and measure the losses and how far the gradient reached before and after."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_harness.benchmarks.learning.learner import Learner
from rnn_harness.benchmarks.learning.model import LearningModel
from rnn_harness.benchmarks.learning.task import Task
from rnn_harness.benchmarks.speed.stopwatch import median_interval
from rnn_harness.records.measurement import CurveBand, CurvePoint, LearningMeasurement
from rnn_harness.records.measurement_stamp import stamp

BATCH_SIZE = 64
"""Sequences a training step."""
LEARNING_RATE = 0.005
"""Adam's step size."""
CLIP_NORM = 1.0
"""The gradient's largest norm."""
TEST_INTERVAL = 50
"""Training steps between two tests."""
TEST_SIZE = 512
"""Sequences of a test."""


def measure_learning(
    task: Task,
    learner: Learner,
    training_steps: int,
    seeds: int,
    check_interrupt: Callable[[], None] = lambda: None,
) -> LearningMeasurement:
    """Train one learner on one task over some seeds and measure the losses of fresh sequences.

    Args:
        task: What is learnt: it draws the sequences and says what chance gives.
        learner: The layer that is trained.
        training_steps: Steps of training.
        seeds: How many seeds, from 0 on.
        check_interrupt: Called before every step of training.
    """
    trainings = [_train(task, learner, training_steps, seed, check_interrupt) for seed in range(seeds)]
    losses = median_interval([training.loss for training in trainings])
    solved = [training.solved_at for training in trainings if training.solved_at is not None]
    return stamp(
        LearningMeasurement(
            subject=learner.name,
            spec=learner.spec,
            task=task.name,
            task_title=task.title,
            sizes={"T": task.steps, "d": learner.units(task), "layers": task.layers},
            training_steps=training_steps,
            dtype="float32",
            samples=tuple(training.loss for training in trainings),
            median=losses.median,
            ci_low=losses.ci_low,
            ci_high=losses.ci_high,
            chance=task.chance,
            best=task.best,
            seeds=seeds,
            seeds_solved=len(solved),
            steps_until_solved=float(np.median(solved)) if solved else None,
            seconds=float(np.median([training.seconds for training in trainings])),
            parameters=trainings[0].parameters,
            loss_curve=_median_curve([training.curve for training in trainings]),
            loss_bands=_bands([training.curve for training in trainings]),
            rate_before=_geometric_mean([training.rate_before for training in trainings]),
            rate_after=_geometric_mean([training.rate_after for training in trainings]),
        )
    )


def _median_curve(curves: Sequence[Sequence[CurvePoint]]) -> tuple[CurvePoint, ...]:
    """Return the median over the seeds at every step."""
    return tuple(
        CurvePoint(points[0].step, float(np.median([point.value for point in points])))
        for points in zip(*curves, strict=True)
    )


def _bands(curves: Sequence[Sequence[CurvePoint]]) -> tuple[CurveBand, ...]:
    """Return the smallest and the largest loss of the seeds at every step."""
    return tuple(
        CurveBand(points[0].step, min(point.value for point in points), max(point.value for point in points))
        for points in zip(*curves, strict=True)
    )


def _geometric_mean(rates: Sequence[float | None]) -> float | None:
    """Return the geometric mean of the rates that were measured; None where none was."""
    logarithms = [math.log(rate) for rate in rates if rate is not None]
    return math.exp(float(np.mean(logarithms))) if logarithms else None


@dataclass(frozen=True)
class _Training:
    """One training of one seed.

    Attributes:
        loss: The loss of the test after training.
        solved_at: The first step at which the test's loss was below the task's threshold.
        seconds: The seconds of training, without the tests.
        parameters: The number of trained parameters.
        rate_before: The factor per step of the gradient's norm before training; None where it is not measured.
        rate_after: The same after training.
        curve: The test's loss by training step.
    """

    loss: float
    solved_at: int | None
    seconds: float
    parameters: int
    rate_before: float | None
    rate_after: float | None
    curve: tuple[CurvePoint, ...]


def _train(
    task: Task, learner: Learner, training_steps: int, seed: int, check_interrupt: Callable[[], None]
) -> _Training:
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 1])
    model = LearningModel.build(task, learner)
    parameters = model.parameters
    optimiser = torch.optim.Adam(parameters, lr=LEARNING_RATE)
    rate_before = model.gradient_rate()
    test = task.draw(np.random.default_rng([seed, 2]), TEST_SIZE)
    curve: list[CurvePoint] = []
    start, seconds, solved_at = time.perf_counter(), 0.0, None
    for step in range(1, training_steps + 1):
        check_interrupt()
        loss = model.loss(task.draw(rng, BATCH_SIZE))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
        optimiser.step()
        if step % TEST_INTERVAL == 0:
            seconds += time.perf_counter() - start
            curve.append(CurvePoint(step, model.test_loss(test)))
            if solved_at is None and curve[-1].value < task.solved:
                solved_at = step
            start = time.perf_counter()
    seconds += time.perf_counter() - start
    count = sum(parameter.numel() for parameter in parameters)
    return _Training(model.test_loss(test), solved_at, seconds, count, rate_before, model.gradient_rate(), tuple(curve))
