"""Time: chunks, prefixes, lengths, iteration instead of a scan. M-08 to M-11, M-39, M-49.

Every property takes the subject on the numbers of a case, and yields comparisons that must hold (see the package).
"""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.checks.metamorphic.batch import rows_of
from rnn_harness.checks.metamorphic.cell_traits import Traits, everything
from rnn_harness.checks.metamorphic.comparison import Comparison, close, identical
from rnn_harness.checks.metamorphic.property import metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.parameter_role import OUTPUT_LAYER


def _causal(traits: Traits) -> bool:
    return traits.causal


def _causal_recurrent(traits: Traits) -> bool:
    return traits.causal and traits.recurrent


def steps_of(arrays: CaseArrays, start: int, stop: int) -> CaseArrays:
    """Return only the steps from `start` to `stop`, all rows at full length; the initial states stay.

    Args:
        arrays: The arrays of a case; they are not changed.
        start: The first step, from 0.
        stop: The step after the last.
    """
    return replace(arrays, inputs=arrays.inputs[start:stop], d_outputs=arrays.d_outputs[start:stop], lengths=None)


@metamorphic_property(
    "chunking", "M-08", "a sequence in chunks gives the same as the whole", "rounding", _causal_recurrent
)
def chunking(original: SubjectRun) -> Iterator[Comparison]:
    """M-08: S(X[0:T], s) = S(X[k:T], S(X[0:k], s)).

    Args:
        original: A recurrent subject that runs forward in time alone; every border from 1 to T - 1 is tried, and
            lengths are ignored.
    """
    full = original.at_full_length()
    steps = len(full.arrays.inputs)
    for k in range(1, steps):
        first = full.at(steps_of(full.arrays, 0, k))
        second = full.at(replace(steps_of(full.arrays, k, steps), states=dict(first.run.finals)))
        for name, value in full.run.finals.items():
            yield close(
                f"final {name} after {k}+{steps - k} steps",
                value,
                second.run.finals[name],
                lambda: 2 * full.radii.finals[name],
            )
        yield close(
            f"outputs after {k} steps",
            full.run.outputs[k:],
            second.run.outputs,
            lambda: 2 * full.radii.outputs[k:],
        )


@metamorphic_property("causality", "M-09", "later inputs change nothing earlier", "bitwise", _causal)
def causality(original: SubjectRun) -> Iterator[Comparison]:
    """M-09: Outputs up to t stay bit for bit when every input after t is replaced.

    Args:
        original: A subject that runs forward in time alone; with T = 1 nothing is yielded, and lengths are ignored.
    """
    full = original.at_full_length()
    for k in range(1, len(full.arrays.inputs)):
        inputs = full.arrays.inputs.copy()
        inputs[k:] = -inputs[k:] + 1
        with_other_inputs = full.at(replace(full.arrays, inputs=inputs))
        yield identical(f"outputs up to step {k}", full.run.outputs[:k], with_other_inputs.run.outputs[:k])


@metamorphic_property(
    "sequence-lengths", "M-10", "rows of different lengths give what each gives alone", "rounding", everything
)
def sequence_lengths(original: SubjectRun) -> Iterator[Comparison]:
    """M-10: Masked results equal the rows' own; outputs past the end are zero, final states those at the end.

    Args:
        original: Any subject on a case; its rows get the lengths T, T - 1, ..., 1, and T again, whatever theirs are.
    """
    arrays = original.arrays
    steps, batch = arrays.inputs.shape[:2]
    wanted = np.array([steps - row % steps for row in range(batch)], dtype=np.intp)
    masked = original.at(replace(arrays, lengths=wanted))
    for row, length in enumerate(wanted):
        rows = slice(row, row + 1)
        alone = original.at(steps_of(rows_of(replace(arrays, lengths=None), rows), 0, int(length)))
        outputs = masked.run.outputs[:, rows]
        yield close(
            f"outputs of a row of length {length}",
            outputs[:length],
            alone.run.outputs,
            lambda: 2 * alone.radii.outputs,
        )
        yield identical(f"outputs past the length {length}", outputs[length:], np.zeros_like(outputs[length:]))
        for name, value in alone.run.finals.items():
            yield close(
                f"final {name} of a row of length {length}",
                masked.run.finals[name][rows],
                value,
                lambda: 2 * alone.radii.finals[name],
            )


@metamorphic_property(
    "gradients-with-lengths",
    "M-10b",
    "gradients of rows of different lengths add up to the rows' own",
    "rounding",
    everything,
)
def gradients_with_lengths(original: SubjectRun) -> Iterator[Comparison]:
    """M-10b: Nothing flows back from past a row's end: neither its output gradient nor its frozen state's slope.

    Args:
        original: Any subject on a case; its rows get the lengths T, T - 1, ..., 1, and T again, whatever theirs are.
    """
    arrays = original.arrays
    steps, batch = arrays.inputs.shape[:2]
    wanted = np.array([steps - row % steps for row in range(batch)], dtype=np.intp)
    masked = original.at(replace(arrays, lengths=wanted))
    alone = [
        original.at(steps_of(rows_of(replace(arrays, lengths=None), slice(row, row + 1)), 0, int(length)))
        for row, length in enumerate(wanted)
    ]
    for name, value in masked.gradients.parameters.items():
        yield close(
            f"gradient of {name}",
            value,
            sum(row_run.gradients.parameters[name] for row_run in alone),
            lambda: 2 * masked.gradient_radii.parameters[name],
        )
    for row, (row_run, length) in enumerate(zip(alone, wanted, strict=True)):
        yield close(
            f"input gradient of a row of length {length}",
            masked.gradients.inputs[:length, row : row + 1],
            row_run.gradients.inputs,
            lambda: 2 * row_run.gradient_radii.inputs,
        )
        past = masked.gradients.inputs[length:, row]
        yield identical(f"input gradient past the length {length}", past, np.zeros_like(past))


@metamorphic_property(
    "time-invariance", "M-11", "the same state at another time gives the same outputs", "rounding", _causal_recurrent
)
def time_invariance(original: SubjectRun) -> Iterator[Comparison]:
    """M-11: The sequence twice over: its second half is a run from the state in the middle.

    Args:
        original: A recurrent subject that runs forward in time alone; lengths are ignored.
    """
    full = original.at_full_length()
    steps = len(full.arrays.inputs)
    twice = full.at(
        replace(
            full.arrays,
            inputs=np.concatenate([full.arrays.inputs, full.arrays.inputs]),
            d_outputs=np.concatenate([full.arrays.d_outputs, full.arrays.d_outputs]),
        )
    )
    again = full.at(replace(full.arrays, states=dict(full.run.finals)))
    yield close(
        "outputs",
        twice.run.outputs[steps:],
        again.run.outputs,
        lambda: 2 * twice.radii.outputs[steps:],
    )


@metamorphic_property(
    "gradient-chunking",
    "M-39",
    "gradients handed over at a chunk's border are those of the whole",
    "rounding",
    _causal_recurrent,
)
def gradient_chunking(original: SubjectRun) -> Iterator[Comparison]:
    """M-39: Backward of the second chunk gives the first chunk's final gradients; parameters' gradients add up.

    Args:
        original: A recurrent subject that runs forward in time alone; the border is at T // 2, with T = 1 nothing is
            yielded, and lengths are ignored.
    """
    full = original.at_full_length()
    steps = len(full.arrays.inputs)
    k = steps // 2
    if k == 0:
        return
    first = full.at(steps_of(full.arrays, 0, k))
    second = full.at(replace(steps_of(full.arrays, k, steps), states=dict(first.run.finals)))
    handed = full.at(replace(first.arrays, d_finals=dict(second.gradients.states)))
    for name, value in full.gradients.parameters.items():
        yield close(
            f"gradient of {name}",
            value,
            handed.gradients.parameters[name] + second.gradients.parameters[name],
            lambda: 2 * full.gradient_radii.parameters[name],
        )
    for name, value in full.gradients.states.items():
        yield close(
            f"gradient of the initial {name}",
            value,
            handed.gradients.states[name],
            lambda: 2 * full.gradient_radii.states[name],
        )


@metamorphic_property(
    "parallel-iteration",
    "M-49",
    "k rounds of iterating all steps at once are exact for the first k steps",
    "rounding",
    lambda traits: traits.single and traits.recurrent,
)
def parallel_iteration(original: SubjectRun) -> Iterator[Comparison]:
    """M-49: Jacobi iteration over time: every step at once, from the last round's states, T rounds.

    Args:
        original: A single recurrent cell, whose trace holds its states, (T, B, d); lengths are ignored.
    """
    full = original.at_full_length()
    arrays = full.arrays
    steps, batch, n = arrays.inputs.shape
    names = {"h": "hidden_state", "c": "cell_state"}
    guess = {name: np.tile(value, (steps, 1, 1)) for name, value in arrays.states.items()}
    for _ in range(steps):
        states = {
            name: np.concatenate([arrays.states[name][None], value[:-1]]).reshape(steps * batch, -1)
            for name, value in guess.items()
        }
        run = full.subject.cell.forward(
            {name: value for name, value in arrays.parameters.items() if name not in OUTPUT_LAYER},
            arrays.inputs.reshape(1, steps * batch, n),
            states,
        )
        guess = {name: run.finals[name].reshape(steps, batch, -1) for name in guess}
    for name, value in guess.items():
        states_over_time = full.run.trace[names[name]]
        yield close(names[name], states_over_time, value, lambda: 2 * full.radii.trace[names[name]])
