"""What is wrong with the options of ``rnn-harness bench``, before anything is measured."""

from __future__ import annotations

import os

from rnn_harness.cli._bench_options import BenchOptions
from rnn_harness.cli._pool_options import worker_pool
from rnn_harness.cli.arguments import known_spec
from rnn_harness.errors import UsageError
from rnn_harness.families import FAMILIES

_DTYPES = ("float32", "float64")
_DEVICES = ("cpu", "cuda")


def check_before_import(options: BenchOptions) -> None:
    """Check what can be checked before torch is imported.

    Args:
        options: The options of ``bench`` as they were given.

    Raises:
        UsageError: A name is unknown, there are more threads than a library can start, or an option has no effect on
            what is measured.
    """
    _check_names("measurement", options.kinds, BenchOptions.ALL_KINDS)
    _check_names("family", options.families, tuple(FAMILIES))
    _check_names("dtype", (options.dtype,), _DTYPES)
    _check_names("device", (options.device,), _DEVICES)
    cores = os.cpu_count() or 1
    if options.threads > 4 * cores:
        raise UsageError(f"--threads {options.threads}: there are {cores} cores here; expected at most {4 * cores}")
    is_set = {
        "--dtype": options.dtype != "float32",
        "--device": options.device != "cpu",
    }
    unused = [name for name, is_given in is_set.items() if is_given]
    if unused and "speed" not in options.kinds:
        raise UsageError(f"{', '.join(unused)} is for speed, which {', '.join(options.kinds)} leaves out")
    if options.specs and not set(options.kinds) & set(BenchOptions.DEFAULT_KINDS):
        measured = ", ".join(BenchOptions.DEFAULT_KINDS)
        raise UsageError(f"--spec is for {measured}, which {', '.join(options.kinds)} leaves out")
    if options.specs and options.families_text != ",".join(FAMILIES) and "learning" not in options.kinds:
        raise UsageError(
            f"--spec {options.specs[0]} is measured instead of --families {options.families_text}: give one of them"
        )
    cell_options = {"--init": bool(options.cell_options.init), "--adapter": options.cell_options.adapter is not None}
    unused = [name for name, is_given in cell_options.items() if is_given]
    if unused and not options.cells:
        raise UsageError(f"{', '.join(unused)} is for cells, of which none is named: give --cell TARGET")
    worker_pool(options.workers, options.backend, options.scheduler)
    if options.across_machines and options.compare is None:
        raise UsageError("--other-machine needs something to compare with: --compare NAME")


def check_options(options: BenchOptions) -> None:
    """Check the options and load every cell, before anything is measured.

    Args:
        options: The options of ``bench`` as they were given.

    Raises:
        UsageError: A device, spec or cell is missing, or options contradict each other.
    """
    _check_device(options.device)
    limit = options.loss_limit
    if options.quick and options.full:
        raise UsageError("--quick and --full are two plans: give one of them")
    if limit is not None and options.compare is None:
        raise UsageError("--fail-on needs something to compare with: --compare NAME")
    for spec in options.specs:
        _check_spec(spec)


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
    """Check that there is a spec, or a file of one, that can be measured. Raises UsageError."""
    from rnn_harness.benchmarks.equations import measured_spec

    if not name.endswith(".toml"):
        known_spec(name)
    measured_spec(name)
