"""What a report is made of: read from files, or decided and measured now."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rnn_harness.cli._bench_run import measure_with_progress, pending_jobs, pin_threads, recorded_measurements
from rnn_harness.cli._job import Job, decide
from rnn_harness.cli._shared import console
from rnn_harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rnn_harness.records.kill_matrix import MutantResult


@dataclass
class ReportInputs:
    """Records and measurements by key, validations, and rows of ``mutants --json``."""

    records: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, Any] = field(default_factory=dict)
    validations: list[Any] = field(default_factory=list)
    mutants: list[MutantResult] = field(default_factory=list)
    _versions: dict[str, Any] = field(default_factory=dict)

    def read(self, path: Path) -> None:
        """Sort what a file holds by what it is. Raises UsageError: unreadable, or the same question answered twice."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {path}: {error}") from None
        whole, first = _documents(text)
        if isinstance(whole, dict) and "identification" in whole:
            self._validation(path, whole)
        elif isinstance(whole, list) and whole and isinstance(whole[0], dict) and "mutant" in whole[0]:
            self._mutants(path, text)
        elif isinstance(first, dict) and "kind" in first:
            from rnn_harness.records.measurement import read_measurements

            self._add(path, read_measurements(path), self.measured)
        else:
            from rnn_harness.records.journal import read_records

            warnings: list[str] = []
            self._add(path, read_records(path, warnings), self.records)
            for warning in warnings:
                typer.echo(f"rnn-harness: {warning}", err=True)

    def _add(self, path: Path, rows: Any, into: dict[str, Any]) -> None:
        for one in rows:
            if one.key in into:
                raise UsageError(f"{path}: {one.key} is answered twice; give each set of records once")
            into[one.key] = one
            self._same_versions(path, one)

    def _same_versions(self, path: Path, one: Any) -> None:
        """Kernels may come from another machine (they say which); equations and measurements are of one."""
        kernel = getattr(one, "kernel", "")
        kind = type(one).__name__
        if kernel or not one.environment:
            return
        first = self._versions.setdefault(kind, one)
        if first.environment != one.environment:
            raise UsageError(
                f"{path}: {one.key} was made with {one.environment}, and {first.key} with {first.environment}; "
                "a report is of one set of versions: make one of them again"
            )

    def _validation(self, path: Path, text: dict[str, Any]) -> None:
        from pydantic import ValidationError

        from rnn_harness.validation import Validation

        try:
            self.validations.append(Validation.model_validate(text))
        except ValidationError as error:
            raise UsageError(f"{path}: no result of validate --json: {str(error).splitlines()[0]}") from None

    def _mutants(self, path: Path, text: str) -> None:
        from rnn_harness.records.kill_matrix import parse_kill_matrix

        try:
            self.mutants += parse_kill_matrix(text)
        except UsageError as error:
            raise UsageError(f"{path}: no rows of mutants --json: {error}") from None

    def make(self, quick: bool, cells: list[str], out: Path, resume: bool) -> None:
        """Decide and measure, with progress; everything is kept in `out` as it comes. Raises UsageError."""
        pin_threads(1)
        with _writing(out):
            out.mkdir(parents=True, exist_ok=True)
            if not resume:
                _refuse_half_made(out)
        # Cells come first: where a name is wrong, the last report stays where it is.
        self.validations += [_validated(target) for target in cells]
        if not resume:
            with _writing(out):
                _set_aside(out)
        for number, found in enumerate(self.validations, 1):
            _put(out / f"cell-{number}.json", found.model_dump_json(indent=1) + "\n")
        self._decided(_equations(quick), "equations", out / "equations.jsonl", resume)
        if not quick:
            self._decided(_kernels(), "kernels", out / "kernels.jsonl", resume)
        self._measured(quick, out / "bench.jsonl", resume)
        if not quick:
            self._judged(out / "mutants.json", resume)

    def _decided(self, job: Job, title: str, path: Path, resume: bool) -> None:
        typer.echo(f"{title}: {path}", err=True)
        found: list[Any] = []
        decide(job, path, resume, found)
        self._add(path, found, self.records)

    def _measured(self, quick: bool, path: Path, resume: bool) -> None:
        from rnn_harness.benchmarks import QUICK, USUAL, plan_jobs
        from rnn_harness.records.measurement import MeasurementKind

        typer.echo(f"measurements: {path}", err=True)
        recorded = recorded_measurements(path, resume)
        kinds: tuple[MeasurementKind, ...] = ("parameters", "decay", "learning", "speed")
        jobs = plan_jobs(QUICK if quick else USUAL, kinds, ("rnn", "gru", "lstm"), "float32")
        measurements, interrupted = measure_with_progress(pending_jobs(jobs, recorded), recorded, path)
        if interrupted:
            raise KeyboardInterrupt
        self._add(path, measurements, self.measured)

    def _judged(self, path: Path, resume: bool) -> None:
        """Every wrong reference; the file is written anew after each, and gone on with."""
        from rich.progress import track

        from rnn_harness.mutants import MUTANTS, judge_mutants
        from rnn_harness.records.kill_matrix import write_kill_matrix

        typer.echo(f"mutants: {path}", err=True)
        if resume and path.exists():
            self.read(path)
        known = {result.mutant for result in self.mutants}
        left = tuple(one for one in MUTANTS if one.name not in known)
        quiet = not sys.stderr.isatty()
        for fate in track(judge_mutants(left), "mutants", len(left), console=console(stderr=True), disable=quiet):
            self.mutants.append(fate)
            with _writing(path):
                write_kill_matrix(path, self.mutants)

    def code(self) -> ExitCode:
        """Whether something of it is refuted, or nothing decided."""
        wrong = [one for one in self.records.values() if str(one.outcome) == "refuted" and not one.expected]
        wrong += [one for one in self.measured.values() if one.agrees is False]
        wrong += [one for one in self.validations if one.outcome == "refuted"]
        wrong += [result for result in self.mutants if not result.killed]
        if wrong:
            return ExitCode.REFUTED
        decided = any(str(one.outcome) == "agrees" for one in self.records.values())
        told = decided or self.measured or self.mutants or any(one.outcome == "agrees" for one in self.validations)
        return ExitCode.AGREES if told else ExitCode.UNDECIDED


def _validated(target: str) -> Any:
    from rnn_harness.validation import ValidationRequest, collect_validation, run_validation_isolated

    typer.echo(f"{target}: is it right?", err=True)
    return collect_validation(target, run_validation_isolated(ValidationRequest(target)))


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """What the system refuses is told with the path. Raises UsageError."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write to {path}: {error.strerror}") from None


def _put(path: Path, text: str) -> None:
    """Write the file whole or not at all. Raises UsageError."""
    from rnn_harness.runtime.atomic_file import write_whole

    with _writing(path):
        write_whole(path, text)


def _refuse_half_made(out: Path) -> None:
    """Raises UsageError where an interrupted report is to be gone on with."""
    left = [one.name for pattern in _KEPT for one in sorted(out.glob(pattern)) if one.stat().st_size]
    if left and not (out / "report.json").exists():
        raise UsageError(
            f"{out} holds what an interrupted report made ({', '.join(left)}): give --resume to go on with it, or "
            "another folder with --out"
        )


def _set_aside(out: Path) -> None:
    """A finished report makes room for the next one; one that was interrupted is left, to be gone on with."""
    if not (out / "report.json").exists():
        return
    previous = out / "previous"
    shutil.rmtree(previous, ignore_errors=True)
    previous.mkdir()
    for path in [one for pattern in _MADE for one in out.glob(pattern)]:
        path.rename(previous / path.name)
    typer.echo(f"the last report is in {previous}; rnn-harness report --compare {previous} {out}", err=True)


_KEPT = ("equations.jsonl", "kernels.jsonl", "bench.jsonl", "mutants.json")
_MADE = ("report.*", "badge.svg", *_KEPT, "cell-*.json")


def _documents(text: str) -> tuple[Any, Any]:
    """The text as one JSON document, and its first line as one; None where it is none."""
    found = []
    for part in (text, text.lstrip().partition("\n")[0]):
        try:
            found.append(json.loads(part))
        except json.JSONDecodeError:
            found.append(None)
    return found[0], found[1]


def _equations(quick: bool) -> Job:
    from rnn_harness.engine.select import select
    from rnn_harness.engine.verify import verify

    selection = select(())
    size = len(selection.specs) + bool(selection.pairs)
    cases = 0 if quick else 20
    return Job(lambda known, start: verify(selection, 0, cases, known, start), lambda *_: None, size)


def _kernels() -> Job:
    from rnn_harness.kernels import choose_kernels, judge_isolated

    chosen = choose_kernels(())
    size = sum(len(kernel.settings) for kernel in chosen)
    return Job(lambda known, start: judge_isolated(chosen, 0, 2, known, start), lambda *_: None, size)
