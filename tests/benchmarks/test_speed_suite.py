"""The same calls through pytest-benchmark, with its JSON and its comparison: ``tox -e bench``."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rnn_harness.benchmarks.speed.competitors import competitors
from rnn_harness.benchmarks.speed.grid_point import TIMED_SPECS, SpeedPoint

POINT = {family: SpeedPoint(TIMED_SPECS[family], 64, 64, 16, 50) for family in ("rnn", "gru", "lstm")}
NAMES = [
    (family, row.name, phase) for family in POINT for row in competitors(POINT[family]) for phase in ("forward", "both")
]


@pytest.mark.parametrize(("family", "name", "phase"), NAMES, ids=[" ".join(row) for row in NAMES])
def test_speed(benchmark: Any, family: str, name: str, phase: str) -> None:
    torch.set_num_threads(1)
    competitor = next(row for row in competitors(POINT[family]) if row.name == name)
    assert competitor.wrong_number() is None, "what is not right is not timed"
    benchmark.group = f"{family}, {phase}"
    benchmark(competitor.calls.forward if phase == "forward" else competitor.calls.both)
