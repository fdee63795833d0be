"""What changed between two runs of a suite, and the runs that there were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from rnn_harness.errors import UsageError
from rnn_harness.records.matrix import PROPERTIES, Matrix, MatrixRow
from rnn_harness.records.record_document import parse_document
from rnn_harness.runtime.input_file import read_text_file


class RunSummary(BaseModel):
    """A run that was.

    Attributes:
        date: When its last implementation was judged, in UTC.
        endings: How many implementations ended how.
        changes: What had changed since the run before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: str
    endings: dict[str, int]
    changes: tuple[str, ...]


_SUMMARIES = TypeAdapter(tuple[RunSummary, ...])


def read_matrix(path: Path) -> Matrix | None:
    """Read the table of the run before; None where there is none.

    Args:
        path: ``matrix.json``.

    Raises:
        UsageError: The file is there and is no such table.
    """
    if not path.is_file():
        return None
    try:
        return parse_document(Matrix, read_text_file(path, "a table of implementations"))
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(f"{path}: no table of implementations: {str(error).splitlines()[0]}") from None


def read_history(path: Path) -> tuple[RunSummary, ...]:
    """Read the runs that there were, the first one first; empty where there is no such file.

    Args:
        path: ``history.json``.

    Raises:
        UsageError: The file is there and holds no runs.
    """
    if not path.is_file():
        return ()
    try:
        return _SUMMARIES.validate_json(read_text_file(path, "a history of runs"))
    except ValidationError as error:
        raise UsageError(f"{path}: no history of runs: {error.errors()[0]['msg']}") from None


def history_json(runs: tuple[RunSummary, ...]) -> str:
    """Write runs as JSON.

    Args:
        runs: The runs, the first one first.
    """
    return _SUMMARIES.dump_json(runs, indent=1).decode("utf-8") + "\n"


def with_run(runs: tuple[RunSummary, ...], table: Matrix) -> tuple[RunSummary, ...]:
    """Return the history with one more run; a table that is written once more does not count as another run.

    Args:
        runs: The runs before.
        table: The table of the run.
    """
    summary = RunSummary(
        date=table.date, endings=dict(Counter(row.ending for row in table.rows)), changes=table.changes
    )
    return (*(run for run in runs if run.date != table.date), summary)


def changes_between(before: Matrix, after: Matrix) -> Iterator[str]:
    """Yield what changed, a sentence for each implementation that differs.

    Args:
        before: The table of the run before.
        after: The table of this run.
    """
    earlier = {row.key: row for row in before.rows}
    for row in after.rows:
        old = earlier.pop(row.key, None)
        if old is None:
            yield f"{row.name} is new: {row.ending}"
        elif differences := list(_differences(old, row)):
            yield f"{row.name}: {'; '.join(differences)}"
    for row in earlier.values():
        yield f"{row.name} is no longer in the suite; it was {row.ending}"


def _differences(old: MatrixRow, row: MatrixRow) -> Iterator[str]:
    """Yield what differs between two rows of one implementation; times and dates do not count."""
    if old.version != row.version:
        yield f"{row.package} {old.version or 'absent'} is {row.version or 'absent'} now"
    if old.ending != row.ending:
        yield f"{old.ending} is {row.ending} now"
    if old.computes != row.computes:
        yield f"it computes {row.computes or 'something unknown'}, no longer {old.computes or 'something unknown'}"
    before = {cell.property: cell.outcome for cell in old.cells}
    for cell in row.cells:
        outcome = before.get(cell.property, "not run")
        if outcome != cell.outcome:
            yield f"{PROPERTIES[cell.property]}: {outcome} is {cell.outcome} now"
