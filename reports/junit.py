"""Records as JUnit XML: one suite per subject and dtype, one test per check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from xml.sax.saxutils import quoteattr

from rnn_harness.printable import printable
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.atomic_file import replaced_when_complete

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
            for dtype in dict.fromkeys(record.dtype for record in records):
                _write_suite(file, subject, dtype, [record for record in records if record.dtype == dtype])
        file.write(b"</testsuites>\n")


def _write_suite(file: BinaryIO, subject: str, dtype: str, records: Sequence[Record]) -> None:
    """Write a suite test by test: of hundreds of thousands of tests no document is held in memory."""
    name = quoteattr(printable(f"{subject} {dtype}".strip()))
    failures = sum(record.outcome is Outcome.REFUTED and not record.expected for record in records)
    skipped = sum(record.outcome is not Outcome.AGREES for record in records) - failures
    seconds = round(sum(record.seconds for record in records), 3)
    counts = f'tests="{len(records)}" errors="0" failures="{failures}" skipped="{skipped}" time="{seconds}"'
    file.write(f" <testsuite name={name} {counts}>\n".encode())
    for record in records:
        file.write(b"  " + _test_case(subject, record).tostring() + b"\n")
    file.write(b" </testsuite>\n")


def _test_case(subject: str, record: Record) -> TestCase:
    """Turn a record into a test: an expected failure and what was not decided count as skipped."""
    from junitparser import Failure, Skipped, TestCase

    case = TestCase(printable(f"{record.check}: {record.entry}"), printable(subject), record.seconds)
    if record.outcome is Outcome.REFUTED and record.expected:
        case.result = [Skipped(printable(f"expected failure: {record.expected}"))]
    elif record.outcome is Outcome.REFUTED:
        failure = Failure(printable(record.reason))
        failure.text = printable(record.program or record.reason)
        case.result = [failure]
    elif record.outcome is not Outcome.AGREES:
        case.result = [Skipped(printable(f"{record.outcome}: {record.reason}"))]
    return case
