"""The Triton kernels on a CUDA device: rows of several lengths, and no step, at the sizes that people use."""

from __future__ import annotations

import pytest
import torch

from rnn_harness.kernels import Kernel, Setting, all_kernels
from rnn_harness.kernels.drivers.fused import KernelRefusal
from tests.helpers.rows_of_lengths import assert_no_step_changes_nothing, assert_rows_end_at_their_lengths

PAIRS = [
    (kernel, setting)
    for kernel in all_kernels()
    for setting in kernel.settings
    if setting.device == "cuda" and kernel.id.startswith(("fused", "split"))
]
SIZES = (16, 17, 64, 100, 128, 256, 512, 1024)
"""Hidden sizes."""
needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason=f"not run: no CUDA device ({len(PAIRS)} checks wait for one)"
)


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize(("kernel", "setting"), PAIRS, ids=[f"{k.id} in {s.dtype}" for k, s in PAIRS])
def test_rows_end_at_their_lengths_and_no_step_changes_nothing(kernel: Kernel, setting: Setting) -> None:
    taken = []
    for d in SIZES:
        try:
            assert_no_step_changes_nothing(kernel, setting, 16, d, 33)
            assert_rows_end_at_their_lengths(kernel, setting, 16, d, 33, 3)
        except KernelRefusal as refusal:
            if "is too large" not in str(refusal):
                raise
        else:
            taken.append(d)
    assert taken[:2] == [16, 17]


def test_the_number_of_kernels_whose_lengths_wait_for_a_device_is_fixed() -> None:
    assert len(PAIRS) == 120
