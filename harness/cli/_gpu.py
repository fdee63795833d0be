"""``rnn-harness gpu``: everything that needs a GPU, in one run within a budget."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from rnn_harness.cli._shared import exit_codes_of_text


@exit_codes_of_text
def gpu(
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="The folder in which a folder DATE-CARD is made.", file_okay=False),
    ],
    budget: Annotated[
        float, typer.Option(metavar="SECONDS", min=30, help="Seconds for all of it; what is done is kept.")
    ] = 480,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Processes that judge at the same time.", show_default="the cores less two"
        ),
    ] = None,
    stages: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="The stages that are run, by commas: machine, probes, sizes, times, verdicts. [default: all]",
            show_default=False,
        ),
    ] = "",
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the last run of this card there: what is unchanged is not done again."
        ),
    ] = False,
    interpret: Annotated[
        bool,
        typer.Option(
            "--interpret", help="Try it without a GPU: Triton's interpreter at tiny sizes, which is no evidence."
        ),
    ] = False,
) -> None:
    """Judge and time on a GPU: the machine, probes, realistic sizes, cuDNN against Triton, every kernel's verdicts.

    What is worth most comes first, and every result is on disk as soon as it is there. The folder holds
    machine.jsonl, verdicts.jsonl, times.jsonl and summary.md; `rnn-harness report --from` reads it. A run that was
    stopped, or cut by its budget, is gone on with by --resume. A machine without a GPU is refused, unless --interpret
    is given.
    """
    from rnn_harness.gpu import GpuRunOptions, run_on_gpu

    processes = workers or max(1, min(14, (os.cpu_count() or 2) - 2))
    names = tuple(name.strip() for name in stages.split(",") if name.strip())
    options = GpuRunOptions(out, budget, processes, interpret, stages=names, resume=resume)
    try:
        with _ended_like_ctrl_c():
            folder = run_on_gpu(options, lambda stage: typer.echo(f"{stage} ...", err=True), write_summary, _say_folder)
    except KeyboardInterrupt:
        typer.echo("rnn-harness: the same command with --resume goes on", err=True)
        raise
    typer.echo((folder / _summary_name()).read_text(encoding="utf-8"))


def _say_folder(folder: Path, note: str) -> None:
    """Say where results are kept, and what is to be known of an earlier run."""
    if note:
        typer.echo(f"rnn-harness: {note}", err=True)
    typer.echo(f"every result is kept in {folder}", err=True)


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Let a termination, as ``timeout`` sends it, interrupt the run, so that its summary is written."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def write_summary(folder: Path) -> None:
    """Write the summary of what a run has found so far.

    Args:
        folder: The folder of the run.
    """
    from rnn_harness.records.gpu_evidence import TIMES, VERDICTS, read_machine_rows
    from rnn_harness.records.measurement import SpeedMeasurement, read_measurements
    from rnn_harness.records.read_records import read_records
    from rnn_harness.reports.text.gpu import gpu_summary
    from rnn_harness.runtime.atomic_file import write_whole

    records = list(read_records(folder / VERDICTS, []))
    times = [time for time in read_measurements(folder / TIMES) if isinstance(time, SpeedMeasurement)]
    write_whole(folder / _summary_name(), gpu_summary(read_machine_rows(folder), records, times))


def _summary_name() -> str:
    """Return the name of the summary's file."""
    from rnn_harness.records.gpu_evidence import SUMMARY

    return SUMMARY
