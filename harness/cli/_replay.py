"""``rnn-harness replay``: run what was recorded once more, on the very same case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._shared import guarded
from rnn_harness.errors import ExitCode, NotRun, UsageError

if TYPE_CHECKING:
    from rnn_harness.checks.check import Finding
    from rnn_harness.kernels import Kernel
    from rnn_harness.records.record import Record


@guarded
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
    from rnn_harness.records.verdict import Outcome

    path, line = _place(recorded)
    found = _records(path)
    chosen = [one for one in found if one.outcome is Outcome.REFUTED] if line is None else [_line(found, path, line)]
    if not chosen:
        typer.echo(f"{path}: {len(found)} records, none of them refuted")
        raise typer.Exit(ExitCode.AGREES if any(one.outcome is Outcome.AGREES for one in found) else ExitCode.UNDECIDED)
    made: dict[tuple[str, tuple[str, ...]], Kernel] = {}
    said = []
    for record in chosen:
        name = f"{record.check} of {record.kernel or record.spec}" + (f" in {record.dtype}" if record.dtype else "")
        try:
            finding = _again(record, made)
        except NotRun as reason:
            typer.echo(f"{name}: not run: {reason}")
            continue
        said.append(finding.agrees)
        typer.echo(f"{name}: {'agrees now' if finding.agrees else 'still refuted'}{_detail(finding)}")
    if not said:
        raise typer.Exit(ExitCode.UNDECIDED)
    raise typer.Exit(ExitCode.AGREES if all(said) else ExitCode.REFUTED)


def _detail(finding: Finding) -> str:
    return f": {finding.detail}" if finding.detail else ""


def _place(text: str) -> tuple[Path, int | None]:
    head, colon, tail = text.rpartition(":")
    return (Path(head), int(tail)) if colon and tail.isdigit() else (Path(text), None)


def _records(path: Path) -> list[Record]:
    """Of JSON Lines, or of one document with `checks`."""
    from pydantic import ValidationError

    from rnn_harness.records.journal import not_a_record, read_records
    from rnn_harness.records.record import Record

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read records from {path}: {error}") from None
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        return list(read_records(path))
    rows = whole.get("checks", whole.get("records")) if isinstance(whole, dict) else None
    if not isinstance(rows, list):
        return list(read_records(path))
    try:
        return [Record.model_validate(row) for row in rows]
    except ValidationError as error:
        raise UsageError(f"{path}: not a record: {not_a_record(error)}") from None


def _line(found: list[Record], path: Path, line: int) -> Record:
    if not 1 <= line <= len(found):
        raise UsageError(f"{path} holds {len(found)} records; there is no number {line}")
    return found[line - 1]


def _again(record: Record, made: dict[tuple[str, tuple[str, ...]], Kernel]) -> Finding:
    """The check of a record on its case. Raises NotRun where it has none, or the subject cannot be had again."""
    from rnn_harness.checks import all_checks
    from rnn_harness.checks.check import worst_finding
    from rnn_harness.engine.runner import run_check
    from rnn_harness.evaluation.evaluation import Evaluation
    from rnn_harness.specs import library
    from rnn_harness.subjects.subject import Subject

    if record.check == "identification.unique":
        return _identified(record)
    if record.case is None:
        raise NotRun("it rests on no case")
    if record.kernel:
        from rnn_harness.validation import judge_case

        key = record.kernel, record.init
        made.setdefault(key, _kernel(record))
        finding = judge_case(made[key], record.check, record.case.model_copy(update={"dtype": record.dtype}))
    else:
        check = next((one for one in all_checks() if one.name == record.check), None)
        subject = Subject.of(library().spec(record.spec))
        finding = None if check is None else worst_finding(run_check(check, Evaluation.of(subject, record.case)))
    if finding is None:
        raise NotRun(f"there is no check {record.check}")
    return finding


def _kernel(record: Record) -> Kernel:
    """The kernel or the candidate of a record."""
    from rnn_harness.kernels import all_kernels
    from rnn_harness.validation import candidate_kernel, identify, load_target, read_options

    found = next((one for one in all_kernels() if one.id == record.kernel), None)
    if found is not None:
        return found
    target = load_target(record.kernel, read_options(list(record.init)))
    matches = identify(target)
    if not matches:
        raise NotRun(f"{record.kernel} equals no cell that is known")
    return candidate_kernel(target, matches[0])


def _identified(record: Record) -> Finding:
    """The identification of a candidate, again."""
    from rnn_harness.checks.check import Finding
    from rnn_harness.validation import RecordMade, ValidationRequest, load_target, read_options, run_validation

    target = load_target(record.kernel, read_options(list(record.init)))
    spec = record.spec if "auto" not in record.spec and record.spec not in ("unknown", "candidate") else "auto"
    for event in run_validation(target, ValidationRequest(spec=spec)):
        if isinstance(event, RecordMade):
            decided = event.record
            return Finding(decided.entry, str(decided.outcome) == "agrees", decided.reason)
    raise NotRun("it was not identified")
