"""What is wrong with validated cells, as other programs read it: SARIF, and annotations of GitHub."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rnn_harness.records.validation import Validation
from rnn_harness.records.verdict import Outcome

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a cell, or keeps it from being decided.

    Attributes:
        rule: The check.
        level: ``error`` for what is refuted, ``warning`` for what is undecided.
        message: What is wrong, in words.
        path: The file of the cell; empty where it has none.
        line: The line of its class, from 1.
    """

    rule: str
    level: Literal["error", "warning"]
    message: str
    path: str = ""
    line: int = 1


def findings_of(validation: Validation, path: str = "", line: int = 1) -> tuple[Finding, ...]:
    """List what is wrong with a cell: the diagnosis once, with the first check that it explains, and else every check.

    Args:
        validation: What was decided of it.
        path: The file of the cell; empty where it has none.
        line: The line of its class.
    """
    refuted = [record for record in validation.checks if record.outcome is Outcome.REFUTED and not record.expected]
    if validation.diagnosis is not None and refuted:
        message = f"{validation.target} {validation.diagnosis.sentence()}"
        return (Finding(refuted[0].check, "error", message, path, line),)
    rows = tuple(
        Finding(record.check, "error", f"{validation.target}: {record.reason}", path, line) for record in refuted
    )
    if rows or validation.outcome != "undecided":
        return rows
    first = next((record for record in validation.checks if record.outcome is Outcome.NOT_RUN), None)
    reason = "nothing about it could be decided" if first is None else first.reason
    rule = "identification.unique" if first is None else first.check
    return (Finding(rule, "warning", f"{validation.target}: {reason}", path, line),)


def sarif_text(findings: Sequence[Finding], version: str) -> str:
    """Write findings as a SARIF 2.1.0 log.

    Args:
        findings: What is wrong.
        version: The version of this package.
    """
    rules = [{"id": rule} for rule in dict.fromkeys(finding.rule for finding in findings)]
    driver = {"name": "rnn-harness", "version": version, "rules": rules}
    run = {"tool": {"driver": driver}, "results": [_result(finding) for finding in findings]}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _result(finding: Finding) -> dict[str, object]:
    """Return one result of a SARIF log."""
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "level": finding.level,
        "message": {"text": finding.message},
    }
    if finding.path:
        region = {"startLine": finding.line}
        place = {"artifactLocation": {"uri": finding.path}, "region": region}
        result["locations"] = [{"physicalLocation": place}]
    return result


def github_annotations(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield findings as workflow commands, which GitHub shows beside the lines of a change.

    Args:
        findings: What is wrong.
    """
    for finding in findings:
        place = f"file={_property(finding.path)},line={finding.line}," if finding.path else ""
        yield f"::{finding.level} {place}title={_property(finding.rule)}::{_data(finding.message)}"


def _data(text: str) -> str:
    """Escape the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property of a workflow command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
