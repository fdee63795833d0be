"""Times on a CUDA device: by events, of what gives the right numbers there, with its memory."""

from __future__ import annotations

import pytest
import torch

from rnn_harness.benchmarks.speed.competitors import competitors
from rnn_harness.benchmarks.speed.grid_point import TIMED_SPECS, SpeedPoint
from rnn_harness.benchmarks.speed.speed import measure_speed
from rnn_harness.benchmarks.speed.stopwatch import cuda_seconds, wall_seconds

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="not run: no CUDA device")


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("family", ["rnn", "gru", "lstm"])
def test_every_kernel_of_a_family_is_timed_where_it_is_right(family: str) -> None:
    point = SpeedPoint(TIMED_SPECS[family], 32, 32, 8, 20, device="cuda")
    names = {competitor.name for competitor in competitors(point)}
    assert any("cudnn" in name for name in names)
    assert any(name.startswith("fused/") for name in names)
    measurements = list(measure_speed(point, 3))
    assert {measurement.reason for measurement in measurements if measurement.agrees is False} == set()
    assert all("cuda" in measurement.device for measurement in measurements)
    assert all((measurement.peak_memory_mb or 0) > 0 for measurement in measurements if measurement.phase == "both")


@pytest.mark.gpu
@needs_cuda
def test_events_see_the_device_and_not_the_launch() -> None:
    large = torch.randn(8192, 8192, device="cuda")

    def call() -> object:
        return large @ large

    call()
    torch.cuda.synchronize()
    launched = wall_seconds(call, 1)
    torch.cuda.synchronize()
    assert cuda_seconds(call, 4) > launched
