"""What a report is made of, read from files by the kind that they say they are of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rnn_harness.errors import ExitCode, UsageError
from rnn_harness.runtime.input_file import read_first_line, read_result_text

if TYPE_CHECKING:
    from rnn_harness.records.kill_matrix import MutantResult
    from rnn_harness.records.matrix import Matrix
    from rnn_harness.records.measurement import Measurement
    from rnn_harness.records.record import Record
    from rnn_harness.records.validation import Validation


@dataclass(frozen=True)
class _Versions:
    """The versions of programs that the results of a report must have, and which result has them.

    Attributes:
        key: The key of the first result.
        environment: Its versions.
    """

    key: str
    environment: str


@dataclass
class ReportInputs:
    """Everything that a report is made of.

    Attributes:
        records: The records of equations and kernels, by a short form of their keys.
        measurements: The measurements, by key.
        validations: The validated candidates.
        mutants: The kill matrix.
        matrix: The table of implementations, if one was read.
    """

    records: dict[bytes, Record] = field(default_factory=dict)
    measurements: dict[str, Measurement] = field(default_factory=dict)
    validations: list[Validation] = field(default_factory=list)
    mutants: list[MutantResult] = field(default_factory=list)
    matrix: Matrix | None = None
    _versions_of_records: _Versions | None = None
    _versions_of_measurements: _Versions | None = None

    def read(self, path: Path) -> None:
        """Read a file of records, measurements, mutants or a validation, or the folder of a run on a GPU machine.

        Args:
            path: The file, whose contents say which of them it is; the folder of a run, or one that holds a single run.

        Raises:
            UsageError: It cannot be read, answers a question twice, is of other versions, or holds several runs.
        """
        from rnn_harness.records.gpu_evidence import TIMES, VERDICTS, gpu_runs_in, is_gpu_run

        if runs := gpu_runs_in(path):
            if len(runs) > 1:
                names = ", ".join(run.name for run in runs)
                raise UsageError(f"{path} holds the GPU runs {names}: give --from {runs[-1]}, or another of them")
            path = runs[0]
        from rnn_harness.records.record_document import document_kind, is_record_line

        if is_gpu_run(path):
            for name in (VERDICTS, TIMES):
                if (path / name).stat().st_size:
                    self.read(path / name)
            return
        if is_record_line(read_first_line(path)):  # a journal may be larger than what fits into memory as one text
            self._read_records(path)
            return
        text = read_result_text(path)
        file_kind = document_kind(text)
        if file_kind == "validation":
            self._read_validation(path, text)
        elif file_kind == "mutant":
            self._read_mutants(path, text)
        elif file_kind == "matrix":
            self._read_matrix(path)
        elif file_kind:
            from rnn_harness.records.measurement import read_measurements

            cut_off: list[str] = []
            self.add_measurements(path, read_measurements(path, cut_off))
            for warning in cut_off:
                typer.echo(f"rnn-harness: {warning}", err=True)
        else:
            self._read_records(path)

    def _read_records(self, path: Path) -> None:
        """Read a journal; what is skipped in it is reported."""
        from rnn_harness.records.read_records import read_records

        warnings: list[str] = []
        self.add_records(path, read_records(path, warnings))
        for warning in warnings:
            typer.echo(f"rnn-harness: {warning}", err=True)

    def _read_validation(self, path: Path, text: str) -> None:
        """Read what ``validate --json`` wrote."""
        from rnn_harness.records.record_document import parse_document
        from rnn_harness.records.validation import Validation

        try:
            self.validations.append(parse_document(Validation, text))
        except ValueError as error:
            raise UsageError(f"{path}: no result of validate --json: {str(error).splitlines()[0]}") from None

    def _read_matrix(self, path: Path) -> None:
        """Read what ``matrix`` wrote; what it refutes are cells of others, which the report only shows."""
        from rnn_harness.matrix.history import read_matrix

        if self.matrix is not None:
            raise UsageError(f"{path}: a table of implementations was read already; a report shows one")
        self.matrix = read_matrix(path)

    def _read_mutants(self, path: Path, text: str) -> None:
        """Read what ``mutants --json`` wrote."""
        from rnn_harness.records.kill_matrix import parse_kill_matrix

        try:
            self.mutants += parse_kill_matrix(text)
        except UsageError as error:
            raise UsageError(f"{path}: no rows of mutants --json: {error}") from None

    def add_records(self, path: Path, records: Iterable[Record]) -> None:
        """Add records.

        Kernels may be of another machine, and their records say which; equations are of one set of versions.

        Args:
            path: Where they come from.
            records: Records of a run, in its order.

        Raises:
            UsageError: One answers a question that is answered already, or was made with other versions.
        """
        from rnn_harness.records.read_records import short_key

        for record in records:
            key = short_key(record)
            if key in self.records:
                raise _answered_twice(path, record.key)
            self.records[key] = record
            if not record.kernel and record.environment:
                versions = _Versions(record.key, record.environment)
                self._versions_of_records = _same_versions(path, self._versions_of_records, versions)

    def add_measurements(self, path: Path, measurements: Iterable[Measurement]) -> None:
        """Add measurements.

        Args:
            path: Where they come from.
            measurements: Measurements of any kind, in any order.

        Raises:
            UsageError: One answers a question that is answered already, or was made with other versions.
        """
        for measurement in measurements:
            if measurement.key in self.measurements:
                raise _answered_twice(path, measurement.key)
            self.measurements[measurement.key] = measurement
            if measurement.environment:
                versions = _Versions(measurement.key, measurement.environment)
                self._versions_of_measurements = _same_versions(path, self._versions_of_measurements, versions)

    def exit_code(self) -> ExitCode:
        """Return whether something is refuted, the harness failed, or nothing was decided."""
        refuted = (
            any(record.outcome == "refuted" and not record.expected for record in self.records.values())
            or any(measurement.agrees is False for measurement in self.measurements.values())
            or any(validation.outcome == "refuted" for validation in self.validations)
            or any(not result.killed for result in self.mutants)
        )
        if refuted:
            return ExitCode.REFUTED
        records = [*self.records.values(), *(record for each in self.validations for record in each.checks)]
        if any(record.harness_error for record in records):
            return ExitCode.HARNESS_ERROR
        decided = (
            any(record.outcome == "agrees" for record in self.records.values())
            or any(validation.outcome == "agrees" for validation in self.validations)
            or bool(self.measurements)
            or bool(self.mutants)
            or self.matrix is not None
        )
        return ExitCode.AGREES if decided else ExitCode.UNDECIDED


def _answered_twice(path: Path, key: str) -> UsageError:
    """Return the error of a question that is answered twice."""
    return UsageError(f"{path}: {key} is answered twice; give each set of records once")


def _same_versions(path: Path, first: _Versions | None, versions: _Versions) -> _Versions:
    """Return the versions of the first result. Raises UsageError where another result has others."""
    if first is None:
        return versions
    if first.environment != versions.environment:
        raise UsageError(
            f"{path}: {versions.key} was made with {versions.environment}, and {first.key} with {first.environment}; "
            "a report is of one set of versions: make one of them again"
        )
    return first
