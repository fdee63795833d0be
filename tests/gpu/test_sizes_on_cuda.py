"""The Triton kernels and cuDNN at the sizes that people use, on a CUDA device, within the proved bounds of arrays."""

from __future__ import annotations

import pytest
import torch

from rnn_harness.gpu.sizes import judge_size, size_jobs
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

JOBS = size_jobs("cuda")
SETTINGS = sorted({(job.kernel_id, job.setting.dtype) for job in JOBS})
needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason=f"not run: no CUDA device ({len(JOBS)} checks wait for one)"
)


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize(("kernel", "dtype"), SETTINGS, ids=[f"{kernel} in {dtype}" for kernel, dtype in SETTINGS])
def test_outputs_and_gradients_lie_in_their_bounds_or_the_size_is_refused(kernel: str, dtype: str) -> None:
    records: list[Record] = []
    for job in JOBS:
        if (job.kernel_id, job.setting.dtype) == (kernel, dtype):
            judge_size(records.append, job)
    refuted = [f"{record.check}: {record.reason}" for record in records if record.outcome is Outcome.REFUTED]
    assert not refuted
    assert any(record.outcome is Outcome.AGREES for record in records)
    assert all(r.outcome is Outcome.AGREES or "is too large" in r.reason for r in records)


def test_the_number_of_sizes_that_wait_for_a_device_is_fixed() -> None:
    assert len(JOBS) == 1215
