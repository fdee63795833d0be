"""The neighbourhood of the known cells: a target that equals none of them may equal one with one mistake, or two.

Every mistake is tried, then every pair: for each the target's parameters are read anew, since a mistake may hide which
is which. Most are ruled out by the run in which every parameter is zero, or by the first that they do not explain.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.diagnosis.faults import candidate_faults
from rnn_harness.validation.identification.decode import Decoder, ParameterAssignment
from rnn_harness.validation.identification.identify import Identification, orders
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.identification.variants import plain


def identify_faulty(seen: Probe, possible: list[Layout], expected: CellModel | None) -> list[Identification]:
    """The wrong cells that a target equals, those with the fewest mistakes. `expected`: what it should be."""
    plainly = [layout for layout in possible if not layout.interleaved]
    rows = [(layout, model) for layout in plainly for model in base_models(layout, seen, expected)]
    for layout, model in rows:
        found = [
            one for edit in candidate_faults(model) for one in _exact(seen, layout, replace(model, faults=(edit,)))
        ]
        if found:
            return sorted(found, key=_named_otherwise)
    for layout, model in rows:
        pairs = itertools.combinations(candidate_faults(model), 2)
        found = [one for pair in pairs for one in _exact(seen, layout, replace(model, faults=pair))]
        if found:
            return sorted(found, key=_named_otherwise)
    return []


def agrees_at_zero(seen: Probe, possible: list[Layout], model: CellModel) -> bool:
    """Whether a target equals a cell where all its parameters are zero, in some layout and order of its states."""
    return any(Decoder(seen, layout, model, states).zero() for layout in possible for states in orders(model, seen))


def base_models(layout: Layout, seen: Probe, expected: CellModel | None) -> Iterator[CellModel]:
    """What it should be first; then the usual cells."""
    if expected is not None:
        yield expected
    for model in plain(layout, seen.convention.states):
        if model != expected:
            yield model


_SPELLED = {"z": "zu", "g": "gcnha"}


def _named_otherwise(match: Identification) -> int:
    """How many parameters of one gate have a name that ends in another gate's letter: people name what they mean."""
    gate_blocks = match.assignment.layout.gate_blocks
    own = [
        (gate_blocks[index].parameter, role[0]) for index, role in match.assignment.names if gate_blocks[index].of == 1
    ]
    return sum(parameter[-1].lower() not in _SPELLED.get(role[-1], role[-1]) for parameter, role in own)


def _exact(seen: Probe, layout: Layout, model: CellModel) -> Iterator[Identification]:
    for states in orders(model, seen):
        decoder = Decoder(seen, layout, model, states)
        if decoder.zero():
            yield from (
                Identification(model, assignment, states, seen.convention) for assignment in decoder.assignments()
            )


def partial_assignments(
    seen: Probe, layout: Layout, model: CellModel
) -> list[tuple[ParameterAssignment, tuple[str, ...]]]:
    """Readings of a cell that the target is not, those with the most slots told by a run first."""
    found = [
        (assignment, states)
        for states in orders(model, seen)
        for assignment in Decoder(seen, layout, model, states).assignments(partial=True)
    ]
    return sorted(found, key=lambda row: -row[0].matched)
