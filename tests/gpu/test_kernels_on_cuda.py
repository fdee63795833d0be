"""Every kernel on a CUDA device: the one asked for, in its bound, and well-behaved; none may be missing there."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rnn_harness.kernels import Kernel, Setting, all_kernels, judge_kernels
from rnn_harness.records.verdict import Outcome

PAIRS = [(k, s) for k in all_kernels() for s in k.settings if s.device == "cuda" and not k.known_wrong]
needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason=f"not run: no CUDA device ({len(PAIRS)} checks wait for one)"
)


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize(("kernel", "setting"), PAIRS, ids=[f"{k.id} in {s.dtype}" for k, s in PAIRS])
def test_a_kernel_on_cuda_is_the_one_asked_for_and_nothing_of_it_is_refuted(kernel: Kernel, setting: Setting) -> None:
    records = list(judge_kernels((replace(kernel, settings=(setting,)),)))
    assert records[0].outcome is Outcome.AGREES, records[0].reason
    refuted = [f"{record.check}: {record.reason}" for record in records if record.outcome is Outcome.REFUTED]
    assert not refuted


def test_the_number_of_kernels_that_wait_for_a_device_is_fixed() -> None:
    assert len(PAIRS) == 301
