"""Records that are made together are used again together, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from rnn_harness.records.record import Record


def stamped(records: Iterable[Record], digest: str) -> Iterator[Record]:
    """Stamp records that are made together with what they depend on, and the last of them with their number.

    Each comes when the next one is made: only then is it known not to be the last. Where making them ends with an
    error, none of them says how many there are, and the batch counts as unfinished.

    Args:
        records: The records of one batch, as they are made.
        digest: What all of them depend on, by `rnn_harness.records.dependencies.digest_of`.
    """
    waiting: Record | None = None
    number = 0
    try:
        for record in records:
            if waiting is not None:
                yield waiting
            waiting = record.model_copy(update={"depends_on": digest, "batch_size": None})
            number += 1
    except (Exception, KeyboardInterrupt):
        if waiting is not None:
            yield waiting
        raise
    if waiting is not None:
        yield waiting.model_copy(update={"batch_size": number})


class KnownRecords:
    """The records of an earlier run, by what they depend on.

    Args:
        records: All that the earlier run made; those that say nothing of what they depend on are never used again.
        announce: Called with records as soon as they are made, where that is before their turn.
    """

    def __init__(
        self, records: Iterable[Record] = (), announce: Callable[[Sequence[Record]], None] = lambda _: None
    ) -> None:
        self.announce = announce
        self._batches: dict[str, list[Record]] = {}
        for record in records:
            if record.depends_on:
                self._batches.setdefault(record.depends_on, []).append(record)

    def batch(self, digest: str) -> list[Record]:
        """Return the records that depend on just that, if all of their batch are there and none is an accident.

        An error of the harness and a worker that ended are accidents: it is tried again. A refutation is a result as
        any other; it stays one.

        Args:
            digest: What they depend on.

        Returns:
            The batch in the order in which it was made; empty where it must be made.
        """
        records = self._batches.get(digest, [])
        sizes = [record.batch_size for record in records if record.batch_size is not None]
        is_complete = sizes == [len(records)] and len({record.key for record in records}) == len(records)
        is_sound = not any(record.harness_error or record.check in _ENDINGS for record in records)
        return list(records) if is_complete and is_sound else []


PROCESS_CHECK = "process.ended"
"""The check that the process which does the work leaves it running; there is a record of it only where it ended."""
_ENDINGS = (PROCESS_CHECK, "kernel.process")
"""Checks that are recorded where a worker did not come to its end."""
