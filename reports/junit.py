"""Records as JUnit XML: one suite per subject and dtype, one test per check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_harness.printable import printable
from rnn_harness.records.record import Record
from rnn_harness.records.validation import IDENTIFICATION_CHECK, PART_CHECK, PROCESS_CHECK, outcome_of
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.atomic_file import replaced_when_complete

_DECIDING = (PROCESS_CHECK, IDENTIFICATION_CHECK, PART_CHECK)
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
    from junitparser import JUnitXml, TestSuite

    xml = JUnitXml()
    for subject, records in subjects.items():
        is_undecided = outcome_of(records) == "undecided"
        for dtype in dict.fromkeys(record.dtype for record in records):
            suite = TestSuite(printable(f"{subject} {dtype}".strip()))
            for record in records:
                if record.dtype == dtype:
                    suite.add_testcase(_test_case(subject, record, is_undecided))
            xml.add_testsuite(suite)
    with replaced_when_complete(path) as partial:
        xml.write(str(partial), pretty=True)


def _test_case(subject: str, record: Record, is_undecided: bool) -> TestCase:
    """Turn a record into a test.

    An expected failure and what was not decided count as skipped; where nothing is decided about the subject at all,
    what kept it from being decided is an error, so that a suite that reads the file is not green.
    """
    from junitparser import Error, Failure, Skipped, TestCase

    case = TestCase(printable(f"{record.check}: {record.entry}"), printable(subject), record.seconds)
    if record.outcome is Outcome.REFUTED and record.expected:
        case.result = [Skipped(printable(f"expected failure: {record.expected}"))]
    elif record.outcome is Outcome.REFUTED:
        failure = Failure(printable(record.reason))
        failure.text = printable(record.program or record.reason)
        case.result = [failure]
    elif record.harness_error or (is_undecided and record.outcome is Outcome.NOT_RUN and record.check in _DECIDING):
        case.result = [Error(printable(record.reason))]
    elif record.outcome is not Outcome.AGREES:
        case.result = [Skipped(printable(f"{record.outcome}: {record.reason}"))]
    return case
