"""What a candidate should be: the spec that was asked for, the cell of a saved map, or what it says it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rnn_harness.errors import UsageError
from rnn_harness.specs import library
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.identification.decode import Decoder
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.identification.spec_model import cell_model_of
from rnn_harness.validation.loading.target import Target


@dataclass(frozen=True)
class WantedCell:
    """What a candidate should be.

    Attributes:
        model: Its features; None where it may be any cell.
        name: What to call it.
        spec: The spec that was asked for, or ``auto``.
    """

    model: CellModel | None
    name: str
    spec: str

    def is_met_by(self, match: Identification) -> bool:
        """Say whether a candidate that was identified as `match` is what it should be.

        Args:
            match: What the candidate was identified as.
        """
        if match.forgotten:
            return False
        if self.model is None:
            return True
        if self.spec != "auto" and match.spec is not None:
            return match.spec == self.spec
        return match.model == self.model


def wanted_cell(target: Target, spec: str, saved_map: Identification | None) -> WantedCell:
    """Decide what a candidate should be.

    Args:
        target: The candidate.
        spec: The id of a spec, or ``auto``.
        saved_map: The cell of a parameter map, if one was given.

    Raises:
        UsageError: There is no such spec; the message names the nearest.
    """
    if spec not in ("auto", *(known.id for known in library().specs)):
        near = ", ".join(library().nearest(spec))
        raise UsageError(f"there is no spec {spec!r}{f'; did you mean {near}?' if near else ''}")
    if spec != "auto":
        return WantedCell(cell_model_of(library().spec(spec)), spec, spec)
    if saved_map is not None:
        return WantedCell(saved_map.model, saved_map.spec or "the cell of the map", spec)
    return WantedCell(target.declared_model, "what it says it is" if target.declared_model is not None else "", spec)


def matches_of_map(probe: Probe, saved_map: Identification) -> tuple[Identification, ...]:
    """Return the map's cell if the candidate computes the same with the parameters where the map has them.

    Args:
        probe: The candidate's runs on generic numbers.
        saved_map: The identification that was saved.

    Returns:
        The map with the candidate's convention; empty where it lacks a parameter, or computes something else.
    """
    lacking = {name for name, _ in saved_map.assignment.layout.forms} - set(probe.parameters)
    if lacking:
        return ()
    decoder = Decoder(probe, saved_map.assignment.layout, saved_map.model, saved_map.states)
    predicted = decoder.predict(dict(saved_map.assignment.roles), len(probe.inputs))
    return (replace(saved_map, convention=probe.convention),) if decoder.agree(probe.complete(), predicted) else ()
