"""What a target does to its process is recorded, and does nothing to ours."""

from __future__ import annotations

import pytest

from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import Limits, RecordMade, ValidationRequest, run_validation_isolated
from tests.helpers import HELPERS

CELLS = HELPERS / "user_cells.py"


def _records(name: str, timeout: float = 120) -> list[Record]:
    events = run_validation_isolated(ValidationRequest(f"{CELLS}:{name}", {}, examples=0), Limits(timeout))
    return [event.record for event in events if isinstance(event, RecordMade)]


def test_what_a_target_prints_does_not_reach_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    found = _records("Talkative")
    assert not [record.reason for record in found if record.outcome is Outcome.REFUTED]
    assert {record.dtype for record in found} == {"", "float64", "float32"}
    assert "garbage" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("name", "told", "timeout"),
    [
        ("Leaving", "its process ended with exit code 7", 120),
        ("Crashing", "its process was ended by SIGSEGV", 120),
        ("Hanging", "gave no answer for 20 s", 20),
    ],
)
def test_a_target_that_ends_or_hangs_is_recorded_and_the_next_dtype_goes_on(
    name: str, told: str, timeout: float
) -> None:
    found = _records(name, timeout)
    (ended,) = [record for record in found if record.check == "process.ended"]
    assert ended.outcome is Outcome.REFUTED
    assert told in ended.reason
    assert ended.dtype == "float64"
    assert found[0].check == "identification.unique"
    rest = {record.check: record.outcome for record in found if record.dtype == "float32"}
    assert rest["precision.format"] is Outcome.AGREES


def test_a_target_that_takes_too_much_memory_is_refuted_where_it_does() -> None:
    found = _records("Hungry")
    assert {record.outcome for record in found if record.dtype == "float64"} <= {Outcome.AGREES, Outcome.NOT_RUN}
    (narrow,) = [record for record in found if record.dtype == "float32"]
    assert narrow.outcome is Outcome.REFUTED
    assert "allocate" in narrow.reason


def test_a_target_that_cannot_be_loaded_is_a_wrong_use_and_not_a_record() -> None:
    with pytest.raises(ValueError, match="has no 'Nobody'"):
        _records("Nobody")


def test_a_target_that_ends_the_process_when_it_is_made_is_recorded_once() -> None:
    (ended,) = _records("LeavingAtOnce")
    assert "its process ended with exit code 9 while it was loaded" in ended.reason


def test_the_time_for_everything_is_kept() -> None:
    events = run_validation_isolated(ValidationRequest(f"{CELLS}:Hanging", {}, examples=0), Limits(case=120, total=8))
    records = [event.record for event in events if isinstance(event, RecordMade)]
    ended = [record for record in records if record.check == "process.ended"]
    assert ended
    assert all("was not done in the time it had" in record.reason for record in ended)
