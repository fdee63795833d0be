"""Failures that a candidate ships as known: each must still happen, and says why.

A TOML file of ``[[expected]]`` tables: `check` (a name, or a pattern such as ``backward.*`` of which one at least must
fail), `reason`, and if wanted `dtype` and `case` (the JSON of a case).
"""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rnn_harness.cases.case import Case
from rnn_harness.errors import UsageError
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome


class Expected(BaseModel):
    """One known failure. `dtype`: empty for any. `case`: on which it happens; it is then tried on that one too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    dtype: str = ""
    case: Case | None = None

    def means(self, check: str, dtype: str) -> bool:
        """Whether a check in a dtype is meant."""
        return fnmatch.fnmatchcase(check, self.check) and self.dtype in ("", dtype)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    expected: tuple[Expected, ...]


def load_expected(path: Path) -> tuple[Expected, ...]:
    """Read such a file. Raises UsageError that names what is wrong in it."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the expected failures {path}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None
    for row in data.get("expected", ()):
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
        raise UsageError(
            f"{path}: {where}: {first['msg']}; expected tables [[expected]] with check and reason, "
            "and if wanted dtype and case"
        ) from None


def beside(text: str) -> Path | None:
    """The file that a candidate ships: ``cell.expected.toml`` beside ``cell.py``; None if there is none."""
    where = text.rpartition(":")[0] or text
    if not where.endswith((".py", ".onnx")):
        return None
    path = Path(where).with_suffix(".expected.toml")
    return path if path.is_file() else None


def excused(records: Iterable[Record], known: tuple[Expected, ...]) -> Iterator[Record]:
    """The records, refuted ones that were expected marked as such."""
    for record in records:
        reason = next((one.reason for one in known if _meets(one, record)), "")
        yield record.model_copy(update={"expected": reason}) if reason else record


def unmet(records: Iterable[Record], known: tuple[Expected, ...], target: str, seed: int) -> Iterator[Record]:
    """A refuted record for every expected failure that did not happen."""
    found = list(records)
    for one in known:
        if any(_meets(one, record) for record in found):
            continue
        own = [record for record in found if one.means(record.check, record.dtype)]
        said = "" if not own else "it agrees now" if own[0].outcome is Outcome.AGREES else f"it is {own[0].outcome} now"
        now = said or "there is no such check for this candidate"
        yield Record(
            entry=one.check,
            spec=own[0].spec if own else "unknown",
            check=f"expected-failure.{one.check}",
            witness="kernel",
            outcome=Outcome.REFUTED,
            reason=f"{one.check} was expected to fail ({one.reason}), but {now}: remove the entry",
            seed=seed,
            environment=versions(),
            kernel=target,
            dtype=one.dtype,
        )


def _meets(one: Expected, record: Record) -> bool:
    return record.outcome is Outcome.REFUTED and one.means(record.check, record.dtype)
