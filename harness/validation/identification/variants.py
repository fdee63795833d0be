"""Which cells a target could be, by the number of its gates, states and vectors, and by what it does with zeros.

Dimension legend: G gates.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.validation.cells.activations import GATES, OTHERS
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.identification.decode import Decoder
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe


def plain(layout: Layout, states: int) -> Iterator[CellModel]:
    """The cells of the field with the usual activations. `states`: 0 where none can be given."""
    gates = layout.gates
    if gates == 1 and states < 2:
        yield CellModel("rnn")
    if gates == 3 and states < 2:
        for update, reset in itertools.product(("keep", "write"), ("before", "after")):
            yield CellModel("gru", update=update, reset=reset)
    if gates in (3, 4) and states != 1:
        for forget in ("own",) if gates == 4 else ("none", "coupled", "coupling"):
            for peephole in _peepholes(layout):
                for seen in ("new", "old") if peephole else ("new",):
                    yield CellModel("lstm", forget=forget, peephole=peephole, seen=seen)


def _peepholes(layout: Layout) -> tuple[str, ...]:
    """Full peepholes are more recurrent matrices than gates; diagonal ones are vectors beside the biases."""
    recurrent = sum(gate_block.kind == "h" for gate_block in layout.gate_blocks)
    vectors = sum(gate_block.kind == "b" for gate_block in layout.gate_blocks)
    if recurrent > layout.gates:
        return ("full",)
    own = layout.gates - 1  # one for every gate but the candidate
    return ("diagonal",) if vectors in (own, own + layout.gates, own + 2 * layout.gates) and vectors else ("",)


def all_variants(layout: Layout, states: int) -> Iterator[CellModel]:
    """The same with every activation that is known, usual ones first."""
    base = list(plain(layout, states))
    yield from base
    if not base:
        return
    for gate, candidate, output in itertools.product(GATES, OTHERS, OTHERS):
        for one in base:
            if one.family == "rnn" and (gate != "sigmoid" or output != "tanh"):
                continue
            if one.family == "gru" and output != "tanh":
                continue
            other = replace(one, gate=gate, candidate=candidate, output=output)
            if other != one:
                yield other


def with_cell_clip(seen: Probe, layout: Layout, model: CellModel, states: tuple[str, ...]) -> CellModel:
    """The sketch with the limit that the target keeps its cell state within, if a huge one shows a limit."""
    if model.family != "lstm" or "c" not in states[: seen.convention.states]:
        return model
    finals = seen.from_huge_states(layout).finals
    place = states.index("c")
    if len(finals) <= place:
        return model
    sizes = np.abs(finals[place])
    # Without a limit every entry is a part of another number.
    limited = np.isfinite(sizes).all() and sizes.min() > 0 and np.ptp(sizes) <= seen.tolerance * sizes.min()
    return replace(model, cell_clip=float(sizes.flat[0])) if limited else model


def with_offset(seen: Probe, layout: Layout, model: CellModel, states: tuple[str, ...]) -> CellModel:
    """The sketch with the constant that the target adds to its forget gate, if what it does with zeros shows one."""
    if model.family != "lstm" or model.forget not in ("own", "coupling") or not seen.convention.states:
        return model
    if model.gate != "sigmoid" or "c" not in states[: seen.convention.states]:
        return model
    place = states.index("c")
    target = seen.masked(layout, frozenset()).finals
    if len(target) <= place:
        return model
    zero = Decoder(seen, layout, replace(model, offset=-np.inf), states).predict({}).finals[place]
    with np.errstate(all="ignore"):
        kept = (target[place] - zero) / seen.states[place]  # what the forget gate lets through
        offset = np.log(kept / (1 - kept))
    if not np.isfinite(offset).all() or np.ptp(offset) > seen.tolerance or abs(offset.mean()) < seen.tolerance:
        return model
    digits = 6 if seen.dtype == "float64" else 3
    return replace(model, offset=round(float(offset.mean()), digits))
