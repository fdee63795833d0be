"""Calls that depend on no other, in one process or in several threads: every result once, every error raised."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.runtime.worker_pool import PoolCall, WorkerPool, run_calls, run_in_threads


def _calls(*works: object) -> list[PoolCall[object]]:
    return [PoolCall(partial(_value_of, work), str) for work in works]


def _value_of(work: object) -> object:
    if isinstance(work, Exception):
        raise work
    return work


def test_calls_of_one_process_come_in_their_order() -> None:
    assert list(run_calls(_calls("a", "b", "c"), WorkerPool())) == [(0, "a"), (1, "b"), (2, "c")]


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_threads_give_every_result_once(workers: int) -> None:
    assert sorted(run_in_threads(_calls("a", "b", "c"), workers)) == [(0, "a"), (1, "b"), (2, "c")]


def test_threads_work_at_the_same_time() -> None:
    both_are_there = threading.Barrier(2, timeout=20)
    calls = [PoolCall(both_are_there.wait, int) for _ in range(2)]
    assert sorted(result for _, result in run_in_threads(calls, 2)) == [0, 1]


def test_an_error_of_a_call_is_raised_where_its_result_is_taken() -> None:
    with pytest.raises(UsageError, match="no such cell"):
        list(run_in_threads(_calls("a", UsageError("no such cell"), "c"), 1))


def test_a_cluster_needs_an_address() -> None:
    with pytest.raises(UsageError, match="--backend dask needs --scheduler tcp"):
        list(run_calls(_calls("a"), WorkerPool(2, "dask")))
