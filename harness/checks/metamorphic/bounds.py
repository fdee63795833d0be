"""What a cell's numbers can never leave: M-27, M-28, M-42. Closed bounds, as rounding may reach them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.cell_traits import Traits, is_gru, is_lstm, is_rnn
from rnn_harness.checks.metamorphic.property import Comparison, at_most, metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.checks.metamorphic.time import whole_of


def _trace(original: SubjectRun, name: str) -> Array:
    return original.run.trace[name]


def _radius(original: SubjectRun, name: str) -> Array:
    return original.radii.trace[name]


def _before(original: SubjectRun, state: str, name: str) -> Array:
    return np.concatenate([original.arrays.states[state][None], _trace(original, name)[:-1]])


@metamorphic_property(
    "gates-in-unit-interval",
    "M-27",
    "states and gates stay inside their bounds",
    "bitwise",
    lambda t: t.single and t.known,
)
def gates_in_unit_interval(original: SubjectRun) -> Iterator[Comparison]:
    """Gates and sigmoid candidates in [0, 1]; tanh in [-1, 1]; abs(c_t) <= abs(c_{t-1}) + 1."""
    whole = whole_of(original)
    reference = whole.subject.cell
    for name in ("reset_gate", "update_gate", "input_gate", "forget_gate", "output_gate"):
        if name in whole.run.trace:
            yield at_most(f"{name} above 1", _trace(whole, name), 1.0)
            yield at_most(f"{name} below 0", 0.0, _trace(whole, name))
    bounded = "hidden_state" if reference.name in ("rnn", "feedforward") else "candidate"
    kind = getattr(reference, "candidate", None) or getattr(reference, "activation", "tanh")
    yield at_most(f"{bounded} above 1", _trace(whole, bounded), 1.0)
    yield at_most(f"{bounded} too low", -1.0 if kind == "tanh" else 0.0, _trace(whole, bounded))
    if "cell_state" in whole.run.trace:
        low = -1.0 if getattr(reference, "output", "tanh") == "tanh" else 0.0
        yield at_most("hidden state above 1", _trace(whole, "hidden_state"), 1.0)
        yield at_most("hidden state too low", low, _trace(whole, "hidden_state"))
        yield at_most(
            "cell state",
            abs(_trace(whole, "cell_state")),
            abs(_before(whole, "c", "cell_state")) + 1,
            lambda: _radius(whole, "cell_state"),
        )


@metamorphic_property(
    "state-between-past-and-candidate",
    "M-27b",
    "a GRU's state lies between the last state and the candidate",
    "rounding",
    is_gru,
)
def state_between_past_and_candidate(original: SubjectRun) -> Iterator[Comparison]:
    """min(h, g) <= h' <= max(h, g)."""
    whole = whole_of(original)
    before, g, h = (
        _before(whole, "h", "hidden_state"),
        _trace(whole, "candidate"),
        _trace(whole, "hidden_state"),
    )
    yield at_most("state above both", h, np.maximum(before, g), lambda: _radius(whole, "hidden_state"))
    yield at_most("state below both", np.minimum(before, g), h, lambda: _radius(whole, "hidden_state"))


def _monotone(traits: Traits) -> bool:
    return is_lstm(traits) and not traits.option("forget") and traits.option("candidate") == "sigmoid"


@metamorphic_property(
    "cell-state-never-falls", "M-28", "without forget gate a sigmoid candidate only adds", "bitwise", _monotone
)
def cell_state_never_falls(original: SubjectRun) -> Iterator[Comparison]:
    """s_t >= s_{t-1} entry by entry (003:739)."""
    whole = whole_of(original)
    yield at_most("cell state", _before(whole, "c", "cell_state"), _trace(whole, "cell_state"))


def _norm(matrix: Array) -> float:
    return float(np.linalg.norm(matrix.astype(np.float64), 2)) if matrix.size else 0.0


@metamorphic_property(
    "gradient-norm-bound",
    "M-42",
    "the gradient for the first state obeys the product of norms",
    "rounding",
    lambda t: is_rnn(t) or (is_gru(t) and t.option("reset") == "before" and t.option("candidate") == "tanh"),
)
def gradient_norm_bound(original: SubjectRun) -> Iterator[Comparison]:
    """RNN: |dh_0| <= (gamma |U|)^T |dh_T|, gamma = 1 or 1/4; GRU: 1 + |U_z|/2 + |U_n|(1 + |U_r|/4) per step.

    The GRU's bound holds for states inside [-1, 1]; entries of a case are drawn there.
    """
    whole = whole_of(original)
    arrays = replace(whole.arrays, d_outputs=np.zeros_like(whole.arrays.d_outputs))
    last = whole.at(arrays)
    p = arrays.parameters
    if "W_h" in p:
        rate = _norm(p["W_h"]) * (1 if original.options.get("activation", "tanh") == "tanh" else 1 / 4)
    else:
        rate = 1 + _norm(p["W_hz"]) / 2 + _norm(p["W_hg"]) * (1 + _norm(p["W_hr"]) / 4)
    if "W_hz" in p and np.abs(arrays.states["h"]).max(initial=0) > 1:
        return
    begin = np.linalg.norm(last.gradients.states["h"].astype(np.float64), axis=1)
    end = np.linalg.norm(arrays.d_finals["h"].astype(np.float64), axis=1)
    yield at_most(
        "norm of the gradient",
        begin,
        rate ** len(arrays.inputs) * end,
        lambda: last.gradient_radii.states["h"].sum(axis=1),
    )
