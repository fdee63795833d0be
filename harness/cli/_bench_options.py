"""The options of ``rnn-harness bench``, and the plan that they ask for."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rnn_harness.cli._pool_options import worker_pool
from rnn_harness.errors import UsageError

if TYPE_CHECKING:
    from rnn_harness.benchmarks import BenchmarkJob
    from rnn_harness.kernels import Kernel
    from rnn_harness.records.measurement import MeasurementKind
    from rnn_harness.runtime.worker_pool import WorkerPool
    from rnn_harness.validation import Limits, ValidationRequest


@dataclass(frozen=True)
class CellOptions:
    """How the cells of ``--cell`` are loaded, and what they may take.

    Attributes:
        init: Arguments of their constructors, as typed: ``key=value`` each.
        adapter: The adapter that drives them; None for the first that accepts each.
        spec: What they are held against first, or ``auto``.
        timeout: Seconds for one case.
        memory: Gigabytes that a cell's process may take.
    """

    init: tuple[str, ...] = ()
    adapter: str | None = None
    spec: str = "auto"
    timeout: float = 120.0
    memory: float = 8.0

    def request(self, cell: str = "") -> ValidationRequest:
        """Return what names a cell.

        Args:
            cell: The cell, as it was typed; empty for the limits alone.

        Raises:
            UsageError: An argument of the constructor is no ``key=value``.
        """
        from rnn_harness.validation import ValidationRequest, read_options

        return ValidationRequest(
            cell, read_options(list(self.init)), spec=self.spec, adapter=self.adapter, memory=self.memory
        )

    @property
    def limits(self) -> Limits:
        """How long a cell may take."""
        from rnn_harness.validation import Limits

        return Limits(self.timeout)


@dataclass(frozen=True)
class BenchOptions:
    """What the command line of ``bench`` asks for.

    Attributes:
        kinds: What is measured.
        quick: Whether the quick plan is run.
        full: Whether the full plan is run.
        families_text: The families, comma-separated, as typed.
        dtype: The dtype of what is timed.
        device: The device that times are taken on.
        specs: Ids or files of specs that are measured instead of the families.
        cells: Candidates that are timed too, as typed.
        learning_cells: Candidates whose decay is measured too, and that learn the tasks too, as typed.
        threads: Threads of torch and BLAS.
        records: The file that measurements are written to.
        resume: Whether that file is continued.
        workers: Processes for what is not timed.
        backend: Where they run.
        scheduler: The address of a cluster.
        save: The name that the measurements are saved under.
        compare: The name of the measurements that they are compared with.
        fail_on: The loss above which the command fails, as typed.
        across_machines: Whether times of different machines are compared.
        folder: The folder of saved measurements.
        cell_options: How the candidates are loaded, and what they may take.
    """

    DEFAULT_KINDS: ClassVar[tuple[str, ...]] = ("parameters", "decay", "speed")
    ALL_KINDS: ClassVar[tuple[str, ...]] = (*DEFAULT_KINDS, "learning", "unrolled")

    kinds: tuple[str, ...]
    quick: bool
    full: bool
    families_text: str
    dtype: str
    device: str
    specs: tuple[str, ...]
    cells: tuple[str, ...]
    threads: int
    records: Path | None
    resume: bool
    workers: int
    backend: str
    scheduler: str | None
    save: str | None
    compare: str | None
    fail_on: str | None
    across_machines: bool
    folder: Path | None
    learning_cells: tuple[str, ...] = ()
    cell_options: CellOptions = CellOptions()

    @property
    def families(self) -> tuple[str, ...]:
        """The families that are compared."""
        return tuple(name.strip() for name in self.families_text.split(","))

    @property
    def loss_limit(self) -> float | None:
        """The loss above which the command fails, as a fraction; None where no loss makes it fail.

        Raises:
            UsageError: ``--fail-on`` is no number of per cent, or a negative one.
        """
        if self.fail_on is None:
            return None
        try:
            percent = float(self.fail_on.removesuffix("%"))
        except ValueError:
            percent = -1.0
        if not 0 <= percent < math.inf:
            raise UsageError(f"--fail-on {self.fail_on!r} is no share: give for example 10%")
        return percent / 100

    @property
    def pool(self) -> WorkerPool:
        """Where jobs run that do not time.

        Raises:
            UsageError: There is no such backend, or its address is missing.
        """
        return worker_pool(self.workers, self.backend, self.scheduler)

    def plan(self) -> list[BenchmarkJob]:
        """Plan the jobs; those that run candidates do so in a process of their own."""
        from rnn_harness.cli._bench_cells import in_worker

        return [in_worker(self, job) if job.times_candidates else job for job in self.plan_here()]

    def plan_here(self) -> list[BenchmarkJob]:
        """Plan the jobs; all of them run in this process."""
        from rnn_harness.benchmarks import FULL, QUICK, USUAL, plan_jobs

        size = QUICK if self.quick else FULL if self.full else USUAL
        requests = {cell: self.cell_options.request(cell) for cell in (*self.cells, *self.learning_cells)}
        loaders = tuple(functools.partial(_load_kernel, requests[cell]) for cell in self.cells)
        kinds = cast("tuple[MeasurementKind, ...]", self.kinds)
        learning = {cell: requests[cell] for cell in self.learning_cells}
        return plan_jobs(size, kinds, self.families, self.dtype, loaders, self.specs, self.device, learning)


def _load_kernel(request: ValidationRequest) -> Kernel:
    """Load and identify a candidate as a kernel; its code runs in this process, which is a worker.

    Raises:
        UsageError: It is no cell that is known, although it was.
    """
    from rnn_harness.comparison.tied_cell import load_compared, tie

    kernel = tie(load_compared(request), request).kernel
    if kernel is None:
        raise UsageError(f"cannot time {request.target}: when it was identified again, it was no cell that is known")
    return kernel
