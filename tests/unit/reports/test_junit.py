"""Records as JUnit XML: a suite is green only where something was decided."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from rnn_harness.records.record import Record
from rnn_harness.records.validation import IDENTIFICATION_CHECK, PROCESS_CHECK
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.junit import write_junit


def record(check: str, outcome: Outcome) -> Record:
    """Make a record of a candidate."""
    return Record(
        entry="cell",
        spec="unknown",
        check=check,
        witness="kernel",
        outcome=outcome,
        reason="" if outcome is Outcome.AGREES else "the reason",
        examples=1,
        seed=0,
        environment="",
        kernel="cell",
    )


def counts(path: Path, *records: Record) -> tuple[int, int, int]:
    """Return the numbers of errors, failures and skipped tests of a file."""
    write_junit(path, {"cell": records})
    suite = ElementTree.parse(path).getroot()[0]
    return int(suite.attrib["errors"]), int(suite.attrib["failures"]), int(suite.attrib["skipped"])


@pytest.mark.parametrize("check", [PROCESS_CHECK, IDENTIFICATION_CHECK])
def test_a_target_of_which_nothing_is_decided_is_an_error(check: str, tmp_path: Path) -> None:
    assert counts(tmp_path / "j.xml", record(check, Outcome.NOT_RUN)) == (1, 0, 0)


def test_what_was_not_run_of_a_right_target_is_skipped(tmp_path: Path) -> None:
    agrees, not_run = record("forward.outputs", Outcome.AGREES), record("behaviour.vmap", Outcome.NOT_RUN)
    assert counts(tmp_path / "j.xml", agrees, not_run) == (0, 0, 1)


def test_what_is_refuted_is_a_failure(tmp_path: Path) -> None:
    assert counts(tmp_path / "j.xml", record("forward.outputs", Outcome.REFUTED)) == (0, 1, 0)
