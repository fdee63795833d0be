"""Which of the cells that this package ships a target equals."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from rnn_harness.arithmetic.assumptions import LAYER_NORM_EPSILON, SCREEN_SINGLE
from rnn_harness.specs import Spec, library, literature
from rnn_harness.specs.program import Program
from rnn_harness.validation.identification.output_readings import first_reading
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.judging.own_specs import of_its_states
from rnn_harness.validation.spec_search.constant_below_root import (
    NAME,
    VALUES,
    fitting_constant,
    with_constant_below_root,
)
from rnn_harness.validation.spec_search.constants import usual_constants, with_constants
from rnn_harness.validation.spec_search.program_runs import ProgramRuns
from rnn_harness.validation.spec_search.search import SECONDS, SpecMatch, TargetSearch, first_complement, first_match
from rnn_harness.validation.spec_search.signature import are_joined
from rnn_harness.validation.spec_search.spec_pieces import empty_parameters

LARGE = tuple(value for value in VALUES if value > LAYER_NORM_EPSILON)
"""Constants below a root that are larger than that of the specs."""
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
    search, known = TargetSearch(probe), [*_shipped(probe), *literature()]
    search.deadline = time.process_time() + SECONDS
    match = first_match(search, known) or first_complement(search, known)
    match = _with_another_root(probe, known, search.deadline) if match is None else _with_its_root(probe, match)
    if match is None:
        return None
    if _leaves_out_a_parameter(probe, match):  # an LSTM that forgets its forget gate would be one of zoneout
        return None
    # A cell that keeps its weights within limits is this one with small weights alone.
    return match if _equals_far_away(probe, match) else None


def _with_its_root(probe: Probe, match: SpecMatch) -> SpecMatch:
    """Return a match with the constant below its roots that a target has."""
    return replace(match, spec=fitting_constant(match.spec, match.table, match.states, probe))


def _with_another_root(probe: Probe, known: Sequence[Spec], deadline: float) -> SpecMatch | None:
    """Find the spec that a target equals but for the constant below its roots, which hardly shows, until a time."""
    loose = replace(probe, tolerance=max(probe.tolerance, SCREEN_SINGLE))
    normalised = [spec for spec in known if with_constant_below_root(spec, VALUES[0]) is not None]
    # A larger constant shows wherever a variance is small, and so even to a loose search.
    large = [variant for value in LARGE for spec in normalised if (variant := with_constant_below_root(spec, value))]
    search, variants = TargetSearch(loose), [*normalised, *large]
    search.deadline = deadline
    match = first_match(search, variants) or first_complement(search, variants)
    if match is None:
        return None
    if NAME not in match.spec.model.constants:
        match = _with_its_root(loose, match)
        return match if _equals_at(probe, match, 1) else None
    # A loose search finds the first digit of a constant, if that.
    constants = usual_constants(match.spec)
    specs = (with_constants(match.spec, {**constants, NAME: value}) for value in VALUES)
    usual = {name: value for name, value in match.usual.items() if name != NAME}
    candidates = (replace(match, spec=spec, usual=usual) for spec in specs)
    return next((candidate for candidate in candidates if _equals_at(probe, candidate, 1)), None)


def _shipped(probe: Probe) -> list[Spec]:
    """List the specs of the documents that are searched by their expressions; the others have a sketch of their own.

    Of states that lie side by side in one the sketch knows nothing.
    """
    cells = [spec for spec in library().cells if not spec.model.layers]
    joined = [of_its_states(spec) for spec in cells if _is_joined_in(spec, probe)]
    return [*joined, *(spec for spec in cells if spec.reference is None)]


def _is_joined_in(spec: Spec, probe: Probe) -> bool:
    """Say whether a spec has a reference, which knows its states apart, and a target has them side by side."""
    return spec.reference is not None and are_joined(probe.convention, len(spec.model.states))


def wanted_spec_of_joined_states(probe: Probe, wanted: str) -> Spec | None:
    """Return the shipped spec that is asked for, without its reference, if a target has its states side by side.

    Args:
        probe: Runs of the target.
        wanted: The id of a spec, or ``auto``.

    Returns:
        The spec; None where it is to be searched by the sketch of its family, or is none that is shipped.
    """
    spec = next((spec for spec in library().cells if spec.id == wanted), None)
    return of_its_states(spec) if spec is not None and _is_joined_in(spec, probe) else None


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
    # An output that is no state counts too, which a run of a program does not show as a step of a target does.
    return any(probe.equal(given, runs.respond({**parameters, name: other}, steps)) for name, other in others.items())


def _equals_far_away(probe: Probe, match: SpecMatch) -> bool:
    """Say whether a target equals a spec with parameters far beyond the usual size too."""
    return _equals_at(probe, match, FAR)


def _equals_at(probe: Probe, match: SpecMatch, factor: float) -> bool:
    """Say whether a target equals a spec with so many times its parameters."""
    free = {slot.parameter for slot, _ in match.table.roles}
    far = {name: factor * value if name in free else value for name, value in probe.parameters.items()}
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
