"""What a worker writes into its records beside what it decided does not count."""

from __future__ import annotations

import pytest

from rnn_harness.cli._validation_conclusion import validation_conclusion
from rnn_harness.errors import UsageError
from rnn_harness.records.events import RecordMade, collect_validation
from rnn_harness.records.record import Record
from rnn_harness.records.validation import IDENTIFICATION_CHECK, outcome_of
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.worker import Ending, WorkerEnded
from rnn_harness.validation import Limits, ValidationRequest, isolation, list_isolated, run_validation_isolated
from rnn_harness.validation.judging.expected_failures import ExpectedFailure
from rnn_harness.validation.worker_endings import WorkFailed

TARGET = "cells.py:Cell"
REFUTED = Record(
    entry="gru.keep.column",
    spec="gru.keep.column",
    check="forward.sequence",
    witness="kernel",
    outcome=Outcome.REFUTED,
    kernel=TARGET,
    dtype="float32",
    expected="it is known",
)


def _recorded(monkeypatch: pytest.MonkeyPatch, sent: Record, *expected: ExpectedFailure) -> list[Record]:
    """What stands in the file where a worker sends a record."""
    monkeypatch.setattr(isolation, "run_in_worker", lambda *_: iter([RecordMade(sent)]))
    request = ValidationRequest(TARGET, dtypes=("float32",), expected=expected)
    return [event.record for event in run_validation_isolated(request) if isinstance(event, RecordMade)]


def test_a_failure_that_only_the_worker_expects_refutes(monkeypatch: pytest.MonkeyPatch) -> None:
    (record,) = _recorded(monkeypatch, REFUTED)
    assert record.expected == ""
    assert outcome_of([record]) == "refuted"


def test_a_failure_that_was_expected_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = ExpectedFailure(check="forward.*", reason="it is known")
    (record,) = _recorded(monkeypatch, REFUTED, failure)
    assert record.expected == "it is known"
    assert outcome_of([record]) == "undecided"


def test_a_worker_writes_no_record_of_another_cell_and_none_that_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = REFUTED.model_copy(update={"kernel": "others.py:Cell", "depends_on": "0" * 32, "batch_size": 1})
    (record,) = _recorded(monkeypatch, sent)
    assert (record.kernel, record.depends_on, record.batch_size) == (TARGET, "", None)
    part = _recorded(monkeypatch, REFUTED.model_copy(update={"kernel": f"{TARGET}.layer"}))
    assert part[0].kernel == f"{TARGET}.layer"


def test_a_file_that_ends_the_process_is_not_said_to_hold_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = WorkerEnded(Ending.EXIT, "its process ended with exit code 0")
    monkeypatch.setattr(list_isolated, "run_in_worker", lambda *_: iter([ended]))
    with pytest.raises(
        UsageError, match=r"^cells\.py: its process ended with exit code 0 while its cells were listed$"
    ):
        list_isolated.list_cells(ValidationRequest("cells.py"), Limits())


def test_the_last_line_says_why_a_forged_verdict_is_undecided() -> None:
    other = REFUTED.model_copy(
        update={"check": "metamorphic.x", "outcome": Outcome.NOT_RUN, "reason": "it has no rows"}
    )
    contradicted = other.model_copy(update={"check": "numbers.reevaluated", "reason": "the numbers say otherwise"})
    agreeing = REFUTED.model_copy(update={"outcome": Outcome.AGREES, "expected": ""})
    validation = collect_validation(TARGET, map(RecordMade, (other, agreeing, contradicted)))
    conclusion = validation_conclusion(validation, ValidationRequest(TARGET), False)
    assert conclusion.verdict == f"{TARGET} is undecided: the numbers say otherwise"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("libcudart.so.13: cannot open shared object file: No such file or directory", WorkFailed),
        ("libtorch_cpu.so: failed to map segment from shared object", WorkerEnded),
        ("libtorch_cpu.so: cannot allocate memory in static TLS block", WorkerEnded),
    ],
    ids=["torch that cannot be loaded is an error of the installation", "no room to map it", "no memory for it"],
)
def test_only_want_of_memory_is_called_so_where_torch_cannot_be_loaded(
    monkeypatch: pytest.MonkeyPatch, message: str, kind: type
) -> None:
    def broken() -> None:
        raise ImportError(message)

    monkeypatch.setattr("rnn_harness.specs.library", broken)
    monkeypatch.setattr("rnn_harness.runtime.this_process.limit_memory", lambda _limit: None)
    sent: list[object] = []
    isolation.run_with_limits(sent.append, ValidationRequest(TARGET), lambda: None)
    assert [type(answer) for answer in sent] == [kind]
    assert message in str(sent[0])


def test_a_cell_of_no_known_equation_is_held_against_the_one_it_is_called_after_next() -> None:
    agreeing = REFUTED.model_copy(update={"outcome": Outcome.AGREES, "expected": "", "check": "consistency.rows"})
    unknown = REFUTED.model_copy(update={"outcome": Outcome.NOT_RUN, "check": IDENTIFICATION_CHECK, "reason": "none"})
    for name, command in (
        ("MyIndRNN", "--spec indrnn.relu  (if that is what its name means"),
        ("Own", "--spec FILE.toml"),
    ):
        target = f"cells.py:{name}"
        records = (record.model_copy(update={"kernel": target}) for record in (unknown, agreeing))
        validation = collect_validation(target, map(RecordMade, records))
        assert validation.outcome == "consistent"
        assert command in validation_conclusion(validation, ValidationRequest(target), False).next_command
