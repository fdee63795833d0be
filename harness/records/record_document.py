"""Files of results: several records as one JSON document, and the kind that a file says it is of."""

from __future__ import annotations

import json
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from rnn_harness.printable import printable_values
from rnn_harness.records.record import Record
from rnn_harness.runtime.input_file import parse_json


class RecordDocument(BaseModel):
    """What ``verify --json`` prints.

    Attributes:
        kind: What the document is.
        exit_code: The exit code of the command.
        records: Every record, in the order in which they were made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["records"] = "records"
    exit_code: int
    records: tuple[Record, ...]


Document = TypeVar("Document", bound=BaseModel)


def parse_document(document_type: type[Document], text: str) -> Document:
    """Read a document; every text in it is made printable.

    Args:
        document_type: What it should be.
        text: JSON.

    Raises:
        ValueError: It is no such document; a pydantic.ValidationError where it is JSON of another form.
    """
    return document_type.model_validate(printable_values(parse_json(text)))


def document_kind(text: str) -> str:
    """Return the field ``kind`` of a JSON document, of the first row of a list, or of the first of several lines.

    Args:
        text: JSON or JSON Lines; text that is no JSON has no kind.

    Returns:
        The kind; empty where the text says none, as the lines of records do.
    """
    try:
        value, _ = json.JSONDecoder().raw_decode(text.removeprefix("\ufeff").lstrip())
    except (ValueError, RecursionError):
        return ""
    row = value[0] if isinstance(value, list) and value else value
    stated = row.get("kind", "") if isinstance(row, dict) else ""
    return stated if isinstance(stated, str) else ""


def is_record_line(line: str) -> bool:
    """Say whether a line is a whole JSON object that says no kind, as the lines of records do.

    Args:
        line: The first line of a file.
    """
    try:
        return isinstance(parse_json(line), dict) and not document_kind(line)
    except ValueError:
        return False
