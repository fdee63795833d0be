"""``validate --all``: every cell of a file, a folder or a module, with a table in the end."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import typer

from rnn_harness.cli._conclusion import Conclusion
from rnn_harness.cli._recorded_run import RecordedRun
from rnn_harness.cli._shared import console
from rnn_harness.cli._text_file import write_text_file
from rnn_harness.cli._validation_outputs import ValidationOutputs
from rnn_harness.cli._validation_run import ValidationRun
from rnn_harness.cli._verbosity import is_quiet
from rnn_harness.errors import ExitCode, UsageError, first_line
from rnn_harness.runtime.worker_pool import PoolCall, run_in_threads

if TYPE_CHECKING:
    from pathlib import Path

    from rnn_harness.records.batches import KnownRecords
    from rnn_harness.records.record import Record
    from rnn_harness.records.validation import Validation
    from rnn_harness.validation.list_isolated import CellList

_WORST_FIRST = (ExitCode.REFUTED, ExitCode.HARNESS_ERROR, ExitCode.UNDECIDED, ExitCode.AGREES)
_LONGEST_REASON = 90


def refuse_options_for_one(options: Mapping[str, Path | None], target: str) -> None:
    """Check that no option is given that is about a single cell.

    Args:
        options: What was given for each such option.
        target: What names several cells.

    Raises:
        UsageError: One was given.
    """
    of_one_cell = [name for name, value in options.items() if value is not None]
    if of_one_cell:
        raise UsageError(
            f"{', '.join(of_one_cell)}: for one cell, but {target!r} may hold several; name one, as FILE.py:Cell"
        )


def print_cells(cells: CellList) -> None:
    """Print the cells of a place, what cannot be driven with the reason, and in a line what is none.

    Args:
        cells: What was tried.
    """
    for candidate in cells.recurrent:
        typer.echo(f"{candidate.target}: {candidate.kind}: {candidate.sentence}")
    print_what_is_no_cell(cells)


def print_what_is_no_cell(cells: CellList) -> None:
    """Print in a line what shows nothing of a recurrent cell, and what could not be loaded.

    Args:
        cells: What was tried.
    """
    if is_quiet():
        return
    names = [candidate.target.rpartition(":")[2] for candidate in cells.candidates if candidate.kind == "not recurrent"]
    if names:
        typer.echo(f"no recurrent cells: {', '.join(names)}")
    for problem in cells.problems:
        typer.echo(f"not loaded: {problem}")


class _Judged(NamedTuple):
    """What came of a target: its records, and why it could not be driven; empty if it could."""

    records: tuple[Record, ...]
    refusal: str


def _judged(run: ValidationRun, known: KnownRecords, on_start: Callable[[str], None]) -> _Judged:
    """Validate a target to its end."""
    records: list[Record] = []
    refusal = ""
    try:
        for record in run.make_records(known, on_start):
            records.append(record)  # noqa: PERF402  (what came before a refusal counts)
    except UsageError as error:
        refusal = first_line(error)
    return _Judged(tuple(records), refusal)


@dataclass
class EveryCellRun(RecordedRun):
    """Validate every cell of a place, one after the other or several at the same time.

    Attributes:
        cells: What there is.
        runs: The run of each cell that is judged.
        examples: The number of cases that are drawn for each.
        outputs: What is written of the results: one JSON document, the checks as JUnit XML, what is wrong as SARIF.
        workers: The number of targets that are validated at the same time.
        records: The records of each target so far.
        refusals: Why a target could not be driven.
    """

    cells: CellList
    runs: tuple[ValidationRun, ...]
    examples: int
    outputs: ValidationOutputs
    workers: int = 1
    records: dict[str, list[Record]] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The number of parts that nearly every target goes through."""
        return sum(run.size for run in self.runs)

    def make_records(self, known: KnownRecords, on_start: Callable[[str], None]) -> Iterator[Record]:
        """Validate every target; one that cannot be driven does not keep the next from being validated."""
        if self.workers > 1:
            yield from self._records_of_several(known, on_start)
            return
        for run in self.runs:
            records = self.records.setdefault(run.request.target, [])
            try:
                for record in run.make_records(known, on_start):
                    records.append(record)
                    yield record
            except UsageError as error:
                self.refusals[run.request.target] = first_line(error)

    def _records_of_several(self, known: KnownRecords, on_start: Callable[[str], None]) -> Iterator[Record]:
        """Validate several targets at the same time; the records come in the order of the targets."""
        calls = [
            PoolCall(functools.partial(_judged, run, known, on_start), functools.partial(_Judged, (), ""))
            for run in self.runs
        ]
        finished: dict[int, _Judged] = {}
        following = 0
        for number, judged in run_in_threads(calls, self.workers):
            finished[number] = judged
            known.announce(judged.records)
            while following in finished:
                target, ready = self.runs[following].request.target, finished.pop(following)
                self.records[target] = list(ready.records)
                if ready.refusal:
                    self.refusals[target] = ready.refusal
                yield from ready.records
                following += 1

    def show(self, records: Sequence[Record], verbose: bool, finished: bool) -> None:
        """Print the summary of every target, then a table, and write the files."""
        from rnn_harness.reports.text.validation import print_validation

        validations = [self._validation(run) for run in self.runs if run.request.target in self.records]
        if not self.outputs.is_json_printed:
            for validation in validations:
                if validation.target not in self.refusals:
                    print_validation(console(), validation, verbose, finished or validation is not validations[-1])
            self._print_table(validations)
            print_what_is_no_cell(self.cells)
        self._write(validations)

    def _validation(self, run: ValidationRun) -> Validation:
        """What was concluded about a target so far."""
        from rnn_harness.validation import Conclusions, build_validation

        target = run.request.target
        return build_validation(target, self.records[target], run.conclusions or Conclusions())

    def _print_table(self, validations: Sequence[Validation]) -> None:
        """Print a row for every target that was to be judged; a line that is not broken can be searched."""
        if is_quiet():
            return
        by_target = {validation.target: validation for validation in validations}
        width = max(len(run.request.target) for run in self.runs)
        typer.echo(f"\n{'target':<{width}}  verdict     what it is, or what is wrong")
        for run in self.runs:
            target = run.request.target
            validation = by_target.get(target)
            if target in self.refusals:
                verdict, text = "not driven", self.refusals[target]
            elif validation is None:
                verdict, text = "not reached", ""
            else:
                verdict, text = validation.outcome, _in_short(validation)
            typer.echo(f"{target:<{width}}  {verdict:<10}  {text[:_LONGEST_REASON]}".rstrip())

    def _write(self, validations: Sequence[Validation]) -> None:
        """Write the files that are wanted. Raises UsageError if one cannot be written."""
        rows = [validation.model_dump(mode="json") for validation in validations]
        document = json.dumps({"kind": "validations", "not_driven": self.refusals, "validations": rows}, indent=1)
        if self.outputs.is_json_printed:
            typer.echo(document)
        if self.outputs.json_file is not None:
            write_text_file(self.outputs.json_file, f"{document}\n")
        self.outputs.write_findings(validations)
        if self.outputs.junit is not None:
            from rnn_harness.reports.junit import write_junit

            try:
                write_junit(self.outputs.junit, {validation.target: validation.checks for validation in validations})
            except OSError as error:
                raise UsageError(f"cannot write {self.outputs.junit}: {error.strerror}") from None

    @property
    def reuses_records(self) -> bool:
        """Never: what the code of a target depends on is not known."""
        return False

    @property
    def prints_document(self) -> bool:
        """Whether the results go to the terminal as JSON."""
        return self.outputs.is_json_printed

    def conclusion(self, records: Sequence[Record]) -> Conclusion:
        """Say how many targets agree, which are refuted, and how to look at the first of those."""
        codes = {run.request.target: self._exit_code_of(run) for run in self.runs}
        refuted = [target for target, code in codes.items() if code is ExitCode.REFUTED]
        agreeing = sum(code is ExitCode.AGREES for code in codes.values())
        undecided = len(codes) - agreeing - len(refuted)
        verdict = f"{agreeing} of {len(codes)} cells agree, {len(refuted)} refuted, {undecided} undecided"
        if refuted:
            return Conclusion(f"{verdict}; first {refuted[0]}", f"rnn-harness validate {refuted[0]} --repro wrong.py")
        return Conclusion(verdict)

    def exit_code(self, records: Sequence[Record]) -> ExitCode:
        """Return the worst exit code of all targets; one that could not be driven, or was not reached, is undecided.

        Args:
            records: All records; those of every target are kept here.
        """
        codes = {self._exit_code_of(run) for run in self.runs}
        return next(code for code in _WORST_FIRST if code in codes)

    def _exit_code_of(self, run: ValidationRun) -> ExitCode:
        """Return the exit code of one target."""
        target = run.request.target
        is_undecided = target in self.refusals or target not in self.records
        return ExitCode.UNDECIDED if is_undecided else run.exit_code(self.records[target])


def _in_short(validation: Validation) -> str:
    """Say what a target is, or what is wrong with it."""
    if validation.diagnosis is not None:
        return validation.diagnosis.sentence()
    if validation.identification is not None and validation.identification.sentence:
        is_shipped = validation.spec not in ("", "candidate")
        return validation.spec if is_shipped else validation.identification.sentence
    return f"a model with {len(validation.model.parts)} recurrent parts" if validation.model is not None else ""


def run_of_every_cell(pattern: ValidationRun, cells: CellList, workers: int) -> EveryCellRun:
    """Make the run of every cell of a place.

    Args:
        pattern: The run of the place, whose options count for every cell.
        cells: What there is.
        workers: The number of cells that are validated at the same time.
    """
    runs = tuple(
        replace(pattern, request=replace(pattern.request, target=candidate.target)) for candidate in cells.recurrent
    )
    return EveryCellRun(cells, runs, pattern.examples, pattern.outputs, workers)
