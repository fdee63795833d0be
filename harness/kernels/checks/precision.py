"""How precise a kernel is: in the bound of its own format, or recognised as something coarser; step by step.

Over a long sequence a bound proved from the start grows until it says nothing. So the kernel is restarted from its
own states, and every step (and its gradient) must lie in the bound of one or two steps. How far the sequence as a
whole has drifted from the truth is reported as well, split into what one step creates and what the recurrence makes of
it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic import NumpyArithmetic, Trajectory, evaluate
from rnn_harness.array_types import Array
from rnn_harness.checks.backward import bound as backward_bound
from rnn_harness.checks.check import (
    Check,
    Finding,
    applies_to_all,
    compare_with_array_balls,
    compare_with_balls,
    worst_finding,
)
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.judging_options import NARROW
from rnn_harness.evaluation.own_states import bounds_from_own_states
from rnn_harness.kernels.checks.parallel_steps import judge_outputs
from rnn_harness.kernels.checks.recognise_arithmetic import recognise
from rnn_harness.subjects.case_arrays import CaseArrays, draw_arrays, representable

EVERY = ("float64", "float32", "bfloat16", "float16")
PLACES = 12
"""Steps of a long sequence at which its states are compared."""
TERMS = 4096
"""Terms of the sums that `precision.accumulation` looks at."""
SINGLE_SIGN_SCALE = 32
"""Weights are drawn for a sum of random signs; of one sign it is larger by half the root of the number of terms."""


def _format(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare the outputs with the bound of the kernel's format; outside of it, name the arithmetic they look like."""
    name = evaluation.subject.output_name
    balls = np.stack([step[name] for step in evaluation.balls.steps])
    finding = compare_with_balls(evaluation.subject.spec.id, f"output {name}", balls, evaluation.run.outputs)
    if not finding.agrees:
        arithmetic = recognise(evaluation)
        explanation = f"; this is what {arithmetic} gives" if arithmetic else "; no known arithmetic explains it"
        precision = f"effective precision {finding.bits or 0:.1f} bits"
        finding = replace(finding, detail=f"{finding.detail}; {precision}{explanation}")
    yield finding


def _accumulation(evaluation: Evaluation) -> Iterator[Finding]:
    """Sum 4,096 terms of one sign that come to about 1: in a narrow format the sum would stop growing half way."""
    arrays = draw_arrays(evaluation.case.model_copy(update={"n": TERMS, "T": 1}), evaluation.subject)
    positive = {
        name: representable(np.abs(value) / SINGLE_SIGN_SCALE, evaluation.case.dtype)
        if value.shape[-1] == TERMS
        else value
        for name, value in arrays.parameters.items()
    }
    yield from _format(evaluation.on(replace(arrays, parameters=positive, inputs=np.abs(arrays.inputs))))


@dataclass(frozen=True)
class _RestartedRun:
    """The kernel's own states around K steps of a sequence that is run in pieces.

    Each piece starts from the state in which the last piece ended.

    Attributes:
        places: The indices of the steps.
        before: The states (K, d) before those steps, by name.
        after: The states (K, d) after them.
    """

    places: list[int]
    before: dict[str, Array]
    after: dict[str, Array]


def _run_in_pieces(evaluation: Evaluation, whole: Evaluation) -> _RestartedRun:
    """Run a sequence in pieces, each once to its last step and once to the step before it.

    What is called once for each step would make the same calls twice: its last step begins where the others ended, and
    what it gives back as its only state is taken from the run of all steps. `whole` has that run.
    """
    sequence = whole.arrays
    if any(name.startswith("finals.") for name in evaluation.absent):
        raise NotRun("a state does not come back, so that no run can start where another ended")
    steps = len(sequence.inputs)
    places = [int(place) for place in np.unique(np.linspace(2, steps - 1, PLACES).astype(int))]
    is_single_step = evaluation.options.is_single_step
    if is_single_step and list(evaluation.subject.states) == [evaluation.subject.output_name]:
        (name,) = sequence.states  # its outputs are its states: the run of all of it has them already
        around = [whole.run.outputs[[place + shift for place in places], 0] for shift in (-1, 0)]
        return _RestartedRun(places, *({name: states} for states in around))

    def run(start: int, stop: int, state: dict[str, Array]) -> dict[str, Array]:
        return evaluation.subject.forward(sequence.parameters, sequence.inputs[start:stop], state).finals

    before, after, state, start = [], [], dict(sequence.states), 0
    for place in places:
        before.append(run(start, place, state))
        after.append(run(place, place + 1, before[-1]) if is_single_step else run(start, place + 1, state))
        state, start = after[-1], place + 1
    before.append(before[-1] if is_single_step else run(0, steps - 1, dict(sequence.states)))
    after.append(dict(whole.run.finals))

    def joined(states: list[dict[str, Array]]) -> dict[str, Array]:
        return {name: np.concatenate([state[name] for state in states]) for name in sequence.states}

    return _RestartedRun([*places, steps - 1], joined(before), joined(after))


def _window(sequence: CaseArrays, pieces: _RestartedRun, steps: int) -> CaseArrays:
    """Give `steps` steps of the sequence from each of the kernel's own states, as the K rows of one batch."""
    rows = len(pieces.places)
    starts = [min(place, len(sequence.inputs) - steps) for place in pieces.places]
    return replace(
        sequence,
        case=sequence.case.model_copy(update={"T": steps, "B": rows}),
        inputs=np.concatenate([sequence.inputs[start : start + steps] for start in starts], axis=1),
        states=pieces.before,
        d_outputs=np.concatenate([sequence.d_outputs[start : start + steps] for start in starts], axis=1),
        d_finals={name: np.repeat(value, rows, axis=0) for name, value in sequence.d_finals.items()},
    )


def _compare_single_steps(evaluation: Evaluation, sequence: CaseArrays, pieces: _RestartedRun) -> Iterator[Finding]:
    """Compare the steps of the long run: from the state before a place to the state after it."""
    single_step = evaluation.on(_window(sequence, pieces, 1))
    for name, source in evaluation.subject.states.items():
        quantity = f"state {source} after a long run, from the kernel's own state before"
        yield compare_with_balls(
            evaluation.subject.spec.id, quantity, single_step.balls.steps[0][name], pieces.after[source]
        )


def _drift(evaluation: Evaluation, sequence: CaseArrays, pieces: _RestartedRun) -> tuple[float, float]:
    """Give (largest |kernel's state - true state| at the places, largest |true state|), the truth in a wider format."""
    arithmetic = NumpyArithmetic(np.longdouble if sequence.case.dtype == "float64" else np.float64)
    true = evaluate_sequence(evaluation, sequence, arithmetic)
    worst, scale = 0.0, 0.0
    for name, source in evaluation.subject.states.items():
        expected = np.concatenate([true.steps[place][name] for place in pieces.places])
        worst = max(worst, float(np.max(np.abs(pieces.after[source] - expected))))
        scale = max(scale, float(np.max(np.abs(expected))))
    return worst, scale


def evaluate_sequence(evaluation: Evaluation, sequence: CaseArrays, arithmetic: NumpyArithmetic) -> Trajectory[Array]:
    """Evaluate the spec on a sequence.

    Args:
        evaluation: An evaluation of the same subject.
        sequence: The numbers.
        arithmetic: The format in which the equations are evaluated.
    """
    values = evaluation.subject.values(sequence.parameters, sequence.inputs, sequence.states, sequence.case.sizes)
    return evaluate(evaluation.program, values, arithmetic)


def _all_steps(whole: Evaluation) -> Iterator[Finding]:
    """Compare the outputs of all steps of one run, each with the bound from the subject's own states before it."""
    bounds = bounds_from_own_states(whole)
    name, outputs, entry = whole.subject.output_name, whole.run.outputs, whole.subject.spec.id
    if not bounds.is_finite:
        return  # states that nobody sees have no bound over so many steps: that decides nothing
    finding = compare_with_array_balls(entry, f"output {name}", bounds, outputs)
    yield replace(finding, detail=f"over {len(outputs)} steps {finding.detail}" if finding.detail else "")


def _long(evaluation: Evaluation) -> Iterator[Finding]:
    """Judge a long sequence, of as many steps as the options say, as sharply as two steps."""
    if any(spec_pass.direction < 0 for spec_pass in evaluation.program.passes):
        raise NotRun("both directions have no common state to restart from; each is judged in its own kernel")
    case = evaluation.case.model_copy(update={"T": evaluation.options.long_steps, "B": 1, "scale": 0.5})
    sequence = draw_arrays(case, evaluation.subject)
    whole = evaluation.on(sequence)
    pieces = _run_in_pieces(evaluation, whole)
    total, scale = _drift(evaluation, sequence, pieces)
    if not scale <= float(np.finfo(whole.run.outputs.dtype).max):  # what is no number is not less either
        raise NotRun(f"the equations leave the range of {case.dtype} within {case.T} steps")
    two_steps = evaluation.on(_window(sequence, pieces, 2))
    single_step = worst_finding(list(_compare_single_steps(evaluation, sequence, pieces)))
    findings = [judge_outputs(whole, worst_finding([single_step, *_all_steps(whole)]))]
    with contextlib.suppress(NotRun):  # what has no gradients is judged by its states
        findings += backward_bound(two_steps)
    finding = worst_finding(findings)
    bits = -np.log2(total / scale) if total > 0 else float("inf")
    created = single_step.error or 0.0
    drift = (
        f"over {len(sequence.inputs)} steps the state is off by at most {total:.2g} ({bits:.1f} bits); one step "
        f"creates at most {created:.2g}, the recurrence makes {total / created if created else 0:.1f} times that of it"
    )
    detail = f"{finding.detail}; {drift}" if finding.detail else drift
    yield replace(finding, detail=detail, bits=bits)


CHECKS = (
    Check("precision.format", "kernel", applies_to_all, _format, dtypes=EVERY),
    Check("precision.accumulation", "kernel", applies_to_all, _accumulation, dtypes=NARROW, is_large=True),
    Check("precision.long", "kernel", applies_to_all, _long, dtypes=EVERY, is_large=True),
)
