"""Long work that makes records: a progress bar, a journal, Ctrl-C, what is shown in the end, and the exit code."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from rnn_harness.cli._conclusion import Conclusion, print_conclusion
from rnn_harness.cli._harness_error import report_failed_checks
from rnn_harness.cli._json_output import JsonOutput
from rnn_harness.cli._progress import progress_bar
from rnn_harness.cli._shared import Interrupt
from rnn_harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rnn_harness.records.batches import KnownRecords
    from rnn_harness.records.journal import Journal
    from rnn_harness.records.record import Record


class RecordedRun(ABC):
    """The work of a command that makes records.

    Attributes:
        examples: The number of cases that it draws for each cell.
    """

    examples: int

    @property
    def prints_document(self) -> bool:
        """Whether `show` prints one JSON document, beside which nothing may stand."""
        return False

    @property
    def reuses_records(self) -> bool:
        """Whether it goes on with records of an earlier run (``--resume``); else it replaces them (``--replace``)."""
        return True

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of titles that it announces, for a progress bar."""

    @abstractmethod
    def make_records(self, known: KnownRecords, on_start: Callable[[str], None]) -> Iterator[Record]:
        """Make the records.

        Args:
            known: Records of an earlier run: those that depend on nothing that has changed need not be made again.
            on_start: Called with the title of each part before it is done.

        Yields:
            Records as they are made, the known ones among them.
        """

    @abstractmethod
    def show(self, records: Sequence[Record], verbose: bool, finished: bool) -> None:
        """Print the records.

        Args:
            records: What was made.
            verbose: Whether every record is listed.
            finished: Whether the work came to its end.
        """

    @abstractmethod
    def conclusion(self, records: Sequence[Record]) -> Conclusion:
        """Say what came of the work, and which command goes on from there.

        Args:
            records: All records of the run, which came to its end.
        """

    def exit_code(self, records: Sequence[Record]) -> ExitCode:
        """Return the exit code that the records stand for.

        Args:
            records: All records of the run, those of an earlier one among them.
        """
        return exit_code(records)


def exit_code(records: Sequence[Record]) -> ExitCode:
    """Return the exit code of records: the first that fits of refuted, an error of the harness, agrees, undecided.

    Args:
        records: All records of the run, in any order.
    """
    outcomes = {str(record.outcome) for record in records}
    if "refuted" in outcomes:
        return ExitCode.REFUTED
    if any(record.harness_error for record in records):
        return ExitCode.HARNESS_ERROR
    return ExitCode.AGREES if "agrees" in outcomes else ExitCode.UNDECIDED


def finish(run: RecordedRun, path: Path | None, resume: bool, document: JsonOutput, verbose: bool) -> NoReturn:
    """Do the work, show what came of it, and leave with its exit code.

    Args:
        run: The work.
        path: The journal, if one is wanted.
        resume: Whether a journal that holds records is taken: continued, or its records are replaced.
        document: Where the records go as one JSON document.
        verbose: Whether every record is listed.

    Raises:
        UsageError: The journal cannot be read or written; what was decided until then is shown first.
        typer.Exit: Always, at the end.
    """
    records: list[Record] = []
    is_interrupted, trouble = False, None
    try:
        for record in record_run(run, path, resume):
            records.append(record)  # noqa: PERF402  (what came before an interrupt is shown)
    except KeyboardInterrupt:
        is_interrupted = True
    except UsageError as error:
        if not records:
            raise
        trouble = error
    code = ExitCode.INTERRUPTED if is_interrupted else ExitCode.WRONG_USE if trouble else run.exit_code(records)
    if document.is_wanted:
        document.write(_document(records, code))
    if not document.is_printed:
        run.show(records, verbose, finished=trouble is None and not is_interrupted)
        if trouble is None and not is_interrupted and not run.prints_document:
            print_conclusion(run.conclusion(records), code)
    report_failed_checks(records)
    if trouble is not None:
        raise UsageError(f"stopped after {_counted(len(records))}: {trouble}")
    if is_interrupted:
        going_on = ", --resume goes on" if run.reuses_records else ""
        where = f"; {path} holds them{going_on}" if path else ""
        typer.echo(f"rnn-harness: interrupted after {_counted(len(records))}{where}", err=True)
    raise typer.Exit(code)


def _document(records: Sequence[Record], code: ExitCode) -> str:
    """Return records as one JSON document, in ASCII: a terminal may have no other characters."""
    from rnn_harness.records.record_document import RecordDocument

    document = RecordDocument(exit_code=int(code), records=tuple(records))
    return json.dumps(document.model_dump(mode="json"), indent=1)


def _counted(records: int) -> str:
    return f"{records} record{'' if records == 1 else 's'}"


def record_run(run: RecordedRun, path: Path | None, resume: bool) -> Iterator[Record]:
    """Do the work with a progress bar, and write its records to a journal as they come.

    Args:
        run: The work.
        path: The journal, if one is wanted.
        resume: Whether the journal is continued.

    Yields:
        Records as they are made, those of the journal among them.

    Raises:
        UsageError: The journal cannot be read or written.
    """
    from rnn_harness.records.batches import KnownRecords
    from rnn_harness.records.journal import Journal

    if path is None:
        yield from _with_progress(run, KnownRecords(), None)
        return
    hint = "give --resume to go on" if run.reuses_records else "give --replace to judge what it is about anew"
    with Journal(path, resume, hint) as journal:
        for warning in journal.warnings:
            typer.echo(f"rnn-harness: {warning}", err=True)
        yield from _with_progress(run, journal.known, journal)
        if journal.decided_anew and run.reuses_records:
            typer.echo(
                f"rnn-harness: {journal.decided_anew} records of {path} were decided anew: what they depend on (the "
                "equations, the code, the versions, --seed, --examples) has changed, or their run had not come to its "
                "end",
                err=True,
            )


def _with_progress(run: RecordedRun, known: KnownRecords, journal: Journal | None) -> Iterator[Record]:
    """Yield the records of a run, with signs of life on standard error."""
    with progress_bar(run.size) as on_start, Interrupt() as interrupt:
        for record in run.make_records(known, on_start):
            yield record  # before it is written: where the disk is full, it is shown all the same
            if journal is not None:
                journal.write(record)
            interrupt.check()
