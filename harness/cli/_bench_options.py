"""The options of ``rnn-harness bench``, and what is wrong with them."""

from __future__ import annotations

import functools
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rnn_harness.cli._shared import known_spec
from rnn_harness.errors import UsageError
from rnn_harness.families import FAMILIES

if TYPE_CHECKING:
    from rnn_harness.benchmarks import BenchmarkJob, WorkerPool
    from rnn_harness.kernels import Kernel
    from rnn_harness.records.measurement import MeasurementKind

_BACKENDS = ("loky", "dask", "ray")
_DTYPES = ("float32", "float64")
_DEVICES = ("cpu", "cuda")


@dataclass(frozen=True)
class BenchOptions:
    """What the command line of ``bench`` asks for.

    Attributes:
        kinds: What is measured.
        quick: Whether the quick plan is run.
        full: Whether the full plan is run.
        families_text: The families, parted by commas, as typed.
        dtype: The dtype of what is timed.
        device: The device that times are taken on.
        specs: Specs that are timed instead of those of the families.
        cells: Candidates that are timed too, as typed.
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
    """

    DEFAULT_KINDS: ClassVar[tuple[str, ...]] = ("parameters", "decay", "speed")
    ALL_KINDS: ClassVar[tuple[str, ...]] = (*DEFAULT_KINDS, "learning")

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

    @property
    def families(self) -> tuple[str, ...]:
        """The families that are compared."""
        return tuple(name.strip() for name in self.families_text.split(","))

    @property
    def loss_limit(self) -> float | None:
        """The loss above which the command fails, as a fraction. Raises UsageError."""
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
        """Where jobs run that do not time."""
        from rnn_harness.benchmarks import WorkerPool

        return WorkerPool(self.workers, self.backend, self.scheduler)

    def plan(self) -> list[BenchmarkJob]:
        """Plan the jobs."""
        from rnn_harness.benchmarks import FULL, QUICK, USUAL, plan_jobs

        size = QUICK if self.quick else FULL if self.full else USUAL
        loaders = tuple(functools.partial(_load_kernel, cell) for cell in self.cells)
        kinds = cast("tuple[MeasurementKind, ...]", self.kinds)
        return plan_jobs(size, kinds, self.families, self.dtype, loaders, self.specs, self.device)


def check_before_import(options: BenchOptions) -> None:
    """Check what can be checked before torch is imported.

    Raises:
        UsageError: There are more threads than a library can start, or an option has no effect on what is measured.
    """
    cores = os.cpu_count() or 1
    if options.threads > 4 * cores:
        raise UsageError(f"--threads {options.threads}: there are {cores} cores here; expected at most {4 * cores}")
    is_set = {
        "--spec": bool(options.specs),
        "--dtype": options.dtype != "float32",
        "--device": options.device != "cpu",
    }
    unused = [name for name, given in is_set.items() if given]
    if unused and "speed" not in options.kinds:
        raise UsageError(f"{', '.join(unused)} is for speed, which {', '.join(options.kinds)} leaves out")
    if options.specs and options.families_text != ",".join(FAMILIES) and options.kinds == ("speed",):
        raise UsageError(
            f"--spec {options.specs[0]} is timed instead of --families {options.families_text}: give one of them"
        )
    if options.scheduler is not None and options.backend == "loky":
        raise UsageError(f"--scheduler {options.scheduler} is of --backend dask or --backend ray: give one of them too")
    if options.across_machines and options.compare is None:
        raise UsageError("--other-machine needs something to compare with: --compare NAME")


def check_options(options: BenchOptions) -> None:
    """Check the options and load every cell, before anything is measured.

    Raises:
        UsageError: A name is unknown, a device, spec or cell is missing, or options contradict each other.
    """
    _check_names("measurement", options.kinds, BenchOptions.ALL_KINDS)
    if options.cells and "speed" not in options.kinds:
        raise UsageError(f"--cell is timed with the others by speed, which {', '.join(options.kinds)} leaves out")
    _check_names("family", options.families, tuple(FAMILIES))
    _check_names("dtype", (options.dtype,), _DTYPES)
    _check_names("device", (options.device,), _DEVICES)
    _check_device(options.device)
    _check_names("backend", (options.backend,), _BACKENDS)
    limit = options.loss_limit
    if options.quick and options.full:
        raise UsageError("--quick and --full are two plans: give one of them")
    if limit is not None and options.compare is None:
        raise UsageError("--fail-on needs something to compare with: --compare NAME")
    for spec in options.specs:
        _check_spec(spec)
    for cell in options.cells:
        _check_cell(cell)


def _check_names(noun: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"there is no {noun} {', '.join(map(repr, unknown))}; there are {', '.join(known)}")


def _check_device(device: str) -> None:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            f"there is no CUDA device here (torch {torch.__version__}): --device cpu times on the processor"
        )


def _check_spec(name: str) -> None:
    spec = known_spec(name)
    if spec.reference is None:
        raise UsageError(f"{spec.id} has no reference to be timed against: rnn-harness specs lists those that have one")


def _check_cell(cell: str) -> None:
    """Check that a candidate can be loaded."""
    import contextlib

    from rnn_harness.validation import load_target

    with contextlib.redirect_stdout(sys.stderr):  # what it prints is no part of our output
        load_target(cell)


@functools.cache
def _load_kernel(cell: str) -> Kernel:
    """Load and identify a candidate as a kernel.

    Raises:
        UsageError: It is none of the timed specs, or has other parameters than its spec.
    """
    from rnn_harness.benchmarks.speed.grid_point import TIMED_SPECS
    from rnn_harness.validation import candidate, identify, load_target

    matches = identify(load_target(cell))
    if not matches or matches[0].spec not in TIMED_SPECS.values() or matches[0].absent:
        identity = matches[0].sentence() if matches else "no cell that is known"
        specs = ", ".join(TIMED_SPECS.values())
        raise UsageError(f"{cell} is {identity}; timed with the others are {specs}, with all parameters")
    return candidate(load_target(cell), matches[0])
