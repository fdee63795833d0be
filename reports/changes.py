"""What differs between two reports: outcomes, verdicts, bits, and times and rates beyond noise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from rnn_harness.errors import UsageError
from rnn_harness.printable import printable_values
from rnn_harness.records.measurement import Measurement
from rnn_harness.records.measurement_history import compare_measurements
from rnn_harness.reports.page.contents import Contents
from rnn_harness.reports.page.kernel_rows import KernelRow
from rnn_harness.reports.page.render import CONTENTS_ADAPTER
from rnn_harness.reports.text.fit_table import Column, print_table
from rnn_harness.runtime.input_file import parse_json, read_text_file

_ABSENT = "absent"


@dataclass(frozen=True)
class ReportChange:
    """A difference between two reports.

    Attributes:
        category: What differs: an equation's outcome, a claim's verdict, bits, a time.
        subject: The equation, claim, kernel, cell or measurement.
        old: What the older report says.
        new: What the newer report says.
        is_worse: Whether it agreed and does not any more, or is refuted now.
    """

    category: str
    subject: str
    old: str
    new: str
    is_worse: bool = False


def read_report(path: Path) -> Contents:
    """Read the contents of a report from its report.json, or from its folder.

    Args:
        path: Report.json, or the folder that holds it.

    Raises:
        UsageError: There is no report of this version.
    """
    file = path / "report.json" if path.is_dir() else path
    text = read_text_file(file, "a report")
    try:
        return CONTENTS_ADAPTER.validate_python(printable_values(parse_json(text)))
    except ValidationError as error:
        raise UsageError(f"{file} is no report.json of this version of rnn-harness report: {_problem(error)}") from None
    except ValueError as error:
        raise UsageError(f"{file} is no report.json: {error}") from None


def _problem(error: ValidationError) -> str:
    """Name the sections that are missing, or else the first field that is wrong."""
    details = error.errors(include_url=False)
    missing = [str(detail["loc"][-1]) for detail in details if detail["type"] == "missing" and len(detail["loc"]) == 1]
    if missing:
        return f"it has no {', '.join(missing)}"
    place = ".".join(map(str, details[0]["loc"]))
    return f"{place}: {details[0]['msg']}" if place else details[0]["msg"]


def compare_reports(old: Contents, new: Contents) -> list[ReportChange]:
    """Return every difference between two reports, the worse ones first.

    Args:
        old: The contents of the earlier report.
        new: The contents of the later one.
    """
    changes = [
        *_outcome_changes("equation", _witness_outcomes(old), _witness_outcomes(new)),
        *_outcome_changes("cell", _cell_outcomes(old), _cell_outcomes(new)),
        *_text_changes("claim", _claim_verdicts(old), _claim_verdicts(new)),
        *_outcome_changes("kernel", _kernel_outcomes(old), _kernel_outcomes(new)),
        *_text_changes("bits", _kernel_bits(old), _kernel_bits(new)),
        *_measurement_changes("decay", old.decay, new.decay),
        *_measurement_changes("learning", _flatten(old.learning), _flatten(new.learning)),
        *_speed_changes(_flatten(old.speed), _flatten(new.speed)),
    ]
    return sorted(changes, key=lambda change: not change.is_worse)


def _witness_outcomes(report: Contents) -> dict[str, str]:
    """Return the outcome by equation and witness."""
    return {
        f"{row.id} ({row.spec}), {witness}": outcome
        for row in report.equations
        for witness, outcome in row.witnesses.items()
    }


def _cell_outcomes(report: Contents) -> dict[str, str]:
    """Return the outcome by validated candidate."""
    return {validation.target: validation.outcome for validation in report.validations}


def _claim_verdicts(report: Contents) -> dict[str, str]:
    """Return the verdict by claim."""
    return {row.id: row.verdict for row in report.claims}


def _kernel_outcomes(report: Contents) -> dict[str, str]:
    """Return the gravest outcome by kernel, dtype and device."""
    return {
        _setting(row): "refuted" if row.refuted else "agrees" if row.agrees else "not run" for row in report.kernels
    }


def _kernel_bits(report: Contents) -> dict[str, str]:
    """Return the effective precision by kernel, dtype and device."""
    return {_setting(row): f"{row.bits:.1f}" for row in report.kernels if row.bits is not None}


def _setting(row: KernelRow) -> str:
    """Name the kernel, dtype and device of a row."""
    return f"{row.kernel}, {row.dtype}, {row.device}"


def _flatten(groups: Mapping[str, Sequence[Measurement]]) -> list[Measurement]:
    """Return the measurements of all groups."""
    return [row for rows in groups.values() for row in rows]


def _text_changes(category: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[ReportChange]:
    """Yield the subjects of which the reports say different texts."""
    for subject in dict.fromkeys((*old, *new)):
        before, after = old.get(subject, _ABSENT), new.get(subject, _ABSENT)
        if before != after:
            yield ReportChange(category, subject, before, after)


def _outcome_changes(category: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[ReportChange]:
    """Yield the subjects whose outcome differs, and whether that is worse."""
    for change in _text_changes(category, old, new):
        is_worse = change.new == "refuted" or change.old == "agrees"
        yield ReportChange(change.category, change.subject, change.old, change.new, is_worse)


def _speed_changes(old: Sequence[Measurement], new: Sequence[Measurement]) -> Iterator[ReportChange]:
    """Yield the times that differ; those of different machines are not compared, and the change says so."""
    machines = sorted({row.machine for row in (*old, *new)})
    if old and new and len(machines) > 1:
        yield ReportChange("speed", "all times", machines[0], f"{machines[1]}: another machine, not compared")
    else:
        yield from _measurement_changes("speed", old, new)


def _measurement_changes(
    category: str, old: Sequence[Measurement], new: Sequence[Measurement]
) -> Iterable[ReportChange]:
    """Yield the times, rates and losses whose intervals are apart."""
    for change in compare_measurements(old, new):
        if change.is_real:
            text = f"{change.new:.3g} ({change.factor:.2f} times, beyond noise)"
            yield ReportChange(category, change.title, f"{change.old:.3g}", text)


def print_report_changes(console: Console, changes: Sequence[ReportChange], old: str, new: str) -> None:
    """Print a table of the changes; nothing where there are none.

    Args:
        console: The terminal.
        changes: The differences.
        old: The name of the older report.
        new: The name of the newer report.
    """
    if not changes:
        return
    columns = (Column("kind"), *(Column(name, least=16) for name in ("what", "old", "new")))
    rows = [
        [
            Text(text, style="bold red" if change.is_worse else "")
            for text in (change.category, change.subject, change.old, change.new)
        ]
        for change in changes
    ]
    print_table(console, f"{new} against {old}", columns, rows)
