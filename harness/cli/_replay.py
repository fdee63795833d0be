"""``rnn-harness replay``: run what was recorded once more, on the very same case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._conclusion import Conclusion, print_conclusion
from rnn_harness.cli._harness_error import report_harness_error
from rnn_harness.cli._shared import exit_codes
from rnn_harness.cli._verbosity import is_quiet
from rnn_harness.errors import ExitCode, HarnessError, UsageError
from rnn_harness.printable import printable
from rnn_harness.runtime.input_file import read_result_text

if TYPE_CHECKING:
    from rnn_harness.records.record import Record


@exit_codes
def replay(
    recorded: Annotated[
        str,
        typer.Argument(
            metavar="RECORD",
            help="A file of records (of --records, or of validate --json), or a line of it (records.jsonl:7).",
        ),
    ],
) -> None:
    """Run recorded checks again, each on the case it rests on: all that are refuted, or the one of a line.

    The code of a cell runs in a process of its own.
    """
    place = _RecordPlace.parse(recorded)
    records = _read_records(place.path)
    if place.line is not None:
        chosen = [_record_of_line(records, place.path, place.line)]
    else:
        chosen = [record for record in records if record.outcome == "refuted"]
    if not chosen:
        agrees = any(record.outcome == "agrees" for record in records)
        code = ExitCode.AGREES if agrees else ExitCode.UNDECIDED
        print_conclusion(Conclusion(f"{place.path}: {len(records)} records, none of them refuted"), code)
        raise typer.Exit(code)
    raise typer.Exit(_replay_all(chosen))


def _replay_all(records: Sequence[Record]) -> ExitCode:
    """Run the checks of records again, print what they find now, and return the exit code."""
    from rnn_harness.validation.replay_isolated import replay_isolated

    verdicts = []
    failures = []
    for record, replayed in zip(records, replay_isolated(records), strict=True):
        name = f"{record.check} of {record.kernel or record.spec}" + (f" in {record.dtype}" if record.dtype else "")
        if replayed.agrees is None:
            _print_line(f"{name}: not run: {replayed.detail}")
            failures += [HarnessError(replayed.detail, replayed.harness_error)] if replayed.harness_error else []
            continue
        verdicts.append(replayed.agrees)
        detail = f": {replayed.detail}" if replayed.detail else ""
        word = ", by the word of its own process" if replayed.is_own_word else ""
        _print_line(f"{name}: {'agrees now' if replayed.agrees else 'still refuted'}{word}{detail}")
    if not all(verdicts):
        code = ExitCode.REFUTED
    elif failures:
        report_harness_error(failures[0])
        code = ExitCode.HARNESS_ERROR
    else:
        code = ExitCode.AGREES if verdicts else ExitCode.UNDECIDED
    refuted = verdicts.count(False)
    not_run = f", {len(records) - len(verdicts)} not run" if len(verdicts) < len(records) else ""
    verdict = f"of {len(records)} recorded checks {refuted} still refuted, {verdicts.count(True)} agree now{not_run}"
    print_conclusion(Conclusion(verdict, f"rnn-harness explain {records[0].check}"), code)
    return code


def _print_line(text: str) -> None:
    """Print a line about one check, unless ``--quiet`` was given."""
    if not is_quiet():
        typer.echo(printable(text))


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
    from rnn_harness.records.read_records import not_a_record, read_records
    from rnn_harness.records.record_document import RecordDocument, document_kind, parse_document
    from rnn_harness.records.validation import Validation

    text = read_result_text(path)
    file_kind = document_kind(text)
    try:
        if file_kind == "validation":
            return parse_document(Validation, text).checks
        if file_kind == "records":
            return parse_document(RecordDocument, text).records
    except ValueError as error:
        raise UsageError(f"{path}: not a record: {not_a_record(error)}") from None
    return list(read_records(path))


def _record_of_line(records: Sequence[Record], path: Path, line: int) -> Record:
    """Return the record of a line, counted from 1. Raises UsageError."""
    if not 1 <= line <= len(records):
        raise UsageError(f"{path} holds {len(records)} records; there is no number {line}")
    return records[line - 1]
