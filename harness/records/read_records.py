"""The records of a file of JSON Lines; what a killed run left damaged is mended, or refused by its line."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from rnn_harness.errors import UsageError
from rnn_harness.printable import is_printable_json, printable_values
from rnn_harness.records.record import SCHEMA_VERSION, Record
from rnn_harness.records.shared_values import SharedValues
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.input_file import parse_json, unreadable_file

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def not_a_record(error: ValueError) -> str:
    """Say what is wrong with what should be a record: its fields, or where it is no JSON.

    Args:
        error: What parsing the line raised; of a ValidationError, up to four fields are named.
    """
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8; expected a line of JSON, as --records writes it"
    if not isinstance(error, ValidationError):
        return f"{error}; expected a line of JSON, as --records writes it"
    fields = [f"{'.'.join(map(str, mistake['loc']))} ({mistake['msg']})" for mistake in error.errors()]
    return "; ".join(fields[:4]) + (f"; and {len(fields) - 4} more" if len(fields) > 4 else "")


def _parse_record(line: bytes, place: str, shared: SharedValues) -> Record:
    """Read one line.

    Raises:
        ValueError: it is no record.
        UsageError: it is one of a newer version, whose fields this one does not know.
    """
    text = line.decode("utf-8")
    data: object = parse_json(text)
    if not is_printable_json(text):
        data = printable_values(data)
    version = data.get("schema_version", SCHEMA_VERSION) if isinstance(data, dict) else SCHEMA_VERSION
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise UsageError(
            f"{place}: a record of schema {version}, written by a newer version; this one reads up to {SCHEMA_VERSION}"
        )
    record = shared.record(data)
    if contradiction := _contradiction(record):
        raise ValueError(contradiction)
    return record


def _contradiction(record: Record) -> str:
    """Say in which of its numbers a record contradicts its outcome, or what cannot be; empty where nothing does."""
    if record.examples < 0 or record.vacuous < 0:
        return f"{record.examples} cases counted, and {record.vacuous} that could show nothing"
    ratio = record.error_over_bound
    if record.outcome is Outcome.AGREES and ratio is not None and not ratio <= 1:
        return f"it agrees, and its error is {ratio:g} times the bound"
    return ""


def read_records(path: Path, warnings: list[str] | None = None) -> Iterator[Record]:
    """Yield the records of a journal.

    Args:
        path: the file.
        warnings: gets a sentence where the last line is cut off, as that of a killed run, where its end is missing, or
            where a question is answered twice: of two answers the later counts, but an answer that refutes under the
            same conditions is not taken back by one that agrees.

    Raises:
        UsageError: the file cannot be read, a line that is not the last is damaged, or a record is of a newer schema.
    """
    mended: list[str] = [] if warnings is None else warnings
    records: dict[bytes, Record] = {}
    shared = SharedValues()
    try:
        for line in _lines(path):
            if not line.text.strip():
                continue
            place = f"{path}:{line.number}"
            try:
                record = _parse_record(line.text, place, shared)
            except UsageError:
                raise
            except ValueError as error:
                if not line.is_whole:
                    mended.append(f"{place}: the last record is cut off, and was skipped")
                    break
                raise UsageError(f"{place}: not a record: {not_a_record(error)}") from None
            if not line.is_whole:
                mended.append(f"{place}: the end of the last line is missing")
            key = short_key(record)
            if key in records:
                mended.append(_second_answer(records, record, place))
            else:
                records[key] = record
    except OSError as error:
        raise unreadable_file(path, "records", error) from None
    yield from records.values()


class _Line(NamedTuple):
    """A line of a file.

    Attributes:
        number: Its number, from 1.
        text: Its bytes, without the end.
        is_whole: Whether it has an end.
    """

    number: int
    text: bytes
    is_whole: bool


def _lines(path: Path) -> Iterator[_Line]:
    """Yield the lines of a file, one after the other. Raises OSError."""
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            content = text.removeprefix(_BYTE_ORDER_MARK) if number == 1 else text
            yield _Line(number, content.removesuffix(b"\n"), content.endswith(b"\n"))


def short_key(record: Record) -> bytes:
    """Return the key of a record as a few bytes, since there may be half a million of them.

    Args:
        record: Two records have the same bytes where `Record.key` is the same.
    """
    return blake2b(record.key.encode("utf-8"), digest_size=16).digest()


def _second_answer(records: dict[bytes, Record], record: Record, place: str) -> str:
    """Let one of two answers to a question count, and say which."""
    key = short_key(record)
    earlier = records[key]
    subject = f"{place}: {record.entry}, {record.check} is recorded twice"
    if earlier == record:
        return f"{subject}, with one answer"
    is_taken_back = earlier.outcome is Outcome.REFUTED and record.outcome is not Outcome.REFUTED
    if is_taken_back and earlier.depends_on == record.depends_on:
        return f"{subject}: {earlier.outcome}, then {record.outcome}, of the same; the refutation counts"
    del records[key]
    records[key] = record
    return f"{subject}: {earlier.outcome}, then {record.outcome}; the later counts"
