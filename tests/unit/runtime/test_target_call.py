"""Whose error it is, and whose time: everything behind `call_target` is the target's."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch

from rnn_harness.errors import NotRun
from rnn_harness.runtime.target_call import TargetClock, call_target, is_raised_by_target
from rnn_harness.validation.cells.calling_convention import CallingConvention, stacked_steps


def _error_of(function: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:
        function()
    return caught.value


def _target() -> None:
    raise ValueError("it does not work")


def test_an_error_behind_the_door_is_the_targets() -> None:
    assert is_raised_by_target(_error_of(lambda: call_target(_target)))
    assert is_raised_by_target(_error_of(lambda: call_target(int, "no number")))


def test_an_error_before_the_door_is_not() -> None:
    assert not is_raised_by_target(_error_of(_target))


def test_an_error_of_the_harness_behind_the_door_is_the_harnesss() -> None:
    assert not is_raised_by_target(_error_of(lambda: call_target(stacked_steps, 3)))


def test_an_error_of_a_target_that_the_harness_calls_behind_the_door_is_the_targets() -> None:
    def fails(*_arguments: object) -> object:
        return int("no number")

    convention = CallingConvention(sequence=False, states=0, taken=(0,))
    assert is_raised_by_target(_error_of(lambda: call_target(convention.call, fails, torch.zeros(2, 3), [])))


def test_the_clock_counts_a_call_inside_of_another_once() -> None:
    slots = [0.0, 0.0, 0.0]
    clock = TargetClock(slots)
    clock.enter()
    clock.enter()
    began = time.process_time()
    while time.process_time() < began + 0.01:
        pass
    assert clock.is_running
    clock.leave()
    within = clock.is_running
    clock.leave()
    assert (within, clock.is_running) == (True, False)
    assert slots[1] == clock.finished_seconds >= 0.01
    assert clock.running_since == 0


def test_the_clock_stops_where_a_call_raises() -> None:
    from rnn_harness.runtime.target_call import process_clock

    with pytest.raises(NotRun):
        call_target(_refusing)
    assert not process_clock().is_running


def _refusing() -> None:
    raise NotRun("no")
