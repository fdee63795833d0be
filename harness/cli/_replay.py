"""``rnn-harness replay``: run what was recorded once more, on the very same case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._shared import exit_codes
from rnn_harness.errors import ExitCode, NotRun, UsageError

if TYPE_CHECKING:
    from rnn_harness.checks.check import Finding
    from rnn_harness.kernels import Kernel
    from rnn_harness.records.record import Record


@exit_codes
def replay(
    recorded: Annotated[
        str,
        typer.Argument(
            metavar="RECORD",
            help="A file of records (records.jsonl, or what validate --json wrote), or a line of it (records.jsonl:7).",
        ),
    ],
) -> None:
    """Run recorded checks again, each on the case it rests on: all that are refuted, or the one of a line.

    Exit code 1 if one is still refuted, 0 if all agree now, 3 if none could be run, or none of them was decided. The
    target's code runs in this process.
    """
    place = _RecordPlace.parse(recorded)
    records = _read_records(place.path)
    if place.line is not None:
        chosen = [_record_of_line(records, place.path, place.line)]
    else:
        chosen = [record for record in records if record.outcome == "refuted"]
    if not chosen:
        typer.echo(f"{place.path}: {len(records)} records, none of them refuted")
        agrees = any(record.outcome == "agrees" for record in records)
        raise typer.Exit(ExitCode.AGREES if agrees else ExitCode.UNDECIDED)
    raise typer.Exit(_replay_all(chosen))


def _replay_all(records: Sequence[Record]) -> ExitCode:
    """Run the checks of records again, print what they find now, and return the exit code."""
    kernels = _Kernels()
    verdicts = []
    for record in records:
        name = f"{record.check} of {record.kernel or record.spec}" + (f" in {record.dtype}" if record.dtype else "")
        try:
            finding = _replay_check(record, kernels)
        except NotRun as reason:
            typer.echo(f"{name}: not run: {reason}")
            continue
        verdicts.append(finding.agrees)
        detail = f": {finding.detail}" if finding.detail else ""
        typer.echo(f"{name}: {'agrees now' if finding.agrees else 'still refuted'}{detail}")
    if not verdicts:
        return ExitCode.UNDECIDED
    return ExitCode.AGREES if all(verdicts) else ExitCode.REFUTED


@dataclass(frozen=True)
class _RecordPlace:
    """A file of records, and the number of a line of it if one is meant."""

    path: Path
    line: int | None

    @classmethod
    def parse(cls, text: str) -> _RecordPlace:
        """Read ``FILE`` or ``FILE:LINE``."""
        head, colon, tail = text.rpartition(":")
        return cls(Path(head), int(tail)) if colon and tail.isdigit() else cls(Path(text), None)


def _read_records(path: Path) -> Sequence[Record]:
    """Read the records of a journal, of a validation, or of what ``verify --json`` printed. Raises UsageError."""
    from pydantic import ValidationError

    from rnn_harness.records.read_records import not_a_record, read_records
    from rnn_harness.records.record_document import RecordDocument, document_kind
    from rnn_harness.records.validation import Validation

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read records from {path}: {error}") from None
    file_kind = document_kind(text)
    try:
        if file_kind == "validation":
            return Validation.model_validate_json(text).checks
        if file_kind == "records":
            return RecordDocument.model_validate_json(text).records
    except ValidationError as error:
        raise UsageError(f"{path}: not a record: {not_a_record(error)}") from None
    return list(read_records(path))


def _record_of_line(records: Sequence[Record], path: Path, line: int) -> Record:
    """Return the record of a line, counted from 1. Raises UsageError."""
    if not 1 <= line <= len(records):
        raise UsageError(f"{path} holds {len(records)} records; there is no number {line}")
    return records[line - 1]


@dataclass(frozen=True)
class _KernelKey:
    """What names a kernel or a candidate: its name, and the options of its constructor."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class _Kernels:
    """The kernels and candidates of records; each is loaded once."""

    _loaded: dict[_KernelKey, Kernel] = field(default_factory=dict)

    def of(self, record: Record) -> Kernel:
        """Return the kernel or the candidate of a record. Raises NotRun."""
        key = _KernelKey(record.kernel, record.init)
        if key not in self._loaded:
            self._loaded[key] = _load_kernel(key)
        return self._loaded[key]


def _replay_check(record: Record, kernels: _Kernels) -> Finding:
    """Run the check of a record on its case. Raises NotRun where it has none, or the subject cannot be loaded again."""
    if record.check == "identification.unique":
        return _identify_again(record)
    if record.case is None:
        raise NotRun("it rests on no case")
    if record.kernel:
        from rnn_harness.validation import judge_case

        case = record.case.model_copy(update={"dtype": record.dtype})
        finding = judge_case(kernels.of(record), record.check, case)
    else:
        finding = _replay_reference(record)
    if finding is None:
        raise NotRun(f"there is no check {record.check}")
    return finding


def _replay_reference(record: Record) -> Finding | None:
    """Run the check of a reference's record on its case; None where there is no such check any more."""
    from rnn_harness.checks import all_checks
    from rnn_harness.checks.check import worst_finding
    from rnn_harness.engine.runner import run_check
    from rnn_harness.evaluation.evaluation import Evaluation
    from rnn_harness.specs import library
    from rnn_harness.subjects.subject import Subject

    check = next((check for check in all_checks() if check.name == record.check), None)
    if check is None or record.case is None:
        return None
    subject = Subject.of(library().spec(record.spec))
    return worst_finding(run_check(check, Evaluation.of(subject, record.case)))


def _load_kernel(key: _KernelKey) -> Kernel:
    """Return the kernel or the candidate of a name. Raises NotRun where it is no known cell any more."""
    from rnn_harness.kernels import all_kernels
    from rnn_harness.validation import candidate_kernel, identify, load_target, read_options

    shipped = next((kernel for kernel in all_kernels() if kernel.id == key.name), None)
    if shipped is not None:
        return shipped
    target = load_target(key.name, read_options(list(key.options)))
    matches = identify(target)
    if not matches:
        raise NotRun(f"{key.name} equals no cell that is known")
    return candidate_kernel(target, matches[0])


def _identify_again(record: Record) -> Finding:
    """Identify a candidate again. Raises NotRun."""
    from rnn_harness.checks.check import Finding
    from rnn_harness.validation import RecordMade, ValidationRequest, load_target, read_options, run_validation

    target = load_target(record.kernel, read_options(list(record.init)))
    spec = record.spec if "auto" not in record.spec and record.spec not in ("unknown", "candidate") else "auto"
    for event in run_validation(target, ValidationRequest(spec=spec)):
        if isinstance(event, RecordMade):
            return Finding(event.record.entry, event.record.outcome == "agrees", event.record.reason)
    raise NotRun("it was not identified")
