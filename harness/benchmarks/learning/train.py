"""Do they learn it? The tasks, trained with torch's layers; how far the gradient reached before and after.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, k outputs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.decay import decay
from rnn_harness.benchmarks.decay.jacobian_product import tangent
from rnn_harness.benchmarks.learning.task import Task
from rnn_harness.benchmarks.learning.tasks import TASKS
from rnn_harness.benchmarks.speed.stopwatch import interval
from rnn_harness.families import FAMILIES
from rnn_harness.records.measurement import CurvePoint, LearningMeasurement, stamp
from rnn_harness.references import Reference, get_reference

BATCH, RATE, CLIP, EVERY, TESTED = 64, 0.005, 1.0, 50, 512
"""Sequences a step, Adam's step size, the gradient's largest norm, steps between tests, sequences of a test."""


@dataclass(frozen=True)
class Learner:
    """A layer of torch, with the bias of its forget gate set to `forget`, or chrono's for lags up to `chrono`.

    `carries`: its state goes on from one window to the next (stateful), where a task has windows.
    """

    name: str
    family: str
    forget: float | None = None
    chrono: int | None = None
    both: bool = False
    carries: bool = False


LEARNERS = (
    Learner("RNN", "rnn"),
    Learner("GRU", "gru"),
    Learner("LSTM", "lstm"),
    Learner("LSTM, forget gate's bias 1", "lstm", forget=1.0),
    Learner("LSTM, chrono", "lstm", chrono=1),
)


def learners(task: Task, families: tuple[str, ...]) -> Iterator[Learner]:
    """Who tries a task: one direction and both where it needs the future; stateless and stateful, over windows."""
    for one in LEARNERS:
        plain = not one.forget and not one.chrono
        if one.family not in families or ((task.both or task.window or task.best) and not plain):
            continue
        yield replace(one, name=f"{one.name}, stateless") if task.window else one
        if task.both:
            yield replace(one, name=f"{one.name}, both directions", both=True)
        if task.window:
            yield replace(one, name=f"{one.name}, stateful", carries=True)


def learned(
    name: str, steps: int, learner: Learner, budget: int, seeds: int, tick: Callable[[], None] = lambda: None
) -> LearningMeasurement:
    """One learner on one task over some seeds: the losses of fresh sequences after `budget` steps of training."""
    task = TASKS[name](steps)
    rows = [_trained(task, learner, budget, seed, tick) for seed in range(seeds)]
    losses = interval([row.loss for row in rows])
    solved = [row.solved for row in rows if row.solved is not None]
    rates = [row.rates for row in rows if row.rates is not None]
    before, after = (
        (math.exp(float(np.mean([math.log(pair[k]) for pair in rates]))) for k in (0, 1)) if rates else (None, None)
    )
    return stamp(
        LearningMeasurement(
            subject=learner.name,
            spec=FAMILIES[learner.family].spec,
            task=task.name,
            task_title=task.title,
            sizes={"T": task.steps, "d": task.widths[learner.family], "layers": task.layers},
            training_steps=budget,
            dtype="float32",
            samples=tuple(row.loss for row in rows),
            median=losses.middle,
            ci_low=losses.low,
            ci_high=losses.high,
            chance=task.chance,
            best=task.best,
            seeds=seeds,
            seeds_solved=len(solved),
            steps_until_solved=float(np.median(solved)) if solved else None,
            seconds=float(np.median([row.seconds for row in rows])),
            parameters=rows[0].parameters,
            loss_curve=tuple(
                CurvePoint(step, float(np.median([row.curve[step] for row in rows]))) for step in rows[0].curve
            ),
            rate_before=before,
            rate_after=after,
        )
    )


@dataclass(frozen=True)
class _Trained:
    loss: float
    solved: int | None
    seconds: float
    parameters: int
    rates: tuple[float, float] | None
    curve: dict[int, float]


def _trained(task: Task, learner: Learner, budget: int, seed: int, tick: Callable[[], None]) -> _Trained:
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 1])
    d = task.widths[learner.family]
    layer_class = getattr(torch.nn, FAMILIES[learner.family].torch_class)
    layer = layer_class(task.inputs, d, task.layers, bidirectional=learner.both)
    _biased(layer, learner, task.steps)
    top = torch.nn.Linear(d * (2 if learner.both else 1), task.outputs)
    parameters = [*layer.parameters(), *top.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=RATE)
    plain = not learner.both and task.layers == 1
    before = _rate(layer, learner, task) if plain else None
    test = task.draw(np.random.default_rng([seed, 2]), TESTED)
    curve: dict[int, float] = {}
    start, spent, solved = time.perf_counter(), 0.0, None
    for step in range(1, budget + 1):
        tick()
        drawn = task.draw(rng, BATCH)
        loss = _loss(task, top(_shown(task, layer, drawn, learner.carries)), drawn[1])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimiser.step()
        if step % EVERY == 0:
            spent += time.perf_counter() - start
            curve[step] = _tested(task, layer, top, test, learner.carries)
            if solved is None and curve[step] < task.solved:
                solved = step
            start = time.perf_counter()
    spent += time.perf_counter() - start
    after = _rate(layer, learner, task) if plain else None
    rates = None if before is None or after is None else (before, after)
    count = sum(one.numel() for one in parameters)
    loss_now = _tested(task, layer, top, test, learner.carries)
    return _Trained(loss_now, solved, spent, count, rates, curve)


def _shown(task: Task, layer: Any, drawn: tuple[Array, Array], carries: bool) -> Any:
    """The states that are read: the last ones, or all; window by window, where there are windows."""
    import torch

    x: Any = torch.from_numpy(drawn[0])
    if not task.window:
        outputs = layer(x)[0]
        return outputs if task.every else outputs[-1]
    parts, state = [], None
    for part in x.split(task.window):
        shown, last = layer(part, state)
        parts.append(shown)
        # The gradient ends where a window does; the state goes on, or does not.
        ended = tuple(one.detach() for one in last) if isinstance(last, tuple) else last.detach()
        state = ended if carries else None
    return torch.cat(parts)


def _loss(task: Task, found: Any, targets: Array) -> Any:
    import torch

    if task.counts:
        return torch.nn.functional.mse_loss(found, torch.from_numpy(targets))
    flat = torch.from_numpy(targets.astype(np.int64)).reshape(-1)
    return torch.nn.functional.cross_entropy(found.reshape(-1, task.outputs), flat, ignore_index=-1)


def _tested(task: Task, layer: Any, top: Any, test: tuple[Array, Array], carries: bool) -> float:
    import torch

    with torch.no_grad():
        return float(_loss(task, top(_shown(task, layer, test, carries)), test[1]))


def _biased(layer: Any, learner: Learner, steps: int) -> None:
    """The forget gate's biases of a fresh LSTM; torch's second ones become zero there."""
    import torch

    if learner.forget is None and learner.chrono is None:
        return
    d = layer.hidden_size
    with torch.no_grad():
        first, second = layer.bias_ih_l0, layer.bias_hh_l0
        if learner.forget is not None:
            first[d : 2 * d], second[d : 2 * d] = learner.forget, 0
        else:
            lags = torch.empty(d).uniform_(1, max(2, steps - 1)).log()
            first[:d], first[d : 2 * d], second[: 2 * d] = -lags, lags, 0


def _rate(layer: Any, learner: Learner, task: Task) -> float:
    """The factor per step of the gradient's norm, on inputs N(0, 1), as `decay` measures it."""
    cell: Reference = get_reference(learner.family, **FAMILIES[learner.family].reference_options)
    letters = FAMILIES[learner.family].torch_gates
    d = layer.hidden_size
    weights = {name: value.detach().double().numpy() for name, value in layer.named_parameters()}
    made: dict[str, Array] = {}
    for k, letter in enumerate(letters):
        rows = slice(k * d, (k + 1) * d)
        made[f"W_x{letter}"] = weights["weight_ih_l0"][rows]
        made[f"W_h{letter}"] = weights["weight_hh_l0"][rows]
        inner = weights["bias_hh_l0"][rows]
        split = learner.family == "gru" and letter == "g"
        made[f"b_{letter}" if letter else "b"] = weights["bias_ih_l0"][rows] + (0 if split else inner)
        if split:
            made["b_hg"] = inner
    curve = decay(tangent(cell, made), task.inputs, 110, 0)
    return float(10 ** ((curve.norms[100] - curve.norms[10]) / 90))
