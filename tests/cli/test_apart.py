"""A kernel that takes its process down is a record, and the kernels after it are judged all the same."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rnn_harness.kernels import choose_kernels, judge_in_workers, judge_isolated, judge_kernels
from rnn_harness.kernels.setting import settings
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.worker import Ending, WorkerEnded, run_in_worker
from tests.helpers.enough_time import with_enough_time
from tests.helpers.troublesome import crash_in_float64, leave, sleep

pytestmark = pytest.mark.process


def test_a_worker_that_ends_early_says_how() -> None:
    started, ended = run_in_worker(leave, 9, (int,), 60)
    assert started == 9
    assert ended == WorkerEnded(Ending.EXIT, "its process ended with exit code 9")


def test_a_worker_that_is_silent_for_too_long_is_ended() -> None:
    *started, ended = with_enough_time(
        lambda seconds: [*run_in_worker(sleep, 600.0, (float,), seconds)], lambda sent: len(sent) > 1
    )
    assert started == [600.0]
    assert isinstance(ended, WorkerEnded)
    assert ended.ending is Ending.TIMEOUT
    assert re.fullmatch(r"gave no answer for \d+ s", ended.sentence)


@pytest.mark.deep("tests/cli/test_apart.py::test_a_worker_that_ends_early_says_how")
def test_a_kernel_that_crashes_is_refuted_and_the_next_one_is_judged_as_in_this_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (kernel,) = choose_kernels(("nn.RNNCell",))
    monkeypatch.setattr(judge_in_workers, "judge_in_worker", crash_in_float64)
    both = replace(kernel, settings=settings(("float64", "float32")))
    records = list(judge_isolated((both,), examples=0))
    (ended,) = [record for record in records if record.check == "kernel.process"]
    assert ended.outcome is Outcome.REFUTED
    assert ended.dtype == "float64"
    assert ended.reason == "its process was ended by SIGSEGV while the kernel was tried"
    apart = {record.key: record.outcome for record in records if record.dtype == "float32"}
    assert Outcome.AGREES in apart.values()
    (_, narrow) = both.settings
    assert apart == {r.key: r.outcome for r in judge_kernels((replace(kernel, settings=(narrow,)),), examples=0)}
