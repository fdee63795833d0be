"""Limits in which one cell becomes another, and how fast: M-12, M-15 to M-18, M-36, M-50."""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.cell_traits import Traits, is_gru, is_lstm
from rnn_harness.checks.metamorphic.property import Comparison, apart, close, metamorphic_property, same
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.checks.metamorphic.transform import set_gate, without_bias
from rnn_harness.references import Run, get_reference
from rnn_harness.subjects.parameter_role import OUTPUT_LAYER, parameter_role

BETA = 20.0  # the pre-activation that holds a gate; the rates are in exp(-BETA)
HOLD = 1000.0  # so far out that a sigmoid is 0 or 1 exactly and a tanh is 1 exactly, in every dtype


def _biased_gru(traits: Traits) -> bool:
    return is_gru(traits) and traits.bias


def _biased_lstm(traits: Traits) -> bool:
    return is_lstm(traits) and traits.bias


def one_step(original: SubjectRun, parameters: dict[str, Array]) -> SubjectRun:
    """Only the first step, all rows, with those parameters."""
    arrays = original.arrays
    return original.at(
        replace(arrays, parameters=parameters, inputs=arrays.inputs[:1], d_outputs=arrays.d_outputs[:1], lengths=None)
    )


def plain_run(original: SubjectRun, name: str, parameters: dict[str, Array], **options: Any) -> Run:
    """Another reference, without output layer, on the same inputs and as many states as it takes."""
    reference = get_reference(name, **options)
    own = {key: value for key, value in parameters.items() if key not in OUTPUT_LAYER}
    states = {state: original.arrays.states[state] for state in reference.state_names}
    return reference.forward(own, original.arrays.inputs, states or None, original.arrays.lengths)


def _has_zero_fixed_point(traits: Traits) -> bool:
    return traits.single and traits.recurrent and traits.known


@metamorphic_property(
    "zero-fixed-point", "M-12", "zero is a fixed point with tanh only", "bitwise", _has_zero_fixed_point
)
def zero_fixed_point(original: SubjectRun) -> Iterator[Comparison]:
    """b = 0, x = 0, s = 0 gives s' = 0; the control: a sigmoid candidate leaves zero."""
    traits = Traits(original.subject)
    arrays = original.arrays
    rest = one_step(
        original.at(
            replace(
                arrays,
                inputs=np.zeros_like(arrays.inputs),
                states={name: np.zeros_like(value) for name, value in arrays.states.items()},
            )
        ),
        without_bias(arrays.parameters),
    )
    state = "c" if traits.family == "lstm" else "h"
    value = rest.run.finals[state]
    candidate = traits.option("activation" if traits.family == "rnn" else "candidate")
    start = {"tanh": 0.0, "sigmoid": 0.5 if traits.family == "rnn" else 0.25}[candidate]
    yield same(f"final {state}", value, np.full_like(value, start))


@metamorphic_property(
    "cell-state-copied",
    "M-15",
    "with an open forget and a closed input gate the cell state is copied",
    "rate",
    _biased_lstm,
)
def cell_state_copied(original: SubjectRun) -> Iterator[Comparison]:
    """b_f = beta, b_i = -beta: abs(c' - c) <= exp(-beta) (abs(c) + 1)."""
    parameters = dict(original.arrays.parameters)
    set_gate(parameters, "f", BETA)
    set_gate(parameters, "i", -BETA)
    held = one_step(original, parameters)
    c = held.arrays.states["c"]
    yield close(
        "cell state",
        held.run.finals["c"],
        c,
        lambda: math.exp(-BETA) * (abs(c) + 1) + held.radii.finals["c"],
    )


@metamorphic_property(
    "state-kept-by-update-gate", "M-16", "with a held update gate the GRU keeps its state", "rate", _biased_gru
)
def state_kept_by_update_gate(original: SubjectRun) -> Iterator[Comparison]:
    """abs(h' - h) <= exp(-beta) abs(h - candidate) <= exp(-beta) (abs(h) + 1)."""
    parameters = dict(original.arrays.parameters)
    set_gate(parameters, "z", BETA if original.options.get("update", "keep") == "keep" else -BETA)
    held = one_step(original, parameters)
    h = held.arrays.states["h"]
    yield close(
        "state",
        held.run.finals["h"],
        h,
        lambda: math.exp(-BETA) * (abs(h) + 1) + held.radii.finals["h"],
    )


@metamorphic_property(
    "gru-limit-is-rnn", "M-17", "a GRU that writes fully is a simple RNN, or without reset a layer", "rate", _biased_gru
)
def gru_limit_is_rnn(original: SubjectRun) -> Iterator[Comparison]:
    """z writes and r = 1: h' = f(W x + U h + b); r = 0: h' = f(W x + b)."""
    options = original.options
    candidate = options.get("candidate", "tanh")
    writes = -BETA if options.get("update", "keep") == "keep" else BETA
    after = options.get("reset", "before") == "after"
    for reset, name in ((BETA, "rnn"), (-BETA, "feedforward")):
        parameters = dict(original.arrays.parameters)
        set_gate(parameters, "z", writes)
        set_gate(parameters, "r", reset)
        held = one_step(original, parameters)
        own = {"W_x": parameters["W_xg"], "b": parameters["b_g"]}
        if name == "rnn":
            own |= {"W_h": parameters["W_hg"]}
            own["b"] = own["b"] + parameters["b_hg"] if after else own["b"]
        limit = plain_run(held, name, own, activation=candidate)
        h = held.arrays.states["h"]
        moved = abs(h) @ abs(parameters["W_hg"]).T + (abs(parameters["b_hg"]) if after else 0)
        yield close(
            f"state, as {name}",
            held.run.finals["h"],
            limit.outputs[-1],
            lambda: math.exp(-BETA) * (abs(h) + 1 + moved) + 2 * held.radii.finals["h"],
        )


@metamorphic_property(
    "lstm-limit-is-rnn",
    "M-18",
    "an LSTM that forgets all, writes and reads fully is tanh of a simple RNN",
    "rate",
    _biased_lstm,
)
def lstm_limit_is_rnn(original: SubjectRun) -> Iterator[Comparison]:
    """f = 0, i = 1, o = 1: h' = out(cand(W x + U h + b)), not the RNN; without forget gate, c is added."""
    options = original.options
    parameters = dict(original.arrays.parameters)
    for gate, value in (("f", -BETA), ("i", BETA), ("o", BETA)):
        set_gate(parameters, gate, value)
    held = one_step(original, parameters)
    own = {"W_x": parameters["W_xg"], "W_h": parameters["W_hg"], "b": parameters["b_g"]}
    inner = plain_run(held, "rnn", own, activation=options.get("candidate", "tanh")).outputs[-1]
    c = held.arrays.states["c"]
    cell = inner if options.get("forget", True) else inner + c
    bottom = np.zeros_like(parameters["b_g"])
    unit = {"W_x": np.eye(len(bottom), dtype=bottom.dtype), "b": bottom}
    expected = (
        get_reference("feedforward", activation=options.get("output", "tanh")).forward(unit, cell[None]).outputs[0]
    )
    yield close(
        "state",
        held.run.finals["h"],
        expected,
        lambda: math.exp(-BETA) * (abs(c) + 3) + 2 * held.radii.finals["h"],
    )


@metamorphic_property(
    "small-signal-linearity",
    "M-36",
    "for small inputs a tanh RNN is linear, up to the third power",
    "rate",
    lambda traits: traits.family == "rnn" and traits.odd,
)
def small_signal_linearity(original: SubjectRun) -> Iterator[Comparison]:
    """abs(tanh a - a) <= abs(a)^3 / 3, carried on by the recurrence: E' = abs(U) E + abs(a)^3 / 3.

    Of a stack the bottom layer, of a pair the forward cell.
    """
    epsilon = 2.0**-10
    arrays = original.arrays
    small = original.at(
        replace(
            arrays,
            parameters=without_bias(arrays.parameters),
            inputs=arrays.inputs * arrays.inputs.dtype.type(epsilon),
            states={name: value * arrays.inputs.dtype.type(epsilon) for name, value in arrays.states.items()},
            lengths=None,
        )
    )
    state = next(iter(small.arrays.states))
    prefix = state.removesuffix("h")
    weight, recurrent = (small.arrays.parameters[prefix + name].astype(np.float64) for name in ("W_x", "W_h"))
    linear = small.arrays.states[state].astype(np.float64)
    gap = np.zeros_like(linear)
    for x in small.arrays.inputs.astype(np.float64):
        linear = x @ weight.T + linear @ recurrent.T
        gap = gap @ abs(recurrent).T
        gap += (abs(linear) + gap) ** 3 / 3
    yield close("state", small.run.finals[state], linear, lambda: gap + 2 * small.radii.finals[state])


@metamorphic_property(
    "automaton",
    "M-50",
    "with every gate at exactly 0 or 1 the cell is an automaton, exactly",
    "bitwise",
    lambda t: t.single and t.recurrent and t.bias and t.odd,
)
def automaton(original: SubjectRun) -> Iterator[Comparison]:
    """Gates held far out, candidate at +-1: the state of an RNN or GRU is its sign, an LSTM counts steps."""
    arrays = original.arrays
    parameters = {name: np.zeros_like(value) for name, value in arrays.parameters.items()}
    letters = {parameter_role(name).gate for name in parameters}
    writes = -HOLD if original.options.get("update", "keep") == "keep" else HOLD
    for gate, value in (("i", HOLD), ("f", HOLD), ("o", HOLD), ("z", writes), ("r", HOLD)):
        if gate in letters:
            set_gate(parameters, gate, value)
    sign = np.where(np.arange(original.sizes["d"]) % 2 == 0, 1.0, -1.0).astype(arrays.inputs.dtype)
    own = "b_g" if "b_g" in parameters else "b"
    parameters[own] = HOLD * sign
    steps, batch = arrays.inputs.shape[:2]
    states = {name: np.zeros_like(value) for name, value in arrays.states.items()}
    held = original.at(replace(arrays, parameters=parameters, states=states, lengths=None))
    state = "c" if "c" in states else "h"
    expected = np.tile(sign * (steps if state == "c" else 1), (batch, 1))
    yield same(f"final {state}", held.run.finals[state], expected)


@metamorphic_property(
    "update-gate-limits-differ", "M-16b", "the two limits of the update gate are apart", "rounding", _biased_gru
)
def update_gate_limits_differ(original: SubjectRun) -> Iterator[Comparison]:
    """A negative control: held the other way the state does change."""
    parameters = dict(original.arrays.parameters)
    set_gate(parameters, "z", -BETA if original.options.get("update", "keep") == "keep" else BETA)
    held = one_step(original, parameters)
    yield apart(
        "state",
        held.run.finals["h"],
        held.arrays.states["h"],
        lambda: held.radii.finals["h"],
    )
