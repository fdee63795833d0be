"""What moves a state, and how far: gates that stay inside, inputs that reach later states. M-09b, M-16c, M-27c.

Every property takes the subject on the numbers of a case, and yields comparisons that must hold (see the package).
"""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.cell_traits import Traits, is_gru
from rnn_harness.checks.metamorphic.comparison import Comparison, apart, at_most
from rnn_harness.checks.metamorphic.limits import one_step
from rnn_harness.checks.metamorphic.property import metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.checks.metamorphic.transform import set_gate
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind

GATES = ("reset_gate", "update_gate", "input_gate", "forget_gate", "output_gate")
MODERATE = 2.0
"""No pre-activation is larger than this where gates are asked to stay inside: sigmoid(2) = 0.88."""
PRE_ACTIVATIONS = (-8.0, -4.0, -2.0, 0.0, 2.0, 4.0, 8.0)
"""Pre-activations at which the update gate is held, one after the other."""
STEPS = 5
"""Steps over which an input must reach the last state, those of the longest fixed case: sigmoids leave a thousandth."""


def _gated(traits: Traits) -> bool:
    return traits.single and (traits.gru is not None or traits.lstm is not None)


@metamorphic_property(
    "gates-strictly-inside", "M-27c", "gates with moderate pre-activations are inside (0, 1)", "rounding", _gated
)
def gates_strictly_inside(original: SubjectRun) -> Iterator[Comparison]:
    """M-27c: Where no pre-activation is beyond 2 in size, every gate is between sigmoid(-2) and sigmoid(2).

    Args:
        original: A single GRU or LSTM; its parameters are made so small that no pre-activation is beyond 2, and lengths
            are ignored.
    """
    arrays = original.arrays
    largest = np.abs(arrays.inputs).max(initial=1) + len(arrays.inputs)
    largest += max((np.abs(state).max(initial=0) for state in arrays.states.values()), default=0)
    total = sum(np.abs(value).sum() for value in arrays.parameters.values())
    factor = arrays.inputs.dtype.type(2.0 ** -max(0, math.ceil(math.log2(1 + largest * total / MODERATE))))
    gentle = original.at(
        replace(arrays, parameters={name: value * factor for name, value in arrays.parameters.items()}, lengths=None)
    )
    limit = 1 / (1 + math.exp(-MODERATE))
    for name in GATES:
        if name in gentle.run.trace:
            gate = gentle.run.trace[name]
            yield at_most(f"{name} near 1", gate, limit, lambda: gentle.radii.trace[name])
            yield at_most(f"{name} near 0", 1 - limit, gate, lambda: gentle.radii.trace[name])


def _biased_gru(traits: Traits) -> bool:
    return is_gru(traits) and traits.bias


@metamorphic_property(
    "update-gate-moves-state",
    "M-16c",
    "the further the update gate is from keeping, the further the state moves",
    "rounding",
    _biased_gru,
)
def update_gate_moves_state(original: SubjectRun) -> Iterator[Comparison]:
    """M-16c: abs(h' - h) falls, entry by entry, while the gate's pre-activation goes towards keeping.

    Args:
        original: A single GRU with biases; one step is run for each pre-activation of `PRE_ACTIVATIONS`.
    """
    sign = 1.0 if original.gru.update == "keep" else -1.0
    runs = []
    for pre_activation in PRE_ACTIVATIONS:
        parameters = dict(original.arrays.parameters)
        set_gate(parameters, "z", pre_activation * sign)
        runs.append(one_step(original, parameters))
    before = runs[0].arrays.states["h"]
    for (pre_activation, further), (_, nearer) in pairwise(zip(PRE_ACTIVATIONS, runs, strict=True)):
        yield at_most(
            f"way of the state beyond {pre_activation:g}",
            abs(nearer.run.finals["h"] - before),
            abs(further.run.finals["h"] - before),
            lambda: further.radii.finals["h"],
            lambda: nearer.radii.finals["h"],
        )


def _plain_weights(original: SubjectRun) -> dict[str, Array] | None:
    """Return weights that are all positive and of moderate size, and no biases; None where a state has no weight.

    Positive weights add up what an input does and cancel nothing, and their rows keep a sigmoid off its flat ends.
    """
    parameters = {}
    for name, value in original.arrays.parameters.items():
        if not value.any():  # the subject has none
            if is_kind(name, ParameterKind.RECURRENT):
                return None
            parameters[name] = value
        elif value.ndim < 2:
            parameters[name] = np.zeros_like(value)
        else:
            rows, columns = np.indices(value.shape)
            parameters[name] = ((2 + (rows + 2 * columns) % 3) / (4 * value.shape[1])).astype(value.dtype)
    return parameters


@metamorphic_property(
    "inputs-reach-later-states",
    "M-09b",
    "every input moves every later state; read backwards, every earlier one",
    "rounding",
    lambda traits: traits.recurrent,
)
def inputs_reach_later_states(original: SubjectRun) -> Iterator[Comparison]:
    """M-09b: Change one input: every final state after it changes by more than rounding, of either direction.

    Args:
        original: A subject in float64 whose parameters are replaced by plain ones; where there are none for it, or it
            returns no final state, nothing is yielded.
    """
    parameters, arrays = _plain_weights(original), original.arrays
    finals = [name for name in arrays.states if f"finals.{name}" not in original.subject.absent]
    if parameters is None or not finals or original.dtype != np.float64:
        return
    steps = min(STEPS, len(arrays.inputs))
    times, rows, features = np.indices((steps, *arrays.inputs.shape[1:]))
    inputs = ((1 + (times + rows + features) % 3) / 4).astype(arrays.inputs.dtype)
    plain = original.at(
        replace(
            arrays,
            parameters=parameters,
            inputs=inputs,
            states={name: np.zeros_like(value) for name, value in arrays.states.items()},
            d_outputs=arrays.d_outputs[:steps],
            lengths=None,
        )
    )
    for step in range(steps):
        changed = inputs.copy()
        changed[step] += 1
        moved = plain.at(replace(plain.arrays, inputs=changed))
        for name in finals:
            yield apart(
                f"final {name} with another input {step + 1} of {steps}",
                plain.run.finals[name],
                moved.run.finals[name],
                lambda: plain.radii.finals[name],
                lambda: moved.radii.finals[name],
            )
