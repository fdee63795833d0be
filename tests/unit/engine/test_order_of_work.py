"""Records and their order are the same whoever does the parts of the work, and in whatever order they are done."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TypeVar, cast

import pytest

from rnn_harness.cli._recorded_run import exit_code, record_run
from rnn_harness.cli._verify_runs import EquationRun
from rnn_harness.engine import run_batches, runner
from rnn_harness.engine.runner import drawing_rounds
from rnn_harness.engine.select import select
from rnn_harness.errors import ExitCode
from rnn_harness.records.batches import KnownRecords
from rnn_harness.records.read_records import read_records
from rnn_harness.records.record import Record
from rnn_harness.runtime.worker_pool import PoolCall, PoolResult, WorkerPool

Result = TypeVar("Result")
SELECTION = select(["rnn.sigma.unbiased", "rnn.feedforward"])
SHUFFLE = 2
FEW = 1
"""Cases in a round here, so that several rounds cost little."""


def _timeless(records: Sequence[Record]) -> list[Record]:
    return [record.model_copy(update={"seconds": 0.0}) for record in records]


def _records(pool: WorkerPool, examples: int) -> list[Record]:
    return list(EquationRun(SELECTION, 0, examples, pool).make_records(KnownRecords(), lambda title: None))


@pytest.fixture
def disorderly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do all calls in this process, in an order of chance in which those of the first spec come last."""

    def run_calls(calls: Sequence[PoolCall[Result]], pool: WorkerPool) -> Iterator[PoolResult[Result]]:
        assert not pool.is_this_process
        for number in random.Random(SHUFFLE).sample(range(len(calls)), len(calls)):
            yield PoolResult(number, calls[number].work())

    monkeypatch.setattr(run_batches, "run_calls", run_calls)


@pytest.mark.usefixtures("disorderly")
def test_parts_done_in_any_order_give_the_records_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "EXAMPLES_IN_ROUND", FEW)
    alone = _records(WorkerPool(), 2 * FEW + 1)
    assert _timeless(_records(WorkerPool(2), 2 * FEW + 1)) == _timeless(alone)
    assert max(record.examples for record in alone) > FEW


@pytest.mark.usefixtures("disorderly")
def test_progress_in_a_pool_tells_each_part_when_it_is_done_and_not_when_its_turn_comes() -> None:
    announced: list[int] = []
    for pool in (WorkerPool(), WorkerPool(2)):
        titles: list[str] = []
        next(iter(EquationRun(SELECTION, 0, 0, pool).make_records(KnownRecords(), titles.append)))
        announced.append(len(titles))
    assert announced == [1, 2], "in the pool the parts of the first spec are the last that are done"


@pytest.mark.usefixtures("disorderly")
def test_what_is_done_before_its_turn_is_in_the_file_and_is_not_done_again(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    run = EquationRun(SELECTION, 0, 0, WorkerPool(2))
    interrupted = cast("Generator[Record]", record_run(run, path, resume=False))
    first = next(interrupted)
    interrupted.close()
    early = list(read_records(path))
    assert len(early) > 20
    alone = list(record_run(EquationRun(SELECTION, 0, 0), path, resume=True))
    assert alone[0] == first
    assert {record.key: record.seconds for record in early}.items() <= {r.key: r.seconds for r in alone}.items()
    assert _timeless(alone) == _timeless(_records(WorkerPool(), 0))
    assert list(read_records(path)) == alone


def test_a_part_whose_process_dies_leaves_a_record_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_calls(calls: Sequence[PoolCall[Result]], pool: WorkerPool) -> Iterator[PoolResult[Result]]:
        for number, call in enumerate(calls):
            yield PoolResult(number, call.work() if number else call.died("it was killed"))

    monkeypatch.setattr(run_batches, "run_calls", run_calls)
    records = _records(WorkerPool(2), 0)
    (died,) = [record for record in records if record.harness_error]
    assert (died.reason, died.outcome, died.check) == ("it was killed", "not run", "process.ended")
    assert exit_code(records) is ExitCode.HARNESS_ERROR
    assert KnownRecords(records).batch(died.depends_on) == []


def test_rounds_of_cases_depend_on_seed_and_number_alone() -> None:
    rounds = drawing_rounds(7, 2 * runner.EXAMPLES_IN_ROUND + 1)
    assert [drawing.examples for drawing in rounds] == [runner.EXAMPLES_IN_ROUND, runner.EXAMPLES_IN_ROUND, 1]
    assert rounds[0].seed == 7
    assert len({drawing.seed for drawing in (*rounds, *drawing_rounds(8, 500))}) == 5
    assert drawing_rounds(7, 0) == ()


@pytest.mark.process
def test_two_processes_give_the_records_of_one() -> None:
    assert _timeless(_records(WorkerPool(2), 0)) == _timeless(_records(WorkerPool(), 0))
