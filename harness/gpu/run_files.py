"""The folder of a run on a GPU machine: where it is made, and its files, whose every row is on disk at once."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from pydantic import BaseModel

from rnn_harness.errors import UsageError
from rnn_harness.records.gpu_evidence import MACHINE, TIMES, VERDICTS
from rnn_harness.records.measurement import SpeedMeasurement
from rnn_harness.records.record import Record
from rnn_harness.runtime.atomic_file import write_whole
from rnn_harness.runtime.file_lock import FileLock


def new_folder(out: Path, card: str) -> Path:
    """Make a folder of its own, named by the date and the card.

    Args:
        out: Where it is made.
        card: The name of the card.

    Raises:
        UsageError: It cannot be made.
    """
    date = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    name = f"{date}-{card_in_names(card)}"
    numbered = (out / (name if number == 1 else f"{name}-{number}") for number in range(1, 1000))
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = next(path for path in numbered if not path.exists())
        folder.mkdir()
    except OSError as error:
        raise UsageError(f"cannot write to {out}: {error.strerror}") from None
    return folder


def card_in_names(card: str) -> str:
    """Give the name of a card as it stands in the name of a folder.

    Args:
        card: As torch names it.
    """
    return re.sub(r"[^A-Za-z0-9]+", "-", card).strip("-")


class SyncedFiles:
    """The files of a run: every row is on disk before the next one is made.

    Where they are there already they are gone on with, without a last line that was being written when the machine
    stopped.

    Args:
        folder: Where they are.

    Raises:
        UsageError: Another run writes to them, or they cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / MACHINE)
        try:
            self._files = {name: self._opened(name) for name in (MACHINE, VERDICTS, TIMES)}
        except OSError as error:
            self._lock.release()
            raise UsageError(f"cannot write to {folder}: {error.strerror}") from None

    def _opened(self, name: str) -> TextIOWrapper:
        """Open a file to append to it; what was cut off is left out."""
        path = self._folder / name
        text = path.read_bytes() if path.is_file() else b""
        if not text.endswith(b"\n"):
            write_whole(path, text[: text.rfind(b"\n") + 1].decode("utf-8", errors="replace"), durable=True)
        return path.open("a", encoding="utf-8")

    def write(self, row: BaseModel) -> None:
        """Append a row to the file of its type.

        Args:
            row: A record, a measurement, or a row of the machine's file.
        """
        file = self._files[_file_of(row)]
        file.write(_line(row))
        file.flush()
        os.fsync(file.fileno())

    def replace(self, name: str, rows: Sequence[BaseModel]) -> None:
        """Let a file hold just these rows.

        Args:
            name: The file.
            rows: All of its type.
        """
        self._files[name].close()
        write_whole(self._folder / name, "".join(map(_line, rows)), durable=True)
        self._files[name] = self._opened(name)

    def __enter__(self) -> SyncedFiles:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()
        self._lock.release()


def _file_of(row: BaseModel) -> str:
    """Name the file in which a row stands."""
    return VERDICTS if isinstance(row, Record) else TIMES if isinstance(row, SpeedMeasurement) else MACHINE


def _line(row: BaseModel) -> str:
    """Write a row as a line."""
    return row.model_dump_json() + "\n"
