"""Relations of time, lengths and direction (M-08 to M-11, M-29 to M-32, M-37, M-39), and of purity (M-45 to M-47)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnn_harness.checks._check import Finding
from rnn_harness.checks._relation import (
    changed,
    close,
    equal,
    gradient_radii,
    output_radii,
    plain,
    recurrent,
    relation,
)
from rnn_harness.subjects import Subject
from rnn_harness.trial import Trial, flat


def _chunking(trial: Trial) -> Iterator[Finding]:
    """The sequence in two parts, the state carried; gradients handed back over the cut (M-08, M-39)."""
    d, cut = trial.drawn, trial.case.T // 2
    one = trial.subject.forward(d.parameters, d.inputs[:cut], d.states)
    two = trial.subject.forward(d.parameters, d.inputs[cut:], one.finals)
    joined = np.concatenate([one.outputs, two.outputs])
    radii = output_radii(trial)
    yield close(trial, "M-08 two chunks, the state carried", joined, trial.run.outputs, 2 * radii)
    late = trial.subject.backward(two, d.d_outputs[cut:], d.d_finals)
    early = trial.subject.backward(one, d.d_outputs[:cut], late.states)
    whole, limit = trial.flat_gradients, gradient_radii(trial)
    first, second = flat(early), flat(late)
    for name, value in whole.items():
        if name.startswith("parameters."):
            yield close(trial, f"M-39 {name} from two chunks", first[name] + second[name], value, 2 * limit[name])
        elif name.startswith("states."):
            yield close(trial, f"M-39 {name} from two chunks", first[name], value, 2 * limit[name])


def _causality(trial: Trial) -> Iterator[Finding]:
    d, cut = trial.drawn, trial.case.T - 1
    poisoned = d.inputs.copy()
    poisoned[cut:] += 1
    run = trial.subject.forward(d.parameters, poisoned, d.states)
    yield equal(trial, "M-09 outputs before a changed input", run.outputs[:cut], trial.run.outputs[:cut])


def _lengths(trial: Trial) -> Iterator[Finding]:
    """Rows of different lengths, padded with NaN, equal each row run alone; states freeze at the end (M-10)."""
    d, (steps, batch) = trial.drawn, (trial.case.T, trial.case.B)
    lengths = np.array([(row * 2 + 1) % (steps + 1) for row in range(batch)], dtype=np.intp)
    padded, cotangent = d.inputs.copy(), d.d_outputs.copy()
    alive = np.arange(steps)[:, None] < lengths
    cotangent[~alive] = np.nan
    run = trial.subject.forward(d.parameters, padded, d.states, lengths)
    found = trial.subject.backward(run, cotangent, d.d_finals)
    yield equal(trial, "M-10 outputs past the length", run.outputs[~alive], np.zeros_like(run.outputs[~alive])) if (
        not trial.subject.output
    ) else Finding(trial.subject.spec.id, True)
    total: dict[str, np.ndarray] = {}  # type: ignore[type-arg]
    limit: dict[str, np.ndarray] = {}  # type: ignore[type-arg]
    for row, length in enumerate(lengths):
        one = slice(row, row + 1)
        alone = changed(
            trial,
            inputs=d.inputs[:length, one],
            states={name: state[one] for name, state in d.states.items()},
            d_outputs=d.d_outputs[:length, one],
            d_finals={name: value[one] for name, value in d.d_finals.items()},
            lengths=None,
        )
        radii = output_radii(alone) if length else np.zeros_like(alone.run.outputs)
        yield close(trial, f"M-10 row {row} of length {length}", run.outputs[:length, one], alone.run.outputs, 2 * radii)
        for name, state in alone.run.finals.items():
            gap = np.abs(run.finals[name][one] - state).max()
            yield Finding(trial.subject.spec.id, bool(gap <= 2 * max(radii.max(initial=0), 0) + _ulp(state)), f"M-10 {name}")
        own, bounds = alone.flat_gradients, gradient_radii(alone)
        for name, value in own.items():
            if name.startswith("parameters.") and name in bounds:
                total[name] = total.get(name, 0) + value
                limit[name] = limit.get(name, 0) + 4 * bounds[name] + _ulp(value)
    for name, value in total.items():
        yield close(trial, f"M-10 {name} of padded rows", flat(found)[name], value, limit[name])


def _ulp(value: np.ndarray) -> float:  # type: ignore[type-arg]
    """One rounding of a sum, at the array's largest entry."""
    return float(np.spacing(np.abs(value).max(initial=0)).max())


def _reversal(trial: Trial) -> Iterator[Finding]:
    """Reversed input, swapped directions: reversed outputs, swapped halves (M-29)."""
    swap = {"forward": "backward", "backward": "forward"}

    def turn(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
        rows = {}
        for name, value in values.items():
            side, dot, rest = name.partition(".")
            rows[f"{swap[side]}.{rest}" if dot else name] = value
        return rows

    d = trial.drawn
    parameters = turn(d.parameters)
    width = trial.case.d
    if "W_y" in parameters:
        weight = parameters["W_y"]
        parameters["W_y"] = np.concatenate([weight[:, width:], weight[:, :width]], axis=1)
    run = trial.subject.forward(parameters, d.inputs[::-1], turn(d.states))
    limit = 2 * output_radii(trial)
    yield close(trial, "M-29 time reversed, directions swapped", run.outputs[::-1], trial.run.outputs, limit)


def _forward_half(trial: Trial) -> Iterator[Finding]:
    """The forward half does not know the backward cell (M-30)."""
    d = trial.drawn
    moved = {k: v + 1 if k.startswith("backward.") else v for k, v in d.parameters.items()}
    run = trial.subject.forward(moved, d.inputs, d.states)
    name = "forward.hidden_state"
    yield equal(trial, "M-30 the forward half alone", run.trace[name], trial.run.trace[name])


def _composition(trial: Trial) -> Iterator[Finding]:
    """A stack is its cells one after the other (M-32)."""
    from rnn_harness.references.stacked import Stacked, selected

    d, cell = trial.drawn, trial.subject.cell
    if not isinstance(getattr(cell, "cells", None), tuple):
        return
    inputs = d.inputs
    for i, one in enumerate(cell.cells):  # type: ignore[attr-defined]
        alone = Stacked((one,))
        parameters = {f"layer0.{k}": v for k, v in selected(f"layer{i}", d.parameters).items()}
        states = {f"layer0.{k}": v for k, v in selected(f"layer{i}", d.states).items()}
        inputs = alone.forward(parameters, inputs, states).outputs
    yield equal(trial, "M-32 layer by layer", trial.run.outputs, inputs)


def _additivity(trial: Trial) -> Iterator[Finding]:
    """Gradients of two losses add up (M-37; 003:345, 003:357)."""
    d = trial.drawn
    half = np.zeros_like(d.d_outputs)
    half[::2] = d.d_outputs[::2]
    zero = {name: np.zeros_like(value) for name, value in d.d_finals.items()}
    one = flat(trial.subject.backward(trial.run, half, d.d_finals))
    two = flat(trial.subject.backward(trial.run, d.d_outputs - half, zero))
    limit = gradient_radii(trial)
    for name, value in trial.flat_gradients.items():
        if name in limit:
            bound = limit[name] * 4 + _ulp(one[name]) + _ulp(two[name])
            yield close(trial, f"M-37 {name} adds up", one[name] + two[name], value, bound)


def _purity(trial: Trial) -> Iterator[Finding]:
    """Same call, same bits; nothing given is changed; a second backward equals the first (M-45)."""
    d, subject = trial.drawn, trial.subject
    before = {name: value.copy() for name, value in trial.flat_values.items()}
    run = subject.forward(d.parameters, d.inputs, d.states)
    first = {name: value.copy() for name, value in flat(subject.backward(run, d.d_outputs, d.d_finals)).items()}
    kept = run.outputs.copy()
    second = flat(subject.backward(run, d.d_outputs, d.d_finals))
    again = subject.forward(d.parameters, d.inputs, d.states)
    yield equal(trial, "M-45 a second forward", again.outputs, kept)
    yield equal(trial, "M-45 outputs after the backward", run.outputs, kept)
    for name, value in first.items():
        yield equal(trial, f"M-45 a second backward, {name}", second[name], value)
    for name, value in before.items():
        yield equal(trial, f"M-45 {name} after the calls", trial.flat_values[name], value)


def _layout(trial: Trial) -> Iterator[Finding]:
    """Strided and Fortran-ordered arrays give what contiguous ones give (M-46)."""
    d = trial.drawn
    spread = np.repeat(d.inputs, 2, axis=1)[:, ::2]
    turned = {name: np.asfortranarray(value) for name, value in d.parameters.items()}
    run = trial.subject.forward(turned, spread, d.states)
    yield close(trial, "M-46 another memory layout", run.outputs, trial.run.outputs, 2 * output_radii(trial))


def _dtype(trial: Trial) -> Iterator[Finding]:
    """float64 on the same numbers lies within this dtype's bound (M-47)."""
    d = trial.drawn
    wide = {name: value.astype(np.float64) for name, value in d.parameters.items()}
    states = {name: value.astype(np.float64) for name, value in d.states.items()}
    run = trial.subject.forward(wide, d.inputs.astype(np.float64), states)
    yield close(trial, "M-47 in float64", run.outputs, trial.run.outputs, 2 * output_radii(trial))


def _bidirectional(subject: Subject) -> bool:
    return subject.cell.name == "bidirectional"


def _any(subject: Subject) -> bool:
    return True


CHECKS = (
    relation("M-08 time chunking", recurrent, _chunking),
    relation("M-09 causality", lambda s: s.cell.name != "bidirectional", _causality),
    relation("M-10 lengths", plain, _lengths),
    relation("M-29 time reversal", _bidirectional, _reversal),
    relation("M-30 forward half", _bidirectional, _forward_half),
    relation("M-32 composition", lambda s: s.cell.name == "stacked", _composition),
    relation("M-37 additivity", _any, _additivity),
    relation("M-45 purity", _any, _purity),
    relation("M-46 layout", _any, _layout),
    relation("M-47 dtype", _any, _dtype),
)
