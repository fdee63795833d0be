"""Outcomes and records: what was decided, on what, by whom; and the journal that keeps them."""

from __future__ import annotations

import enum
import json
import os
import platform
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rnn_harness.cases.case import Case
from rnn_harness.errors import UsageError

Witness = Literal["text", "reference", "numeric", "symbolic", "torch", "kernel"]


class Outcome(enum.StrEnum):
    """How a check ended."""

    AGREES = "agrees"
    REFUTED = "refuted"
    NOT_RUN = "not run"
    VACUOUS = "vacuous"


class Record(BaseModel):
    """One outcome, immutable. `entry`: the equation (or other entry), or the spec for what concerns all of it.

    `error_over_bound`: worst error divided by its bound; `examples`: cases that counted; `case`: the one the
    outcome rests on;
    `program`: for a refutation, a program that shows it. Of a kernel also: its id, `dtype`, `device` (with the
    accelerator's name and the versions of its libraries) and what `ran`, as the profiler saw it. `expected`: why it was
    expected to be refuted, of a candidate that says so; `init`: the options it was made with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    entry: str
    spec: str
    check: str
    witness: Witness
    outcome: Outcome
    reason: str = ""
    case: Case | None = None
    worst_error: float | None = None
    bound: float | None = None
    error_over_bound: float | None = None
    bits: float | None = None
    examples: int = 0
    vacuous: int = 0
    seconds: float = 0.0
    seed: int = 0
    environment: str = ""
    program: str = ""
    kernel: str = ""
    dtype: str = ""
    device: str = ""
    ran: str = ""
    expected: str = ""
    init: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What makes two records answers to the same question."""
        asked = (self.entry, self.spec, self.check, self.witness, str(self.seed), self.environment)
        return "|".join((*asked, self.kernel, self.dtype, self.device) if self.kernel else asked)


@cache
def environment() -> str:
    """Versions that may change an outcome, on one line."""
    names = ("rnn-harness", "numpy", "torch", "sympy", "python-flint", "hypothesis")
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} absent")
    return ", ".join((f"python {platform.python_version()}", platform.machine(), *found))


class Journal:
    """Records as JSON Lines, written as they come and flushed; brought to disk when closed.

    Opening an existing file without `resume` is refused, so that nothing recorded is lost.
    """

    def __init__(self, path: Path, resume: bool = False) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.known: dict[str, Record] = {}
        if path.exists() and path.stat().st_size and not resume:
            raise UsageError(f"{path} holds records already: give --resume to go on, or another file")
        if resume and path.exists():
            kept = []
            for record in read_records(path, self.warnings):
                self.known[record.key] = record
                kept.append(record.model_dump_json())
            if self.warnings:
                _replace(path, "".join(line + "\n" for line in kept))
        try:
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write records to {path}: {error.strerror}") from None

    def write(self, record: Record) -> None:
        """Append one record. Raises UsageError if the disk does not take it."""
        try:
            self._file.write(record.model_dump_json() + "\n")
            self._file.flush()
        except OSError as error:
            raise UsageError(f"cannot write records to {self.path}: {error.strerror}") from None

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as trouble:
            if kind is None:
                raise UsageError(f"cannot write records to {self.path}: {trouble.strerror}") from None


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def not_a_record(error: ValueError) -> str:
    """What is the matter with what should be one: the fields, or where it is no JSON."""
    if not isinstance(error, ValidationError):
        return str(error)
    fields = [f"{'.'.join(map(str, one['loc']))} ({one['msg']})" for one in error.errors()]
    return "; ".join(fields[:4]) + (f"; and {len(fields) - 4} more" if len(fields) > 4 else "")


def read_records(path: Path, warnings: list[str] | None = None) -> Iterator[Record]:
    """The records of a journal. A truncated last line (a killed run) is reported in `warnings` and skipped.

    Raises UsageError: unreadable file, a damaged line that is not the last, the same question answered twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read records from {path}: {error}") from None
    seen: set[str] = set()
    last = len(lines) - 1
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            data: Any = json.loads(line)
            record = Record.model_validate(data)
        except (json.JSONDecodeError, ValidationError) as error:
            if number == last:
                if warnings is not None:
                    warnings.append(f"{path}:{number + 1}: the last record is cut off, and was skipped")
                return
            raise UsageError(f"{path}:{number + 1}: not a record: {not_a_record(error)}") from None
        if record.key in seen:
            raise UsageError(f"{path}:{number + 1}: {record.entry}, {record.check} is recorded twice")
        seen.add(record.key)
        yield record
