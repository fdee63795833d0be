"""Where the bounds of a kernel are computed: on its own CUDA device in torch, everywhere else in NumPy."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from rnn_harness.arithmetic.array_operations import NUMPY, ArrayOperations, emulates_float64, torch_operations
from rnn_harness.evaluation.array_bounds import ArrayBounds
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.probable_bounds import ProbableBounds
from rnn_harness.kernels.torch_reference import TorchReference
from rnn_harness.subjects.case_arrays import CaseArrays


def bound_operations(evaluation: Evaluation) -> ArrayOperations:
    """Return what the bounds of a subject are computed with.

    Args:
        evaluation: The subject and how it is judged.

    Returns:
        Torch on the device of a kernel that runs on CUDA, so that its numbers need not come back; else NumPy, also
        where an output layer of ours computes in NumPy, and where cuBLAS was asked to emulate float64.
    """
    cell = evaluation.subject.cell
    if not isinstance(cell, TorchReference) or evaluation.subject.output is not None or emulates_float64():
        return NUMPY
    return torch_operations(cell.device) if runs_on_cuda(cell) else NUMPY


def runs_on_cuda(cell: TorchReference) -> bool:
    """Say whether a kernel runs on a CUDA device.

    Args:
        cell: The kernel.
    """
    return cell.device.startswith("cuda")


@dataclass(frozen=True)
class BoundedCase:
    """A case with all of its bounds, which are computed before the subject runs: it may overwrite the numbers.

    Attributes:
        evaluation: The subject on the case; its numbers stay where the bounds are.
        proved: The proved bounds.
        probable: Those that hold but for a stated probability.
    """

    evaluation: Evaluation
    proved: ArrayBounds
    probable: ProbableBounds


def bounded_case(evaluation: Evaluation, arrays: CaseArrays) -> BoundedCase:
    """Compute the bounds of a case; in NumPy after all where a device has no memory for them.

    Args:
        evaluation: The subject and how it is judged; its own numbers are not used.
        arrays: The numbers of the case.
    """
    operations = bound_operations(evaluation)
    if operations is not NUMPY:
        import torch

        with contextlib.suppress(torch.cuda.OutOfMemoryError):
            return _bounded_with(operations, evaluation, arrays)
    return _bounded_with(NUMPY, evaluation, arrays)


def _bounded_with(operations: ArrayOperations, evaluation: Evaluation, arrays: CaseArrays) -> BoundedCase:
    """Compute the bounds of a case with such operations."""
    cell = evaluation.subject.cell
    on_device = cell.on_device() if operations is not NUMPY and isinstance(cell, TorchReference) else None
    tried = evaluation.on(arrays, on_device)
    proved, probable = ArrayBounds(tried, operations=operations), ProbableBounds(tried, operations)
    proved.compute()
    probable.compute()
    return BoundedCase(tried, proved, probable)
