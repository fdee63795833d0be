"""Which cells a target could be, by the number of its gates, states and vectors, and by what it does with zeros."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.validation.cells.activations import GATE_ACTIVATIONS, STATE_ACTIVATIONS
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.identification.decode import Decoder
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe


def common_models(layout: Layout, states: int, *, is_layer: bool = False) -> Iterator[CellModel]:
    """List the cells of the literature with their usual activations that fit a layout.

    Args:
        layout: The layout of the target's parameters.
        states: The number of states that the target takes; 0 where it takes none.
        is_layer: Whether it takes a whole sequence, so that it may begin with a cell state of zeros of its own.
    """
    gates = layout.gates
    if gates == 1 and states < 2:
        yield CellModel("rnn")
    if gates == 3 and states < 2:
        for update, reset in itertools.product(("keep", "write"), ("before", "after")):
            yield CellModel("gru", update=update, reset=reset)
    if gates in (3, 4) and (states != 1 or is_layer):
        peephole = _peephole(layout)
        for forget in ("own",) if gates == 4 else ("none", "coupled", "coupling"):
            for peephole_state in ("new", "old") if peephole else ("new",):
                yield CellModel("lstm", forget=forget, peephole=peephole, peephole_state=peephole_state)


def _peephole(layout: Layout) -> str:
    """The kind of peepholes: full ones are additional recurrent matrices, diagonal ones additional vectors."""
    recurrent = sum(block.kind == "h" for block in layout.gate_blocks)
    vectors = sum(block.kind == "b" for block in layout.gate_blocks)
    if recurrent > layout.gates:
        return "full"
    peepholes = layout.gates - 1  # every gate has one, the candidate has none
    counts = (peepholes, peepholes + layout.gates, peepholes + 2 * layout.gates)
    return "diagonal" if vectors in counts and vectors else ""


def all_models(layout: Layout, states: int, *, is_layer: bool = False) -> Iterator[CellModel]:
    """List the same cells with all known activations, the usual ones first.

    Args:
        layout: The layout of the target's parameters.
        states: The number of states that the target takes; 0 where it takes none.
        is_layer: As in `common_models`.
    """
    common = list(common_models(layout, states, is_layer=is_layer))
    yield from common
    if not common:
        return
    for gate, candidate, output in itertools.product(GATE_ACTIVATIONS, STATE_ACTIVATIONS, STATE_ACTIVATIONS):
        for model in common:
            if model.family == "rnn" and (gate != "sigmoid" or output != "tanh"):
                continue
            if model.family == "gru" and output != "tanh":
                continue
            variant = replace(model, gate=gate, candidate=candidate, output=output)
            if variant != model:
                yield variant


def with_cell_clip(probe: Probe, layout: Layout, model: CellModel, states: tuple[str, ...]) -> CellModel:
    """Add the limit of the cell state to a model, if the target shows one where it starts from a huge state.

    Args:
        probe: The target.
        layout: The layout of its parameters.
        model: The model without a limit.
        states: The names of the target's states, in its order.
    """
    if model.family != "lstm" or "c" not in states[: probe.convention.states]:
        return model
    finals = probe.from_huge_states(layout).finals
    place = states.index("c")
    if len(finals) <= place:
        return model
    sizes = np.abs(finals[place])
    # Without a limit every entry is a part of another number.
    limited = np.isfinite(sizes).all() and sizes.min() > 0 and np.ptp(sizes) <= probe.tolerance * sizes.min()
    return replace(model, cell_clip=float(sizes.flat[0])) if limited else model


def with_offset(probe: Probe, layout: Layout, model: CellModel, states: tuple[str, ...]) -> CellModel:
    """Add the constant at the forget gate to a model, if the target shows one where its parameters are zero.

    Args:
        probe: The target.
        layout: The layout of its parameters.
        model: The model without the constant.
        states: The names of the target's states, in its order.
    """
    if model.family != "lstm" or model.forget not in ("own", "coupling") or not probe.convention.states:
        return model
    if model.gate != "sigmoid" or "c" not in states[: probe.convention.states]:
        return model
    place = states.index("c")
    target = probe.masked(layout, frozenset()).finals
    if len(target) <= place:
        return model
    closed = Decoder(probe, layout, replace(model, offset=-np.inf), states).predict({}).finals[place]
    with np.errstate(all="ignore"):
        forget = (target[place] - closed) / probe.states[place]
        offset = np.log(forget / (1 - forget))
    if not np.isfinite(offset).all() or np.ptp(offset) > probe.tolerance or abs(offset.mean()) < probe.tolerance:
        return model
    digits = 6 if probe.dtype == "float64" else 3
    return replace(model, offset=round(float(offset.mean()), digits))
