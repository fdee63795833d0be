"""A run that was stopped, and what of it need not be done again: whatever depends on nothing that has changed."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rnn_harness.errors import UsageError
from rnn_harness.gpu.run_files import card_in_names
from rnn_harness.gpu.sizes import SIZE_CHECK
from rnn_harness.records.batches import KnownRecords
from rnn_harness.records.gpu_evidence import (
    TIMES,
    VERDICTS,
    MachineRow,
    ProbeResult,
    RunStart,
    StageEnd,
    gpu_runs_in,
    is_gpu_run,
    read_machine_rows,
)
from rnn_harness.records.measurement import SpeedMeasurement, read_measurements
from rnn_harness.records.read_records import read_records
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

PROCESS = "kernel.process"
"""The check that is recorded where the process that judges a kernel did not come to its end."""


@dataclass(frozen=True)
class EarlierRun:
    """What a run has found before it was stopped; of a run that begins, nothing.

    Attributes:
        rows: Facts, probes and stages.
        records: Verdicts.
        times: Times.
    """

    rows: tuple[MachineRow, ...] = ()
    records: tuple[Record, ...] = ()
    times: tuple[SpeedMeasurement, ...] = ()

    @functools.cached_property
    def known_records(self) -> KnownRecords:
        """The verdicts, by what they depend on."""
        return KnownRecords(self.records)

    @property
    def is_machine_described(self) -> bool:
        """Whether the first stage came to its end."""
        return any(isinstance(row, StageEnd) and (row.stage, row.ending) == ("machine", "done") for row in self.rows)

    @property
    def answers(self) -> tuple[ProbeResult, ...]:
        """The probes that were answered."""
        return tuple(row for row in self.rows if isinstance(row, ProbeResult) and not row.is_unanswered)

    def times_of(self, digest: str) -> tuple[SpeedMeasurement, ...]:
        """Give the times that depend on just that.

        Args:
            digest: What they depend on.
        """
        return tuple(time for time in self.times if time.depends_on == digest)

    def contains(self, record: Record) -> bool:
        """Say whether a record is one of these, which stands in its file already.

        Args:
            record: Any record.
        """
        return id(record) in self._ids

    @functools.cached_property
    def _ids(self) -> frozenset[int]:
        return frozenset(map(id, self.records))


def stopped_run(out: Path, card: str, digest: str) -> Path | None:
    """Find the last run on a card, if it depends on just that; None where there is none, or something has changed.

    Args:
        out: The folder in which runs are made, or that of a run.
        card: The name of the card.
        digest: What a run depends on now.
    """
    runs = [out] if is_gpu_run(out) else [run for run in gpu_runs_in(out) if card_in_names(card) in run.name]
    by_start = [(starts[-1].started, starts[-1].depends_on, run) for run in runs if (starts := _starts(run))]
    if not by_start:
        return None
    _, depends_on, run = max(by_start)
    return run if depends_on == digest else None


def _starts(folder: Path) -> list[RunStart]:
    """Give when a run began, and went on; nothing of a folder that cannot be read, which is in nobody's way."""
    try:
        return [row for row in read_machine_rows(folder) if isinstance(row, RunStart)]
    except UsageError:
        return []


def is_finished(folder: Path, stages: Iterable[str]) -> bool:
    """Say whether every stage of a run came to its end.

    Args:
        folder: The folder of the run.
        stages: The names of the stages.
    """
    done = {row.stage for row in read_machine_rows(folder) if isinstance(row, StageEnd) and row.ending == "done"}
    return done >= set(stages)


def read_earlier_run(folder: Path) -> EarlierRun:
    """Read what a run has found.

    Args:
        folder: The folder of the run.

    Raises:
        UsageError: A file cannot be read, or holds something else.
    """
    rows = [row for row in read_machine_rows(folder) if not (isinstance(row, ProbeResult) and row.is_unanswered)]
    records = [record for record in read_records(folder / VERDICTS, []) if not _was_cut(record)]
    times = [time for time in read_measurements(folder / TIMES) if isinstance(time, SpeedMeasurement)]
    return EarlierRun(tuple(rows), tuple(records), tuple(times))


def _was_cut(record: Record) -> bool:
    """Say whether a record only tells that there was no time, or that a limit ended a process."""
    return record.check == PROCESS and record.outcome is Outcome.NOT_RUN


def verdicts_in_order(folder: Path) -> list[Record]:
    """Give the verdicts of a run that was gone on with: of two answers to a question the one that counts.

    That a process ended counts until the same kernel has been judged to the end.

    Args:
        folder: The folder of the run.
    """
    records = list(read_records(folder / VERDICTS, []))
    judged = {_setting(record) for record in records if record.batch_size is not None and not _is_size(record)}
    return [record for record in records if record.check != PROCESS or _setting(record) not in judged]


def times_in_order(folder: Path) -> list[SpeedMeasurement]:
    """Give the times of a run that was gone on with: what was timed again counts once.

    Args:
        folder: The folder of the run.
    """
    times = [time for time in read_measurements(folder / TIMES) if isinstance(time, SpeedMeasurement)]
    return list({time.key: time for time in times}.values())


def _setting(record: Record) -> tuple[str, str, str]:
    """Give the kernel, the format and the kind of device."""
    return record.kernel, record.dtype, record.device.partition(" ")[0]


def _is_size(record: Record) -> bool:
    """Say whether a record is of one size of a kernel."""
    return record.check.startswith(SIZE_CHECK)
