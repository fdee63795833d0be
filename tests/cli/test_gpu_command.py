"""``rnn-harness gpu`` as a user runs it where there is no GPU, and the summary that it writes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from rnn_harness.cli._app import app
from rnn_harness.cli._gpu import _ended_like_ctrl_c, write_summary
from rnn_harness.records.gpu_evidence import MACHINE, SUMMARY, TIMES, VERDICTS, MachineFact, ProbeResult

RUN = CliRunner()


def test_without_a_gpu_the_command_ends_with_a_sentence_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = RUN.invoke(app, ["gpu", str(tmp_path / "gpu")])
    assert result.exit_code == 2
    assert "rnn-harness: there is no GPU to run on" in result.stderr
    assert "--interpret" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "gpu").exists()


def test_a_stage_that_there_is_not_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["gpu", str(tmp_path / "gpu"), "--stages", "probes, time"])
    assert result.exit_code == 2
    expected = "there is no stage 'time', expected some of machine, probes, sizes, times, verdicts"
    assert expected in result.stderr
    assert not (tmp_path / "gpu").exists()


def test_a_termination_interrupts_the_run_as_ctrl_c_does() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), _ended_like_ctrl_c():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_kernels_of_a_device_without_one_are_not_run_and_nothing_is_decided(in_process: None) -> None:
    if torch.cuda.is_available():
        pytest.skip("not run: there is a CUDA device")
    result = RUN.invoke(app, ["verify", "--kernels", "nn.GRUCell", "--device", "cuda"])
    assert result.exit_code == 3
    assert "no CUDA device" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["verify", "E-348", "--device", "cuda"], "--device cuda is for kernels: add --kernels"),
        (["verify", "E-348", "--budget", "5"], "--budget 5.0 is for kernels: add --kernels"),
        (["verify", "--kernels", "scan", "--device", "cuda"], "scan/lstm.column has no setting there"),
    ],
    ids=["a device of an equation", "a budget of an equation", "a kernel without a setting there"],
)
def test_a_device_or_a_budget_that_does_not_fit_is_refused(arguments: list[str], sentence: str) -> None:
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_the_summary_is_written_from_the_files_of_a_run(tmp_path: Path) -> None:
    rows = [
        MachineFact(subject="device", value="NVIDIA H200 (fake)"),
        ProbeResult(probe="a probe", prediction="this", result="that"),
    ]
    (tmp_path / MACHINE).write_text("".join(row.model_dump_json() + "\n" for row in rows))
    for name in (VERDICTS, TIMES):
        (tmp_path / name).write_text("")
    write_summary(tmp_path)
    text = (tmp_path / SUMMARY).read_text()
    assert text.startswith("# GPU run: NVIDIA H200 (fake)\n")
    assert "| a probe | this | that |" in text
    assert "## Kernels: nothing was decided" in text
