"""A target that is a known cell but for one number: another function, and wrong where it should be that cell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from rnn_harness.arithmetic.assumptions import SCREEN_NEAR
from rnn_harness.records.events import RecordMade, TargetDiagnosed, TargetIdentified, ValidationEvent
from rnn_harness.records.validation import Diagnosis
from rnn_harness.records.verdict import Outcome
from rnn_harness.specs.expression import Constant, Role, Variable
from rnn_harness.specs.program import Program
from rnn_harness.validation.identification.decode import Decoder
from rnn_harness.validation.identification.identification import Identification, describe_cell
from rnn_harness.validation.identification.identify import identify
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.judging.describe import identification_check, identification_record
from rnn_harness.validation.judging.expected_failures import mark_expected
from rnn_harness.validation.judging.generated_spec import OFFSET_DIGITS, generate_spec
from rnn_harness.validation.judging.own_specs import without_alternatives
from rnn_harness.validation.judging.unidentified import with_consistency
from rnn_harness.validation.judging.wanted_cell import WantedCell
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.request import ValidationRequest
from rnn_harness.validation.spec_search.near_numbers import number_beside
from rnn_harness.validation.spec_search.program_rewrites import with_assignments, with_part

OFFSET = Variable("eta", (), None, Role.PARAMETER, r"\eta")
"""What is added to a forget gate, where it is to be found."""


@dataclass(frozen=True)
class NearCell:
    """The cell that a target is near.

    Attributes:
        match: The cell.
        number: What the number does by which the target differs from it.
        is_claimed: Whether the target should be that cell, without a number.
    """

    match: Identification
    number: str
    is_claimed: bool = False


def near_cell(match: Identification, probe: Probe, finest: float) -> NearCell | None:
    """Say by which number a target differs from the cell that it is near; None where it does not differ by one.

    Args:
        match: The cell.
        probe: Runs of the target, with the tolerance with which it equals the cell.
        finest: The largest difference of two numbers that count as equal in the format of the probe.
    """
    if probe.tolerance <= finest or probe.dtype != "float64":
        return None
    decoder = Decoder(probe, match.assignment.layout, match.model, match.states)
    parameters = decoder.parameters(dict(match.assignment.roles))
    spec = without_alternatives(generate_spec(match.model, frozenset(match.assignment.names)))
    program, offset = spec.program(), match.model.offset
    opened = _with_open_offset(program, Fraction(f"{abs(offset):.{OFFSET_DIGITS}f}")) if offset else program
    number = number_beside(opened, parameters, probe, match.states, {OFFSET.name: abs(offset)} if offset else {})
    if number is None:
        return None
    exact = round(math.copysign(number.open_numbers.get(OFFSET.name, 0.0), offset), OFFSET_DIGITS)
    return NearCell(replace(match, model=replace(match.model, offset=exact)), number.sentence)


def nearest_cell(target: Target, probe: Probe, wanted: WantedCell) -> NearCell | None:
    """Find the cell from which a target that equals none differs by one number; None where there is none.

    Args:
        target: The candidate.
        probe: Runs of it.
        wanted: What it should be; it may be any cell.
    """
    if probe.dtype != "float64" or target.capabilities.is_single_inside:
        return None
    loose = replace(probe, tolerance=SCREEN_NEAR)
    matches = (match for match in identify(target, loose) if wanted.is_met_by(match))
    near = next((cell for match in matches if (cell := near_cell(match, loose, probe.tolerance)) is not None), None)
    return None if near is None else replace(near, is_claimed=wanted.model is not None)


def _with_open_offset(program: Program, offset: Fraction) -> Program:
    """Return the program of an LSTM with a parameter in the place of what is added to its forget gate."""
    assignments = tuple(
        replace(a, expression=with_part(a.expression, Constant(offset), OFFSET)) if a.target.name == "f" else a
        for a in program.assignments
    )
    return replace(with_assignments(program, assignments), parameters=(*program.parameters, OFFSET))


def judge_near_cell(
    target: Target, probe: Probe, request: ValidationRequest, near: NearCell
) -> Iterator[ValidationEvent]:
    """Yield that a target is not the cell that it should be, or what is decided of one of which nothing is claimed.

    Args:
        target: The candidate.
        probe: Runs of it.
        request: What was asked for.
        near: The cell that it is near.
    """
    spec, name = near.match.spec or "unknown", near.match.spec or describe_cell(near.match)
    diagnosis = Diagnosis(spec=name, part="forward: number", difference=near.number)
    claim = f"; --spec {near.match.spec} holds it against that" if near.match.spec else ""
    unknown = f"unknown: it equals {name} but for a number of its own: {near.number}{claim}"
    outcome, reason = (Outcome.REFUTED, diagnosis.sentence()) if near.is_claimed else (Outcome.NOT_RUN, unknown)
    yield TargetIdentified(identification_record(()))
    record = identification_check(target.name, request, spec, outcome, reason)
    events: list[ValidationEvent] = [RecordMade(each) for each in mark_expected((record,), request.expected)]
    events += [TargetDiagnosed(diagnosis)] if near.is_claimed else []
    yield from with_consistency(target, probe, request, events)
