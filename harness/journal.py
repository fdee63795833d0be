"""The journal: records as JSON Lines, written as they come, finished by one atomic renaming.

While a run goes on, its lines stand in ``NAME.partial``; `finish` moves that file to ``NAME``. A run that was
killed leaves the partial file, perhaps with half a last line: reading skips and reports it, resuming cuts it off.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from pydantic import ValidationError

from rnn_harness.errors import UsageError
from rnn_harness.records import Environment, Record


@dataclass(frozen=True)
class Reading:
    """What stood in a journal. `damaged`: one message per line that could not be used."""

    records: tuple[Record, ...]
    environments: dict[str, Environment]
    damaged: tuple[str, ...] = ()


def partial(path: Path) -> Path:
    """Where the lines of an unfinished run stand."""
    return path.with_name(path.name + ".partial")


def read(path: Path) -> Reading:
    """Read a journal, finished or not. Raises UsageError when there is none or a line inside is damaged.

    Only the last line may be cut short (a killed run); it is skipped and reported.
    """
    source = partial(path) if partial(path).exists() else path
    try:
        raw = source.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); expected a journal of records") from None
    lines = raw.split(b"\n")
    records: list[Record] = []
    environments: dict[str, Environment] = {}
    damaged: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            if "environment_id" in found:
                one = Environment.model_validate(found["value"])
                environments[found["environment_id"]] = one
            else:
                records.append(Record.model_validate(found))
        except (ValueError, ValidationError, TypeError) as error:
            if number == len(lines):
                damaged.append(f"{source}:{number}: the last line is cut short and was skipped")
            else:
                message = str(error).splitlines()[0]
                raise UsageError(f"{source}:{number}: not a record of this version ({message})") from None
    return Reading(tuple(records), environments, tuple(damaged))


class Journal:
    """Writes records to `path`; a context manager that finishes on success and keeps the partial file otherwise."""

    def __init__(self, path: Path, environment: Environment, resume: bool = False) -> None:
        self.path = path
        self.resumed: tuple[Record, ...] = ()
        self.damaged: tuple[str, ...] = ()
        kept: list[str] = []
        if resume and (path.exists() or partial(path).exists()):
            found = read(path)
            self.resumed, self.damaged = found.records, found.damaged
            kept = [_environment_line(one) for one in found.environments.values()]
            kept += [record.model_dump_json() for record in found.records]
            known = environment.id in found.environments
        else:
            known = False
        if not known:
            kept.append(_environment_line(environment))
        try:
            self._file: IO[str] = partial(path).open("w", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror})") from None
        for line in kept:
            self._file.write(line + "\n")
        self._file.flush()

    def write(self, record: Record) -> None:
        """Append one record; it is on its way to the disk when this returns."""
        self._file.write(record.model_dump_json() + "\n")
        self._file.flush()

    def finish(self) -> None:
        """Put the whole journal in its place at once, synchronised to disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(partial(self.path), self.path)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self._file.close()


def _environment_line(environment: Environment) -> str:
    return json.dumps({"environment_id": environment.id, "value": environment.model_dump()})
