"""Time for which a process waits for a core is not its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rnn_harness.runtime import worker
from rnn_harness.runtime.run_queue import seconds_waited
from rnn_harness.runtime.target_call import CLOCK_SLOTS, TargetClock
from rnn_harness.runtime.worker import Ending, _Watch

LIMIT = 10.0


def _watch_of_a_call(began: float, waited: list[float], monkeypatch: pytest.MonkeyPatch) -> _Watch:
    """The watch of a worker whose target was called so many seconds ago; `waited` says for how long it had no core."""
    monkeypatch.setattr(worker, "seconds_waited", lambda _: waited[-1])
    clock = TargetClock([0.0] * CLOCK_SLOTS)
    watch = _Watch(clock, 600.0, float("inf"), LIMIT, None)
    clock.enter()
    assert watch.limit_reached() is None
    monkeypatch.setattr(time, "monotonic", lambda: began)
    return watch


def test_a_call_that_waits_for_a_core_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = [100.0]
    watch = _watch_of_a_call(time.monotonic() + 3 * LIMIT, waited, monkeypatch)
    waited.append(100.0 + 2.5 * LIMIT)
    assert watch.limit_reached() is None


def test_a_call_that_takes_long_is_ended_on_a_busy_machine_too(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = [100.0]
    watch = _watch_of_a_call(time.monotonic() + 3 * LIMIT, waited, monkeypatch)
    waited.append(100.0 + 1.5 * LIMIT)
    ended = watch.limit_reached()
    assert ended is not None
    assert (ended.ending, ended.in_target) == (Ending.TIMEOUT, True)


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="not run: the system does not say how long")
def test_the_time_that_this_process_has_waited_does_not_go_back() -> None:
    first = seconds_waited(os.getpid())
    assert 0 <= first <= seconds_waited(os.getpid()) < 1e9


def test_of_an_unknown_process_no_time_is_subtracted() -> None:
    assert seconds_waited(None) == 0
