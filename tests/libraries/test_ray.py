"""A plan on a real cluster of Ray, on this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rnn_harness.records.measurement import read_measurements


def test_a_plan_runs_on_a_local_cluster_of_ray(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="not run: pip install 'rnn-harness[ray]'")
    ray = str(Path(sys.executable).parent / "ray")
    start = [ray, "start", "--head", "--num-cpus=2", "--port=6399", "--include-dashboard=false"]
    subprocess.run(start, check=True, capture_output=True, timeout=120)
    try:
        arguments = ["bench", "decay", "--quick", "--families", "rnn", "--backend", "ray", "--workers", "2"]
        command = [sys.executable, "-m", "rnn_harness", *arguments, "--scheduler", "127.0.0.1:6399"]
        completed = subprocess.run(
            [*command, "--records", str(tmp_path / "x.jsonl")], capture_output=True, text=True, timeout=300, check=False
        )
    finally:
        subprocess.run([ray, "stop", "--force"], check=False, capture_output=True, timeout=120)
    assert completed.returncode == 0, completed.stderr[-2000:]
    measurements = read_measurements(tmp_path / "x.jsonl")
    assert len(measurements) > 4
    assert all(measurement.agrees for measurement in measurements)
