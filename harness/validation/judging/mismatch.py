"""The candidate is not what it should be, or no known cell: what is wrong, and is that sure?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rnn_harness.errors import UsageError
from rnn_harness.records.events import CounterexampleFound, RecordMade, TargetDiagnosed, ValidationEvent
from rnn_harness.records.validation import Diagnosis
from rnn_harness.records.verdict import Outcome
from rnn_harness.specs import library
from rnn_harness.validation.diagnosis.explain import (
    explain_divergence,
    explain_faults,
    explain_map,
    explain_unused,
    explain_variant,
)
from rnn_harness.validation.diagnosis.faults import may_be_meant
from rnn_harness.validation.diagnosis.nearest import SEARCH_SECONDS, agrees_at_zero, identify_faulty
from rnn_harness.validation.identification.coarse_arithmetic import computes_coarsely
from rnn_harness.validation.identification.decode import weights_left_out
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.identify import identify, target_layouts
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.identification.read_out import has_read_out
from rnn_harness.validation.identification.unused_blocks import has_unused_block
from rnn_harness.validation.judging.candidate_kernel import candidate_kernel
from rnn_harness.validation.judging.coarse_mismatch import mistake_beyond_rounding
from rnn_harness.validation.judging.describe import identification_check
from rnn_harness.validation.judging.own_specs import without_alternatives
from rnn_harness.validation.judging.wanted_cell import WantedCell
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.reproduction.smallest import smallest_counterexample
from rnn_harness.validation.request import ValidationRequest
from rnn_harness.validation.spec_search.fault_search import faulty_match, match_without_a_parameter
from rnn_harness.validation.spec_search.search import TargetSearch

LIKELY, SECONDS_OF_ONE = ("gru.reset_after", "gru.keep.column", "gru.write.004", "lstm.column"), 6.0
"""The cells of which most others are made, and what the search for a mistake in one of them may take."""


@dataclass(frozen=True)
class Mismatch:
    """A candidate that is not what it should be.

    Attributes:
        target: The candidate.
        probe: What it gave for probing arguments.
        matches: The cells that it equals.
        wanted: What it should be.
        request: What was asked for.
        saved_map: The cell of a parameter map, if one was given.
    """

    target: Target
    probe: Probe
    matches: tuple[Identification, ...]
    wanted: WantedCell
    request: ValidationRequest
    saved_map: Identification | None


def judge_mismatch(mismatch: Mismatch) -> Iterator[ValidationEvent]:
    """Yield the record that it is refuted, or unknown, then the diagnosis and a counterexample if there are some.

    Args:
        mismatch: The candidate, its runs, what it should be, and which cells it was identified as.
    """
    target, probe, wanted = mismatch.target, mismatch.probe, mismatch.wanted
    layouts = target_layouts(target, probe)
    near: list[Identification] = []
    is_cut_short = False
    rewritten: Diagnosis | None = None
    matches_elsewhere = identify(target, probe) if mismatch.saved_map is not None else ()
    diagnosis: Diagnosis | None
    if matches_elsewhere and mismatch.saved_map and matches_elsewhere[0].model == mismatch.saved_map.model:
        diagnosis = explain_map(matches_elsewhere[0], mismatch.saved_map)
    elif mismatch.matches and not mismatch.matches[0].forgotten:
        assert wanted.model is not None, "a match is always what it should be where that may be any cell"
        diagnosis = explain_variant(mismatch.matches[0], wanted.model, wanted.name)
    else:
        start = time.process_time()
        near = identify_faulty(probe, layouts, wanted.model)
        if mismatch.matches:  # what it equals with every parameter that it uses is wrong by those that it does not use
            near = [match for match in near if _uses_any_of(match, mismatch.matches[0].forgotten)]
        if not near and not mismatch.matches:
            further = [layout for layout in _layouts_of_used(target, probe) if layout not in layouts]
            near = identify_faulty(probe, further, wanted.model)
        is_cut_short = not near and time.process_time() - start > SEARCH_SECONDS
        unused = explain_unused(mismatch.matches[0]) if mismatch.matches else None
        rewritten = None if near or mismatch.matches else _rewritten(mismatch)
        diagnosis = (
            explain_faults(near[0])
            if near
            else unused or rewritten or explain_divergence(probe, layouts, wanted.model, wanted.name)
        )
    # A parameter may hold its blocks in an order that nobody knows; only where all of them are zero it matters not.
    is_stacked = any(block.of > 1 for layout in layouts for block in layout.gate_blocks)
    differs = wanted.model is not None and not (is_stacked and agrees_at_zero(probe, layouts, wanted.model))
    is_rounded = False
    if wanted.model is not None and not (near or mismatch.matches or rewritten) and computes_coarsely(probe):
        beyond = mistake_beyond_rounding(probe, layouts, wanted.model, wanted.name)
        is_rounded = beyond is None
        differs = beyond is not None and (differs or beyond.is_named)
        diagnosis = diagnosis if beyond is None else beyond.diagnosis
    is_meant = wanted.model is None and any(
        may_be_meant(match.model, has_read_out(probe)) or _has_no_such_weights(match) for match in near
    )
    is_sure = bool(mismatch.matches or (near and not is_meant) or matches_elsewhere or rewritten) or differs
    spec = (near[0].spec if near else None) or (wanted.spec if wanted.spec != "auto" else "unknown")
    reason = _reason(diagnosis) if is_sure else _reason_unknown(diagnosis, wanted)
    if is_cut_short and rewritten is None:
        reason += f"; the search for mistakes ended after {SEARCH_SECONDS:g} s"
    if is_rounded:
        reason += (
            "; its arithmetic is coarser than its format somewhere (a little step of its arguments is lost), so what "
            f"differs from {wanted.name} may be its rounding"
        )
    if not is_sure:  # who asks for its equations should know how it was driven
        reason = "; ".join((reason, *target.capabilities.notes))
    outcome = Outcome.REFUTED if is_sure else Outcome.NOT_RUN
    yield RecordMade(identification_check(target.name, mismatch.request, spec, outcome, reason))
    if diagnosis is not None:
        yield TargetDiagnosed(diagnosis)
    if near and is_sure:
        faultless = replace(near[0], model=replace(near[0].model, faults=()))
        kernel = candidate_kernel(target, faultless)
        counterexample = smallest_counterexample(kernel, target.name, mismatch.request.options)
        if counterexample is not None:
            yield CounterexampleFound(counterexample)


def _uses_any_of(match: Identification, names: tuple[str, ...]) -> bool:
    """Say whether any of some parameters is one of a cell with its faults."""
    blocks = match.assignment.layout.gate_blocks
    return any(blocks[index].parameter in names for index, _ in match.assignment.roles)


def _has_no_such_weights(match: Identification) -> bool:
    """Say whether a cell has none of the weights that its fault leaves out: it is one of its own, and forgot none."""
    return any(name not in match.assignment.names for name in weights_left_out(match.model))


def _rewritten(mismatch: Mismatch) -> Diagnosis | None:
    """Find the mistake by rewrites: those of the spec that was asked for, or what leaves a gate's block without use.

    A cell of which nothing is asked may be one of its own, but none stores a gate's weights and reads another's twice.
    """
    search, wanted = TargetSearch(mismatch.probe), mismatch.wanted
    if wanted.spec != "auto":
        faulty = faulty_match(search, without_alternatives(library().spec(wanted.spec)))
    elif wanted.model is None and has_unused_block(mismatch.probe):
        likely = (without_alternatives(library().spec(name)) for name in LIKELY)
        matches = (match_without_a_parameter(search, spec, SECONDS_OF_ONE) for spec in likely)
        faulty = next((match for match in matches if match is not None), None)
    else:
        faulty = None
    return None if faulty is None else faulty.diagnosis()


def _layouts_of_used(target: Target, probe: Probe) -> list[Layout]:
    """List the layouts of the parameters that have an influence; none where these are no cell's."""
    try:
        return target_layouts(target, probe, with_ignored=False)
    except UsageError:
        return []


def _reason(diagnosis: Diagnosis | None) -> str:
    """Say why the candidate is refuted."""
    return diagnosis.sentence() if diagnosis is not None else "it equals no cell that is known"


def _reason_unknown(diagnosis: Diagnosis | None, wanted: WantedCell) -> str:
    """Say why nothing is decided about the candidate."""
    nearest = f". Nearest: {diagnosis.sentence()}" if diagnosis is not None else ""
    if wanted.model is None:
        return f"unknown: it equals no cell that is known{nearest}; give what it should be with --spec"
    return f"unknown: it equals {wanted.name} in no layout of its parameters that is known{nearest}"
