"""Records as JUnit XML: one suite per subject and dtype, one test per check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rnn_harness.runtime.atomic_file import replaced_when_complete


class Checked(Protocol):
    """What JUnit is told of a record."""

    @property
    def entry(self) -> str: ...
    @property
    def check(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def program(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def dtype(self) -> str: ...
    @property
    def expected(self) -> str: ...


def write_junit(path: Path, subjects: Mapping[str, Sequence[Checked]]) -> None:
    """Write the records of every subject, by its name. Raises OSError; the file is written whole or not at all."""
    from junitparser import JUnitXml, TestSuite

    xml = JUnitXml()
    for name, records in subjects.items():
        for dtype in dict.fromkeys(record.dtype for record in records):
            suite = TestSuite(f"{name} {dtype}".strip())
            for record in (one for one in records if one.dtype == dtype):
                suite.add_testcase(_case(name, record))
            xml.add_testsuite(suite)
    with replaced_when_complete(path) as partial:
        xml.write(str(partial), pretty=True)


def _case(name: str, record: Checked) -> Any:
    from junitparser import Failure, Skipped, TestCase

    case = TestCase(f"{record.check}: {record.entry}", name, record.seconds)
    if record.outcome == "refuted" and record.expected:
        case.result = [Skipped(f"expected failure: {record.expected}")]
    elif record.outcome == "refuted":
        failure = Failure(record.reason)
        failure.text = record.program or record.reason
        case.result = [failure]
    elif record.outcome != "agrees":
        case.result = [Skipped(f"{record.outcome}: {record.reason}")]
    return case
