"""How precise a kernel is: in the bound of its own format, or recognised as something coarser; step by step.

Over a long sequence a bound proved from the start grows without use. So the kernel is restarted from its own states,
and every step (and its gradient) is held to the bound of one or two steps; how far the whole has drifted from the
truth is told beside it, split into what one step creates and what the recurrence makes of it.

Dimension legend: T time steps, B batch rows, d hidden size, K places looked at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic import NumpyArithmetic, Trajectory, evaluate
from rnn_harness.arithmetic.assumptions import LONG_MARGIN, SCREEN, SCREEN_SINGLE
from rnn_harness.array_types import Array
from rnn_harness.checks.backward import bound as backward_bound
from rnn_harness.checks.check import Check, Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.judging_options import NARROW
from rnn_harness.kernels.checks.recognise_arithmetic import recognise
from rnn_harness.subjects.case_arrays import CaseArrays, draw_arrays, representable

EVERY = ("float64", "float32", "bfloat16", "float16")
PLACES = 12
TERMS, SHARE = 4096, 32
"""Weights are drawn for a sum of random signs; of one sign it is larger by half the root of the number of terms."""


def _format(evaluation: Evaluation) -> Iterator[Finding]:
    """Outputs in the bound of the kernel's format, or what they look like instead."""
    name = evaluation.subject.output_name
    balls = np.stack([step[name] for step in evaluation.balls.steps])
    found = compare_with_balls(evaluation.subject.spec.id, f"output {name}", balls, evaluation.run.outputs)
    if not found.agrees:
        told = recognise(evaluation)
        looks = f"; this is what {told} gives" if told else "; no known arithmetic explains it"
        found = replace(found, detail=f"{found.detail}; effective precision {found.bits or 0:.1f} bits{looks}")
    yield found


def _accumulation(evaluation: Evaluation) -> Iterator[Finding]:
    """Sums of 4,096 terms of one sign that come to about 1: in a narrow format they would stop growing half way."""
    arrays = draw_arrays(evaluation.case.model_copy(update={"n": TERMS, "T": 1}), evaluation.subject)
    positive = {
        name: representable(np.abs(value) / SHARE, evaluation.case.dtype) if value.shape[-1] == TERMS else value
        for name, value in arrays.parameters.items()
    }
    yield from _format(evaluation.on(replace(arrays, parameters=positive, inputs=np.abs(arrays.inputs))))


@dataclass(frozen=True)
class _Walk:
    """The kernel's own states (K, d) by name: `before` and `after` the step with index `places`, of one and the same
    run; each piece of the sequence is run from the state in which the last one ended.
    """

    places: list[int]
    before: dict[str, Array]
    after: dict[str, Array]


def _walk(evaluation: Evaluation, whole: CaseArrays) -> _Walk:
    """Run the sequence in pieces, each once to its last step and once to the step before; then all of it at once."""
    steps = len(whole.inputs)
    places = [int(place) for place in np.unique(np.linspace(2, steps - 1, PLACES).astype(int))]

    def run(start: int, stop: int, state: dict[str, Array]) -> dict[str, Array]:
        return evaluation.subject.forward(whole.parameters, whole.inputs[start:stop], state).finals

    before, after, state, start = [], [], dict(whole.states), 0
    for place in places:
        before.append(run(start, place, state))
        after.append(run(start, place + 1, state))
        state, start = after[-1], place + 1
    before.append(run(0, steps - 1, dict(whole.states)))
    after.append(run(0, steps, dict(whole.states)))

    def rows(found: list[dict[str, Array]]) -> dict[str, Array]:
        return {name: np.concatenate([one[name] for one in found]) for name in whole.states}

    return _Walk([*places, steps - 1], rows(before), rows(after))


def _window(whole: CaseArrays, walk: _Walk, steps: int) -> CaseArrays:
    """So many steps from each of the kernel's own states, as the rows of one batch."""
    rows = len(walk.places)
    starts = [min(place, len(whole.inputs) - steps) for place in walk.places]
    return replace(
        whole,
        case=whole.case.model_copy(update={"T": steps, "B": rows}),
        inputs=np.concatenate([whole.inputs[start : start + steps] for start in starts], axis=1),
        states=walk.before,
        d_outputs=np.concatenate([whole.d_outputs[start : start + steps] for start in starts], axis=1),
        d_finals={name: np.repeat(value, rows, axis=0) for name, value in whole.d_finals.items()},
    )


def _inside(evaluation: Evaluation, whole: CaseArrays, walk: _Walk) -> Iterator[Finding]:
    """The long run's own step: from the state before a place to the one after it."""
    one = evaluation.on(_window(whole, walk, 1))
    for name, source in evaluation.subject.states.items():
        what = f"state {source} after a long run, from the kernel's own state before"
        yield compare_with_balls(evaluation.subject.spec.id, what, one.balls.steps[0][name], walk.after[source])


def _drift(evaluation: Evaluation, whole: CaseArrays, walk: _Walk) -> tuple[float, float]:
    """(largest |own state - true state| at the places, largest |true state|), the truth in a wider format."""
    arithmetic = NumpyArithmetic(np.longdouble if whole.case.dtype == "float64" else np.float64)
    true = _evaluated(evaluation, whole, arithmetic)
    worst, scale = 0.0, 0.0
    for name, source in evaluation.subject.states.items():
        expected = np.concatenate([true.steps[place][name] for place in walk.places])
        worst = max(worst, float(np.max(np.abs(walk.after[source] - expected))))
        scale = max(scale, float(np.max(np.abs(expected))))
    return worst, scale


def _evaluated(evaluation: Evaluation, whole: CaseArrays, arithmetic: NumpyArithmetic) -> Trajectory[Array]:
    values = evaluation.subject.values(whole.parameters, whole.inputs, whole.states, whole.case.sizes)
    return evaluate(evaluation.program, values, arithmetic)


def _outputs(evaluation: Evaluation, whole: CaseArrays) -> Finding:
    """The outputs of all steps, screened against the equations in a wider format.

    No bound is proved over so many steps. What the recurrence makes of rounding is measured instead, on the equations
    in the kernel's own format; where that is nothing to speak of, a right kernel's outputs cannot stray far either.
    """
    single = whole.case.dtype == "float32"
    name, entry = evaluation.subject.output_name, evaluation.subject.spec.id
    formats = (np.float64, np.float32) if single else (np.longdouble, np.float64)
    true, own = (
        np.stack([step[name] for step in _evaluated(evaluation, whole, NumpyArithmetic(one)).steps]) for one in formats
    )
    gap = np.abs(evaluation.subject.forward(whole.parameters, whole.inputs, whole.states).outputs - true)
    control, scale = float(np.max(np.abs(own - true))), float(np.max(np.abs(true)))
    allowed = (SCREEN_SINGLE if single else SCREEN) * scale + LONG_MARGIN * control
    if (gap <= allowed).all():
        return Finding(entry, True, "", 0.0)
    step = int(np.argmax(~(gap <= allowed).all(axis=(1, 2))))
    told = f"the output of step {step} is off by {float(gap[step].max()):.3g}, allowed {allowed:.3g}"
    return Finding(entry, False, f"over {len(true)} steps {told}", float("inf"))


def _long(evaluation: Evaluation) -> Iterator[Finding]:
    """A sequence of 1,000 steps (50 where a kernel is interpreted), judged as sharply as two."""
    if any(one.direction < 0 for one in evaluation.program.passes):
        raise NotRun("both directions have no common state to restart from; each is judged in its own kernel")
    case = evaluation.case.model_copy(update={"T": evaluation.options.long_steps, "B": 1, "scale": 0.5})
    whole = draw_arrays(case, evaluation.subject)
    walk = _walk(evaluation, whole)
    again = evaluation.on(_window(whole, walk, 2))
    inside = worst_finding(list(_inside(evaluation, whole, walk)))
    rows = [inside]
    if evaluation.case.dtype not in NARROW and evaluation.options.operands is None:
        rows.append(_outputs(evaluation, whole))
    with contextlib.suppress(NotRun):  # what has no gradients is judged by its states
        rows += backward_bound(again)
    found = worst_finding(rows)
    total, scale = _drift(evaluation, whole, walk)
    bits = -np.log2(total / scale) if total > 0 else float("inf")
    created = inside.error or 0.0
    told = (
        f"over {len(whole.inputs)} steps the state is off by at most {total:.2g} ({bits:.1f} bits); one step creates "
        f"at most {created:.2g}, the recurrence makes {total / created if created else 0:.1f} times that of it"
    )
    detail = f"{found.detail}; {told}" if found.detail else told
    yield replace(found, detail=detail, bits=bits)


CHECKS = (
    Check("precision.format", "kernel", applies_to_all, _format, dtypes=EVERY),
    Check("precision.accumulation", "kernel", applies_to_all, _accumulation, dtypes=NARROW),
    Check("precision.long", "kernel", applies_to_all, _long, dtypes=EVERY),
)
