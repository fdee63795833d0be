"""The same calls through pytest-benchmark, with its JSON and its comparison: ``tox -e bench``."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rnn_harness.benchmarks.speed.competitors import competitors
from rnn_harness.benchmarks.speed.grid_point import TIMED_SPECS, SpeedPoint

POINT = {family: SpeedPoint(TIMED_SPECS[family], 64, 64, 16, 50) for family in ("rnn", "gru", "lstm")}
NAMES = [
    (family, one.name, what) for family in POINT for one in competitors(POINT[family]) for what in ("forward", "both")
]


@pytest.mark.parametrize(("family", "name", "what"), NAMES, ids=[" ".join(row) for row in NAMES])
def test_speed(benchmark: Any, family: str, name: str, what: str) -> None:
    torch.set_num_threads(1)
    one = next(one for one in competitors(POINT[family]) if one.name == name)
    assert one.wrong_number() is None, "what is not right is not timed"
    benchmark.group = f"{family}, {what}"
    benchmark(one.calls.forward if what == "forward" else one.calls.both)
