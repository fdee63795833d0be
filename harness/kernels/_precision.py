"""How precise a kernel is: in the bound of its own format, or recognised as something coarser; step by step.

Over a long sequence a bound proved from the start grows without use. So the kernel is restarted from its own states,
and every step (and its gradient) is held to the bound of one or two steps; how far the whole has drifted from the
truth is told beside it, split into what one step creates and what the recurrence makes of it.

Dimension legend: T time steps, B batch rows, d hidden size, K places looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.arithmetic import NumpyArithmetic, evaluate
from rnn_harness.arithmetic._ball import BallArithmetic, Rounding
from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.cases import Drawn, draw
from rnn_harness.checks._backward import bound as backward_bound
from rnn_harness.checks._check import Check, Finding, always, merge, within
from rnn_harness.errors import NotRun
from rnn_harness.kernels._trial import KernelTrial, rounding
from rnn_harness.trial import Trial

Array = NDArray[Any]
EVERY = ("float64", "float32", "bfloat16", "float16")
LONG = 1000
PLACES = 12
_TF32 = Fraction(1, 2**10)
"""TF32 keeps 10 bits of the significand; some units cut it off, which is twice the error of rounding."""
_APPROXIMATE = Fraction(1, 2**10)
"""The hardware's approximate tanh is within 2^-10.987 of the true value, relatively."""


def hypotheses(dtype: str) -> Iterator[tuple[str, Rounding]]:
    """Coarser arithmetics by name, the finest first."""
    own = rounding(dtype)
    if dtype == "float32":
        yield "approximate tanh and sigmoid (about 10 bits)", replace(own, functions=_APPROXIMATE)
        yield "TF32 matrix products", replace(own, operands=_TF32)
        yield "TF32 matrix products and approximate functions", replace(own, operands=_TF32, functions=_APPROXIMATE)
    if dtype in ("float32", "float64"):
        coarser = ("float32", "bfloat16", "float16") if dtype == "float64" else ("bfloat16", "float16")
        for name in coarser:
            short = UNIT_ROUNDOFF[name]
            yield f"matrix products of {name} operands", replace(own, operands=short)
            yield f"{name} arithmetic, accumulated in float32", rounding(name)
    else:
        yield f"sums accumulated in {dtype}", replace(own, wide=None)


def recognise(trial: Trial, dtype: str) -> str:
    """The finest of the hypotheses whose bound holds the outputs; empty if none does."""
    name = trial.subject.output_name
    for told, rule in hypotheses(dtype):
        steps = evaluate(trial.program, trial.values, BallArithmetic(rule)).steps
        if within("", "", np.stack([step[name] for step in steps]), trial.run.outputs).agrees:
            return told
    return ""


def _format(trial: Trial) -> Iterator[Finding]:
    """Outputs in the bound of the kernel's format, or what they look like instead."""
    name = trial.subject.output_name
    balls = np.stack([step[name] for step in trial.balls.steps])
    found = within(trial.subject.spec.id, f"output {name}", balls, trial.run.outputs)
    if not found.agrees:
        told = recognise(trial, trial.case.dtype)
        looks = f"; this is what {told} gives" if told else "; no known arithmetic explains it"
        found = replace(found, detail=f"{found.detail}; effective precision {found.bits or 0:.1f} bits{looks}")
    yield found


def _boundaries(trial: KernelTrial, whole: Drawn) -> dict[str, list[Array]]:
    """The kernel's own states at K places of the sequence, by running it from one place to the next."""
    steps = len(whole.inputs)
    places = np.unique(np.linspace(1, steps - 2, PLACES).astype(int))
    state, start = dict(whole.states), 0
    found: dict[str, list[Array]] = {name: [] for name in state}
    for stop in places:
        state = trial.subject.forward(whole.parameters, whole.inputs[start:stop], state).finals
        start = int(stop)
        for name, value in state.items():
            found[name].append(value)
    return found | {"": [np.array(place) for place in places]}


def _windows(whole: Drawn, own: dict[str, list[Array]]) -> Drawn:
    """Two steps from each of the kernel's own states, as the rows of one batch."""
    places = [int(place) for place in own[""]]
    names = list(whole.states)
    rows = len(places)
    return replace(
        whole,
        case=whole.case.model_copy(update={"T": 2, "B": rows}),
        inputs=np.concatenate([whole.inputs[place : place + 2] for place in places], axis=1),
        states={name: np.concatenate(own[name]) for name in names},
        d_outputs=np.concatenate([whole.d_outputs[place : place + 2] for place in places], axis=1),
        d_finals={name: np.repeat(whole.d_finals[name], rows, axis=0) for name in names},
    )


def _drift(trial: KernelTrial, whole: Drawn, own: dict[str, list[Array]]) -> tuple[float, float]:
    """(largest |own state - true state| at the places, largest |true state|), the truth in a wider format."""
    arithmetic = NumpyArithmetic(np.longdouble if whole.case.dtype == "float64" else np.float64)
    values = trial.subject.values(whole.parameters, whole.inputs, whole.states, whole.case.sizes)
    true = evaluate(trial.program, values, arithmetic)
    worst, scale = 0.0, 0.0
    for name, source in trial.subject.states.items():
        for place, state in zip(own[""], own[source], strict=True):
            expected = true.steps[int(place) - 1][name]
            worst = max(worst, float(np.max(np.abs(state - expected))))
            scale = max(scale, float(np.max(np.abs(expected))))
    return worst, scale


def _long(trial: Trial) -> Iterator[Finding]:
    """A sequence of 1,000 steps, judged as sharply as two."""
    assert isinstance(trial, KernelTrial)
    if any(one.direction < 0 for one in trial.program.passes):
        raise NotRun("both directions have no common state to restart from; each is judged in its own kernel")
    case = trial.case.model_copy(update={"T": LONG, "B": 1, "scale": 0.5})
    whole = draw(case, trial.subject)
    own = _boundaries(trial, whole)
    again = trial.on(_windows(whole, own))
    name = trial.subject.output_name
    balls = np.stack([step[name] for step in again.balls.steps])
    forward = within(trial.subject.spec.id, f"output {name}, from the kernel's own states", balls, again.run.outputs)
    found = merge([forward, *backward_bound(again)])
    total, scale = _drift(trial, whole, own)
    bits = -np.log2(total / scale) if total > 0 else float("inf")
    created = forward.error or 0.0
    told = (
        f"over {LONG} steps the state is off by at most {total:.2g} ({bits:.1f} bits); "
        f"two steps create at most {created:.2g}, the recurrence makes {total / created if created else 0:.1f} times that"
    )
    detail = f"{found.detail}; {told}" if found.detail else told
    yield replace(found, detail=detail, bits=bits)


CHECKS = (
    Check("precision.format", "kernel", always, _format, dtypes=EVERY),
    Check("precision.long", "kernel", always, _long, dtypes=EVERY),
)
