"""Make what a report is made of: decide, measure and judge, and keep everything in its folder as it comes."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rnn_harness.cli._bench_run import (
    locked,
    measure_with_progress,
    pending_jobs,
    pin_threads,
    recorded_measurements,
)
from rnn_harness.cli._mutants_run import judge_with_progress, recorded_results, write_results
from rnn_harness.cli._recorded_run import RecordedRun, record_run
from rnn_harness.cli._verify_runs import EquationRun, KernelRun
from rnn_harness.cli.report_inputs import ReportInputs
from rnn_harness.errors import UsageError
from rnn_harness.runtime.worker_pool import WorkerPool

if TYPE_CHECKING:
    from rnn_harness.records.kill_matrix import MutantResult
    from rnn_harness.records.measurement import MeasurementKind
    from rnn_harness.records.validation import Validation

_EQUATION_EXAMPLES = 20
_KERNEL_EXAMPLES = 2
_RESUMABLE = ("equations.jsonl", "kernels.jsonl", "bench.jsonl", "mutants.json")
"""Files that an interrupted report goes on with."""
_ALL_FILES = ("report.*", "badge.svg", *_RESUMABLE, "cell-*.json")
"""Patterns of all files of a report."""


@dataclass(frozen=True)
class ReportRun:
    """The work of ``report`` where nothing is read from files.

    Attributes:
        inputs: What was made is added to them.
        folder: The report's folder, which also takes what the report is made of.
        quick: Whether kernels, mutants and drawn cases are left out, and benchmarks are small.
        resume: Whether it goes on with what an interrupted report has made.
    """

    inputs: ReportInputs
    folder: Path
    quick: bool = False
    resume: bool = False

    def run(self, cells: Sequence[str]) -> None:
        """Validate the cells, decide the equations, judge the kernels, measure, and judge the mutants.

        Args:
            cells: The targets to validate.

        Raises:
            UsageError: A target cannot be loaded, a file cannot be written, or an interrupted report is not resumed.
        """
        pin_threads(1)
        with write_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self.resume:
                _refuse_unfinished(self.folder)
        # Cells come first: where a name is wrong, the last report stays where it is.
        self.inputs.validations += [_validate(target) for target in cells]
        if not self.resume:
            with write_errors(self.folder):
                _set_aside(self.folder)
        for number, validation in enumerate(self.inputs.validations, 1):
            write_result(self.folder / f"cell-{number}.json", validation.model_dump_json(indent=1) + "\n")
        self.record("equations", equation_run(self.quick), self.folder / "equations.jsonl")
        if not self.quick:
            self.record("kernels", kernel_run(), self.folder / "kernels.jsonl")
        self.measure(self.folder / "bench.jsonl")
        if not self.quick:
            self.judge_mutants(self.folder / "mutants.json")

    def record(self, title: str, run: RecordedRun, path: Path) -> None:
        """Do the work that makes records, with a journal.

        Args:
            title: What the user sees while it runs.
            run: The work.
            path: The journal; with ``--resume``, its records are not made again.
        """
        typer.echo(f"{title}: {path}", err=True)
        self.inputs.add_records(path, record_run(run, path, self.resume))

    def measure(self, path: Path) -> None:
        """Run the benchmarks; the file is rewritten after each.

        Args:
            path: The file of measurements; with ``--resume``, they are not repeated.

        Raises:
            KeyboardInterrupt: The user interrupted a benchmark; what was measured is in the file.
        """
        from rnn_harness.benchmarks import QUICK, USUAL, plan_jobs

        typer.echo(f"measurements: {path}", err=True)
        kinds: tuple[MeasurementKind, ...] = ("parameters", "decay", "learning", "unrolled", "speed")
        jobs = plan_jobs(QUICK if self.quick else USUAL, kinds, ("rnn", "gru", "lstm"), "float32")
        with locked(path):
            recorded = recorded_measurements(path, self.resume)
            measurements, is_interrupted = measure_with_progress(pending_jobs(jobs, recorded), path)
        if is_interrupted:
            raise KeyboardInterrupt
        self.inputs.add_measurements(path, measurements)

    def judge_mutants(self, path: Path) -> None:
        """Judge every mutant that is not in the file yet; the file is rewritten after each.

        Args:
            path: The file of results; with ``--resume``, they are not computed again.
        """
        from rnn_harness.mutants import MUTANTS

        typer.echo(f"mutants: {path}", err=True)

        def keep(results: Sequence[MutantResult]) -> None:
            self.inputs.mutants[:] = results
            write_results(path, results)

        with locked(path):
            known = recorded_results(path, resume=True) if self.resume else ()
            self.inputs.mutants[:] = judge_with_progress(MUTANTS, known, WorkerPool(), keep)


def equation_run(quick: bool) -> EquationRun:
    """Return the run of all equations; a quick one draws no cases.

    Args:
        quick: Whether the proofs and the fixed cases are enough.
    """
    from rnn_harness.engine.select import select

    return EquationRun(select(()), seed=0, examples=0 if quick else _EQUATION_EXAMPLES)


def kernel_run() -> KernelRun:
    """Return the run of all kernels."""
    from rnn_harness.kernels import choose_kernels

    return KernelRun(choose_kernels(()), seed=0, examples=_KERNEL_EXAMPLES)


def _validate(target: str) -> Validation:
    """Validate a target in a process of its own."""
    from rnn_harness.validation import ValidationRequest, collect_validation, run_validation_isolated

    typer.echo(f"validating {target}", err=True)
    return collect_validation(target, run_validation_isolated(ValidationRequest(target)))


@contextlib.contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Report what the system refuses with the path.

    Args:
        path: The file or the folder, for the message.

    Raises:
        UsageError: It refused something.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write to {path}: {error.strerror}") from None


def write_result(path: Path, text: str) -> None:
    """Write a file completely or not at all.

    Args:
        path: The file; an older one is replaced.
        text: What is written.

    Raises:
        UsageError: It cannot be written.
    """
    from rnn_harness.runtime.atomic_file import write_whole

    with write_errors(path):
        write_whole(path, text)


def _refuse_unfinished(folder: Path) -> None:
    """Raise UsageError where an interrupted report can be resumed."""
    unfinished = [path.name for pattern in _RESUMABLE for path in sorted(folder.glob(pattern)) if path.stat().st_size]
    if unfinished and not (folder / "report.json").exists():
        raise UsageError(
            f"{folder} holds what an interrupted report made ({', '.join(unfinished)}): give --resume to go on with "
            "it, or another folder with --out"
        )


def _set_aside(folder: Path) -> None:
    """Make room for the next report: move a finished one into the folder ``previous``."""
    if not (folder / "report.json").exists():
        return
    previous = folder / "previous"
    shutil.rmtree(previous, ignore_errors=True)
    previous.mkdir()
    for path in [path for pattern in _ALL_FILES for path in folder.glob(pattern)]:
        path.rename(previous / path.name)
    typer.echo(f"the last report is in {previous}; rnn-harness report --compare {previous} {folder}", err=True)
