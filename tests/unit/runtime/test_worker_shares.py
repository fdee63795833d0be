"""Items shared among watched processes: each once, and one that ends its process costs no other."""

from __future__ import annotations

import math
import time

import pytest

from rnn_harness.runtime.worker import Ending, WorkerEnded
from rnn_harness.runtime.worker_shares import ItemMessage, ItemStarted, run_shares
from tests.helpers.enough_time import with_enough_time
from tests.helpers.troublesome import count_or_leave


def messages_by_item(messages: list[ItemMessage[int]]) -> dict[int, list[object]]:
    found: dict[int, list[object]] = {}
    for message in messages:
        found.setdefault(message.item, []).append(message.message)
    return found


@pytest.mark.process
@pytest.mark.parametrize("workers", [1, 3])
def test_every_item_is_done_once_and_one_that_ends_its_process_costs_no_other(workers: int) -> None:
    found = messages_by_item(list(run_shares(count_or_leave, [5, -1, 6, 7], (int,), workers, 60.0)))
    assert {item: [m for m in messages if isinstance(m, int)] for item, messages in found.items()} == {
        0: [5, 5],
        1: [],
        2: [6, 6],
        3: [7, 7],
    }
    assert all(isinstance(messages[0], ItemStarted) for messages in found.values())
    ended = found[1][-1]
    assert isinstance(ended, WorkerEnded)
    assert str(ended) == "its process ended with exit code 7"


@pytest.mark.process
def test_nothing_is_begun_after_the_deadline_and_what_is_running_ends() -> None:
    assert list(run_shares(count_or_leave, [5], (int,), 1, 60.0, time.monotonic() - 1)) == []
    found = with_enough_time(
        lambda seconds: messages_by_item(
            list(run_shares(count_or_leave, [99, 5], (int,), 1, 60.0, time.monotonic() + seconds))
        ),
        lambda found: 0 in found,
    )
    assert set(found) <= {0}
    endings = [message.ending for message in found.get(0, []) if isinstance(message, WorkerEnded)]
    assert endings == [Ending.TOTAL_TIMEOUT]


def test_no_items_are_no_work() -> None:
    assert list(run_shares(count_or_leave, [], (int,), 2, math.inf)) == []
