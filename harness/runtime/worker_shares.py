"""Items of work shared among several watched processes: one that dies costs the item it was at, and no other."""

from __future__ import annotations

import functools
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rnn_harness.runtime.worker import Ending, Send, WorkerEnded, run_in_worker

Item = TypeVar("Item")
Message = TypeVar("Message")


@dataclass(frozen=True)
class ItemStarted:
    """A worker's message that it begins an item.

    Attributes:
        place: The item's place in the worker's share.
    """

    place: int


@dataclass(frozen=True)
class ItemMessage(Generic[Message]):
    """What came of an item.

    Attributes:
        item: The item's place among all.
        message: What the work sent, that it began, or how its process ended.
    """

    item: int
    message: Message | ItemStarted | WorkerEnded


def run_shares(
    work: Callable[[Send[Message], Item], None],
    items: Sequence[Item],
    message_types: tuple[type[Message], ...],
    workers: int,
    silence: float,
    deadline: float = math.inf,
) -> Iterator[ItemMessage[Message]]:
    """Run ``work(send, item)`` for every item in spawned processes, and yield what they send as it comes.

    The first items are begun first. An item whose process ends has a `WorkerEnded` as its last message, and the
    following ones go on in a new process; nothing is begun after the deadline.

    Args:
        work: A function of a module: the processes import it by name.
        items: What it is called with; they are pickled.
        message_types: The types of all messages that it may send.
        workers: The number of processes at the same time.
        silence: Seconds without a message after which a process is ended.
        deadline: When all processes are ended, in seconds of the monotonic clock.
    """
    shares = [list(range(len(items)))[first::workers] for first in range(min(workers, len(items)))]
    run = functools.partial(_run_share, work, items, message_types=message_types, silence=silence, deadline=deadline)
    if len(shares) <= 1:
        for share in shares:
            yield from run(share)
        return
    messages: queue.SimpleQueue[ItemMessage[Message] | BaseException | None] = queue.SimpleQueue()

    def pass_on(share: Sequence[int]) -> None:
        try:
            for message in run(share):
                messages.put(message)
        except BaseException as error:  # it is raised where the messages are taken
            messages.put(error)
        messages.put(None)

    for share in shares:
        threading.Thread(target=pass_on, args=(share,), daemon=True).start()
    running = len(shares)
    while running:
        message = messages.get()
        if message is None:
            running -= 1
        elif isinstance(message, BaseException):
            raise message
        else:
            yield message


def _run_share(
    work: Callable[[Send[Message], Item], None],
    items: Sequence[Item],
    share: Sequence[int],
    message_types: tuple[type[Message], ...],
    silence: float,
    deadline: float,
) -> Iterator[ItemMessage[Message]]:
    """Run a share of the items, in order, in a process that is replaced where it ends."""
    remaining = list(share)
    while remaining and time.monotonic() < deadline:
        place, ended = 0, None
        argument = _Share(work, [items[item] for item in remaining])
        types: tuple[type[Message | ItemStarted], ...] = (ItemStarted, *message_types)
        for message in run_in_worker(_work_through, argument, types, silence, deadline):
            if isinstance(message, ItemStarted):
                place = message.place
            ended = message if isinstance(message, WorkerEnded) else None
            yield ItemMessage(remaining[place], message)
        if ended is None or ended.ending is Ending.TOTAL_TIMEOUT:
            return
        remaining = remaining[place + 1 :]


@dataclass(frozen=True)
class _Share(Generic[Message, Item]):
    """What one process has to do.

    Attributes:
        work: What is called for each item.
        items: The items in order.
    """

    work: Callable[[Send[Message], Item], None]
    items: Sequence[Item]


def _work_through(send: Send[Message | ItemStarted], share: _Share[Message, Item]) -> None:
    """Do the work for every item, in a process of its own."""
    for place, item in enumerate(share.items):
        send(ItemStarted(place))
        share.work(send, item)
