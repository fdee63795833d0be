"""A run that is resumed ends as one that was never interrupted: in its records, its file and its exit code."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from rnn_harness.cli._recorded_run import exit_code, record_run
from rnn_harness.cli._verify_runs import EquationRun
from rnn_harness.engine import record_batch, run_batches
from rnn_harness.engine.pending_record import PendingRecord
from rnn_harness.engine.record_batch import CasesBatch
from rnn_harness.engine.select import select
from rnn_harness.records import dependencies
from rnn_harness.records.batches import KnownRecords, stamped
from rnn_harness.records.journal import Journal
from rnn_harness.records.read_records import read_records
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.worker_pool import PoolCall, PoolResult, WorkerPool

Result = TypeVar("Result")
RUN = EquationRun(select(["rnn.tanh"]), seed=0, examples=0)


@pytest.fixture(scope="module")
def made() -> list[Record]:
    """The records of a run without interruption."""
    return list(RUN.make_records(KnownRecords(), lambda title: None))


@pytest.fixture
def shuffled_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what other processes would do in this one, in another order every time."""
    orders = random.Random(3)

    def run_calls(calls: Sequence[PoolCall[Result]], pool: WorkerPool) -> Iterator[PoolResult[Result]]:
        assert not pool.is_this_process
        for number in orders.sample(range(len(calls)), len(calls)):
            yield PoolResult(number, calls[number].work())

    monkeypatch.setattr(run_batches, "run_calls", run_calls)


Remake = Callable[[Callable[[Record], Record]], list[str]]


@pytest.fixture
def remake(made: list[Record], monkeypatch: pytest.MonkeyPatch) -> Remake:
    """Let every record be copied from the first run where it would be decided, and say which were."""
    blank = [record.model_copy(update={"depends_on": "", "batch_size": None}) for record in made]

    def start(change: Callable[[Record], Record]) -> list[str]:
        decided: list[str] = []

        def copy(record: Record) -> Record:
            decided.append(record.key)
            return change(record.model_copy(update={"seconds": record.seconds + 1}))

        def make(pending: PendingRecord) -> Record:
            return next(copy(record) for record in blank if record.key == pending.blank.key)

        def records_of_cases(*_arguments: object) -> list[Record]:
            single = {record.key for record in made if record.batch_size == 1}
            return [copy(record) for record in blank if record.key not in single]

        monkeypatch.setattr(PendingRecord, "make", make)
        monkeypatch.setattr(record_batch, "try_cases", lambda *_: None)
        monkeypatch.setattr(CasesBatch, "records", records_of_cases)
        return decided

    return start


def _as_it_is(record: Record) -> Record:
    return record


def _timeless(records: list[Record]) -> list[Record]:
    return [record.model_copy(update={"seconds": 0.0}) for record in records]


def _resume(path: Path, lines: list[str], end: str = "") -> list[Record]:
    path.write_text("".join(line + "\n" for line in lines) + end, encoding="utf-8")
    return list(record_run(RUN, path, resume=True))


def test_a_run_that_was_killed_at_any_record_ends_as_one_that_was_not(
    made: list[Record], remake: Remake, tmp_path: Path
) -> None:
    remake(_as_it_is)
    path = tmp_path / "records.jsonl"
    lines = [record.model_dump_json() for record in made]
    assert made[-1].check == "backward.proof"
    for killed_after in range(len(lines) + 1):
        for cut in {"", lines[killed_after][:50] if killed_after < len(lines) else ""}:
            resumed = _resume(path, lines[:killed_after], cut)
            assert _timeless(resumed) == _timeless(made)
            assert list(read_records(path)) == resumed
            assert exit_code(resumed) == exit_code(made) == 0


@pytest.mark.usefixtures("shuffled_work")
def test_a_run_of_two_workers_that_was_killed_at_any_record_ends_as_one_that_was_not(
    made: list[Record], remake: Remake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remake(_as_it_is)
    path = tmp_path / "records.jsonl"
    shared = replace(RUN, pool=WorkerPool(2))
    with monkeypatch.context() as killed:
        killed.setattr(Journal, "_put_in_order", lambda journal: None)  # a run that is killed cannot do it
        assert _timeless(list(record_run(shared, path, resume=False))) == _timeless(made)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(made)
    assert lines[0] != made[0].model_dump_json(), "the file holds records in the order in which they were made"
    for killed_after in range(len(lines) + 1):
        cut = lines[killed_after][:50] if killed_after % 2 and killed_after < len(lines) else ""
        path.write_text("".join(line + "\n" for line in lines[:killed_after]) + cut, encoding="utf-8")
        resumed = list(record_run(shared, path, resume=True))
        assert _timeless(resumed) == _timeless(made)
        assert list(read_records(path)) == resumed
        assert exit_code(resumed) == exit_code(made) == 0


def test_what_is_complete_is_not_decided_again(made: list[Record], remake: Remake, tmp_path: Path) -> None:
    decided = remake(_as_it_is)
    path = tmp_path / "records.jsonl"
    assert _resume(path, [record.model_dump_json() for record in made]) == made
    assert decided == []
    without_proof = [record.model_dump_json() for record in made[:-1]]
    _resume(path, without_proof)
    assert decided == [made[-1].key]


def test_a_refuted_proof_in_the_file_is_still_refuted(made: list[Record], remake: Remake, tmp_path: Path) -> None:
    remake(_as_it_is)
    refuted = made[-1].model_copy(update={"outcome": Outcome.REFUTED})
    resumed = _resume(tmp_path / "records.jsonl", [record.model_dump_json() for record in [*made[:-1], refuted]])
    assert resumed == [*made[:-1], refuted]
    assert exit_code(resumed) == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"depends_on": "another digest"}, id="its dependencies differ"),
        pytest.param({"depends_on": ""}, id="it says nothing of its dependencies"),
        pytest.param({"harness_error": "Traceback"}, id="the harness failed in it"),
        pytest.param({"depends_on": "", "environment": "torch 1.0.0"}, id="it is of other versions"),
    ],
)
def test_a_record_is_decided_anew_where(
    change: dict[str, str], made: list[Record], remake: Remake, tmp_path: Path
) -> None:
    decided = remake(_as_it_is)
    refuted = {"outcome": Outcome.REFUTED, "reason": "an old refutation"}
    earlier = [record.model_copy(update={**refuted, **change}) for record in made]
    path = tmp_path / "records.jsonl"
    resumed = _resume(path, [record.model_dump_json() for record in earlier])
    assert _timeless(resumed) == _timeless(made)
    assert decided == [record.key for record in made]
    assert list(read_records(path)) == resumed


def test_records_of_another_seed_stay_in_the_file_and_out_of_the_answer(
    made: list[Record], remake: Remake, tmp_path: Path
) -> None:
    decided = remake(_as_it_is)
    other = made[0].model_copy(update={"seed": 5, "outcome": Outcome.REFUTED, "depends_on": "seed 5"})
    path = tmp_path / "records.jsonl"
    assert _resume(path, [record.model_dump_json() for record in [*made, other]]) == made
    assert list(read_records(path)) == [other, *made]
    assert decided == []


def test_a_digest_changes_with_everything_that_an_outcome_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def digests() -> Iterator[str]:
        for names, seed, examples in (
            (["rnn.tanh"], 0, 0),
            (["rnn.tanh"], 1, 0),
            (["rnn.tanh"], 0, 1),
            (["E-348"], 0, 0),
        ):
            run = EquationRun(select(names), seed, examples)
            yield next(run.make_records(KnownRecords(), lambda title: None)).depends_on

    monkeypatch.setattr(PendingRecord, "make", lambda pending: pending.blank)
    before = list(digests())
    assert len(set(before)) == len(before)
    monkeypatch.setattr(dependencies, "versions", lambda: "torch 1.0.0")
    assert not set(before) & set(digests())
    monkeypatch.undo()
    monkeypatch.setattr(PendingRecord, "make", lambda pending: pending.blank)
    assert list(digests()) == before
    monkeypatch.setattr(dependencies, "source_digest", lambda: "an edited reference")
    assert not set(before) & set(digests())


def test_what_ends_with_an_error_is_no_batch() -> None:
    def interrupted() -> Iterator[Record]:
        yield Record(entry="E-1", spec="s", check="c", witness="numeric", outcome=Outcome.AGREES)
        raise ZeroDivisionError

    records: list[Record] = []
    with pytest.raises(ZeroDivisionError):
        records += stamped(interrupted(), "digest")
    batch = stamped(interrupted(), "digest")
    records = [next(batch)]
    assert records[0].batch_size is None
    assert KnownRecords(records).batch("digest") == []
