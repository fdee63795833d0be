"""The Triton kernels and cuDNN at the sizes that people use, on a CUDA device, within the proved bounds of arrays."""

from __future__ import annotations

import pytest
import torch

from rnn_harness.gpu.sizes import SizeJob, judge_size, size_jobs
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome

JOBS = size_jobs("cuda")
needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason=f"not run: no CUDA device ({len(JOBS)} checks wait for one)"
)


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("job", JOBS, ids=lambda job: f"{job.kernel_id} in {job.setting.dtype} at {job.sizes}")
def test_outputs_and_gradients_lie_in_their_bounds_or_the_size_is_refused(job: SizeJob) -> None:
    records: list[Record] = []
    judge_size(records.append, job)
    (record,) = records
    assert record.outcome is not Outcome.REFUTED, record.reason
    assert record.outcome is Outcome.AGREES or "is too large" in record.reason


def test_the_number_of_sizes_that_wait_for_a_device_is_fixed() -> None:
    assert len(JOBS) == 783
