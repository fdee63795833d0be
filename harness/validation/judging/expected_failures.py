"""Failures that a candidate ships as known: each must still happen, and says why.

They stand in a TOML file of ``[[expected]]`` tables: `check` (a name, or a pattern such as ``backward.*`` of which at
least one check must fail), `reason`, and if wanted `dtype` and `case` (the JSON of a case). A pattern names its group
of checks in full: one that fits every check would excuse whatever goes wrong later.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from rnn_harness.cases.case import Case
from rnn_harness.errors import UsageError
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.input_file import parse_toml, read_text_file

PREFIX = "expected-failure"
"""Before the name of a check that was expected to fail, and did not."""


class ExpectedFailure(BaseModel):
    """One known failure.

    Attributes:
        check: The check that fails, or a pattern of checks.
        reason: Why it fails.
        dtype: The dtype in which it fails; empty for any.
        case: The case on which it fails, which is then tried besides the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    dtype: str = ""
    case: Case | None = None

    @field_validator("check")
    @classmethod
    def _names_its_group(cls, check: str) -> str:
        """Refuse a pattern that fits checks of several groups."""
        if any(character in check.partition(".")[0] for character in "*?["):
            raise ValueError(f"{check!r} fits checks of every group: name the group, as backward.*")
        return check

    def names(self, check: str, dtype: str) -> bool:
        """Say whether a check in a dtype is one that is expected to fail.

        Args:
            check: The name of a check.
            dtype: The name of a dtype.
        """
        return fnmatch.fnmatchcase(check, self.check) and self.dtype in ("", dtype)

    def is_met_by(self, record: Record) -> bool:
        """Say whether a record is the failure that is expected.

        Args:
            record: A record of the candidate; only one that is refuted can meet it.
        """
        return record.outcome is Outcome.REFUTED and self.names(record.check, record.dtype)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    expected: tuple[ExpectedFailure, ...]


def load_expected(path: Path) -> tuple[ExpectedFailure, ...]:
    """Read a file of expected failures.

    Args:
        path: A TOML file with tables ``[[expected]]``; see `ExpectedFailure` for their fields.

    Raises:
        UsageError: It cannot be read, or is no such file; the message names what is wrong in it.
    """
    try:
        data = parse_toml(read_text_file(path, "the expected failures"))
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None
    rows = data.get("expected", ())
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("case"), str):
            try:
                row["case"] = Case.model_validate_json(row["case"])
            except ValidationError as error:
                raise UsageError(f"{path}: case {row['case']!r}: {error.errors()[0]['msg']}") from None
    try:
        return _File.model_validate(data).expected
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = "it holds no table [[expected]]" if where == "expected" else f"{where}: {first['msg']}"
        raise UsageError(
            f"{path}: {problem}; expected tables [[expected]] with check and reason, and if wanted dtype and case"
        ) from None


def expectations_file(target: str) -> Path | None:
    """Find the file that a candidate ships: ``cell.expected.toml`` next to ``cell.py``.

    Args:
        target: The target as it is typed.

    Returns:
        Its path; None if there is none, or the target is no file.
    """
    where = target.rpartition(":")[0] or target
    if not where.endswith((".py", ".onnx")):
        return None
    path = Path(where).with_suffix(".expected.toml")
    return path if path.is_file() else None


def mark_expected(records: Iterable[Record], expected: tuple[ExpectedFailure, ...]) -> Iterator[Record]:
    """Yield the records, and write into every refuted one that was expected why it was.

    Args:
        records: The records of a candidate, as they are made.
        expected: The failures that it ships; the first that fits gives the reason.
    """
    for record in records:
        reason = next((failure.reason for failure in expected if failure.is_met_by(record)), "")
        yield record.model_copy(update={"expected": reason}) if reason else record


def unmet_expectations(
    records: Iterable[Record], expected: tuple[ExpectedFailure, ...], target: str, seed: int
) -> Iterator[Record]:
    """Yield a refuted record for every expected failure that did not happen.

    Args:
        records: All records of the target.
        expected: The failures that were expected.
        target: The target's name, for the new records.
        seed: Where the random cases started, for the new records.
    """
    checks = list(records)
    for failure in expected:
        if any(failure.is_met_by(record) for record in checks):
            continue
        named = next((record for record in checks if failure.names(record.check, record.dtype)), None)
        yield Record(
            entry=failure.check,
            spec=named.spec if named is not None else "unknown",
            check=f"{PREFIX}.{failure.check}",
            witness="kernel",
            outcome=Outcome.REFUTED,
            reason=f"{failure.check} was expected to fail ({failure.reason}), but {_now(named)}: remove the entry",
            seed=seed,
            environment=versions(),
            kernel=target,
            dtype=failure.dtype,
        )


def _now(record: Record | None) -> str:
    """Say what came of a check instead of the expected failure."""
    if record is None:
        return "there is no such check for this candidate"
    return "it agrees now" if record.outcome is Outcome.AGREES else f"it is {record.outcome} now"
