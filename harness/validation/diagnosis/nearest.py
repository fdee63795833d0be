"""The neighbourhood of the known cells: a target that equals none of them may equal one with one mistake, or two.

Every mistake is tried, then every pair: for each the target's parameters are read anew, since a mistake may hide which
is which. Most are ruled out by the run in which every parameter is zero, or by the first that they do not explain.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.diagnosis.faults import edits
from rnn_harness.validation.identification.decode import Decoder, ParameterAssignment
from rnn_harness.validation.identification.identify import Identification, orders
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.identification.variants import plain


def neighbours(seen: Probe, possible: list[Layout], expected: CellModel | None) -> list[Identification]:
    """The wrong cells that a target equals, those with the fewest mistakes. `expected`: what it should be."""
    plainly = [layout for layout in possible if not layout.interleaved]
    rows = [(layout, sketch) for layout in plainly for sketch in bases(layout, seen, expected)]
    for layout, sketch in rows:
        found = [one for edit in edits(sketch) for one in _exact(seen, layout, replace(sketch, edits=(edit,)))]
        if found:
            return sorted(found, key=_named_otherwise)
    for layout, sketch in rows:
        pairs = itertools.combinations(edits(sketch), 2)
        found = [one for pair in pairs for one in _exact(seen, layout, replace(sketch, edits=pair))]
        if found:
            return sorted(found, key=_named_otherwise)
    return []


def agrees_at_zero(seen: Probe, possible: list[Layout], sketch: CellModel) -> bool:
    """Whether a target equals a cell where all its parameters are zero, in some layout and order of its states."""
    return any(Decoder(seen, layout, sketch, states).zero() for layout in possible for states in orders(sketch, seen))


def bases(layout: Layout, seen: Probe, expected: CellModel | None) -> Iterator[CellModel]:
    """What it should be first; then the usual cells."""
    if expected is not None:
        yield expected
    for sketch in plain(layout, seen.convention.states):
        if sketch != expected:
            yield sketch


_SPELLED = {"z": "zu", "g": "gcnha"}


def _named_otherwise(match: Identification) -> int:
    """How many parameters of one gate have a name that ends in another gate's letter: people name what they mean."""
    slots = match.reading.layout.slots
    own = [(slots[index].parameter, role[0]) for index, role in match.reading.names if slots[index].of == 1]
    return sum(parameter[-1].lower() not in _SPELLED.get(role[-1], role[-1]) for parameter, role in own)


def _exact(seen: Probe, layout: Layout, sketch: CellModel) -> Iterator[Identification]:
    for states in orders(sketch, seen):
        decoder = Decoder(seen, layout, sketch, states)
        if decoder.zero():
            yield from (Identification(sketch, reading, states, seen.convention) for reading in decoder.readings())


def partial(seen: Probe, layout: Layout, sketch: CellModel) -> list[tuple[ParameterAssignment, tuple[str, ...]]]:
    """Readings of a cell that the target is not, those with the most slots told by a run first."""
    found = [
        (reading, states)
        for states in orders(sketch, seen)
        for reading in Decoder(seen, layout, sketch, states).readings(partial=True)
    ]
    return sorted(found, key=lambda row: -row[0].matched)
