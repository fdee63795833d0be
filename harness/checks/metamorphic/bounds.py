"""What a cell's numbers can never leave: M-27, M-28, M-42. Closed bounds, as rounding may reach them.

Every property takes the subject on the numbers of a case, and yields comparisons that must hold (see the package).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.cell_traits import Traits, is_gru, is_rnn
from rnn_harness.checks.metamorphic.comparison import Comparison, at_most
from rnn_harness.checks.metamorphic.property import metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun


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
    """M-27: Gates and sigmoid candidates in [0, 1]; tanh in [-1, 1]; abs(c_t) <= abs(c_{t-1}) + 1.

    Args:
        original: A single cell of a known family, whose trace holds its gates and states, (T, B, d); lengths are
            ignored.
    """
    full = original.at_full_length()
    traits = full.traits
    for name in ("reset_gate", "update_gate", "input_gate", "forget_gate", "output_gate"):
        if name in full.run.trace:
            yield at_most(f"{name} above 1", _trace(full, name), 1.0)
            yield at_most(f"{name} below 0", 0.0, _trace(full, name))
    bounded = "candidate" if traits.gru or traits.lstm else "hidden_state"
    yield at_most(f"{bounded} above 1", _trace(full, bounded), 1.0)
    yield at_most(f"{bounded} too low", -1.0 if traits.candidate_activation == "tanh" else 0.0, _trace(full, bounded))
    if traits.lstm:
        low = -1.0 if traits.lstm.output == "tanh" else 0.0
        yield at_most("hidden state above 1", _trace(full, "hidden_state"), 1.0)
        yield at_most("hidden state too low", low, _trace(full, "hidden_state"))
        yield at_most(
            "cell state",
            abs(_trace(full, "cell_state")),
            abs(_before(full, "c", "cell_state")) + 1,
            lambda: _radius(full, "cell_state"),
        )


@metamorphic_property(
    "state-between-past-and-candidate",
    "M-27b",
    "a GRU's state lies between the last state and the candidate",
    "rounding",
    is_gru,
)
def state_between_past_and_candidate(original: SubjectRun) -> Iterator[Comparison]:
    """M-27b: min(h, g) <= h' <= max(h, g).

    Args:
        original: A single GRU, whose trace holds candidate and state, (T, B, d); lengths are ignored.
    """
    full = original.at_full_length()
    before, g, h = (
        _before(full, "h", "hidden_state"),
        _trace(full, "candidate"),
        _trace(full, "hidden_state"),
    )
    yield at_most("state above both", h, np.maximum(before, g), lambda: _radius(full, "hidden_state"))
    yield at_most("state below both", np.minimum(before, g), h, lambda: _radius(full, "hidden_state"))


def _only_adds(traits: Traits) -> bool:
    lstm = traits.lstm if traits.single else None
    return lstm is not None and not lstm.forget and lstm.candidate == "sigmoid"


@metamorphic_property(
    "cell-state-never-falls", "M-28", "without forget gate a sigmoid candidate only adds", "bitwise", _only_adds
)
def cell_state_never_falls(original: SubjectRun) -> Iterator[Comparison]:
    """M-28: s_t >= s_{t-1} entry by entry (003:739).

    Args:
        original: A single LSTM without forget gate and with a sigmoid candidate; lengths are ignored.
    """
    full = original.at_full_length()
    yield at_most("cell state", _before(full, "c", "cell_state"), _trace(full, "cell_state"))


def _has_norm_bound(traits: Traits) -> bool:
    gru = traits.gru if traits.single else None
    return is_rnn(traits) or (gru is not None and gru.reset == "before" and gru.candidate == "tanh")


def _norm(matrix: Array) -> float:
    return float(np.linalg.norm(matrix.astype(np.float64), 2)) if matrix.size else 0.0


@metamorphic_property(
    "gradient-norm-bound",
    "M-42",
    "the gradient for the first state obeys the product of norms",
    "rounding",
    _has_norm_bound,
)
def gradient_norm_bound(original: SubjectRun) -> Iterator[Comparison]:
    """M-42: RNN: |dh_0| <= (gamma |U|)^T |dh_T|, gamma = 1 or 1/4; GRU: 1 + |U_z|/2 + |U_n|(1 + |U_r|/4) per step.

    The GRU's bound holds for states inside [-1, 1]; entries of a case are drawn there.

    Args:
        original: A simple RNN, or a GRU with a tanh candidate and the reset before the product. Of a GRU whose initial
            state leaves [-1, 1] nothing is yielded; lengths and output gradients are ignored.
    """
    full = original.at_full_length()
    arrays = replace(full.arrays, d_outputs=np.zeros_like(full.arrays.d_outputs))
    last = full.at(arrays)
    p = arrays.parameters
    if "W_h" in p:
        rate = _norm(p["W_h"]) * (1 if original.traits.candidate_activation == "tanh" else 1 / 4)
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
