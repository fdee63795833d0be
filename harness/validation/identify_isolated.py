"""A target is identified in a process of its own: one that exits or hangs there does nothing to this process."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnn_harness.errors import HarnessError, NotRun, UsageError
from rnn_harness.runtime import this_process
from rnn_harness.runtime.worker import Send, WorkerEnded, run_in_worker
from rnn_harness.validation.isolation import (
    LONGEST_SEARCH,
    WrongUse,
    load_requested,
    run_with_limits,
)
from rnn_harness.validation.request import DTYPES, Limits, ValidationRequest
from rnn_harness.validation.worker_endings import WorkFailed, advice

if TYPE_CHECKING:
    from rnn_harness.validation.loading.target import Target


@dataclass(frozen=True)
class IdentifiedCell:
    """A cell that a target equals.

    Attributes:
        spec: The shipped spec that defines it; None if there is none.
        sentence: The cell in words.
        gates: The letters of its gates in the order in which its weights on the input hold them.
    """

    spec: str | None
    sentence: str
    gates: str


@dataclass(frozen=True)
class IdentifiedPart:
    """A recurrent part of a model, and the cells that it equals.

    Attributes:
        name: Its name in the model.
        title: Its class and sizes.
        cells: Every cell that it equals; none where it is unknown.
    """

    name: str
    title: str
    cells: tuple[IdentifiedCell, ...]

    def sentence(self) -> str:
        """Say what it is."""
        cells = " or ".join(f"{cell.spec or 'no shipped spec'}: {cell.sentence}" for cell in self.cells)
        return f"{self.name} ({self.title}) is {cells or 'unknown: it equals no cell that is known'}"


@dataclass(frozen=True)
class IdentificationReport:
    """What a target is identified as.

    Attributes:
        cells: Every cell that it equals; several cannot be told apart.
        map: The parameter map of the first as JSON, as ``--save-map`` writes it; empty without a cell.
        fault: The known cell that it equals but for a mistake, and the mistake; empty if there is none, or it is right.
        parts: Of a model its recurrent parts; none of a cell.
    """

    cells: tuple[IdentifiedCell, ...]
    map: str = ""
    fault: str = ""
    parts: tuple[IdentifiedPart, ...] = ()


_Message = IdentificationReport | WrongUse | WorkFailed
_MESSAGE_TYPES: tuple[type[_Message], ...] = (IdentificationReport, WrongUse, WorkFailed)


def identify_isolated(request: ValidationRequest, limits: Limits) -> IdentificationReport:
    """Identify a target in a worker.

    Args:
        request: Names the target; nothing else of it is read but its options, its adapter and its memory.
        limits: How long it may take.

    Raises:
        UsageError: The target cannot be driven, or its parameters fit no cell.
        NotRun: The target ended its process, raised an error, or gave no answer in time.
        HarnessError: The harness itself raised an error.
    """
    deadline = time.monotonic() + limits.total
    for message in run_in_worker(
        _identify_in_worker,
        request,
        _MESSAGE_TYPES,
        LONGEST_SEARCH,
        deadline,
        target_timeout=limits.case,
        memory=request.memory_limit,
    ):
        match message:
            case WrongUse(text):
                raise UsageError(text)
            case WorkFailed(reason, ""):
                raise NotRun(reason)
            case WorkFailed(reason, traceback_text):
                raise HarnessError(reason, traceback_text)
            case WorkerEnded():
                raise NotRun(f"{message} while it was identified{advice(request, limits, message)}")
            case IdentificationReport():
                return message
    raise NotRun("its process gave no answer")


def _identify_in_worker(send: Send[_Message | WorkerEnded], request: ValidationRequest) -> None:
    """Do the worker's work; what the target prints goes to standard error, since it is no part of the answer."""
    this_process.join_standard_output_to_errors()
    run_with_limits(send, request, lambda: send(_report(request)))


def _report(request: ValidationRequest) -> IdentificationReport:
    """Identify the target in this process."""
    from rnn_harness.validation.identification.identify import identify
    from rnn_harness.validation.identification.saved_map import to_map_file
    from rnn_harness.validation.loading.layout_faults import WrongLayout

    target = load_requested(request)
    if request.dtypes != DTYPES:
        target = replace(target, capabilities=replace(target.capabilities, dtypes=request.dtypes))
    if target.capabilities.has_parts:
        return IdentificationReport((), parts=_parts(target))
    try:
        matches = identify(target)
    except WrongLayout as fault:
        return IdentificationReport((), fault=str(fault))
    except UsageError:  # it cannot be driven as a cell, or its parameters are none of the three families
        report = _report_of_parts(target) or _report_of_library(target)
        if report is None:
            raise
        return report
    if not matches and (report := _report_of_library(target) or _report_of_parts(target)):
        return report
    if not matches:
        return IdentificationReport((), fault=_fault(target))
    cells = tuple(IdentifiedCell(match.spec, match.sentence(), match.assignment.gate_order("x")) for match in matches)
    return IdentificationReport(cells, to_map_file(matches[0]).model_dump_json(indent=1) + "\n")


def _report_of_parts(target: Target) -> IdentificationReport | None:
    """Return the recurrent parts of a model; None if the target is no model."""
    parts = _parts(target)
    return IdentificationReport((), parts=parts) if parts else None


def _parts(target: Target) -> tuple[IdentifiedPart, ...]:
    """Identify the recurrent parts of a model, each by itself; none where the target is no model."""
    from rnn_harness.validation.models.judge_parts import judged_parts
    from rnn_harness.validation.models.understand import model_of

    model = model_of(target)
    cells = () if model is None else tuple(judged_parts(model))
    return tuple(
        IdentifiedPart(part.shown_name, part.title, _cells_of_part(cell.target))
        for cell in cells
        for part in cell.parts
    )


def _cells_of_part(target: Target) -> tuple[IdentifiedCell, ...]:
    """Identify one part; none where it is unknown, or cannot be driven by itself."""
    from rnn_harness.validation.identification.identify import identify
    from rnn_harness.validation.loading.layout_faults import WrongLayout

    try:
        matches = identify(target)
    except WrongLayout:
        return ()
    except UsageError:
        matches = ()
    if matches:
        return tuple(IdentifiedCell(m.spec, m.sentence(), m.assignment.gate_order("x")) for m in matches)
    try:
        report = _report_of_library(target)
    except UsageError:
        return ()
    return () if report is None else report.cells


def _report_of_library(target: Target) -> IdentificationReport | None:
    """Return the shipped cell without a reference, or of the literature, that the target equals; None if it is none."""
    from rnn_harness.validation.identification.probe import probe_target
    from rnn_harness.validation.judging.library_match import library_match_in_any_reading
    from rnn_harness.validation.spec_search.saved_spec_map import to_spec_map_file

    probe = probe_target(target)
    probe, match = library_match_in_any_reading(probe)
    if match is None:
        return None
    file = to_spec_map_file(match, probe.convention)
    cell = IdentifiedCell(match.spec.id, match.sentence(), "")
    return IdentificationReport((cell,), file.model_dump_json(indent=1) + "\n")


def _fault(target: Target) -> str:
    """Say which known cell the target equals but for a mistake; empty if there is none."""
    from rnn_harness.validation.diagnosis.explain import explain_faults
    from rnn_harness.validation.diagnosis.nearest import identify_faulty
    from rnn_harness.validation.identification.identify import target_layouts
    from rnn_harness.validation.identification.probe import probe_target

    probe = probe_target(target)
    faulty = identify_faulty(probe, target_layouts(target, probe), target.declared_model)
    return explain_faults(faulty[0]).sentence() if faulty else ""
