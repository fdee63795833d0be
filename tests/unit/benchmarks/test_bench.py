"""The bench command: plans, tables, what is kept and compared; nothing here asserts a time."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from rnn_harness.arithmetic.assumptions import SPLIT_TF32_OPERANDS, TF32_OPERANDS
from rnn_harness.benchmarks import QUICK, plan_jobs, run_jobs
from rnn_harness.benchmarks.run import run_job
from rnn_harness.benchmarks.speed.competitors import Competitor, competitors, draw_point
from rnn_harness.benchmarks.speed.correctness import wrong_number
from rnn_harness.benchmarks.speed.grid_point import TIMED_SPECS, SpeedPoint, WeightBlock
from rnn_harness.benchmarks.speed.memory import peak_memory_mb
from rnn_harness.benchmarks.speed.roofline import Roofline, work_done
from rnn_harness.benchmarks.speed.speed import with_interval
from rnn_harness.benchmarks.speed.stopwatch import CONTROL, median_interval, ratio_interval, time_interleaved
from rnn_harness.cli import _bench_cells
from rnn_harness.cli._app import app
from rnn_harness.cli._bench_conclusions import bench_conclusion, wrong_measurements
from rnn_harness.cli._bench_options import BenchOptions, CellOptions
from rnn_harness.cli._bench_run import PendingJobs, job_digest, pending_jobs
from rnn_harness.errors import ExitCode, UsageError
from rnn_harness.kernels.checks.recognise_arithmetic import round_significand
from rnn_harness.records import dependencies
from rnn_harness.records.measurement import DecayMeasurement, FailedBenchmark, SpeedMeasurement, read_measurements
from rnn_harness.records.measurement_history import compare_measurements, load_measurements, save_measurements
from rnn_harness.runtime.file_lock import FileLock
from rnn_harness.runtime.worker import Ending, WorkerEnded
from rnn_harness.runtime.worker_pool import WorkerPool
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject
from rnn_harness.validation.isolation import WrongUse
from tests.helpers import HELPERS
from tests.helpers.jobs import three

RUN = CliRunner()
without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="not run: there is a CUDA device")


def _measured(seconds: float, spread: float = 0.01, **fields: object) -> SpeedMeasurement:
    base = {"subject": "reference", "spec": "rnn.tanh", "phase": "both", "agrees": True, "machine": "m"}
    interval = {"median": seconds, "ci_low": seconds * (1 - spread), "ci_high": seconds * (1 + spread)}
    return SpeedMeasurement.model_validate({**base, "samples": (seconds,), **interval, "control": (1.0,), **fields})


def test_the_plan_says_what_would_run_and_runs_nothing() -> None:
    result = RUN.invoke(app, ["bench", "--full", "--plan"])
    assert result.exit_code == 0
    assert "speed of lstm.column, n = 256, d = 256, B = 64, T = 50" in result.stdout
    assert "speed of gru.sigma, n = 64" in result.stdout
    total = float(result.stdout.splitlines()[-1].split()[0])
    assert total < 900


def test_the_command_pins_the_threads_of_blas_before_numpy_reads_them() -> None:
    code = (
        "import os, sys\n"
        "from rnn_harness.cli import _bench, _bench_run\n"
        "assert 'numpy' not in sys.modules\n"
        "_bench_run.pin_threads(1)\n"
        "print(os.environ['OPENBLAS_NUM_THREADS'], os.environ['OMP_NUM_THREADS'])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["1", "1"]


@pytest.mark.filterwarnings("ignore")  # torch's own, when it compiles
def test_a_spec_is_timed_with_its_own_kernels() -> None:
    titles = [job.title for job in plan_jobs(QUICK, ("speed",), ("rnn",), "float32", specs=("rnn.sigma",))]
    assert titles == ["speed of rnn.sigma, n = 64, d = 64, B = 16, T = 50"]
    first = itertools.islice(competitors(SpeedPoint("rnn.sigma", 4, 3, 2, 5)), 3)  # the further ones are compiled
    assert [competitor.name for competitor in first] == ["reference", "eager/rnn.sigma", "function/rnn.sigma"]


def test_the_memory_of_a_call_is_that_of_its_arrays() -> None:
    megabytes = peak_memory_mb(lambda: (np.ones(1 << 20), torch.ones(1 << 19, dtype=torch.float64)))
    assert 12 <= megabytes < 12.5


def test_the_roofline_is_the_peak_or_what_memory_can_feed() -> None:
    """One row, one step: the share of starved memory is that of the bytes it moved."""
    point = SpeedPoint("lstm.column", 64, 64, 1, 1)
    fed = work_done(point, "forward", 1.0, Roofline(1e9, 1e12))
    assert fed.share_of_roofline == fed.share_of_peak == pytest.approx(point.operations / 1e9)
    starved = work_done(point, "forward", 1.0, Roofline(1e9, 1e3))
    assert starved.share_of_roofline == pytest.approx(fed.bytes_moved / 1e3)


def test_a_step_multiplies_by_each_weight_once() -> None:
    assert SpeedPoint("lstm.column", 3, 5, 2, 7).operations == 2 * 4 * 5 * (3 + 5) * 2 * 7
    assert SpeedPoint("lstm.peephole", 3, 5, 2, 7).operations == 2 * (4 * 5 * (3 + 5) + 3 * 25) * 2 * 7
    assert SpeedPoint("gru.reset_after", 5, 5, 2, 7).weight_rows == {
        WeightBlock(5, of_inputs=True): 15,
        WeightBlock(5, of_inputs=False): 15,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bench", "size"], "there is no measurement 'size'; there are parameters, decay, speed"),
        (["bench", "--families", "rnn,tcn"], "there is no family 'tcn'; there are rnn, gru, lstm"),
        (["bench", "--dtype", "int8"], "there is no dtype 'int8'; there are float32, float64"),
        (["bench", "speed", "--spec", "gru.kept"], "there is no spec 'gru.kept'; did you mean gru."),
        (["bench", "decay", "--backend", "ray"], "--backend ray needs --scheduler host:port"),
        (["bench", "decay", "--backend", "spark"], "there is no backend 'spark'; there are loky, dask, ray"),
        (["bench", "speed", "--device", "tpu"], "there is no device 'tpu'; there are cpu, cuda"),
        pytest.param(["bench", "speed", "--device", "cuda"], "there is no CUDA device here", marks=without_cuda),
        (["bench", "--quick", "--full"], "two plans: give one of them"),
        (["bench", "--fail-on", "10%"], "--fail-on needs something to compare with"),
        (["bench", "--compare", "x", "--fail-on", "much"], "--fail-on 'much' is no share"),
        (["bench", "--quick", "--compare", "never"], "no measurements are kept as 'never'"),
        (["bench", "parameters", "--save", "a/b"], "'a/b' cannot name measurements"),
        (["bench", "parameters", "--save", ""], "'' cannot name measurements"),
        (["bench", "--compare", "x", "--fail-on", "nan"], "--fail-on 'nan' is no share"),
        (["bench", "--compare", "x", "--fail-on", "inf"], "--fail-on 'inf' is no share"),
        (["bench", "--threads", "100000", "--plan"], "--threads 100000: there are"),
        (["bench", "--scheduler", "host:1", "parameters"], "--scheduler host:1 is of --backend dask"),
        (["bench", "decay", "--spec", "gru.sigma", "--dtype", "float64"], "--dtype is for speed, which decay"),
        (["bench", "parameters", "--other-machine"], "--other-machine needs something to compare with"),
        (["bench", "speed", "--spec", "gru.sigma", "--families", "rnn"], "instead of --families rnn"),
        (["bench", "learning", "--spec", "mgu"], "--spec is for parameters, decay, speed, which learning leaves out"),
        (["bench", "speed", "--spec", "loss.cross_entropy"], "loss.cross_entropy is no bare cell"),
        (["bench", "speed", "--spec", "nosuch.toml"], "nosuch.toml: "),
        (["bench", "--cell", "nosuch.py:X", "speed", "--plan"], "there is no file nosuch.py"),
        (["bench", "decay", "--init", "a=1"], "--init is for cells, of which none is named: give --cell TARGET"),
        (["bench", "decay", "--init", "a", "--cell", "torch.nn:RNN"], "--init 'a' is no key=value"),
    ],
)
def test_wrong_use_is_told(arguments: list[str], message: str, tmp_path: Path, in_process: None) -> None:
    result = RUN.invoke(app, [*arguments, "--keep-in", str(tmp_path)])
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["--save", "a b"], ["--save", "one", "--keep-in", "{}/file/kept"], ["--records", "{}/file/all.jsonl"]],
    ids=["a name that is none", "a folder that is none", "records that cannot be written"],
)
def test_where_nothing_can_be_kept_nothing_is_measured(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("rnn_harness.cli._bench.measure_with_progress", lambda *_: pytest.fail("it was measured"))
    result = RUN.invoke(app, ["bench", "parameters", *(part.format(tmp_path) for part in arguments)])
    assert result.exit_code == 2
    assert "cannot" in result.stderr


def test_the_plan_names_the_cells_that_are_timed_too(in_process: None) -> None:
    result = RUN.invoke(app, ["bench", "speed", "--quick", "--families", "gru", "--cell", "torch.nn:GRU", "--plan"])
    assert result.exit_code == 0
    assert "B = 16, T = 50, with torch.nn:GRU" in result.stdout


def test_what_a_cells_worker_says_is_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    job = plan_jobs(QUICK, ("speed",), ("rnn",), "float32")[0]
    messages: list[object] = [
        _measured(1.0),
        WorkerEnded(Ending.TIMEOUT, "did not come back within 4 s", in_target=True),
    ]
    monkeypatch.setattr(_bench_cells, "run_in_worker", lambda *_, **__: iter(messages))
    options = cast(BenchOptions, SimpleNamespace(cell_options=CellOptions(timeout=4.0)))
    measured, failed = run_job(_bench_cells.in_worker(options, job))
    assert measured == _measured(1.0, job=job.title, plan=job.plan)
    assert (failed.kind, failed.job) == ("failed", job.title)
    assert failed.reason == "did not come back within 4 s; --timeout SECONDS gives it longer"
    assert not wrong_measurements([failed, measured])
    assert bench_conclusion([failed, measured]).verdict.startswith("1 measurements; 1 could not be made: ")
    messages[:] = [WrongUse("it is no cell that is timed")]
    with pytest.raises(UsageError, match="it is no cell that is timed"):
        run_job(_bench_cells.in_worker(options, job))


@pytest.mark.process
@pytest.mark.deep("tests/unit/benchmarks/test_bench.py::test_what_a_cells_worker_says_is_what_is_measured")
def test_a_cell_that_ends_its_process_ends_no_benchmark(tmp_path: Path) -> None:
    arguments = ["bench", "speed", "--quick", "--families", "rnn", "--cell"]
    result = RUN.invoke(app, [*arguments, f"{HELPERS / 'user_cells.py'}:LeavingAtOnce"])
    assert result.exit_code == 3
    assert "LeavingAtOnce: its process ended with exit code 9" in result.stdout
    cell = tmp_path / "leaving.py"
    cell.write_text(
        "import os, torch\n\n\nclass Cell(torch.nn.RNNCell):\n    def forward(self, x, h=None):\n"
        "        return super().forward(x, h) if x.dtype == torch.float64 else os._exit(0)\n",
        encoding="utf-8",
    )
    result = RUN.invoke(app, [*arguments, f"{cell}:Cell"])
    assert result.exit_code == 3, result.output
    assert "its process ended with exit code 0" in result.stdout


def test_measurements_with_nothing_in_common_are_not_said_to_be_unchanged(tmp_path: Path) -> None:
    folder = ["--keep-in", str(tmp_path)]
    save_measurements("base", [_measured(1.0)], tmp_path)
    result = RUN.invoke(app, ["bench", "parameters", "--compare", "base", *folder])
    assert result.exit_code == 3
    assert "nothing to compare: base and this have no measured times" in result.stderr
    assert "no change" not in result.stdout


def test_decay_is_measured_kept_and_held_against_itself(tmp_path: Path) -> None:
    arguments = ["bench", "decay", "--quick", "--families", "rnn", "--keep-in", str(tmp_path)]
    first = RUN.invoke(app, [*arguments, "--save", "one", "--records", str(tmp_path / "all.jsonl")])
    assert first.exit_code == 0, first.stdout
    assert "sigmoid RNN" in first.stdout
    assert {row.kind for row in read_measurements(tmp_path / "all.jsonl")} == {"decay"}
    again = RUN.invoke(app, [*arguments, "--compare", "one", "--fail-on", "5%"])
    assert again.exit_code == 0
    assert "no change beyond noise" in again.stdout


def test_no_time_is_shown_of_what_is_not_right() -> None:
    from rich.console import Console

    from rnn_harness.reports.text.benchmarks import print_bench

    console = Console(record=True, width=140)
    wrong = _measured(1.0, agrees=False, reason="the gradient of W_h is off", share_of_roofline=0.5)
    print_bench(console, [wrong, _measured(2.0, subject="other", share_of_roofline=0.25)])
    text = console.export_text()
    assert "not right: the gradient of W_h is off" in text
    assert "1.00" not in text
    assert "2.00 ± 0.02 s" in text


@pytest.mark.parametrize(
    ("new", "real"),
    [
        (_measured(1.0), False),
        (_measured(1.2), True),
        (_measured(0.8), True),
        (_measured(1.2, 0.3), False),  # its interval reaches the old one
        (_measured(1.2, control=(1.2,)), False),  # the machine was slower
    ],
    ids=["the same", "slower", "faster", "noisy", "a slower machine"],
)
def test_only_what_is_beyond_noise_is_a_change(new: SpeedMeasurement, real: bool) -> None:
    (change,) = compare_measurements([_measured(1.0)], [new])
    assert change.is_real is real


def test_times_of_other_machines_are_not_compared_unasked(tmp_path: Path) -> None:
    save_measurements("old", [_measured(1.0, machine="another")], tmp_path)
    old = load_measurements("old", tmp_path)
    with pytest.raises(ValueError, match="times of different machines say nothing of a change"):
        compare_measurements(old, [_measured(1.0)])
    assert len(compare_measurements(old, [_measured(1.0)], across_machines=True)) == 1


def test_every_competitor_has_right_numbers_at_its_place_of_the_grid() -> None:
    for family in ("rnn", "gru", "lstm"):
        timed: list[Competitor] = list(competitors(SpeedPoint(TIMED_SPECS[family], 6, 5, 3, 7)))
        assert len(timed) >= 3
        assert {row.name: row.wrong_number() for row in timed} == {row.name: None for row in timed}


def test_a_competitor_with_a_wrong_gradient_or_a_wrong_step_is_not_timed_unseen() -> None:
    spec = library().spec("rnn.tanh")
    right = Subject.of(spec)
    arrays = draw_point(SpeedPoint("rnn.tanh", 4, 3, 2, 5), right)

    class Off(type(right.cell)):  # type: ignore[misc]
        def backward(self, *arguments: object) -> object:
            result = super().backward(*arguments)
            result.parameters["W_h"][0, 0] *= 1.01
            return result

    class Late(type(right.cell)):  # type: ignore[misc]
        def forward(self, *arguments: object) -> object:
            result = super().forward(*arguments)
            result.finals["h"][...] *= 1 + np.float32(1e-4)
            return result

    assert "the gradient of W_h" in (wrong_number(Subject.of(spec, Off()), arrays) or "")
    assert "state h after the last step" in (wrong_number(Subject.of(spec, Late()), arrays) or "")


def test_a_competitor_that_openly_shortens_operands_is_judged_by_those() -> None:
    spec = library().spec("rnn.tanh")
    right = Subject.of(spec)
    arrays = draw_point(SpeedPoint("rnn.tanh", 33, 32, 2, 5), right)

    class Shortened(type(right.cell)):  # type: ignore[misc]
        def forward(self, parameters: dict[str, Any], *arguments: object) -> object:
            return super().forward({k: round_significand(v, 11) for k, v in parameters.items()}, *arguments)

    shortened = Subject.of(spec, Shortened())
    assert "state h after the last step" in (wrong_number(shortened, arrays) or "")
    assert wrong_number(shortened, arrays, TF32_OPERANDS) is None
    assert wrong_number(shortened, arrays, SPLIT_TF32_OPERANDS) is not None


def test_samples_are_taken_in_turns_with_a_control() -> None:
    order: list[str] = []
    calls = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    samples = time_interleaved(calls, rounds=3)
    assert set(samples) == {"a", "b", CONTROL}
    assert {len(values) for values in samples.values()} == {3}
    assert ratio_interval(samples, "a", "a").median == 1


def test_a_backward_lost_in_noise_has_no_time() -> None:
    base = SpeedMeasurement(subject="x", spec="rnn.tanh", phase="backward", share_of_peak=1.7)
    lost = with_interval(base.model_copy(update={"samples": (-0.1, 0.2, 0.1)}))
    assert lost.median is None
    assert lost.share_of_peak is None
    assert "lost in noise" in lost.reason
    assert with_interval(base.model_copy(update={"samples": (0.1, 0.2, 0.1)})).median == 0.1


def test_the_interval_of_a_median_holds_it() -> None:
    interval = median_interval([5.0, 1.0, 4.0, 2.0, 3.0])
    assert interval.ci_low <= interval.median == 3.0 <= interval.ci_high


def test_a_job_that_raises_or_whose_worker_dies_is_told_and_the_others_are_done() -> None:
    with pytest.warns(UserWarning, match=r"the workers ended .*; the \d jobs left run here, one by one"):
        by_title = {job.title: measurements for job, measurements in run_jobs(three(), WorkerPool(2))}
    assert set(by_title) == {"fine", "raising", "dying", "also fine"}
    assert by_title["fine"][0].job == "fine"
    assert by_title["also fine"][0].agrees
    assert by_title["raising"][0].reason == "ZeroDivisionError: no such luck"
    assert "its process died" in by_title["dying"][0].reason
    for title in ("raising", "dying"):
        (failure,) = by_title[title]
        assert isinstance(failure, FailedBenchmark)
        assert failure.job_kind == "learning"


def test_what_is_recorded_is_not_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    arguments = ["bench", "decay", "--quick", "--records", str(path)]
    assert RUN.invoke(app, [*arguments, "--families", "rnn"]).exit_code == 0
    before = read_measurements(path)
    refused = RUN.invoke(app, [*arguments, "--families", "rnn"])
    assert refused.exit_code == 2
    assert "give --resume to go on" in refused.stderr
    assert RUN.invoke(app, [*arguments, "--families", "rnn,gru", "--resume", "--workers", "2"]).exit_code == 0
    after = read_measurements(path)
    assert after[: len(before)] == before
    assert {row.subject for row in after[len(before) :]} == {"GRU", "GRU, reset before", "GRU, d = 149"}


def test_a_job_is_run_again_where_what_it_depends_on_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = plan_jobs(QUICK, ("decay", "speed"), ("rnn",), "float32")
    row = DecayMeasurement(subject="x", spec="rnn.tanh", initialisation="torch", rate=0.5, lyapunov_exponent=-0.7)
    recorded = [row.model_copy(update={"job": job.title, "depends_on": job_digest(job)}) for job in jobs]
    other = row.model_copy(update={"job": "a job of another plan"})
    assert pending_jobs(jobs, [*recorded, other]) == PendingJobs((), (*recorded, other))
    speed = [job for job in jobs if job.kind == "speed"]
    in_float64 = [replace(job, settings=("float64", "cpu")) for job in speed]
    assert pending_jobs(in_float64, recorded).jobs == tuple(in_float64)
    with_cells = [replace(job, times_candidates=True) for job in jobs]
    assert pending_jobs(with_cells, recorded).jobs == tuple(with_cells)
    monkeypatch.setattr(dependencies, "versions", lambda: "torch 1.0.0")
    assert pending_jobs(jobs, [*recorded, other]) == PendingJobs(tuple(jobs), (other,))


def test_a_cluster_that_is_not_there_is_told() -> None:
    result = RUN.invoke(app, ["bench", "decay", "--quick", "--backend", "dask"])
    assert result.exit_code == 2
    assert "--scheduler tcp://host:port" in result.stderr or "pip install 'rnn-harness[dask]'" in result.stderr


def test_two_runs_do_not_write_to_one_file_of_measurements(tmp_path: Path) -> None:
    path = tmp_path / "times.jsonl"
    with FileLock(path):
        result = RUN.invoke(app, ["bench", "parameters", "--records", str(path)])
    assert result.exit_code == ExitCode.WRONG_USE
    assert f"another run is writing to {path}" in result.stderr
