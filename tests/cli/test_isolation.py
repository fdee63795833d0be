"""What a target does to its process is recorded, and does nothing to ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.records.record import Record
from rnn_harness.records.validation import outcome_of
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import Limits, RecordMade, ValidationRequest, run_validation_isolated
from tests.helpers import HELPERS
from tests.helpers.enough_time import with_enough_time

CELLS = HELPERS / "user_cells.py"


def _records(name: str, limits: Limits | None = None, dtypes: tuple[str, ...] = ("float64", "float32")) -> list[Record]:
    request = ValidationRequest(f"{CELLS}:{name}", {}, examples=0, dtypes=dtypes)
    events = run_validation_isolated(request, limits)
    return [event.record for event in events if isinstance(event, RecordMade)]


def _ending(records: list[Record]) -> Record:
    (ended,) = [record for record in records if record.check == "process.ended"]
    return ended


@pytest.mark.process
def test_what_a_target_prints_does_not_reach_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    records = _records("Talkative", dtypes=("float32",))
    assert not [record.reason for record in records if record.outcome is Outcome.REFUTED]
    assert {record.dtype for record in records} == {"", "float32"}
    assert "garbage" not in capfd.readouterr().out


def _assert_the_next_dtype_went_on(records: list[Record], reason: str) -> None:
    ended = _ending(records)
    assert ended.outcome is Outcome.REFUTED
    assert reason in ended.reason
    assert ended.dtype == "float64"
    assert records[0].check == "identification.unique"
    in_float32 = {record.check: record.outcome for record in records if record.dtype == "float32"}
    assert in_float32["precision.format"] is Outcome.AGREES


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Leaving", "its process ended with exit code 7"),
        pytest.param(
            "Crashing",
            "its process was ended by SIGSEGV",
            marks=pytest.mark.deep(
                "tests/cli/test_isolation.py::test_a_target_that_ends_is_recorded_and_the_next_dtype_goes_on"
            ),
        ),
    ],
)
def test_a_target_that_ends_is_recorded_and_the_next_dtype_goes_on(name: str, reason: str) -> None:
    _assert_the_next_dtype_went_on(_records(name), reason)


@pytest.mark.process
@pytest.mark.deep(
    "tests/cli/test_validate_command.py::test_a_cell_that_hangs_is_refuted_and_says_how_to_give_it_longer"
)
def test_a_target_that_hangs_is_recorded_and_the_next_dtype_goes_on() -> None:
    records = with_enough_time(
        lambda seconds: _records("Hanging", Limits(seconds)), lambda records: bool(_ending(records).dtype)
    )
    _assert_the_next_dtype_went_on(records, "did not come back within ")


@pytest.mark.process
def test_a_target_that_takes_too_much_memory_is_refuted() -> None:
    (ended, *_) = [record for record in _records("Hungry", dtypes=("float32",)) if record.dtype == "float32"]
    assert ended.outcome is Outcome.REFUTED
    assert "allocate" in ended.reason


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_isolation.py::test_a_target_that_takes_too_much_memory_is_refuted")
def test_a_target_that_takes_too_much_memory_is_refuted_where_it_does_alone() -> None:
    records = _records("Hungry")
    assert {record.outcome for record in records if record.dtype == "float64"} <= {Outcome.AGREES, Outcome.NOT_RUN}
    narrow, *further = [record for record in records if record.dtype == "float32"]
    assert {record.outcome for record in further} <= {Outcome.NOT_RUN}
    assert narrow.outcome is Outcome.REFUTED
    assert "allocate" in narrow.reason


def test_a_target_that_cannot_be_loaded_is_a_wrong_use_and_not_a_record(in_process: None) -> None:
    with pytest.raises(ValueError, match="has no 'Nobody'"):
        _records("Nobody")


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_isolation.py::test_a_target_that_ends_is_recorded_and_the_next_dtype_goes_on")
def test_a_target_that_ends_the_process_when_it_is_made_is_recorded_once() -> None:
    (ended,) = _records("LeavingAtOnce")
    assert "its process ended with exit code 9 while it was loaded" in ended.reason


@pytest.mark.process
def test_the_time_for_everything_is_kept() -> None:
    records = _records("Hanging", Limits(case=120, total=4))
    endings = [record for record in records if record.check == "process.ended"]
    assert endings
    assert all("was not done in the time it had" in record.reason for record in endings)


TROUBLESOME = HELPERS / "troublesome_cells.py"


def _troublesome(name: str, timeout: float = 120, dtypes: tuple[str, ...] = ("float64",)) -> list[Record]:
    request = ValidationRequest(f"{TROUBLESOME}:{name}", {}, examples=0, dtypes=dtypes)
    events = run_validation_isolated(request, Limits(timeout))
    return [event.record for event in events if isinstance(event, RecordMade)]


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_isolation.py::test_a_target_that_ends_is_recorded_and_the_next_dtype_goes_on")
def test_a_target_that_ends_its_process_once_is_not_refuted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RNN_HARNESS_TEST_MARKER", str(tmp_path / "left"))
    records = _troublesome("LeavesOnce")
    (ended,) = [record for record in records if record.check == "process.ended"]
    assert ended.outcome is Outcome.NOT_RUN
    assert "exit code 7" in ended.reason
    assert ended.reason.endswith("it did not happen again")
    assert outcome_of(records) == "undecided"
    assert len({record.key for record in records}) == len(records)
    assert {record.dtype for record in records if record.outcome is Outcome.AGREES} >= {"float64"}


@pytest.mark.process
def test_the_time_that_we_spend_ourselves_does_not_count_as_the_targets() -> None:
    records = _troublesome("RightRNN", timeout=5)
    assert not [record for record in records if record.check == "process.ended"]
    assert outcome_of(records) == "agrees"


@pytest.mark.process
@pytest.mark.deep("tests/cli/test_isolation.py::test_the_time_that_we_spend_ourselves_does_not_count_as_the_targets")
def test_a_target_whose_calls_come_back_late_is_undecided() -> None:
    records = _troublesome("Slow", timeout=5)
    (ended,) = [record for record in records if record.check == "process.ended"]
    assert ended.outcome is Outcome.NOT_RUN
    assert "took more than 5 s for the calls of one case" in ended.reason
    assert ended.reason.endswith("--timeout SECONDS gives it longer")
    assert outcome_of(records) == "undecided"


def test_what_a_target_need_not_take_it_may_refuse(in_process: None) -> None:
    records = _troublesome("WantsRowsInOrder")
    refused = {record.check for record in records if "it raises ValueError: expected rows" in record.reason}
    assert refused == {"behaviour.no-rows", "behaviour.strided", "behaviour.expanded"}
    assert {record.outcome for record in records if record.check in refused} == {Outcome.NOT_RUN}
    assert outcome_of(records) == "agrees"


def test_what_a_target_must_take_it_may_not_refuse(in_process: None) -> None:
    records = _troublesome("RaisesForOneRow")
    refuted = {record.check: record.reason for record in records if record.outcome is Outcome.REFUTED}
    assert refuted["precision.format"] == "raises IndexError: no second row"
    assert not [record for record in records if record.harness_error]


@pytest.mark.process
@pytest.mark.deep("tests/unit/engine/test_blame.py::test_what_a_target_uses_up_is_no_error_of_the_harness")
def test_a_target_that_limits_the_open_files_is_judged_by_what_was_read_before() -> None:
    records = _troublesome("OpensNoMoreFiles")
    assert not any(record.harness_error for record in records)
    assert not [record for record in records if record.outcome is Outcome.REFUTED]
    assert [record.spec for record in records if record.outcome is Outcome.AGREES]
