"""A plan on a real cluster of Ray, on this machine."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.records.measurement import read_measurements
from rnn_harness.runtime.worker_pool import PoolCall, WorkerPool, run_calls

ADDRESS = "127.0.0.1:6399"


@contextlib.contextmanager
def _cluster() -> Iterator[str]:
    """Start a cluster and give its address; one at a time, since all of this machine are stopped at the end."""
    pytest.importorskip("ray", reason="not run: pip install 'rnn-harness[ray]'")
    ray = str(Path(sys.executable).parent / "ray")
    start = [ray, "start", "--head", "--num-cpus=2", "--port=6399", "--include-dashboard=false"]
    subprocess.run(start, check=True, capture_output=True, timeout=120)
    try:
        yield ADDRESS
    finally:
        subprocess.run([ray, "stop", "--force"], check=False, capture_output=True, timeout=120)


def _measure_decay(cluster: str, records: Path) -> None:
    """Run a plan of the command, all of which must agree."""
    arguments = ["bench", "decay", "--quick", "--families", "rnn", "--backend", "ray", "--workers", "2"]
    command = [sys.executable, "-m", "rnn_harness", *arguments, "--scheduler", cluster, "--records", str(records)]
    completed = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert completed.returncode == 0, completed.stderr[-2000:]
    measurements = read_measurements(records)
    assert len(measurements) > 4
    assert all(measurement.agrees for measurement in measurements)


def _assert_where_calls_run(cluster: str) -> None:
    """Run two calls: each has a process of the cluster, and one that ends it costs the other nothing."""
    calls = [PoolCall[object](os.getpid, str), PoolCall[object](functools.partial(os._exit, 3), str)]
    results = {result.number: result.result for result in run_calls(calls, WorkerPool(2, "ray", cluster))}
    assert isinstance(results[0], int)
    assert results[0] != os.getpid()
    assert str(results[1]).startswith("its process died: WorkerCrashedError")


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")  # Ray's own, of its variables and files
def test_plans_run_in_processes_of_a_cluster_of_ray_and_one_that_dies_costs_no_other(tmp_path: Path) -> None:
    with _cluster() as cluster:
        _measure_decay(cluster, tmp_path / "x.jsonl")
        _assert_where_calls_run(cluster)


def test_a_cluster_that_does_not_answer_is_told_at_once() -> None:
    pytest.importorskip("ray", reason="not run: pip install 'rnn-harness[ray]'")
    with socket.socket() as unused:  # bound and not listening: nobody else can answer there
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"no ray cluster answers at {address}: .*refused"):
            list(run_calls([PoolCall[object](os.getpid, str)], WorkerPool(2, "ray", address)))
