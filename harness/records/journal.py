"""The journal that keeps records, as JSON Lines."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import ValidationError

from rnn_harness.errors import UsageError
from rnn_harness.records.record import SCHEMA_VERSION, Record
from rnn_harness.runtime.atomic_file import write_whole


class Journal:
    """Records as JSON Lines, written as they come and flushed; brought to disk when closed.

    Args:
        path: the file.
        resume: whether to go on with a file that holds records; without it such a file is refused, so that nothing
            recorded is lost.

    Attributes:
        warnings: what was skipped in the file.
        known: the records of the file, by key.

    Raises:
        UsageError: the file holds records already, is damaged, or cannot be written to.
    """

    def __init__(self, path: Path, resume: bool = False) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.known: dict[str, Record] = {}
        if path.exists() and path.stat().st_size and not resume:
            raise UsageError(f"{path} holds records already: give --resume to go on, or another file")
        if resume and path.exists():
            lines = []
            for record in read_records(path, self.warnings):
                self.known[record.key] = record
                lines.append(record.model_dump_json())
            if self.warnings:
                write_whole(path, "".join(line + "\n" for line in lines), durable=True)
        try:
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write records to {path}: {error.strerror}") from None

    def write(self, record: Record) -> None:
        """Append one record.

        Args:
            record: One line of the file; it is flushed, so that nothing is lost where the process ends.

        Raises:
            UsageError: the disk does not take it.
        """
        try:
            self._file.write(record.model_dump_json() + "\n")
            self._file.flush()
        except OSError as error:
            raise UsageError(f"cannot write records to {self.path}: {error.strerror}") from None

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as trouble:
            with contextlib.suppress(OSError):
                self._file.close()  # it would write once more what the disk did not take
            if error_type is None:
                raise UsageError(f"cannot write records to {self.path}: {trouble.strerror}") from None


def not_a_record(error: ValueError) -> str:
    """Say what is wrong with what should be a record: its fields, or where it is no JSON.

    Args:
        error: What parsing the line raised; of a ValidationError, up to four fields are named.
    """
    if not isinstance(error, ValidationError):
        return str(error)
    fields = [f"{'.'.join(map(str, mistake['loc']))} ({mistake['msg']})" for mistake in error.errors()]
    return "; ".join(fields[:4]) + (f"; and {len(fields) - 4} more" if len(fields) > 4 else "")


def _refuse_newer(data: Any, place: str) -> None:
    """Raise UsageError for a record whose fields this version does not know."""
    version = data.get("schema_version", SCHEMA_VERSION) if isinstance(data, dict) else SCHEMA_VERSION
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise UsageError(
            f"{place}: a record of schema {version}, written by a newer version; this one reads up to {SCHEMA_VERSION}"
        )


def read_records(path: Path, warnings: list[str] | None = None) -> Iterator[Record]:
    """Yield the records of a journal.

    Args:
        path: the file.
        warnings: gets a sentence where the last line is cut off, as that of a killed run; the line is skipped.

    Raises:
        UsageError: the file cannot be read, a line that is not the last is damaged, a record is of a newer schema,
            or the same question is answered twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read records from {path}: {error}") from None
    keys: set[str] = set()
    last = len(lines) - 1
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            data: Any = json.loads(line)
            _refuse_newer(data, f"{path}:{number + 1}")
            record = Record.model_validate(data)
        except (json.JSONDecodeError, ValidationError) as error:
            if number == last:
                if warnings is not None:
                    warnings.append(f"{path}:{number + 1}: the last record is cut off, and was skipped")
                return
            raise UsageError(f"{path}:{number + 1}: not a record: {not_a_record(error)}") from None
        if record.key in keys:
            raise UsageError(f"{path}:{number + 1}: {record.entry}, {record.check} is recorded twice")
        keys.add(record.key)
        yield record
