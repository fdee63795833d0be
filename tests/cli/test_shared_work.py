"""Commands that share their work among processes: what they print and keep does not depend on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rnn_harness.cli._app import app


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def _timeless(rows: object) -> object:
    if isinstance(rows, dict):
        return {name: _timeless(value) for name, value in rows.items() if name != "seconds"}
    return [_timeless(row) for row in rows] if isinstance(rows, list) else rows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "--workers", "2", "--backend", "spark"], "there is no backend 'spark'; there are loky, dask, ray"),
        (["verify", "--backend", "dask"], "--backend dask needs --scheduler tcp://host:port"),
        (["mutants", "--scheduler", "x:1"], "--scheduler x:1 is of --backend dask or --backend ray"),
        (["mutants", "--resume"], "--resume goes on with a file of records: name it with --records FILE"),
        (["validate", "torch.nn:GRUCell", "--workers", "2"], "--workers 2: torch.nn:GRUCell is one cell; --all"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_of_the_pool_are_checked_before_the_work(arguments: list[str], message: str) -> None:
    done = _run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_results_of_mutants_are_kept_and_not_judged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mutants.json"
    arguments = ["mutants", "bias doubled", "--json", "-", "--records", str(path)]
    done = _run(*arguments)
    assert done.exit_code == 0
    assert json.loads(path.read_text()) == json.loads(done.stdout)
    assert "holds results already: give --resume" in _run(*arguments).stderr

    def judged_again(*_: object) -> None:
        raise AssertionError("a result of which nothing has changed is judged again")

    monkeypatch.setattr("rnn_harness.mutants.judge_mutant", judged_again)
    assert _run(*arguments, "--resume").stdout == done.stdout


@pytest.mark.process
@pytest.mark.deep("tests/unit/engine/test_order_of_work.py::test_two_processes_give_the_records_of_one")
def test_mutants_judged_by_two_processes_are_killed_by_the_same_checks() -> None:
    shared = _run("mutants", "rnn.", "--json", "-", "--workers", "2")
    alone = _run("mutants", "rnn.", "--json", "-")
    assert shared.exit_code == alone.exit_code == 0
    assert _timeless(json.loads(shared.stdout)) == _timeless(json.loads(alone.stdout))


CELLS = """
import torch
from torch import nn


class Right(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.linear = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, h):
        return torch.tanh(self.linear(torch.cat([x, h], -1)))


class Wrong(Right):
    def forward(self, x, h):
        return super().forward(x, h.detach())


class Stubborn(Right):
    def forward(self, x, state):
        raise RuntimeError("not written yet")
"""


@pytest.mark.process
@pytest.mark.deep("tests/unit/runtime/test_worker_pool.py::test_threads_give_every_result_once")
def test_cells_judged_at_the_same_time_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cells.py"
    path.write_text(CELLS)
    records: dict[int, list[object]] = {}
    shown: dict[int, str] = {}
    for workers in (1, 3):
        journal = tmp_path / f"{workers}.jsonl"
        options = ["--all", "--examples", "0", "--dtype", "float32", "--records", str(journal)]
        done = _run("validate", str(path), *options, "--workers", str(workers))
        assert done.exit_code == 1, done.output
        records[workers] = [_timeless(json.loads(line)) for line in journal.read_text().splitlines()]
        shown[workers] = done.stdout[done.stdout.index("\ntarget") :]
    assert records[1] == records[3]
    assert shown[1] == shown[3]
    assert "refuted" in shown[1]
