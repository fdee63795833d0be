"""Run batches of records in one process or in several: the records and their order are the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_harness.engine.record_batch import RecordBatch
from rnn_harness.records.batches import KnownRecords, stamped
from rnn_harness.records.record import Record
from rnn_harness.runtime.worker_pool import PoolCall, WorkerPool, run_calls

Part = Callable[[], Any]


def run_batches(
    batches: Sequence[RecordBatch[Any]],
    digest: Callable[[RecordBatch[Any]], str],
    known: KnownRecords,
    on_start: Callable[[str], None],
    pool: WorkerPool,
    examples: int,
) -> Iterator[Record]:
    """Yield the records of batches, in their order.

    Args:
        batches: what is decided.
        digest: gives a digest of everything that the records of a batch depend on.
        known: records of an earlier run; a batch of which nothing has changed is not decided again.
        on_start: called with each title before the first record of it is made; in a pool, when the first of its parts
            is done, in whatever order that happens.
        pool: where the work is done.
        examples: number of cases that were asked for, for the records.
    """
    started = _StartedTitles(on_start)
    made = None if pool.is_this_process else _made_in_pool(batches, digest, known, pool, examples, started)
    for batch in batches:
        key = digest(batch)
        if made is None or known.batch(key):
            started.add(batch.title)
        records = known.batch(key)
        if not records and made is not None:
            records = next(made)
        elif not records:
            records = _finished(batch, [part() for part in batch.parts], key, examples)
        yield from records


class _StartedTitles:
    """Titles of which something is begun or done; each is announced once.

    Args:
        on_start: Called with every title.
    """

    def __init__(self, on_start: Callable[[str], None]) -> None:
        self._on_start = on_start
        self._titles: set[str] = set()

    def add(self, title: str) -> None:
        """Announce a title, unless it was announced before."""
        if title not in self._titles:
            self._titles.add(title)
            self._on_start(title)


def _finished(batch: RecordBatch[Any], parts: Sequence[Any], key: str, examples: int) -> list[Record]:
    """Return the records of a batch, with what they depend on and what was asked for."""
    died = next((part for part in parts if isinstance(part, _Died)), None)
    records = batch.records(parts) if died is None else [batch.failed_record(died.reason)]
    return list(stamped((record.model_copy(update={"requested_examples": examples}) for record in records), key))


@dataclass(frozen=True)
class _Died:
    """What stands in the place of a part whose process died."""

    reason: str


@dataclass(frozen=True)
class _PlacedPart:
    """A part of the work, and where its result belongs.

    Attributes:
        batch: the number of its batch.
        place: its place among the parts of the batch.
        part: the work.
        weight: about how long it takes.
    """

    batch: int
    place: int
    part: Part
    weight: int


def _made_in_pool(
    batches: Sequence[RecordBatch[Any]],
    digest: Callable[[RecordBatch[Any]], str],
    known: KnownRecords,
    pool: WorkerPool,
    examples: int,
    started: _StartedTitles,
) -> Iterator[list[Record]]:
    """Yield the records of every batch that is not known, in the order of the batches.

    Records that are made before those of earlier batches are announced at once, so that a journal has them.
    """
    pending = [batch for batch in batches if not known.batch(digest(batch))]
    groups = _grouped(pending)
    calls = [PoolCall(functools.partial(_results_of, group), functools.partial(_all_died, group)) for group in groups]
    results: list[dict[int, Any]] = [{} for _ in pending]
    finished: dict[int, list[Record]] = {}
    following = 0
    for number, values in run_calls(calls, pool):
        for placed, value in zip(groups[number], values, strict=True):
            parts = results[placed.batch]
            parts[placed.place] = value
            batch = pending[placed.batch]
            started.add(batch.title)
            if len(parts) == len(batch.parts):
                ordered = [parts[place] for place in range(len(parts))]
                finished[placed.batch] = _finished(batch, ordered, digest(batch), examples)
                known.announce(finished[placed.batch])
                parts.clear()
        while following in finished:
            yield finished.pop(following)
            following += 1


def _grouped(batches: Sequence[RecordBatch[Any]]) -> list[list[_PlacedPart]]:
    """Put parts into calls: what takes hardly any time goes together, and what takes longest begins first."""
    slow: list[list[_PlacedPart]] = []
    quick: dict[str, list[_PlacedPart]] = {}
    for number, batch in enumerate(batches):
        for place, part in enumerate(batch.parts):
            placed = _PlacedPart(number, place, part, batch.weight)
            if batch.weight:
                slow.append([placed])
            else:
                quick.setdefault(batch.title, []).append(placed)
    slow.sort(key=lambda group: -group[0].weight)
    return [*slow, *quick.values()]


def _results_of(group: Sequence[_PlacedPart]) -> list[Any]:
    """Do the parts of a call, in any process."""
    return [placed.part() for placed in group]


def _all_died(group: Sequence[_PlacedPart], reason: str) -> list[Any]:
    """Give what stands in the place of the results of a call whose process died."""
    return [_Died(reason) for _ in group]
