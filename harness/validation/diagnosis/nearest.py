"""The known cells with one fault or two: a target that equals no known cell may equal one of these.

Every fault is tried, then every pair, and for each the target's parameters are assigned again, since a fault may hide
which parameter is which. Most are ruled out by the run in which every parameter is zero, or by the first parameter that
they do not explain.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rnn_harness.subjects.parameter_role import find_role
from rnn_harness.validation.cells.cell_model import CellModel, Fault
from rnn_harness.validation.diagnosis.fault_filter import FaultFilter
from rnn_harness.validation.diagnosis.faults import candidate_faults
from rnn_harness.validation.identification.agreements import Agreements
from rnn_harness.validation.identification.decode import Decoder, ParameterAssignment
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.identify import state_orders
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.identification.variants import common_models

SEARCH_SECONDS = 20.0
"""How much of its core's time a search for faults may take; one that finds something takes a few seconds."""


def identify_faulty(
    probe: Probe, layouts: list[Layout], expected: CellModel | None, counts: tuple[int, ...] = (1, 2)
) -> list[Identification]:
    """Find the wrong cells that a target equals: those with one fault or, where there are none, with two.

    Args:
        probe: The target.
        layouts: The layouts that its parameters may have.
        expected: The cell that it should be, if that is known.
        counts: How many faults it may have.

    Returns:
        Identifications whose model has faults; first those in which the parameters' names fit their gates best.
    """
    end, agreements = time.process_time() + SEARCH_SECONDS, Agreements()
    bases = [
        (layout, model)
        for layout in layouts
        if not layout.interleaved
        for model in _models(layout, probe, expected)
        if Decoder(probe, layout, model, state_orders(model, probe)[0], agreements).has_room()
    ]
    for count in counts:
        for layout, model in bases:
            fault_sets = itertools.combinations(candidate_faults(model), count)
            in_time = itertools.takewhile(lambda _: time.process_time() < end, fault_sets)
            if matches := _with_any_fault(probe, layout, model, in_time, agreements):
                return matches
    return []


def _with_any_fault(
    probe: Probe, layout: Layout, model: CellModel, fault_sets: Iterable[tuple[Fault, ...]], agreements: Agreements
) -> list[Identification]:
    if 0 < probe.convention.states < len(model.state_names):
        # The state that it cannot be given is zero in the first step, where its part in the equations does not show.
        probe = replace(probe, steps=len(probe.inputs))
    orders = state_orders(model, probe)
    filters = {states: FaultFilter(probe, layout, model, states, agreements) for states in orders}
    identifications = []
    for faults in fault_sets:
        for states in (states for states in orders if filters[states].admits(faults)):
            decoder = Decoder(probe, layout, replace(model, faults=faults), states, agreements)
            equal_cells = (
                Identification(decoder.model, row, states, probe.convention) for row in decoder.assignments()
            )
            identifications += [each for each in equal_cells if not _is_right(probe, each)]
    return sorted(identifications, key=_misleading_names)


def _is_right(probe: Probe, identification: Identification) -> bool:
    """Say whether a target equals the cell without the faults too: a role may turn back what a fault turns.

    A bias that is subtracted by the fault and by its role is added, and a matrix that both transpose is as it was.
    """
    assignment = identification.assignment
    model = replace(identification.model, faults=())
    decoder = Decoder(probe, assignment.layout, model, identification.states)
    for fault in identification.model.faults:
        if not fault.change.endswith((" negated", " transposed")):
            continue
        is_bias = "bias" in fault.change
        roles = dict(assignment.roles)
        for index, role in assignment.roles:
            kind = assignment.layout.gate_blocks[index].kind
            if _gate(role.name) == fault.where and (kind == "b") == is_bias:
                turned = not role.flipped and kind == "h" and fault.change.startswith("recurrent")
                roles[index] = role._replace(flipped=turned if is_bias or kind == "h" else role.flipped)
        if decoder.agree(probe.complete(), decoder.predict(roles, len(probe.inputs))):
            return True
    return False


def _gate(name: str) -> str:
    """The gate of a parameter with the reference's name; empty where it has none."""
    role = find_role(name)
    return role.gate if role is not None else ""


def agrees_at_zero(probe: Probe, layouts: list[Layout], model: CellModel) -> bool:
    """Say whether a target equals a cell where all parameters are zero, in some layout and some order of its states.

    Args:
        probe: The target.
        layouts: The layouts that its parameters may have.
        model: The cell.
    """
    return any(
        Decoder(probe, layout, model, states).agrees_at_zero()
        for layout in layouts
        for states in state_orders(model, probe)
    )


def _models(layout: Layout, probe: Probe, expected: CellModel | None) -> Iterator[CellModel]:
    """The cell that a target should be first, then the usual ones."""
    if expected is not None:
        yield expected
    for model in common_models(layout, probe.convention.states, is_layer=probe.convention.sequence):
        if model != expected:
            yield model


_LETTERS_IN_USE = {"z": "zu", "g": "gcnha"}
"""The last letters that the parameters of a gate have in the literature, where these are not its letter alone."""


def _misleading_names(identification: Identification) -> int:
    """How many parameters of one gate have a name that ends in the letter of another gate."""
    count = 0
    for index, role in identification.assignment.roles:
        block = identification.assignment.layout.gate_blocks[index]
        parameter_role = find_role(role.name)
        if block.of == 1 and parameter_role is not None:
            # A simple RNN has no letter: the last one of the reference's name, x, h or b, stands for it.
            letter = parameter_role.gate or role.name[-1]
            count += block.parameter[-1].lower() not in _LETTERS_IN_USE.get(letter, letter)
    return count


@dataclass(frozen=True)
class PartialMatch:
    """A cell that a target equals in part.

    Attributes:
        model: The cell.
        assignment: Which parameter is which, as far as runs show it.
        states: The names of the target's states, in its order.
    """

    model: CellModel
    assignment: ParameterAssignment
    states: tuple[str, ...]


def closest_cell(probe: Probe, layouts: list[Layout], expected: CellModel | None) -> PartialMatch | None:
    """Find the cell with which a target has the most parameters in common.

    Args:
        probe: The target.
        layouts: The layouts that its parameters may have.
        expected: The cell that it should be; None to search the usual ones.

    Returns:
        The first cell with the most parameters whose role a run shows; None where no layout fits any cell.
    """
    agreements = Agreements()
    matches = [
        PartialMatch(model, assignment, states)
        for layout in layouts
        for model in ((expected,) if expected is not None else _models(layout, probe, None))
        for states in state_orders(model, probe)
        for assignment in Decoder(probe, layout, model, states, agreements).assignments(partial=True)
    ]
    return max(matches, key=lambda match: match.assignment.matched, default=None)
