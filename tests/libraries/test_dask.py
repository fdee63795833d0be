"""The same plan on a Dask cluster: two workers, in separate processes; and one that has none."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.runtime.dask_client import connect_to_dask

distributed = pytest.importorskip("distributed")


@pytest.mark.filterwarnings("ignore")
def test_a_plan_runs_on_a_local_cluster_of_two_workers(tmp_path: object) -> None:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        arguments = ["bench", "decay", "--quick", "--families", "rnn,lstm", "--backend", "dask"]
        result = CliRunner().invoke(app, [*arguments, "--workers", "2", "--scheduler", cluster.scheduler_address])
    assert result.exit_code == 0, result.output
    assert "LSTM without forget gate" in result.stdout


def _waits_for(is_so: Callable[[], object], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        time.sleep(0.05)
    return bool(is_so())


def test_a_cluster_without_workers_is_told_at_once_and_one_that_loses_them_when_it_does() -> None:
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster,
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.filterwarnings("always", "the cluster at .* has no worker, and jobs wait for one")
        with connect_to_dask(cluster.scheduler_address, seconds=0.1) as client:
            assert client.submit(sum, [1, 2]).result() == 3
            assert not warned
            cluster.scale(0)
            assert _waits_for(lambda: len(warned) == 1)
        with connect_to_dask(cluster.scheduler_address):
            assert _waits_for(lambda: len(warned) == 2)
