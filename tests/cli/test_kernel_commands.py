"""``rnn-harness kernels`` and ``rnn-harness verify --kernels`` as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from rnn_harness.cli._app import app

RUN = CliRunner()


def test_kernels_lists_every_kernel_with_its_spec_and_why_it_is_not_here() -> None:
    result = RUN.invoke(app, ["kernels", "--json", "-", "nn.LSTM", "fused"])
    rows = json.loads(result.stdout)
    assert result.exit_code == 0
    assert {"nn.LSTM/native", "nn.LSTM/onednn", "nn.LSTM/cudnn", "fused/lstm.peephole"} <= {r["kernel"] for r in rows}
    assert all(row["reason"] for row in rows if row["kernel"] == "nn.LSTM/onednn" and row["dtype"] == "float16")


def test_kernels_as_a_table_says_how_to_judge_them() -> None:
    result = RUN.invoke(app, ["kernels", "eager"])
    assert result.exit_code == 0
    assert "eager/lstm.peephole" in result.stdout
    assert "rnn-harness verify --kernels" in result.stdout


def test_verify_kernels_prints_and_records_bits_and_what_ran_and_judges_nothing_twice(
    tmp_path: Path, in_process: None
) -> None:
    path = tmp_path / "kernels.jsonl"
    arguments = ["verify", "--kernels", "nn.RNNCell", "--examples", "0", "--records", str(path)]
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 0, result.stdout
    assert "0 refuted" in result.stdout
    assert "bits, T=1000" in result.stdout
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    decided = [row for row in rows if row["outcome"] == "agrees"]
    assert {row["kernel"] for row in rows} == {"nn.RNNCell"}
    assert all(row["ran"] == "aten::rnn_tanh_cell" and row["device"].startswith(("cpu (", "cuda (")) for row in decided)
    assert any(row["device"].startswith("cpu (") for row in decided)
    again = RUN.invoke(app, [*arguments, "--resume", "--json", "-"])
    assert len(json.loads(again.stdout)["records"]) == len(rows)
    assert path.read_text().count("\n") == len(rows)


def test_an_unknown_kernel_ends_with_exit_code_2_and_the_nearest_names() -> None:
    result = RUN.invoke(app, ["verify", "--kernels", "nn.GRUU"])
    assert result.exit_code == 2
    assert "there is no kernel 'nn.GRUU'" in result.stderr
    assert "Traceback" not in result.stderr
