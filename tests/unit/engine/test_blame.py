"""An error refutes only where the subject raises it in a call that it must take; one of ours is not run."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.cases.case import Case
from rnn_harness.checks import Check, Finding
from rnn_harness.checks.check import applies_to_all
from rnn_harness.engine.runner import Runner, RunPlan, run_check
from rnn_harness.errors import LONGEST_TEXT, HarnessError, NotRun, Refused, named_error
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.records.record import Record
from rnn_harness.records.validation import outcome_of
from rnn_harness.records.verdict import Outcome
from rnn_harness.references import Run
from rnn_harness.references.rnn import RNN
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject
from rnn_harness.validation.loading.locate import import_place
from rnn_harness.validation.worker_endings import WorkFailed

CASE = Case(spec="rnn.tanh", T=3, seed=4)


class _Raising(RNN):
    """A reference that works for no case."""

    error: Exception = ValueError("not today")

    def forward(
        self,
        parameters: Mapping[str, Array],
        inputs: Array,
        states: Mapping[str, Array] | None = None,
        lengths: IndexArray | None = None,
    ) -> Run:
        raise self.error


class _Flat(RNN):
    """A reference that loses an axis of its outputs."""

    def forward(
        self,
        parameters: Mapping[str, Array],
        inputs: Array,
        states: Mapping[str, Array] | None = None,
        lengths: IndexArray | None = None,
    ) -> Run:
        run = super().forward(parameters, inputs, states, lengths)
        return replace(run, outputs=run.outputs[:, 0])


def _evaluation(cell: RNN | None = None) -> Evaluation:
    return Evaluation.of(Subject.of(library().spec("rnn.tanh"), cell), CASE)


def _forward(evaluation: Evaluation) -> Iterator[Finding]:
    run = evaluation.run
    yield Finding(evaluation.subject.spec.id, bool(np.stack([run.outputs[:, 0, 0], run.outputs[:, 1, 1]]).any()))


def _ours(evaluation: Evaluation) -> Iterator[Finding]:
    assert evaluation.run is not None
    yield Finding(evaluation.subject.spec.id, 1 // 0 == 0)


FORWARD = Check("forward.any", "numeric", applies_to_all, _forward)
OURS = Check("ours", "numeric", applies_to_all, _ours)


class _Hungry(_Raising):
    """A reference that gets no memory."""

    error = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9000000000 bytes")


def test_a_subject_without_memory_is_a_finding_for_few_numbers_and_not_run_for_many() -> None:
    (finding,) = run_check(FORWARD, _evaluation(_Hungry()))
    assert not finding.agrees
    with pytest.raises(NotRun, match="at the sizes of this check the memory did not suffice"):
        run_check(replace(FORWARD, is_large=True), _evaluation(_Hungry()))
    (finding,) = run_check(replace(FORWARD, is_large=True), _evaluation(_Raising()))
    assert not finding.agrees


def test_an_error_of_the_subject_is_a_finding() -> None:
    (finding,) = run_check(FORWARD, _evaluation(_Raising()))
    assert not finding.agrees
    assert finding.detail == "raises ValueError: not today"


def test_where_a_subject_may_refuse_its_error_is_not_run() -> None:
    with pytest.raises(Refused, match="it raises ValueError: not today"):
        run_check(replace(FORWARD, may_be_refused=True), _evaluation(_Raising()))


def test_an_error_of_a_check_is_no_finding() -> None:
    with pytest.raises(HarnessError, match="error of the harness itself: ZeroDivisionError") as caught:
        run_check(OURS, _evaluation())
    assert "_ours" in caught.value.traceback_text


def _import_error() -> ImportError:
    error = ImportError("cannot import name 'random'")
    error.__cause__ = OSError(errno.EMFILE, "Too many open files")
    return error


@pytest.mark.parametrize(
    ("error", "resource"),
    [
        (MemoryError(), "memory"),
        (OSError(errno.EMFILE, "Too many open files"), "open files"),
        (_import_error(), "open files"),
        (RuntimeError("can't start new thread"), "processes and threads"),
    ],
    ids=["memory", "open files", "open files while something is imported", "threads"],
)
def test_what_a_target_uses_up_is_no_error_of_the_harness(error: Exception, resource: str) -> None:
    def lacking(_: Evaluation) -> Iterator[Finding]:
        raise error

    with pytest.raises(NotRun, match=f"not enough of what the harness needs itself: {resource}") as caught:
        run_check(replace(OURS, run=lacking), _evaluation())
    assert not isinstance(caught.value, HarnessError)
    failed = WorkFailed.of(error)
    assert resource in failed.reason
    assert not failed.harness_error


def test_what_python_calls_unasked_in_the_code_of_a_target_is_no_error_of_the_harness(tmp_path: Path) -> None:
    path = tmp_path / "cell_without_a_hash.py"
    path.write_text("class Cell:\n    def __hash__(self):\n        raise RuntimeError('no hash')\n", encoding="utf-8")
    cell = import_place(str(path)).Cell()

    def hashing(_: Evaluation) -> Iterator[Finding]:
        hash(cell)
        yield from ()

    with pytest.raises(NotRun, match=r"its own code raises RuntimeError: no hash \(in __hash__, .*py:3\)") as caught:
        run_check(replace(OURS, run=hashing), _evaluation())
    assert not isinstance(caught.value, HarnessError)
    failed = WorkFailed.of(_error_of(lambda: hash(cell)))
    assert (failed.reason, failed.harness_error) == (str(caught.value), "")


def _error_of(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as error:
        return error
    raise AssertionError("it raises nothing")


@pytest.mark.parametrize(
    "raised", [KeyboardInterrupt(), SystemExit(0), GeneratorExit()], ids=lambda e: type(e).__name__
)
def test_what_is_no_error_is_raised_by_a_target_alone(raised: BaseException) -> None:
    assert WorkFailed.of(raised).harness_error == ""
    assert type(raised).__name__ in WorkFailed.of(raised).reason


def test_of_an_error_of_millions_of_letters_the_beginning_is_read() -> None:
    error = ZeroDivisionError("x" * 20_000_000)
    assert len(named_error(error)) == len("ZeroDivisionError: ") + LONGEST_TEXT
    assert len(HarnessError.of(error).traceback_text) < 3 * LONGEST_TEXT


def test_an_error_of_a_check_over_a_wrong_shape_is_a_finding_about_the_shape() -> None:
    (finding,) = run_check(FORWARD, _evaluation(_Flat()))
    assert not finding.agrees
    assert finding.detail == "the output has shape (3, 4), expected (3, 2, 4)"


def _records(*checks: Check, cell: RNN | None = None) -> dict[str, Record]:
    runner = Runner(Subject.of(library().spec("rnn.tanh"), cell), RunPlan(checks))
    runner.try_case(CASE)
    return {record.check: record for record in runner.results().records(0, shrink=False)}


def test_the_record_of_a_failed_check_holds_the_traceback_and_nothing_is_decided() -> None:
    records = _records(FORWARD, OURS)
    assert records["forward.any"].outcome is Outcome.AGREES
    assert records["ours"].outcome is Outcome.NOT_RUN
    assert "ZeroDivisionError" in records["ours"].harness_error
    assert outcome_of(records.values()) == "undecided"


def test_what_is_refuted_stays_refuted_next_to_a_failed_check() -> None:
    records = _records(FORWARD, OURS, cell=_Raising())
    assert records["forward.any"].outcome is Outcome.REFUTED
    assert outcome_of(records.values()) == "refuted"


def test_a_check_that_failed_on_one_case_does_not_agree_because_of_another() -> None:
    calls = iter((False, True))

    def sometimes(evaluation: Evaluation) -> Iterator[Finding]:
        if next(calls):
            raise KeyError("ours")
        yield Finding(evaluation.subject.spec.id, True)

    runner = Runner(Subject.of(library().spec("rnn.tanh")), RunPlan((replace(OURS, run=sometimes),)))
    for seed in (4, 5):
        assert runner.try_case(CASE.model_copy(update={"seed": seed}))
    (record,) = runner.results().records(0)
    assert record.outcome is Outcome.NOT_RUN
    assert "KeyError" in record.harness_error
