"""``rnn-harness verify``: check equations, or judge kernels."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._json_output import JsonName, JsonOutput
from rnn_harness.cli._pool_options import Backend, Scheduler, Workers, refuse_pool, worker_pool
from rnn_harness.cli._recorded_run import finish
from rnn_harness.cli._shared import exit_codes
from rnn_harness.cli._verify_runs import EquationRun, KernelRun
from rnn_harness.cli.arguments import ensure_resumable, refuse_empty_names, refuse_taken_ids
from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from rnn_harness.runtime.worker_pool import WorkerPool


class KernelDevice(enum.Enum):
    """Where kernels run."""

    CPU = "cpu"
    CUDA = "cuda"

    def __str__(self) -> str:
        return self.value


_EQUATION_EXAMPLES = 20
_KERNEL_EXAMPLES = 2


@exit_codes
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID",
            help="Equations (E-348), specs (gru.keep.column), documents (003), pairs of specs (Q-18, or equivalences), "
            "cells of papers (mgu), spec files (mine.toml). With --kernels: kernels (nn.LSTM) or specs.",
            show_default="all",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the random cases.")] = 0,
    examples: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=10_000,
            help="Number of random cases for each cell, besides nine fixed ones.",
            show_default="20, with --kernels 2",
        ),
    ] = None,
    kernels: Annotated[
        bool, typer.Option("--kernels", help="Judge torch kernels instead; `rnn-harness kernels` lists them.")
    ] = False,
    records: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every record as JSON Lines, as soon as it is there.", dir_okay=False),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the file of --records: what is complete and unchanged is not done again."
        ),
    ] = False,
    workers: Workers = 1,
    backend: Backend = "loky",
    scheduler: Scheduler = None,
    device: Annotated[
        KernelDevice | None,
        typer.Option(metavar="DEVICE", help="With --kernels: only what runs on cpu, or on cuda.", show_default="both"),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", min=1, help="With --kernels: seconds after which the others are reported as not run."
        ),
    ] = None,
    json_name: JsonName = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Also list every record.")] = False,
) -> None:
    """Check equations: the print of each, the reference that computes it, and its derivative.

    Every equation is evaluated as its document prints it (or in the reading next to it) and compared with up to four
    witnesses: the hand-written NumPy reference, numerical derivatives, a SymPy proof, and torch. An error counts only
    beyond a proved rounding bound. Known errata of the prints are listed, and must be found by the audit each time.
    """
    ensure_resumable(resume, records)
    document = JsonOutput.of(json_name)
    pool = worker_pool(workers, backend, scheduler)
    if kernels:
        refuse_pool(1, backend, "kernels are judged on this machine: leave it out")
        kernel_run = _kernel_run(names or [], seed, _KERNEL_EXAMPLES if examples is None else examples, device)
        limited = replace(kernel_run, workers=workers, budget=budget or math.inf)
        finish(limited, records, resume, document, verbose)
    for name, value in (("--device", device), ("--budget", budget)):
        if value is not None:
            raise UsageError(f"{name} {value} is for kernels: add --kernels")
    equation_run = _equation_run(names or [], seed, _EQUATION_EXAMPLES if examples is None else examples, pool)
    finish(equation_run, records, resume, document, verbose)


def _equation_run(names: Sequence[str], seed: int, examples: int, pool: WorkerPool) -> EquationRun:
    """Select what the names mean, spec files among them.

    Raises:
        UsageError: A name is of nothing.
        SpecError: A spec file cannot be read, or has an id that is taken.
    """
    from rnn_harness.engine.select import select
    from rnn_harness.specs import library, load_spec

    files = [name for name in names if _is_file(name)]
    specs = [load_spec(path, library().specs) for path in files]
    refuse_taken_ids(specs)
    return EquationRun(select([name for name in names if name not in files], specs), seed, examples, pool)


def _kernel_run(names: Sequence[str], seed: int, examples: int, device: KernelDevice | None) -> KernelRun:
    """Choose the kernels that the names mean.

    Raises:
        UsageError: A name is of no kernel and of no shipped spec.
    """
    refuse_empty_names("kernel", names)
    files = [name for name in names if _is_file(name)]
    if files:
        raise UsageError(
            f"{', '.join(files)}: a spec file, and --kernels takes kernels (nn.LSTM) or shipped specs (lstm.column); "
            "without --kernels the file is decided"
        )
    from rnn_harness.kernels import choose_kernels, on_device

    chosen = choose_kernels(tuple(names))
    return KernelRun(chosen if device is None else on_device(chosen, device.value), seed, examples)


def _is_file(name: str) -> bool:
    """Whether a name is that of a spec file; names of kernels may have a slash in them, as nn.LSTM/native."""
    return name.endswith(".toml") or name.startswith((".", "/")) or Path(name).is_file()
