"""A target tied to equations: what it is, as far as it can be told, and the kernel that drives it by their names."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_harness.comparison.equality import family_spec
from rnn_harness.comparison.relation import FamilyCell
from rnn_harness.comparison.spec_module import named_spec, spec_target
from rnn_harness.errors import UsageError
from rnn_harness.kernels import Kernel
from rnn_harness.records.parameter_map_file import MapFile, SpecMapFile
from rnn_harness.specs import Spec
from rnn_harness.validation.diagnosis.explain import explain_faults
from rnn_harness.validation.diagnosis.nearest import identify_faulty
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.identify import identify, target_layouts
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.identification.saved_map import from_map_file
from rnn_harness.validation.identification.state_order import is_the_callers_affair, with_exchanged_states
from rnn_harness.validation.isolation import load_requested
from rnn_harness.validation.judging.candidate_kernel import candidate_kernel
from rnn_harness.validation.judging.spec_file import (
    SpecCandidate,
    library_candidate,
    spec_file_candidate,
    spec_map_candidate,
)
from rnn_harness.validation.judging.wanted_cell import matches_of_map
from rnn_harness.validation.loading.adapters.jax_models import JaxModelModule
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target
from rnn_harness.validation.request import DTYPES, ValidationRequest
from rnn_harness.validation.spec_search.saved_spec_map import from_spec_map_file

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class TiedCell:
    """A target with what it is.

    Attributes:
        target: What was loaded.
        probe: Its runs on generic numbers.
        match: The cell of a family that it is, faults included; None if it is none.
        candidate: The cell of another spec that it is; None if it is none.
        kernel: What drives it by the names of its equations; None where it is unknown.
        fault: What is wrong with it, in words; empty if nothing is.
        reason: Why it is unknown; empty if it is not.
        spec_name: The id or the file of the spec that it is; empty if there is none.
    """

    target: Target
    probe: Probe
    match: Identification | None = None
    candidate: SpecCandidate | None = None
    kernel: Kernel | None = None
    fault: str = ""
    reason: str = ""
    spec_name: str = ""

    def equations(self) -> Spec | None:
        """Return its equations, of the parameters that it has; None where it is unknown, or has a mistake."""
        if self.fault or self.kernel is None:
            return None
        if self.match is not None:
            return family_spec(FamilyCell(self.match.model, frozenset(self.match.assignment.names)))
        return None if self.candidate is None else self.candidate.spec


def load_compared(request: ValidationRequest) -> Target:
    """Load what is compared: a target, or the equations of a spec.

    Args:
        request: Names a target, a file that ends in ``.toml``, or a shipped spec.

    Raises:
        UsageError: There is no such target.
    """
    spec = named_spec(request.target)
    return as_one_layer(load_requested(request)) if spec is None else spec_target(spec)


def as_one_layer(target: Target) -> Target:
    """Return a model of JAX's libraries around one recurrent part as a layer, where it gives the states of that part.

    Its lengths or mask are seen in this way, and what is done with them is compared.

    Args:
        target: What was loaded.
    """
    if not target.capabilities.has_parts or target.capabilities.library is None:
        return target
    module = target.make_module(*(target.capabilities.fixed_sizes or TRIAL_SIZES))
    if not isinstance(module, JaxModelModule) or module.as_layer is None:
        return target

    def make(n: int, d: int) -> nn.Module:
        made = target.make_module(n, d)
        if not isinstance(made, JaxModelModule) or made.as_layer is None:
            raise UsageError(f"{target.name} is no layer for n, d = {n}, {d}")
        return made.as_layer.module

    return replace(target, make_module=make, capabilities=module.as_layer.capabilities)


def tie(target: Target, request: ValidationRequest, known_map: str = "") -> TiedCell:
    """Find out what a target is: a cell of the spec asked for, of a family, of a shipped spec, or one with a mistake.

    Args:
        target: What was loaded.
        request: The spec that it is held against first, or ``auto``.
        known_map: Its parameter map as JSON, where it was identified before; empty where it was not.

    Raises:
        UsageError: It cannot be driven.
    """
    probe = probe_target(target)
    known = _of_map(target, probe, request, known_map) if known_map else None
    if known is not None:
        return known
    if request.spec != "auto":
        candidate = _candidate_of(target, request.spec)
        if candidate is not None:
            return _of_spec(target, probe, candidate, request.spec)
    reason = ""
    matches: tuple[Identification, ...] = ()
    try:
        matches = identify(target, probe)
        if not matches and is_the_callers_affair(probe):
            matches = with_exchanged_states(target, probe)
    except UsageError as error:  # its parameters are those of no family
        reason = str(error)
    if matches:
        return _of_family(target, probe, matches[0])
    shipped = library_candidate(target, probe, DTYPES)
    if shipped is not None:
        return _of_spec(target, probe, shipped, shipped.spec.id)
    itself = _candidate_of(target, request.target)
    if itself is not None:
        return _of_spec(target, probe, itself, request.target)
    if not reason:
        faulty = identify_faulty(probe, target_layouts(target, probe), target.declared_model)
        if faulty:
            kernel = candidate_kernel(target, faulty[0])
            return TiedCell(target, probe, faulty[0], None, kernel, explain_faults(faulty[0]).sentence())
    return TiedCell(target, probe, reason=reason or "it equals no cell that is known, nor one with a mistake")


def _of_map(target: Target, probe: Probe, request: ValidationRequest, known_map: str) -> TiedCell | None:
    """Tie a target to what it was identified as before, by its map; None where it does not equal that."""
    if '"slots"' not in known_map:
        matches = matches_of_map(probe, from_map_file(MapFile.model_validate_json(known_map)))
        return _of_family(target, probe, matches[0]) if matches else None
    match = from_spec_map_file(SpecMapFile.model_validate_json(known_map), Path(request.target))
    candidate = spec_map_candidate(target, match, "auto", DTYPES)
    return None if candidate.match is None else _of_spec(target, probe, candidate, match.spec.id)


def _of_family(target: Target, probe: Probe, match: Identification) -> TiedCell:
    """Tie a target to the cell of a family that it is."""
    return TiedCell(target, probe, match, None, candidate_kernel(target, match), spec_name=match.spec or "")


def _of_spec(target: Target, probe: Probe, candidate: SpecCandidate, name: str) -> TiedCell:
    """Tie a target to the cell of a spec that it is."""
    return TiedCell(target, probe, None, candidate, candidate.kernel, spec_name=name)


def _candidate_of(target: Target, spec: str) -> SpecCandidate | None:
    """Tie a target to a spec that a text names, if it names one and the target equals it; else None."""
    named = named_spec(spec)
    if named is None:
        return None
    with contextlib.suppress(UsageError):
        candidate = spec_file_candidate(target, named, DTYPES)
        return candidate if candidate.match is not None else None
    return None
