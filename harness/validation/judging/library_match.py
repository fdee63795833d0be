"""Which of the cells that this package ships a target equals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_harness.specs import library, literature
from rnn_harness.specs.program import Program
from rnn_harness.validation.identification.output_readings import first_reading
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.spec_search.constant_below_root import fitting_constant
from rnn_harness.validation.spec_search.constants import usual_constants
from rnn_harness.validation.spec_search.program_runs import ProgramRuns
from rnn_harness.validation.spec_search.search import SpecMatch, TargetSearch, first_complement, first_match
from rnn_harness.validation.spec_search.spec_pieces import empty_parameters

FAR = 8
"""Times the usual size of parameters: beyond the limits that cells set to their weights."""


def library_match(probe: Probe) -> SpecMatch | None:
    """Find the shipped spec without a reference, or of the literature, that a target equals; None if it equals none.

    Args:
        probe: Runs of the target.
    """
    if probe.ignored:  # a GRU that forgets its reset gate would be an MGU, and is wrong
        return None
    if probe.keeps_a_state():  # every cell is the identity for some constants, as h + 0 tanh(...) is
        return None
    shipped = [spec for spec in library().cells if spec.reference is None and not spec.model.layers]
    search, known = TargetSearch(probe), [*shipped, *literature()]
    match = first_match(search, known) or first_complement(search, known)
    if match is None:
        return None
    match = replace(match, spec=fitting_constant(match.spec, match.table, match.states, probe))
    if _leaves_out_a_parameter(probe, match):  # an LSTM that forgets its forget gate would be one of zoneout
        return None
    # A cell that keeps its weights within limits is this one with small weights alone.
    return match if _equals_far_away(probe, match) else None


def library_match_in_any_reading(probe: Probe) -> tuple[Probe, SpecMatch | None]:
    """Find the shipped spec that a target equals, whichever of what a step gives back is its output.

    Args:
        probe: Runs of the target.

    Returns:
        The runs in the reading in which it equals the spec, and how; the runs as they are, and None, if it equals none.
    """
    return first_reading(probe, library_match)


def _leaves_out_a_parameter(probe: Probe, match: SpecMatch) -> bool:
    """Say whether a parameter of a spec has no influence with the constants of a target; with its own it has."""
    program = match.spec.program()
    if usual_constants(match.spec) == match.usual:
        return False
    runs, steps = ProgramRuns(program, probe, match.states), len(probe.inputs)
    known = match.table.unpack(probe.parameters, _shapes(program, runs.sizes))
    parameters = {**empty_parameters(program, runs.sizes), **known}
    given = runs.respond(parameters, steps)
    others = {name: value + np.sin(1 + np.arange(value.size)).reshape(value.shape) for name, value in known.items()}
    return any(runs.agree(given, runs.respond({**parameters, name: other}, steps)) for name, other in others.items())


def _equals_far_away(probe: Probe, match: SpecMatch) -> bool:
    """Say whether a target equals a spec with parameters far beyond the usual size too."""
    free = {slot.parameter for slot, _ in match.table.roles}
    far = {name: FAR * value if name in free else value for name, value in probe.parameters.items()}
    target = probe.respond(far, len(probe.inputs))
    largest = max((float(np.abs(value).max()) for value in target.arrays), default=0.0)
    if not np.isfinite(largest):
        return True
    runs = ProgramRuns(
        match.spec.program(), replace(probe, tolerance=probe.tolerance * max(1.0, largest)), match.states
    )
    program = match.spec.program()
    known = match.table.unpack(far, _shapes(program, runs.sizes))
    parameters = {**empty_parameters(program, runs.sizes), **known}
    return runs.agree(target, runs.respond(parameters, len(probe.inputs)))


def _shapes(program: Program, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a program's parameters in numbers."""
    return {v.name: tuple(axis.size(sizes) for axis in v.shape) for v in program.parameters}
