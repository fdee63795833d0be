"""The files that ``validate`` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rnn_harness.cli._text_file import write_text_file
from rnn_harness.cli.arguments import ensure_writable
from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from rnn_harness.records.validation import Validation


@dataclass(frozen=True)
class ValidationOutputs:
    """What is written of a validation; None where it is not wanted.

    Attributes:
        save_map: The file of the parameter map.
        json_file: The file of the result.
        is_json_printed: Whether the result goes to the terminal as JSON instead of a summary.
        junit: The file of the checks as JUnit XML.
        repro: The file of the program that shows the smallest counterexample.
        sarif: The file of what is wrong, as SARIF.
        is_github_printed: Whether what is wrong is printed as annotations of GitHub.
    """

    save_map: Path | None
    json_file: Path | None
    is_json_printed: bool
    junit: Path | None
    repro: Path | None
    sarif: Path | None = None
    is_github_printed: bool = False

    def ensure_writable(self) -> None:
        """Check that every file can be written.

        Raises:
            UsageError: One cannot, or annotations would stand beside a JSON document.
        """
        if self.is_json_printed and self.is_github_printed:
            raise UsageError("--github prints lines beside the document of --json -: write it with --json FILE")
        ensure_writable(self.save_map, self.json_file, self.junit, self.repro, self.sarif)

    def write_findings(self, validations: Sequence[Validation]) -> None:
        """Write what is wrong as SARIF and print it as annotations, as far as that is wanted.

        Args:
            validations: What was decided.

        Raises:
            UsageError: The file cannot be written.
        """
        if self.sarif is None and not self.is_github_printed:
            return
        from rnn_harness.reports.findings import github_annotations
        from rnn_harness.testing.placed_findings import findings_as_sarif, placed_findings

        findings = placed_findings(validations)
        if self.is_github_printed:
            for line in github_annotations(findings):
                typer.echo(line)
        if self.sarif is not None:
            write_text_file(self.sarif, findings_as_sarif(findings))

    def write(self, validation: Validation) -> None:
        """Write every file that is wanted, and print the JSON if that is.

        Args:
            validation: The result, finished or not.

        Raises:
            UsageError: Files cannot be written; the others are.
        """
        if self.is_json_printed:  # in ASCII: a terminal may have no other characters
            typer.echo(json.dumps(validation.model_dump(mode="json"), indent=1))
        problems = []
        for path, text in self._texts(validation):
            try:
                write_text_file(path, text)
            except UsageError as error:
                problems.append(str(error))
        if self.junit is not None:
            from rnn_harness.reports.junit import write_junit

            try:
                write_junit(self.junit, {validation.target: validation.checks})
            except OSError as error:
                problems.append(f"cannot write {self.junit}: {error.strerror}")
        try:
            self.write_findings([validation])
        except UsageError as error:
            problems.append(str(error))
        if self.repro is not None and validation.counterexample is None:
            reason = "there is no counterexample in numbers"
            typer.echo(f"rnn-harness: nothing to write to {self.repro}: {reason}", err=True)
        if self.save_map is not None and not _has_map(validation):
            reason = "the parameters were matched with those of the spec by their names or shapes, without a map"
            if validation.identification is None or not validation.identification.sentence:
                reason = "it was not identified"
            typer.echo(f"rnn-harness: nothing to write to {self.save_map}: {reason}", err=True)
        if problems:
            raise UsageError("; ".join(problems))

    def _texts(self, validation: Validation) -> Iterator[tuple[Path, str]]:
        """Yield the files of text, each with what it shall hold."""
        identification = validation.identification
        if self.save_map is not None and identification is not None and identification.map is not None:
            yield self.save_map, identification.map.model_dump_json(indent=1) + "\n"
        if self.json_file is not None:
            yield self.json_file, validation.model_dump_json(indent=1) + "\n"
        if self.repro is not None and validation.counterexample is not None:
            yield self.repro, validation.counterexample.program


def _has_map(validation: Validation) -> bool:
    """Say whether a parameter map was found."""
    return validation.identification is not None and validation.identification.map is not None
