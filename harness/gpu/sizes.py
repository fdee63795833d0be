"""Kernels judged at the sizes that people use, one size a job, within the proved bounds of arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnn_harness.cases.case import Case
from rnn_harness.checks.check import Check, Finding, applies_to_all
from rnn_harness.engine.runner import Runner, RunPlan
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.families import FAMILIES
from rnn_harness.gpu.run_digest import run_digest
from rnn_harness.kernels import DIFFERENT_BY_A_FLAG, Kernel, Setting, all_kernels
from rnn_harness.kernels.checks.scale import judge_at
from rnn_harness.kernels.environment.device import device_description, ensure_sound
from rnn_harness.kernels.environment.repeatable import hold_workspace
from rnn_harness.kernels.judge import ignored_warnings
from rnn_harness.records.batches import stamped
from rnn_harness.records.record import Record
from rnn_harness.runtime.worker import Send

SIZES = (
    (64, 64, 16, 2),
    (16, 128, 64, 1),
    (64, 256, 16, 1),
    (33, 100, 33, 2),
    (17, 17, 33, 3),
    (64, 512, 16, 1),
    (64, 1024, 16, 1),
    (16, 16, 1, 3),
    (64, 1024, 64, 1),
)
"""Input size, hidden size, rows and steps; the most telling first."""
SMALL_SIZES = ((3, 16, 2, 1),)
"""For a trial in the interpreter."""
SIZE_CHECK = "scale.n"
"""With this begins the name of the check of a size."""
_SIZES_LATER = 2
_SEED = 1
_PREFIXES = ("fused/", "split/", "fused-tf32x3/", "split-tf32x3/", "fused-tf32/", "split-tf32/")


@dataclass(frozen=True)
class SizeJob:
    """A kernel in a setting at one size.

    Attributes:
        kernel_id: The kernel's id.
        setting: The dtype, and the device.
        sizes: Input size, hidden size, rows and steps.
    """

    kernel_id: str
    setting: Setting
    sizes: tuple[int, int, int, int]


def size_jobs(device: str, with_split: bool = True) -> list[SizeJob]:
    """List all jobs, the most telling first: by size, ours before cuDNN, narrow formats first.

    Variants that differ from another one by a flag come two sizes later than that.


    Args:
        device: ``cuda``, or ``cpu`` for a small trial.
        with_split: Whether kernels that are split over many processors are among them.
    """
    wanted = [(k, s) for k, s in _settings(device) if with_split or not k.id.startswith("split")]
    settings = sorted(wanted, key=lambda pair: _rank(*pair))
    sizes = SIZES if device == "cuda" else SMALL_SIZES
    jobs = [
        (number, SizeJob(kernel.id, setting, size)) for number, size in enumerate(sizes) for kernel, setting in settings
    ]
    return [job for _, job in sorted(jobs, key=lambda pair: _place(pair[0], pair[1].kernel_id))]


def _place(size: int, kernel_id: str) -> tuple[int, bool]:
    """Give the place of a kernel at the size of a number: behind all others at a later size, or where it is listed."""
    is_later = kernel_id.partition("/")[2] in DIFFERENT_BY_A_FLAG
    return size + _SIZES_LATER * is_later, is_later


def _settings(device: str) -> Iterator[tuple[Kernel, Setting]]:
    """Give the kernels that are judged at these sizes, with their settings on a device."""
    cudnn = {f"nn.{family.torch_class}/cudnn{tf32}" for family in FAMILIES.values() for tf32 in ("", "-tf32")}
    for kernel in all_kernels():
        if kernel.id.startswith(_PREFIXES) or kernel.id in cudnn:
            yield from ((kernel, setting) for setting in kernel.settings if setting.device == device)


def _rank(kernel: Kernel, setting: Setting) -> tuple[int, int, str]:
    prefix = next((i for i, prefix in enumerate(_PREFIXES) if kernel.id.startswith(prefix)), len(_PREFIXES))
    return ("bfloat16", "float32", "float16", "float64").index(setting.dtype), prefix, kernel.id


def judge_size(send: Send[Record], job: SizeJob) -> None:
    """Judge outputs and all gradients of a kernel at one size, and send the record.

    Args:
        send: Sends the record.
        job: What is judged.
    """
    hold_workspace(job.setting.device)
    kernel = next(kernel for kernel in all_kernels() if kernel.id == job.kernel_id)
    n, d, rows, steps = job.sizes
    case = Case(spec=kernel.spec, dtype=job.setting.dtype, n=n, d=d, B=rows, T=steps, seed=_SEED)  # type: ignore[arg-type]

    def within_bounds(evaluation: Evaluation) -> Iterator[Finding]:
        yield judge_at(evaluation, case)

    check = Check(check_name(job.sizes), "kernel", applies_to_all, within_bounds, dtypes=(job.setting.dtype,))
    plan = RunPlan((check,), dtype=job.setting.dtype)
    runner = Runner(kernel.subject(job.setting), plan, lambda tried: kernel.evaluation(job.setting, tried))
    with ignored_warnings():  # as an error, torch's "no current CUDA context" would refute the kernel
        runner.try_case(case, guarded=False)
    stamp = {"kernel": kernel.id, "dtype": job.setting.dtype, "device": device_description(job.setting.device)}
    records = (record.model_copy(update=stamp) for record in runner.results().records(seed=_SEED, shrink=False))
    for record in stamped(records, size_digest(job)):
        send(record)
    ensure_sound(job.setting.device)


def size_digest(job: SizeJob) -> str:
    """Return a digest of everything that the record of a size depends on.

    Args:
        job: What is judged.
    """
    return run_digest(job.setting.device, "size", job.kernel_id, job.setting.dtype, job.sizes, _SEED)


def check_name(sizes: tuple[int, int, int, int]) -> str:
    """Name the check of one size, as ``scale.n64-d128-B16-T1``.

    Args:
        sizes: Input size, hidden size, rows and steps.
    """
    n, d, rows, steps = sizes
    return f"{SIZE_CHECK}{n}-d{d}-B{rows}-T{steps}"
