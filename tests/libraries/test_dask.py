"""The same plan on a Dask cluster: two workers, in separate processes."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from rnn_harness.cli._app import app

distributed = pytest.importorskip("distributed")


@pytest.mark.filterwarnings("ignore")
def test_a_plan_runs_on_a_local_cluster_of_two_workers(tmp_path: object) -> None:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        arguments = ["bench", "decay", "--quick", "--families", "rnn,lstm", "--backend", "dask"]
        result = CliRunner().invoke(app, [*arguments, "--workers", "2", "--scheduler", cluster.scheduler_address])
    assert result.exit_code == 0, result.output
    assert "LSTM without forget gate" in result.stdout
