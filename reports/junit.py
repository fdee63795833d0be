"""Records as JUnit XML: one suite per subject and dtype, one test per check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal
from xml.sax.saxutils import quoteattr

from rnn_harness.printable import printable
from rnn_harness.records.record import Record
from rnn_harness.records.validation import IDENTIFICATION_CHECK, NUMBERS_CHECK, PART_CHECK, PROCESS_CHECK, outcome_of
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.atomic_file import replaced_when_complete

_DECIDING = (PROCESS_CHECK, NUMBERS_CHECK, IDENTIFICATION_CHECK, PART_CHECK)
"""Checks without which nothing is decided about a subject."""

if TYPE_CHECKING:
    from junitparser import TestCase


def write_junit(path: Path, subjects: Mapping[str, Sequence[Record]]) -> None:
    """Write the records of every subject as JUnit XML; the file is written completely or not at all.

    Args:
        path: The file.
        subjects: The records of each subject, by its name.

    Raises:
        OSError: The file cannot be written.
    """
    with replaced_when_complete(path) as partial, partial.open("wb") as file:
        file.write(b"<?xml version='1.0' encoding='utf-8'?>\n<testsuites>\n")
        for subject, records in subjects.items():
            is_undecided = outcome_of(records) == "undecided"
            by_dtype: dict[str, list[Record]] = {}
            for record in records:
                by_dtype.setdefault(record.dtype, []).append(record)
            for dtype, of_dtype in by_dtype.items():
                _write_suite(file, f"{subject} {dtype}".strip(), subject, of_dtype, is_undecided)
        file.write(b"</testsuites>\n")


def _write_suite(file: BinaryIO, name: str, subject: str, records: Sequence[Record], is_undecided: bool) -> None:
    """Write a suite test by test: of hundreds of thousands of tests no document is held in memory."""
    results = Counter(_result_of(record, is_undecided) for record in records)
    seconds = round(sum(record.seconds for record in records), 3)
    counts = " ".join(f'{noun}="{results[result]}"' for noun, result in _COUNTS.items())
    head = f'<testsuite name={quoteattr(printable(name))} tests="{len(records)}" {counts} time="{seconds}">'
    file.write(f" {head}\n".encode())
    for record in records:
        case = _test_case(subject, record, _result_of(record, is_undecided))
        file.write(b"  " + case.tostring() + b"\n")  # type: ignore[no-untyped-call]
    file.write(b" </testsuite>\n")


_Result = Literal["passed", "failure", "error", "skipped"]
_COUNTS: dict[str, _Result] = {"errors": "error", "failures": "failure", "skipped": "skipped"}


def _result_of(record: Record, is_undecided: bool) -> _Result:
    """Say what a record is as the result of a test.

    An expected failure and what was not decided count as skipped; where nothing is decided about the subject at all,
    what kept it from being decided is an error, so that a suite that reads the file is not green.
    """
    if record.outcome is Outcome.REFUTED:
        return "skipped" if record.expected else "failure"
    if record.harness_error or (is_undecided and record.outcome is Outcome.NOT_RUN and record.check in _DECIDING):
        return "error"
    return "passed" if record.outcome is Outcome.AGREES else "skipped"


def _test_case(subject: str, record: Record, result: _Result) -> TestCase:
    """Turn a record into a test."""
    from junitparser import Error, Failure, Skipped, TestCase

    case = TestCase(printable(f"{record.check}: {record.entry}"), printable(subject), record.seconds)
    if result == "failure":
        failure = Failure(printable(record.reason))
        failure.text = printable(record.program or record.reason)
        case.result = [failure]
    elif result == "error":
        case.result = [Error(printable(record.reason))]
    elif result == "skipped":
        reason = f"expected failure: {record.expected}" if record.expected else f"{record.outcome}: {record.reason}"
        case.result = [Skipped(printable(reason))]
    return case
