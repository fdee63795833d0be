"""Limits in which one cell becomes another, and how fast: M-12, M-15 to M-18, M-36, M-50.

Every property takes the subject on the numbers of a case, and yields comparisons that must hold (see the package).
"""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.arithmetic.assumptions import SMALL_SIGNAL
from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.cell_traits import Traits, is_gru, is_lstm
from rnn_harness.checks.metamorphic.comparison import Comparison, apart, close, identical
from rnn_harness.checks.metamorphic.property import metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.checks.metamorphic.transform import set_gate, without_bias
from rnn_harness.references import Reference, Run
from rnn_harness.references.feedforward import Feedforward
from rnn_harness.references.gru import GRU
from rnn_harness.references.rnn import RNN
from rnn_harness.subjects.parameter_role import OUTPUT_LAYER, parameter_role

BETA = 20.0  # the pre-activation that holds a gate; the rates are in exp(-BETA)
HOLD = 1000.0  # so far out that a sigmoid is 0 or 1 exactly and a tanh is 1 exactly, in every dtype


def _biased_gru(traits: Traits) -> bool:
    return is_gru(traits) and traits.bias


def _biased_lstm(traits: Traits) -> bool:
    return is_lstm(traits) and traits.bias


def one_step(original: SubjectRun, parameters: dict[str, Array]) -> SubjectRun:
    """Run only the first step, all rows at full length, with other parameters.

    Args:
        original: The run whose inputs and states are taken.
        parameters: All parameters, in the shapes of the original.
    """
    arrays = original.arrays
    return original.at(
        replace(arrays, parameters=parameters, inputs=arrays.inputs[:1], d_outputs=arrays.d_outputs[:1], lengths=None)
    )


def plain_run(original: SubjectRun, reference: Reference, parameters: dict[str, Array]) -> Run:
    """Run another reference, without output layer, on the same inputs and as many states as it takes.

    Args:
        original: The run whose inputs (T, B, n), initial states and lengths are taken.
        reference: The right reference that the subject must equal.
        parameters: Those of `reference`; an output layer's are left out.
    """
    cell_parameters = {key: value for key, value in parameters.items() if key not in OUTPUT_LAYER}
    states = {state: original.arrays.states[state] for state in reference.state_names}
    return reference.forward(cell_parameters, original.arrays.inputs, states or None, original.arrays.lengths)


def _keeping_sign(gru: GRU) -> float:
    """Return the sign of the update gate's pre-activation that keeps the state."""
    return 1.0 if gru.update == "keep" else -1.0


def _has_zero_fixed_point(traits: Traits) -> bool:
    return traits.single and traits.recurrent and traits.known


@metamorphic_property(
    "zero-fixed-point", "M-12", "zero is a fixed point with tanh only", "bitwise", _has_zero_fixed_point
)
def zero_fixed_point(original: SubjectRun) -> Iterator[Comparison]:
    """M-12: b = 0, x = 0, s = 0 gives s' = 0; the control: a sigmoid candidate leaves zero.

    Args:
        original: A single recurrent cell of a known family; its inputs, states and biases are set to zero.
    """
    traits = original.traits
    arrays = original.arrays
    at_rest = one_step(
        original.at(
            replace(
                arrays,
                inputs=np.zeros_like(arrays.inputs),
                states={name: np.zeros_like(value) for name, value in arrays.states.items()},
            )
        ),
        without_bias(arrays.parameters),
    )
    state = "c" if traits.lstm else "h"
    value = at_rest.run.finals[state]
    after_sigmoid = 0.5 if traits.rnn else 0.25
    start = {"tanh": 0.0, "sigmoid": after_sigmoid}[traits.candidate_activation]
    yield identical(f"final {state}", value, np.full_like(value, start))


@metamorphic_property(
    "cell-state-copied",
    "M-15",
    "with an open forget and a closed input gate the cell state is copied",
    "rate",
    _biased_lstm,
)
def cell_state_copied(original: SubjectRun) -> Iterator[Comparison]:
    """M-15: b_f = beta, b_i = -beta: abs(c' - c) <= exp(-beta) (abs(c) + 1).

    Args:
        original: A single LSTM with biases; one step is run.
    """
    parameters = dict(original.arrays.parameters)
    set_gate(parameters, "f", BETA)
    set_gate(parameters, "i", -BETA)
    gated = one_step(original, parameters)
    c = gated.arrays.states["c"]
    yield close(
        "cell state",
        gated.run.finals["c"],
        c,
        lambda: math.exp(-BETA) * (abs(c) + 1),
        lambda: gated.radii.finals["c"],
    )


@metamorphic_property(
    "state-kept-by-update-gate", "M-16", "with a held update gate the GRU keeps its state", "rate", _biased_gru
)
def state_kept_by_update_gate(original: SubjectRun) -> Iterator[Comparison]:
    """M-16: abs(h' - h) <= exp(-beta) abs(h - candidate) <= exp(-beta) (abs(h) + 1).

    Args:
        original: A single GRU with biases; one step is run.
    """
    parameters = dict(original.arrays.parameters)
    set_gate(parameters, "z", BETA * _keeping_sign(original.gru))
    gated = one_step(original, parameters)
    h = gated.arrays.states["h"]
    yield close(
        "state",
        gated.run.finals["h"],
        h,
        lambda: math.exp(-BETA) * (abs(h) + 1),
        lambda: gated.radii.finals["h"],
    )


@metamorphic_property(
    "gru-limit-is-rnn", "M-17", "a GRU that writes fully is a simple RNN, or without reset a layer", "rate", _biased_gru
)
def gru_limit_is_rnn(original: SubjectRun) -> Iterator[Comparison]:
    """M-17: z writes and r = 1: h' = f(W x + U h + b); r = 0: h' = f(W x + b).

    Args:
        original: A single GRU with biases; one step is run.
    """
    gru = original.gru
    for reset, limit in ((BETA, RNN(gru.candidate)), (-BETA, Feedforward(gru.candidate))):
        parameters = dict(original.arrays.parameters)
        set_gate(parameters, "z", -BETA * _keeping_sign(gru))
        set_gate(parameters, "r", reset)
        gated = one_step(original, parameters)
        limit_parameters = {"W_x": parameters["W_xg"], "b": parameters["b_g"]}
        inside_reset = parameters["b_hg"] if gru.reset == "after" else np.zeros_like(parameters["b_g"])
        if isinstance(limit, RNN):
            limit_parameters |= {"W_h": parameters["W_hg"], "b": parameters["b_g"] + inside_reset}
        limit_run = plain_run(gated, limit, limit_parameters)
        h = gated.arrays.states["h"]
        through_reset = abs(h) @ abs(parameters["W_hg"]).T + abs(inside_reset)
        yield close(
            f"state, as {limit.name}",
            gated.run.finals["h"],
            limit_run.outputs[-1],
            lambda: math.exp(-BETA) * (abs(h) + 1 + through_reset),
            lambda: 2 * gated.radii.finals["h"],
        )


@metamorphic_property(
    "lstm-limit-is-rnn",
    "M-18",
    "an LSTM that forgets all, writes and reads fully is tanh of a simple RNN",
    "rate",
    _biased_lstm,
)
def lstm_limit_is_rnn(original: SubjectRun) -> Iterator[Comparison]:
    """M-18: f = 0, i = 1, o = 1: h' = out(cand(W x + U h + b)), not the RNN; without forget gate, c is added.

    Args:
        original: A single LSTM with biases; one step is run.
    """
    lstm = original.lstm
    parameters = dict(original.arrays.parameters)
    for gate, value in (("f", -BETA), ("i", BETA), ("o", BETA)):
        set_gate(parameters, gate, value)
    gated = one_step(original, parameters)
    rnn_parameters = {"W_x": parameters["W_xg"], "W_h": parameters["W_hg"], "b": parameters["b_g"]}
    candidate = plain_run(gated, RNN(lstm.candidate), rnn_parameters).outputs[-1]
    c = gated.arrays.states["c"]
    cell_state = candidate if lstm.forget else candidate + c
    bias = np.zeros_like(parameters["b_g"])
    identity = {"W_x": np.eye(len(bias), dtype=bias.dtype), "b": bias}
    expected = Feedforward(lstm.output).forward(identity, cell_state[None]).outputs[0]
    yield close(
        "state",
        gated.run.finals["h"],
        expected,
        lambda: math.exp(-BETA) * (abs(c) + 3),
        lambda: 2 * gated.radii.finals["h"],
    )


@metamorphic_property(
    "small-signal-linearity",
    "M-36",
    "for small inputs a tanh RNN is linear, up to the third power",
    "rate",
    lambda traits: traits.rnn is not None and traits.odd,
)
def small_signal_linearity(original: SubjectRun) -> Iterator[Comparison]:
    """M-36: abs(tanh a - a) <= abs(a)^3 / 3, carried on by the recurrence: E' = abs(U) E + abs(a)^3 / 3.

    Of a stack the bottom layer, of a pair the forward cell.

    Args:
        original: A tanh RNN, a stack or a pair of such; inputs and states are made small, biases zero, and lengths
            ignored.
    """
    arrays = original.arrays
    small = original.at(
        replace(
            arrays,
            parameters=without_bias(arrays.parameters),
            inputs=arrays.inputs * arrays.inputs.dtype.type(SMALL_SIGNAL),
            states={name: value * arrays.inputs.dtype.type(SMALL_SIGNAL) for name, value in arrays.states.items()},
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
    yield close("state", small.run.finals[state], linear, lambda: gap, lambda: 2 * small.radii.finals[state])


@metamorphic_property(
    "automaton",
    "M-50",
    "with every gate at exactly 0 or 1 the cell is an automaton, exactly",
    "bitwise",
    lambda t: t.single and t.recurrent and t.bias and t.odd,
)
def automaton(original: SubjectRun) -> Iterator[Comparison]:
    """M-50: Gates held far out, candidate at +-1: the state of an RNN or GRU is its sign, an LSTM counts steps.

    Args:
        original: A single recurrent cell with biases and odd activations, of which only sizes and dtype are used.
    """
    arrays = original.arrays
    parameters = {name: np.zeros_like(value) for name, value in arrays.parameters.items()}
    letters = {parameter_role(name).gate for name in parameters}
    gru = original.traits.gru
    writes = -HOLD * _keeping_sign(gru) if gru else HOLD
    for gate, value in (("i", HOLD), ("f", HOLD), ("o", HOLD), ("z", writes), ("r", HOLD)):
        if gate in letters:
            set_gate(parameters, gate, value)
    sign = np.where(np.arange(original.sizes["d"]) % 2 == 0, 1.0, -1.0).astype(arrays.inputs.dtype)
    parameters["b_g" if "b_g" in parameters else "b"] = HOLD * sign
    steps, batch = arrays.inputs.shape[:2]
    states = {name: np.zeros_like(value) for name, value in arrays.states.items()}
    gated = original.at(replace(arrays, parameters=parameters, states=states, lengths=None))
    state = "c" if "c" in states else "h"
    expected = np.tile(sign * (steps if state == "c" else 1), (batch, 1))
    yield identical(f"final {state}", gated.run.finals[state], expected)


@metamorphic_property(
    "update-gate-limits-differ", "M-16b", "the two limits of the update gate are apart", "rounding", _biased_gru
)
def update_gate_limits_differ(original: SubjectRun) -> Iterator[Comparison]:
    """M-16b: Hold the gate the opposite way: the state does change. The negative control of M-16.

    Args:
        original: A single GRU with biases; one step is run.
    """
    parameters = dict(original.arrays.parameters)
    set_gate(parameters, "z", -BETA * _keeping_sign(original.gru))
    gated = one_step(original, parameters)
    yield apart(
        "state",
        gated.run.finals["h"],
        gated.arrays.states["h"],
        lambda: gated.radii.finals["h"],
    )
