"""What is other in one report than in another: outcomes, verdicts, bits, times and rates beyond noise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from rnn_harness.errors import UsageError
from rnn_harness.records.measurement import Measurement, parse_measurement
from rnn_harness.records.measurement_history import compare_measurements
from rnn_harness.reports.text.fit_table import Column, print_table

SECTIONS = ("equations", "claims", "kernels", "decay", "speed", "learning", "validations")


@dataclass(frozen=True)
class Difference:
    """`kind`: of what; `worse`: it agreed and is now refuted, or not decided any more."""

    kind: str
    what: str
    old: str
    new: str
    worse: bool = False


def read_report(path: Path) -> dict[str, Any]:
    """The JSON of a report, from its file or its folder. Raises UsageError."""
    file = path / "report.json" if path.is_dir() else path
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"cannot read a report from {file}: {error}") from None
    missing = [name for name in SECTIONS if not isinstance(found, dict) or name not in found]
    if missing:
        raise UsageError(f"{file} is no report.json of rnn-harness report: it has no {', '.join(missing)}")
    return dict(found)


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Every difference, the worse ones first."""
    found = [
        *_outcomes("equation", _witnesses(old), _witnesses(new)),
        *_outcomes(
            "cell", _named(old, "validations", "target", "outcome"), _named(new, "validations", "target", "outcome")
        ),
        *_texts("claim", _named(old, "claims", "id", "verdict"), _named(new, "claims", "id", "verdict")),
        *_outcomes("kernel", _kernels(old), _kernels(new)),
        *_texts("bits", _bits(old), _bits(new)),
        *_measured(old, new),
    ]
    return sorted(found, key=lambda one: not one.worse)


def _named(report: Mapping[str, Any], section: str, key: str, value: str) -> dict[str, str]:
    return {str(row[key]): str(row[value]) for row in report[section]}


def _witnesses(report: Mapping[str, Any]) -> dict[str, str]:
    rows = report["equations"]
    return {f"{row['id']} ({row['spec']}), {name}": said for row in rows for name, said in row["witnesses"].items()}


def _kernels(report: Mapping[str, Any]) -> dict[str, str]:
    rows = report["kernels"]
    return {_kernel(row): "refuted" if row["refuted"] else "agrees" if row["agrees"] else "not run" for row in rows}


def _bits(report: Mapping[str, Any]) -> dict[str, str]:
    return {_kernel(row): f"{row['bits']:.1f}" for row in report["kernels"] if row["bits"] is not None}


def _kernel(row: Mapping[str, Any]) -> str:
    return f"{row['kernel']}, {row['dtype']}, {row['device']}"


def _texts(kind: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for what in dict.fromkeys((*old, *new)):
        before, after = old.get(what, "absent"), new.get(what, "absent")
        if before != after:
            yield Difference(kind, what, before, after)


def _outcomes(kind: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for one in _texts(kind, old, new):
        worse = one.new == "refuted" or one.old == "agrees"
        yield Difference(one.kind, one.what, one.old, one.new, worse)


def _measured(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """Times, rates and losses whose intervals are apart; times of different machines are not compared, and that is
    told.
    """

    def rows(report: Mapping[str, Any], section: str) -> list[Measurement]:
        found = report[section]
        flat = [row for group in found.values() for row in group] if isinstance(found, dict) else found
        try:
            return [parse_measurement(row) for row in flat]
        except ValidationError as error:
            problem = str(error).splitlines()[0]
            raise UsageError(
                f"the report's {section} holds what is no measurement of this version: {problem}"
            ) from None

    for section in ("decay", "learning", "speed"):
        before, after = rows(old, section), rows(new, section)
        machines = sorted({one.machine for one in (*before, *after)})
        if section == "speed" and before and after and len(machines) > 1:
            yield Difference("speed", "all times", machines[0], f"{machines[1]}: another machine, not compared")
            continue
        for one in compare_measurements(before, after):
            if one.is_real:
                told = f"{one.new:.3g} ({one.factor:.2f} times, beyond noise)"
                yield Difference(section, one.title, f"{one.old:.3g}", told)


def print_changes(console: Console, found: list[Difference], old: str, new: str) -> None:
    """A table, or that nothing changed."""
    if not found:
        console.print(f"{escape(new)} says what {escape(old)} says; no time, rate or loss changed beyond noise")
        return
    columns = (Column("kind"), *(Column(name, least=16) for name in ("what", "old", "new")))
    rows = [
        [Text(text, style="bold red" if one.worse else "") for text in (one.kind, one.what, one.old, one.new)]
        for one in found
    ]
    print_table(console, f"{new} against {old}", columns, rows)
    worse = sum(one.worse for one in found)
    console.print(f"{len(found)} changes, {worse} for the worse", style="bold red" if worse else "bold")
