"""Time: chunks, prefixes, lengths, iteration instead of a scan. M-08 to M-11, M-39, M-49."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnn_harness.cases import Drawn
from rnn_harness.relations._relation import Comparison, close, relation, runs_close, same
from rnn_harness.relations._traits import Traits, everything
from rnn_harness.relations.batch import rows_of
from rnn_harness.trial import Trial


def _causal(traits: Traits) -> bool:
    return traits.causal


def _causal_recurrent(traits: Traits) -> bool:
    return traits.causal and traits.recurrent


def steps_of(drawn: Drawn, start: int, stop: int) -> Drawn:
    """Only the steps from `start` to `stop`, all rows at full length; the initial states stay."""
    return drawn.changed(
        inputs=drawn.inputs[start:stop], d_outputs=drawn.d_outputs[start:stop], lengths=None
    )


def _full(trial: Trial) -> Trial:
    return trial.at(trial.drawn.changed(lengths=None)) if trial.drawn.lengths is not None else trial


@relation("M-08", "a sequence in chunks gives the same as the whole", "R", _causal_recurrent, ("initial state",))
def chunking(trial: Trial) -> Iterator[Comparison]:
    """S(X[0:T], s) = S(X[k:T], S(X[0:k], s))."""
    whole = _full(trial)
    steps = len(whole.drawn.inputs)
    for k in range(1, steps):
        first = whole.at(steps_of(whole.drawn, 0, k))
        second = whole.at(steps_of(whole.drawn, k, steps).changed(states=dict(first.seen.finals)))
        for name, value in whole.seen.finals.items():
            yield close(
                f"final {name} after {k}+{steps - k} steps",
                value,
                second.seen.finals[name],
                lambda name=name: 2 * whole.enclosure.finals[name].radius,
            )
        yield close(
            f"outputs after {k} steps",
            whole.seen.outputs[k:],
            second.seen.outputs,
            lambda k=k: 2 * whole.enclosure.outputs.radius[k:],
        )


@relation("M-09", "later inputs change nothing earlier", "B", _causal, ("future",))
def causality(trial: Trial) -> Iterator[Comparison]:
    """Outputs up to t stay bit for bit when every input after t is replaced."""
    whole = _full(trial)
    for k in range(1, len(whole.drawn.inputs)):
        inputs = whole.drawn.inputs.copy()
        inputs[k:] = -inputs[k:] + 1
        other = whole.at(whole.drawn.changed(inputs=inputs))
        yield same(f"outputs up to step {k}", whole.seen.outputs[:k], other.seen.outputs[:k])


@relation("M-10", "rows of different lengths give what each gives alone", "R", everything, ("lengths",))
def lengths(trial: Trial) -> Iterator[Comparison]:
    """Masked results equal the rows' own; outputs past the end are zero, final states those at the end."""
    drawn = trial.drawn
    steps, batch = drawn.inputs.shape[:2]
    wanted = np.array([steps - row % steps for row in range(batch)], dtype=np.intp)
    masked = trial.at(drawn.changed(lengths=wanted))
    for row, length in enumerate(wanted):
        rows = slice(row, row + 1)
        alone = trial.at(steps_of(rows_of(drawn.changed(lengths=None), rows), 0, int(length)))
        outputs = masked.seen.outputs[:, rows]
        yield close(
            f"outputs of a row of length {length}",
            outputs[:length],
            alone.seen.outputs,
            lambda alone=alone: 2 * alone.enclosure.outputs.radius,
        )
        yield same(f"outputs past the length {length}", outputs[length:], np.zeros_like(outputs[length:]))
        for name, value in alone.seen.finals.items():
            yield close(
                f"final {name} of a row of length {length}",
                masked.seen.finals[name][rows],
                value,
                lambda name=name, alone=alone: 2 * alone.enclosure.finals[name].radius,
            )


@relation("M-11", "the same state at another time gives the same outputs", "R", _causal_recurrent, ("time",))
def time_shift(trial: Trial) -> Iterator[Comparison]:
    """The sequence twice over: its second half is a run from the state in the middle."""
    whole = _full(trial)
    steps = len(whole.drawn.inputs)
    twice = whole.at(
        whole.drawn.changed(
            inputs=np.concatenate([whole.drawn.inputs, whole.drawn.inputs]),
            d_outputs=np.concatenate([whole.drawn.d_outputs, whole.drawn.d_outputs]),
        )
    )
    again = whole.at(whole.drawn.changed(states=dict(whole.seen.finals)))
    yield close(
        "outputs",
        twice.seen.outputs[steps:],
        again.seen.outputs,
        lambda: 2 * twice.enclosure.outputs.radius[steps:],
    )


@relation("M-39", "gradients handed over at a chunk's border are those of the whole", "R", _causal_recurrent)
def gradient_chunking(trial: Trial) -> Iterator[Comparison]:
    """Backward of the second chunk gives the first chunk's final gradients; parameters' gradients add up."""
    whole = _full(trial)
    steps = len(whole.drawn.inputs)
    k = steps // 2
    if k == 0:
        return
    first = whole.at(steps_of(whole.drawn, 0, k))
    second = whole.at(steps_of(whole.drawn, k, steps).changed(states=dict(first.seen.finals)))
    handed = whole.at(first.drawn.changed(d_finals=dict(second.gradients.states)))
    for name, value in whole.gradients.parameters.items():
        yield close(
            f"gradient of {name}",
            value,
            handed.gradients.parameters[name] + second.gradients.parameters[name],
            lambda name=name: 2 * whole.gradient_enclosure.parameters[name].radius,
        )
    for name, value in whole.gradients.states.items():
        yield close(
            f"gradient of the initial {name}",
            value,
            handed.gradients.states[name],
            lambda name=name: 2 * whole.gradient_enclosure.states[name].radius,
        )


@relation("M-49", "k rounds of iterating all steps at once are exact for the first k steps", "R",
          lambda traits: traits.single and traits.recurrent)
def iteration(trial: Trial) -> Iterator[Comparison]:
    """Jacobi iteration over time: every step at once, from the last round's states, T rounds."""
    whole = _full(trial)
    drawn = whole.drawn
    steps, batch, n = drawn.inputs.shape
    names = {"h": "hidden_state", "c": "cell_state"}
    guess = {name: np.tile(value, (steps, 1, 1)) for name, value in drawn.states.items()}
    for _ in range(steps):
        states = {
            name: np.concatenate([drawn.states[name][None], value[:-1]]).reshape(steps * batch, -1)
            for name, value in guess.items()
        }
        run = whole.subject.reference.forward(
            {name: value for name, value in drawn.parameters.items() if name not in ("W_y", "b_y")},
            drawn.inputs.reshape(1, steps * batch, n),
            states,
        )
        guess = {name: run.finals[name].reshape(steps, batch, -1) for name in guess}
    for name, value in guess.items():
        seen = whole.seen.run.trace[names[name]]
        symbol = next((own for own, trace in whole.subject.link.trace.items() if trace == names[name]), None)
        if symbol is not None:
            yield close(
                names[name],
                seen,
                value,
                lambda symbol=symbol: 2 * whole.enclosure.symbols[symbol].radius,
            )


def whole_of(trial: Trial) -> Trial:
    """The trial with every row at full length."""
    return _full(trial)


__all__ = ["chunking", "runs_close", "steps_of", "whole_of"]
