"""One cell written as another: M-19 to M-22, M-25, M-26, with the negative controls.

Every property takes the subject on the numbers of a case, and yields comparisons that must hold (see the package).
"""
# ruff: noqa: B023 - a comparison is judged before the loop that made it goes on

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.array_types import Array
from rnn_harness.checks.metamorphic.cell_traits import Traits, is_gru, is_rnn
from rnn_harness.checks.metamorphic.comparison import Comparison, apart, close
from rnn_harness.checks.metamorphic.limits import HOLD, plain_run
from rnn_harness.checks.metamorphic.property import metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.references.rnn import RNN
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind, parameter_role


def _finals(original: SubjectRun, finals: dict[str, Array], extra: float = 0.0) -> Iterator[Comparison]:
    """Compare the subject's finals with another right computation of them, each within the radius."""
    for name, value in finals.items():
        yield close(
            f"final {name}",
            original.run.finals[name],
            value,
            lambda: 2 * original.radii.finals[name] + extra,
        )


def _has_peephole(traits: Traits) -> bool:
    return traits.single and traits.lstm is not None and traits.lstm.peephole is not None


def _has_full_peephole(traits: Traits) -> bool:
    return traits.single and traits.lstm is not None and traits.lstm.peephole == "full"


def _has_recurrent_bias(traits: Traits) -> bool:
    return traits.single and traits.gru is not None and traits.gru.reset == "after" and traits.bias


def _is_sigmoid_rnn(traits: Traits) -> bool:
    return is_rnn(traits) and traits.candidate_activation == "sigmoid"


def _plain_lstm(traits: Traits) -> bool:
    return traits.single and traits.lstm is not None and traits.lstm.peephole is None and traits.lstm.forget


@metamorphic_property(
    "zero-peepholes", "M-19", "an LSTM with zero peepholes is an LSTM without", "rounding", _has_peephole
)
def zero_peepholes(original: SubjectRun) -> Iterator[Comparison]:
    """M-19: W_c = 0.

    Args:
        original: A single LSTM with peepholes of either form.
    """
    parameters = {
        name: np.zeros_like(value) if is_kind(name, ParameterKind.PEEPHOLE) else value
        for name, value in original.arrays.parameters.items()
    }
    bare = {name: value for name, value in parameters.items() if not is_kind(name, ParameterKind.PEEPHOLE)}
    zero = original.at(replace(original.arrays, parameters=parameters))
    yield from _finals(zero, plain_run(zero, replace(original.lstm, peephole=None), bare).finals)


@metamorphic_property(
    "open-forget-gate",
    "M-19b",
    "a forget gate held open is no forget gate",
    "rounding",
    lambda t: _plain_lstm(t) and t.bias,
)
def open_forget_gate(original: SubjectRun) -> Iterator[Comparison]:
    """M-19b: W_f = U_f = 0, b_f so large that f = 1 exactly.

    Args:
        original: A single LSTM without peepholes, with forget gate and biases.
    """
    parameters = dict(original.arrays.parameters)
    for name in ("W_xf", "W_hf"):
        parameters[name] = np.zeros_like(parameters[name])
    parameters["b_f"] = np.full_like(parameters["b_f"], HOLD)
    constrained = original.at(replace(original.arrays, parameters=parameters))
    without = {name: value for name, value in parameters.items() if parameter_role(name).gate != "f"}
    yield from _finals(constrained, plain_run(constrained, replace(original.lstm, forget=False), without).finals)


@metamorphic_property(
    "coupled-gates",
    "M-20",
    "a forget gate with the input gate's parameters negated is one minus it",
    "rounding",
    _plain_lstm,
)
def coupled_gates(original: SubjectRun) -> Iterator[Comparison]:
    """M-20: sigma(-a) = 1 - sigma(a): the coupled gates of a CIFG cell.

    Args:
        original: A single LSTM without peepholes, with forget gate; lengths are ignored.
    """
    parameters = dict(original.arrays.parameters)
    for prefix in ("W_x", "W_h", "b_"):
        if f"{prefix}i" in parameters:
            parameters[f"{prefix}f"] = -parameters[f"{prefix}i"]
    tied = original.at(replace(original.arrays, parameters=parameters, lengths=None))
    gates = [tied.run.trace[gate] for gate in ("input_gate", "forget_gate")]
    unit = float(UNIT_ROUNDOFF[str(tied.arrays.inputs.dtype)])
    yield close(
        "i + f",
        gates[0] + gates[1],
        np.ones_like(gates[0]),
        lambda: unit,
        lambda: sum(tied.radii.trace[g] for g in ("input_gate", "forget_gate")),
    )


@metamorphic_property(
    "peepholes-as-inputs",
    "M-21",
    "a peephole is an input: gates that see [x, c] of an LSTM without peepholes",
    "rounding",
    _has_peephole,
)
def peepholes_as_inputs(original: SubjectRun) -> Iterator[Comparison]:
    """M-21: The plain LSTM on [x_t, c_{t-1}, c_t], the peepholes in the columns of the input weights.

    Args:
        original: A single LSTM with peepholes of either form; lengths are ignored.
    """
    arrays = replace(original.arrays, lengths=None)
    full = original.at(arrays)
    c = full.run.trace["cell_state"]
    before = np.concatenate([arrays.states["c"][None], c[:-1]])
    parameters = {name: value for name, value in arrays.parameters.items() if not is_kind(name, ParameterKind.PEEPHOLE)}
    zero = np.zeros_like(arrays.parameters["W_hi"])
    for gate in original.lstm.gates:
        peephole = arrays.parameters.get(f"W_c{gate}", zero)
        matrix = np.diag(peephole) if peephole.ndim == 1 else peephole
        now = gate == "o"
        blocks = [parameters[f"W_x{gate}"], zero if now else matrix, matrix if now else zero]
        parameters[f"W_x{gate}"] = np.concatenate(blocks, axis=1)
    wide = full.at(replace(arrays, inputs=np.concatenate([arrays.inputs, before, c], axis=2)))
    run = plain_run(wide, replace(original.lstm, peephole=None), parameters)
    # Both read the subject's own cell states, so each run is once more within the radius.
    for name, value in run.finals.items():
        yield close(
            f"final {name}",
            full.run.finals[name],
            value,
            lambda: 4 * full.radii.finals[name],
        )


@metamorphic_property(
    "diagonal-peepholes",
    "M-21b",
    "full peepholes with diagonal matrices are diagonal peepholes",
    "rounding",
    _has_full_peephole,
)
def diagonal_peepholes(original: SubjectRun) -> Iterator[Comparison]:
    """M-21b: W_c = diag(p).

    Args:
        original: A single LSTM with full peephole matrices (d, d), of which only the diagonals are kept.
    """
    parameters, diagonal = dict(original.arrays.parameters), dict(original.arrays.parameters)
    for name in parameters:
        if is_kind(name, ParameterKind.PEEPHOLE):
            diagonal[name] = np.ascontiguousarray(np.diag(parameters[name]))
            parameters[name] = np.diag(diagonal[name])
    constrained = original.at(replace(original.arrays, parameters=parameters))
    yield from _finals(
        constrained, plain_run(constrained, replace(original.lstm, peephole="diagonal"), diagonal).finals
    )


@metamorphic_property(
    "update-gate-negation", "M-22", "keeping with z is writing with z's parameters negated", "rounding", is_gru
)
def update_gate_negation(original: SubjectRun) -> Iterator[Comparison]:
    """M-22: GRU_keep(theta) = GRU_write(theta with the block of z negated).

    Args:
        original: A single GRU of either update.
    """
    parameters = {
        name: -value if parameter_role(name).gate == "z" else value
        for name, value in original.arrays.parameters.items()
    }
    gru = original.gru
    opposite = replace(gru, update="write" if gru.update == "keep" else "keep")
    yield from _finals(original, plain_run(original, opposite, parameters).finals)


def _flipped_reset(original: SubjectRun, parameters: dict[str, Array]) -> dict[str, Array]:
    """Return the finals of the GRU whose reset gate acts on the opposite side of the product."""
    gru = original.gru
    parameters = dict(parameters)
    if gru.reset == "after":
        parameters.pop("b_hg", None)
    elif gru.bias:
        parameters["b_hg"] = np.zeros_like(parameters["b_g"])
    flipped = replace(gru, reset="before" if gru.reset == "after" else "after")
    return plain_run(original, flipped, parameters).finals


@metamorphic_property(
    "reset-before-and-after-agree-if-diagonal",
    "M-25",
    "reset before and after agree for a diagonal recurrent matrix",
    "rounding",
    is_gru,
)
def reset_before_and_after_agree_if_diagonal(original: SubjectRun) -> Iterator[Comparison]:
    """M-25: U_n = diag(u), no recurrent bias: u (r h) = r (u h).

    Args:
        original: A single GRU of either reset.
    """
    parameters = dict(original.arrays.parameters)
    parameters["W_hg"] = np.diag(np.diag(parameters["W_hg"]))
    if "b_hg" in parameters:
        parameters["b_hg"] = np.zeros_like(parameters["b_hg"])
    constrained = original.at(replace(original.arrays, parameters=parameters))
    yield from _finals(constrained, _flipped_reset(constrained, parameters))


@metamorphic_property(
    "reset-before-and-after-differ", "M-25b", "reset before and after differ for generic weights", "rounding", is_gru
)
def reset_before_and_after_differ(original: SubjectRun) -> Iterator[Comparison]:
    """M-25b: The negative control of M-25.

    Args:
        original: A single GRU of either reset; with one hidden unit, d = 1, both agree and nothing is yielded.
    """
    if original.sizes["d"] > 1:
        flipped_finals = _flipped_reset(original, original.arrays.parameters)
        yield apart(
            "final h",
            original.run.finals["h"],
            flipped_finals["h"],
            lambda: 2 * original.radii.finals["h"],
        )


@metamorphic_property(
    "recurrent-and-input-bias-differ",
    "M-14b",
    "with reset after, the recurrent bias is not the input bias",
    "rounding",
    _has_recurrent_bias,
)
def recurrent_and_input_bias_differ(original: SubjectRun) -> Iterator[Comparison]:
    """M-14b: The negative control of M-14: what moves from b_g to b_hg passes through the reset gate.

    Args:
        original: A single GRU with the reset after the product, and with biases.
    """
    parameters = dict(original.arrays.parameters)
    parameters["b_g"], parameters["b_hg"] = (
        np.zeros_like(parameters["b_g"]),
        (parameters["b_hg"] + parameters["b_g"]),
    )
    moved = original.at(replace(original.arrays, parameters=parameters))
    yield apart(
        "final h",
        original.run.finals["h"],
        moved.run.finals["h"],
        lambda: original.radii.finals["h"],
        lambda: moved.radii.finals["h"],
    )


@metamorphic_property(
    "sigmoid-tanh-conjugacy",
    "M-26",
    "a sigmoid RNN is a tanh RNN in other coordinates",
    "rounding",
    _is_sigmoid_rnn,
)
def sigmoid_tanh_conjugacy(original: SubjectRun) -> Iterator[Comparison]:
    """M-26: q = (1 + s) / 2: weights W/2, U/4, bias (b + U 1/2) / 2; exact on values of a common grain.

    Args:
        original: A simple RNN with sigmoid; in float32, where the new coordinates round, nothing is yielded.
    """
    arrays = original.arrays
    if arrays.inputs.dtype != np.float64:
        return
    w, u = arrays.parameters["W_x"], arrays.parameters["W_h"]
    b = arrays.parameters.get("b", np.zeros(len(u)))
    parameters = {"W_x": w / 2, "W_h": u / 4, "b": (b + u.sum(axis=1) / 2) / 2}
    moved = original.at(replace(arrays, states={"h": 2 * arrays.states["h"] - 1}))
    tanh_state = plain_run(moved, RNN("tanh"), parameters).finals["h"]
    unit = float(UNIT_ROUNDOFF[str(arrays.inputs.dtype)])
    yield from _finals(original, {"h": (1 + tanh_state) / 2}, 2 * unit)
