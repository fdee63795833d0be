"""What a worker sends may be anything: it decides nothing unless it is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from rnn_harness.comparison import in_workers
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.in_workers import describe_isolated, run_isolated, run_model_isolated
from rnn_harness.comparison.model_description import ModelOutputs, ModelWeights, PaddedOutputs
from rnn_harness.comparison.padded_cell import PaddedCellOutputs
from rnn_harness.comparison.run_cell import DrawnRun, RunOutputs
from rnn_harness.errors import HarnessError, NotRun
from rnn_harness.runtime import this_process
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.validation import Limits, ValidationRequest
from rnn_harness.validation.worker_endings import WorkFailed

ROW = PlainArray.of(np.zeros((1, 1, 1)))
RUN = DrawnRun("float64", {}, ROW, {"h": PlainArray.of(np.zeros((1, 1)))})


def answers(monkeypatch: pytest.MonkeyPatch, *messages: object) -> None:
    """Let every worker send these messages."""

    def send(*_: object, **__: object) -> Iterator[object]:
        yield from messages

    monkeypatch.setattr(in_workers, "run_in_worker", send)


@pytest.mark.parametrize(
    "answer",
    [
        RunOutputs((), ()),
        RunOutputs((ROW, ROW), ("", "")),
        RunOutputs((ROW,), ()),
        RunOutputs((replace(ROW, shape=(2, 2)),), ("",)),
        RunOutputs((replace(ROW, shape=(-1, -1)),), ("",)),
        RunOutputs((replace(ROW, numbers="?"),), ("",)),
        RunOutputs((ROW,), ("",), PaddedCellOutputs("lengths", replace(ROW, shape=(2, 2)))),
        RunOutputs((ROW,), ("",), PaddedCellOutputs("lengths", None, {"h": replace(ROW, shape=(2, 2))})),
        CellDescription("a", "unknown", "it answers another question"),
    ],
)
def test_outputs_that_are_not_whole_decide_nothing(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, answer)
    with pytest.raises(NotRun, match="its process"):
        run_isolated(ValidationRequest("a"), Limits(), (RUN,))


def test_a_worker_that_says_nothing_or_fails_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch)
    with pytest.raises(NotRun, match="gave no answer"):
        describe_isolated(ValidationRequest("a"), Limits())
    answers(monkeypatch, WorkFailed("it raised ValueError"))
    with pytest.raises(NotRun, match="a: it raised ValueError"):
        describe_isolated(ValidationRequest("a"), Limits())
    answers(monkeypatch, WorkFailed("error of the harness", "traceback"))
    with pytest.raises(HarnessError):
        describe_isolated(ValidationRequest("a"), Limits())


def test_first_weights_that_are_not_whole_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, CellDescription("a", "unknown", "", initial={"w": replace(ROW, shape=(3,))}))
    with pytest.raises(NotRun, match="weights that have not as many numbers"):
        describe_isolated(ValidationRequest("a"), Limits())


def test_outputs_of_a_model_that_are_not_whole_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ModelOutputs(ROW, padded=PaddedOutputs("", replace(ROW, shape=(2, 2)), None)))
    with pytest.raises(NotRun, match="outputs that have not as many numbers"):
        run_model_isolated(ValidationRequest("a"), Limits(), ModelWeights("float64", {}, ROW))


def test_what_cannot_be_told_of_a_target_is_no_error_of_the_harness(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotRun("a: no call of a recurrent layer was seen")

    def send(work: Callable[..., None], task: object, *_: object, **__: object) -> Iterator[object]:
        messages: list[object] = []
        work(messages.append, task)
        yield from messages

    monkeypatch.setattr(in_workers, "describe", fail)
    monkeypatch.setattr(in_workers, "run_in_worker", send)
    monkeypatch.setattr(this_process, "join_standard_output_to_errors", lambda: None)
    monkeypatch.setattr(this_process, "limit_memory", lambda _: None)
    with pytest.raises(NotRun, match=r"^a: no call of a recurrent layer was seen$"):
        describe_isolated(ValidationRequest("a"), Limits())
