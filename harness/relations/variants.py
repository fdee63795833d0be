"""One cell written as another: M-19 to M-22, M-25, M-26, with the negative controls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.relations._relation import Comparison, apart, close, relation
from rnn_harness.relations._traits import Traits, is_gru, is_lstm, is_rnn
from rnn_harness.relations.limits import BETA, HOLD, plain_run
from rnn_harness.trial import Trial

Array = NDArray[Any]


def _finals(trial: Trial, finals: dict[str, Array], extra: float = 0.0) -> Iterator[Comparison]:
    """The subject's finals against another right computation of the same: both within the subject's radius."""
    for name, value in finals.items():
        yield close(
            f"final {name}",
            trial.seen.finals[name],
            value,
            lambda name=name: 2 * trial.enclosure.finals[name].radius + extra,
        )


def _options(trial: Trial, **changes: Any) -> dict[str, Any]:
    return {**trial.subject.options, **changes}


def _has_peephole(traits: Traits) -> bool:
    return is_lstm(traits) and traits.option("peephole") is not None


def _plain_lstm(traits: Traits) -> bool:
    return is_lstm(traits) and traits.option("peephole") is None and bool(traits.option("forget"))


@relation("M-19", "an LSTM with zero peepholes is an LSTM without", "R", _has_peephole, ("peephole",))
def zero_peephole(trial: Trial) -> Iterator[Comparison]:
    """W_c = 0."""
    parameters = {
        name: np.zeros_like(value) if name.startswith("W_c") else value
        for name, value in trial.drawn.parameters.items()
    }
    bare = {name: value for name, value in parameters.items() if not name.startswith("W_c")}
    zero = trial.at(trial.drawn.changed(parameters=parameters))
    yield from _finals(zero, plain_run(zero, "lstm", bare, **_options(trial, peephole=None)).finals)


@relation("M-19b", "a forget gate held open is no forget gate", "R", lambda t: _plain_lstm(t) and t.bias)
def open_forget_gate(trial: Trial) -> Iterator[Comparison]:
    """W_f = U_f = 0, b_f so large that f = 1 exactly."""
    parameters = dict(trial.drawn.parameters)
    for name in ("W_xf", "W_hf"):
        parameters[name] = np.zeros_like(parameters[name])
    parameters["b_f"] = np.full_like(parameters["b_f"], HOLD)
    held = trial.at(trial.drawn.changed(parameters=parameters))
    without = {name: value for name, value in parameters.items() if name not in ("W_xf", "W_hf", "b_f")}
    yield from _finals(held, plain_run(held, "lstm", without, **_options(trial, forget=False)).finals)


@relation("M-20", "a forget gate with the input gate's parameters negated is one minus it", "R", _plain_lstm)
def tied_gates(trial: Trial) -> Iterator[Comparison]:
    """sigma(-a) = 1 - sigma(a): the coupled gates of a CIFG cell."""
    parameters = dict(trial.drawn.parameters)
    for prefix in ("W_x", "W_h", "b_"):
        if f"{prefix}i" in parameters:
            parameters[f"{prefix}f"] = -parameters[f"{prefix}i"]
    tied = trial.at(trial.drawn.changed(parameters=parameters))
    names = {trace: symbol for symbol, trace in trial.subject.link.trace.items()}
    gates = [tied.seen.symbols[names[gate]] for gate in ("input_gate", "forget_gate")]
    unit = float(UNIT_ROUNDOFF[str(tied.drawn.dtype)])
    yield close(
        "i + f",
        gates[0] + gates[1],
        np.ones_like(gates[0]),
        lambda: unit + sum(tied.enclosure.symbols[names[g]].radius for g in ("input_gate", "forget_gate")),
    )


@relation("M-21", "a peephole is an input: gates that see [x, c] of an LSTM without peepholes", "R", _has_peephole)
def peephole_as_input(trial: Trial) -> Iterator[Comparison]:
    """The plain LSTM on [x_t, c_{t-1}, c_t], the peepholes in the columns of the input weights."""
    drawn = trial.drawn.changed(lengths=None)
    seen = trial.at(drawn)
    c = seen.seen.run.trace["cell_state"]
    before = np.concatenate([drawn.states["c"][None], c[:-1]])
    parameters = {name: value for name, value in drawn.parameters.items() if not name.startswith("W_c")}
    zero = np.zeros_like(drawn.parameters["W_hi"])
    for gate in trial.subject.reference.gates if hasattr(trial.subject.reference, "gates") else "ifog":
        peephole = drawn.parameters.get(f"W_c{gate}", zero)
        matrix = np.diag(peephole) if peephole.ndim == 1 else peephole
        now = gate == "o"
        blocks = [parameters[f"W_x{gate}"], zero if now else matrix, matrix if now else zero]
        parameters[f"W_x{gate}"] = np.concatenate(blocks, axis=1)
    wide = seen.at(drawn.changed(inputs=np.concatenate([drawn.inputs, before, c], axis=2)))
    run = plain_run(wide, "lstm", parameters, **_options(trial, peephole=None))
    # Both read the subject's own cell states, so each run is once more within the radius.
    for name, value in run.finals.items():
        yield close(
            f"final {name}",
            seen.seen.finals[name],
            value,
            lambda name=name: 4 * seen.enclosure.finals[name].radius,
        )


@relation("M-21b", "full peepholes with diagonal matrices are diagonal peepholes", "R",
          lambda t: _has_peephole(t) and t.option("peephole") == "full")
def diagonal_peephole(trial: Trial) -> Iterator[Comparison]:
    """W_c = diag(p)."""
    parameters, diagonal = dict(trial.drawn.parameters), dict(trial.drawn.parameters)
    for name in parameters:
        if name.startswith("W_c"):
            diagonal[name] = np.ascontiguousarray(np.diag(parameters[name]))
            parameters[name] = np.diag(diagonal[name])
    held = trial.at(trial.drawn.changed(parameters=parameters))
    yield from _finals(held, plain_run(held, "lstm", diagonal, **_options(trial, peephole="diagonal")).finals)


@relation("M-22", "keeping with z is writing with z's parameters negated", "R", is_gru, ("gates swapped",))
def update_duality(trial: Trial) -> Iterator[Comparison]:
    """GRU_keep(theta) = GRU_write(theta with the block of z negated)."""
    parameters = {
        name: -value if name in ("W_xz", "W_hz", "b_z") else value
        for name, value in trial.drawn.parameters.items()
    }
    other = "write" if trial.subject.options.get("update", "keep") == "keep" else "keep"
    yield from _finals(trial, plain_run(trial, "gru", parameters, **_options(trial, update=other)).finals)


def _flipped_reset(trial: Trial, parameters: dict[str, Array]) -> dict[str, Array]:
    """The finals of the GRU whose reset gate acts on the other side of the product."""
    options = trial.subject.options
    after = options.get("reset", "before") == "after"
    own = dict(parameters)
    if after:
        own.pop("b_hg", None)
    elif options.get("bias", True):
        own["b_hg"] = np.zeros_like(own["b_g"])
    return plain_run(trial, "gru", own, **_options(trial, reset="before" if after else "after")).finals


@relation("M-25", "reset before and after agree for a diagonal recurrent matrix", "R", is_gru, ("reset",))
def reset_diagonal(trial: Trial) -> Iterator[Comparison]:
    """U_n = diag(u), no recurrent bias: u (r h) = r (u h)."""
    parameters = dict(trial.drawn.parameters)
    parameters["W_hg"] = np.diag(np.diag(parameters["W_hg"]))
    if "b_hg" in parameters:
        parameters["b_hg"] = np.zeros_like(parameters["b_hg"])
    held = trial.at(trial.drawn.changed(parameters=parameters))
    yield from _finals(held, _flipped_reset(held, parameters))


@relation("M-25b", "reset before and after differ for generic weights", "R", is_gru, ("reset",))
def reset_control(trial: Trial) -> Iterator[Comparison]:
    """The negative control of M-25."""
    if trial.sizes["d"] > 1:
        other = _flipped_reset(trial, trial.drawn.parameters)
        yield apart(
            "final h",
            trial.seen.finals["h"],
            other["h"],
            lambda: 2 * trial.enclosure.finals["h"].radius,
        )


@relation("M-14b", "with reset after, the recurrent bias is not the input bias", "R",
          lambda t: is_gru(t) and t.option("reset") == "after" and t.bias, ("reset",))
def bias_control(trial: Trial) -> Iterator[Comparison]:
    """The negative control of M-14: what moves from b_g to b_hg passes through the reset gate."""
    parameters = dict(trial.drawn.parameters)
    parameters["b_g"], parameters["b_hg"] = np.zeros_like(parameters["b_g"]), (
        parameters["b_hg"] + parameters["b_g"]
    )
    moved = trial.at(trial.drawn.changed(parameters=parameters))
    yield apart(
        "final h",
        trial.seen.finals["h"],
        moved.seen.finals["h"],
        lambda: trial.enclosure.finals["h"].radius + moved.enclosure.finals["h"].radius,
    )


@relation("M-26", "a sigmoid RNN is a tanh RNN in other coordinates", "R",
          lambda t: is_rnn(t) and t.option("activation") == "sigmoid", ("sigma",))
def conjugacy(trial: Trial) -> Iterator[Comparison]:
    """q = (1 + s) / 2: weights W/2, U/4, bias (b + U 1/2) / 2; exact on values of a common grain."""
    drawn = trial.drawn
    if drawn.dtype != np.float64:
        return
    w, u = drawn.parameters["W_x"], drawn.parameters["W_h"]
    b = drawn.parameters.get("b", np.zeros(len(u)))
    parameters = {"W_x": w / 2, "W_h": u / 4, "b": (b + u.sum(axis=1) / 2) / 2}
    moved = trial.at(drawn.changed(states={"h": 2 * drawn.states["h"] - 1}))
    other = plain_run(moved, "rnn", parameters, activation="tanh").finals["h"]
    unit = float(UNIT_ROUNDOFF[str(drawn.dtype)])
    yield from _finals(trial, {"h": (1 + other) / 2}, 2 * unit)


__all__ = ["BETA", "zero_peephole"]
