"""The journal that keeps records, as JSON Lines."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rnn_harness.errors import UsageError
from rnn_harness.records.batches import KnownRecords
from rnn_harness.records.read_records import read_records
from rnn_harness.records.record import Record
from rnn_harness.runtime.atomic_file import write_whole
from rnn_harness.runtime.file_lock import FileLock

ENDINGS = ("kernel.process",)
"""Checks whose records say that a kernel was not judged to its end; where it is judged anew, they say nothing more."""


class Journal:
    """Records as JSON Lines, written as they come and flushed; brought to disk when closed.

    At the end the file holds what a run without interruption would have written, in that order, after the records of
    earlier runs that answer other questions. A record of an earlier run stays until its question is answered anew.

    Args:
        path: the file.
        resume: whether to go on with a file that holds records; without it such a file is refused, so that nothing
            recorded is lost.
        hint: what to type where the file holds records and `resume` was not given.

    Attributes:
        warnings: what was mended in the file.
        known: the records of the file.

    Raises:
        UsageError: the file holds records already, is damaged, is written to by another run, or cannot be written to.
    """

    def __init__(self, path: Path, resume: bool = False, hint: str = "give --resume to go on") -> None:
        self.path = path
        self.warnings: list[str] = []
        self._earlier: list[Record] = []
        self._records: list[Record] = []
        self._appended: list[Record] = []
        self._early: dict[int, Record] = {}
        self._lock = FileLock(path)
        try:
            self._open(resume, hint)
        except BaseException:  # also Ctrl-C: nobody else would give the lock back
            self._lock.release()
            raise
        self.known = KnownRecords(self._earlier, self._append_early)
        self._earlier_ids = {id(record) for record in self._earlier}

    def _open(self, resume: bool, hint: str) -> None:
        """Read what the file holds, mend it where a killed run left it damaged, and open it. Raises UsageError."""
        holds_records = self.path.is_file() and self.path.stat().st_size > 0
        if holds_records and not resume:
            raise UsageError(f"{self.path} holds records already: {hint}, or another file")
        try:
            if holds_records:
                self._earlier = list(read_records(self.path, self.warnings))
                if self.warnings:
                    self._rewrite(self._earlier)
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as error:
            raise self._not_written(error) from None

    def _not_written(self, error: OSError) -> UsageError:
        """Return the error of a file that cannot be written."""
        return UsageError(f"cannot write records to {self.path}: {error.strerror}")

    def _rewrite(self, records: list[Record]) -> None:
        """Let the file hold just these records. Raises OSError."""
        write_whole(self.path, "".join(record.model_dump_json() + "\n" for record in records), durable=True)

    @property
    def decided_anew(self) -> int:
        """The number of records of the file whose questions were answered anew."""
        reused = sum(id(record) in self._earlier_ids for record in self._records)
        return len(self._earlier) - len(self._retained()) - reused

    def write(self, record: Record) -> None:
        """Take the next record of the run; append it, unless it is one of the file.

        Args:
            record: One line of the file; it is flushed, so that nothing is lost where the process ends.

        Raises:
            UsageError: the disk does not take it.
        """
        self._records.append(record)
        if id(record) in self._earlier_ids:
            return
        if self._early.pop(id(record), None) is None:
            self._append(record)

    def _append_early(self, records: Sequence[Record]) -> None:
        """Append records whose turn has not come; where the run is interrupted before, the file holds them."""
        for record in records:
            self._append(record)
            self._early[id(record)] = record

    def _append(self, record: Record) -> None:
        """Write a line, and flush it. Raises UsageError."""
        self._appended.append(record)
        try:
            self._file.write(record.model_dump_json() + "\n")
            self._file.flush()
        except OSError as error:
            raise self._not_written(error) from None

    def _retained(self) -> list[Record]:
        """Return the records of earlier runs whose questions this run has not answered."""
        now = (*self._records, *self._early.values())
        answered, judged = {record.question for record in now}, {_judged_in(record) for record in now if record.kernel}
        return [
            record
            for record in self._earlier
            if record.question not in answered and not (record.check in ENDINGS and _judged_in(record) in judged)
        ]

    def _put_in_order(self) -> None:
        """Let the file hold no question twice, and this run's records in their order. Raises OSError."""
        wanted = [*self._retained(), *self._records, *self._early.values()]
        if wanted != [*self._earlier, *self._appended]:
            self._rewrite(wanted)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._put_in_order()
        except OSError as trouble:
            with contextlib.suppress(OSError):
                self._file.close()  # it would write once more what the disk did not take
            if error_type is None:
                raise self._not_written(trouble) from None
        finally:
            self._lock.release()


def _judged_in(record: Record) -> tuple[str, str, str]:
    """Return what is judged, in which dtype and on which device; how a device is described is its own affair."""
    return record.kernel, record.dtype, record.device.partition(" ")[0]
