"""The kill matrix as it is written: one result for each mutant, with the checks that refuted it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from rnn_harness.errors import UsageError
from rnn_harness.printable import printable_values
from rnn_harness.runtime.atomic_file import write_whole
from rnn_harness.runtime.input_file import parse_json

Part = Literal["forward", "backward"]
"""A part of a reference, and with it the pass that is wrong."""


class Kill(BaseModel):
    """A check that refuted a mutant.

    Attributes:
        check: The id of the check.
        examples: The number of cases that counted until it refuted the mutant, that case included.
        seconds: The time the check itself took until then.
        detail: The difference it saw.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    examples: int
    seconds: float
    detail: str


class MutantDescription(BaseModel):
    """A reference that is wrong on purpose.

    Attributes:
        kind: What the row is.
        mutant: The mutant's name.
        spec: The spec it is judged by.
        part: The part of the reference where the fault is.
        edit: The edit of the reference's source, on one line.
        published_bug: The published bug it is modelled on; empty where there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["mutant"] = "mutant"
    mutant: str
    spec: str
    part: Part
    edit: str
    published_bug: str = ""


class MutantResult(MutantDescription):
    """A row of the kill matrix.

    Attributes:
        schema_version: The version of the fields, to be raised when one changes its meaning.
        killed: Whether a check refuted it.
        examples: The number of cases that counted.
        vacuous: The number of cases that could not have shown anything, and did not count.
        kills: The checks that refuted it, in the order of the cases.
        depends_on: Digest of everything that the result depends on; empty where it is not said.
    """

    schema_version: Literal[1] = 1
    killed: bool
    examples: Annotated[int, Field(ge=0)]
    vacuous: Annotated[int, Field(ge=0)]
    kills: tuple[Kill, ...]
    depends_on: str = ""

    @model_validator(mode="after")
    def _killed_is_what_kills_say(self) -> Self:
        if self.killed != bool(self.kills):
            raise ValueError(f"killed is {str(self.killed).lower()}, and there are {len(self.kills)} kills")
        return self


_RESULTS = TypeAdapter(tuple[MutantResult, ...])


def dump_kill_matrix(rows: Iterable[MutantDescription]) -> str:
    """Return mutants or their results as one JSON document.

    Args:
        rows: In the order in which they are written.
    """
    return json.dumps([row.model_dump(mode="json") for row in rows], indent=1)


def parse_kill_matrix(text: str) -> tuple[MutantResult, ...]:
    """Read results from what `dump_kill_matrix` returned.

    Args:
        text: A JSON document: a list with an object for each mutant.

    Raises:
        UsageError: The text holds no results of this version; the first mutant that is at fault is named.
    """
    try:
        return _RESULTS.validate_python(printable_values(parse_json(text)))
    except ValidationError as error:
        raise UsageError(_problem(error, text)) from None
    except ValueError as error:
        raise UsageError(f"not JSON: {error}") from None


def write_kill_matrix(path: Path, results: Iterable[MutantResult]) -> None:
    """Write results; the file is written completely or not at all.

    Args:
        path: The file; an older one is replaced.
        results: In the order in which they are written.

    Raises:
        OSError: The file cannot be written.
    """
    write_whole(path, dump_kill_matrix(results))


def _problem(error: ValidationError, text: str) -> str:
    """Name the first row that is no result, and its fields that are missing or wrong."""
    details = error.errors(include_url=False)
    if not details[0]["loc"]:
        return str(details[0]["msg"])
    position = details[0]["loc"][0]
    of_row = [detail for detail in details if detail["loc"][0] == position]
    missing = sorted(
        str(detail["loc"][1]) for detail in of_row if detail["type"] == "missing" and len(detail["loc"]) == 2
    )
    name = f"row {position}"
    rows = json.loads(text)
    if isinstance(position, int) and isinstance(rows[position], dict):
        name = str(rows[position].get("mutant", name))
    if missing:
        return f"{name} has no {', '.join(missing)}"
    return f"{name}: {'.'.join(map(str, of_row[0]['loc'][1:])) or 'row'}: {of_row[0]['msg']}"
