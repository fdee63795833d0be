"""A run on a GPU machine that was stopped is gone on with: what is unchanged is not done again, all else is."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from rnn_harness.gpu import GpuRunOptions, run, run_on_gpu
from rnn_harness.gpu import run_digest as run_digest_module
from rnn_harness.gpu.earlier_run import EarlierRun
from rnn_harness.gpu.probes import COOPERATIVE, PROBES
from rnn_harness.gpu.sizes import SizeJob, size_digest, size_jobs
from rnn_harness.gpu.times import TimedPoint, timed_points
from rnn_harness.kernels import Setting
from rnn_harness.records.gpu_evidence import (
    MACHINE,
    TIMES,
    VERDICTS,
    MachineFact,
    ProbeResult,
    RunStart,
    StageEnd,
    read_machine_rows,
)
from rnn_harness.records.measurement import SpeedMeasurement, read_measurements
from rnn_harness.records.read_records import read_records
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.text.gpu import gpu_summary
from rnn_harness.runtime.worker import Ending, WorkerEnded
from rnn_harness.runtime.worker_shares import ItemMessage, ItemStarted
from tests.unit.gpu.test_gpu_run import fake_card, verdict

__all__ = ["fake_card"]
pytestmark = pytest.mark.usefixtures("fake_card")


class Stopped(KeyboardInterrupt):
    """The run is stopped from outside."""


class Shares:
    """In the place of the worker processes: answers every item at once, and is stopped after some."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[object] = []
        self.stop_after = math.inf
        self.crashing: set[str] = set()
        monkeypatch.setattr(run, "run_shares", self.run)
        monkeypatch.setattr(run, "judge_isolated", self.judge)

    def run(self, work: object, items: list[object], *_: object) -> Iterator[ItemMessage[BaseModel]]:
        for number, item in enumerate(items):
            if len(self.done) >= self.stop_after:
                raise Stopped
            self.done.append(item)
            yield ItemMessage(number, ItemStarted(0))
            for row in self.answers(item):
                yield ItemMessage(number, row)

    def answers(self, item: object) -> list[BaseModel | WorkerEnded]:
        if isinstance(item, SizeJob):
            record = verdict(Outcome.AGREES, item.sizes[1], item.kernel_id)
            digest = {"depends_on": size_digest(item), "batch_size": 1, "dtype": item.setting.dtype}
            name = "scale." + "-".join(f"{letter}{size}" for letter, size in zip("ndBT", item.sizes, strict=True))
            return [record.model_copy(update={**digest, "check": name})]
        if isinstance(item, TimedPoint):
            sizes = {"n": item.d, "d": item.d, "B": item.B, "T": item.T}
            return [
                SpeedMeasurement(
                    subject=subject,
                    spec=item.spec,
                    sizes=sizes,
                    dtype=dtype,
                    phase=phase,
                    device="cuda",
                    median=1e-3,
                    depends_on=item.digest,
                )
                for subject, dtype, phase in sorted(item.titles)
            ]
        if isinstance(item, str):
            return [MachineFact(subject="device", value="a card")]
        probe = PROBES[item.number]  # type: ignore[attr-defined]
        if probe.title in self.crashing:
            return [WorkerEnded(Ending.TIMEOUT, "gave no answer for 40 s")]
        return [ProbeResult(probe=probe.title, prediction=probe.prediction, result="right")]

    def judge(self, kernels: tuple[object, ...], known: object, limits: object) -> Iterator[Record]:
        self.done.append("verdicts")
        yield from ()


@pytest.fixture
def shares(monkeypatch: pytest.MonkeyPatch) -> Shares:
    return Shares(monkeypatch)


@pytest.fixture(autouse=True)
def few_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "size_jobs", lambda device, split: size_jobs(device, split)[:4])
    monkeypatch.setattr(run, "timed_points", lambda device, split: timed_points(device, split)[:3])


def options(out: Path, resume: bool = True, stages: tuple[str, ...] = ()) -> GpuRunOptions:
    return GpuRunOptions(out, 100, 1, stages=stages, resume=resume)


ALL = 1 + len(PROBES) + 4 + 3 + 1
"""Items of a whole run: the machine, probes, sizes, points of times, verdicts."""


@pytest.mark.parametrize("place", [1, 5, 1 + len(PROBES), 3 + len(PROBES), 6 + len(PROBES)])
def test_what_was_done_before_it_was_stopped_is_not_done_again(place: int, shares: Shares, tmp_path: Path) -> None:
    shares.stop_after = place
    folders: list[Path] = []
    with pytest.raises(Stopped):
        run_on_gpu(options(tmp_path), on_folder=lambda folder, _: folders.append(folder))
    before = list(shares.done)
    assert len(before) == place
    shares.stop_after = math.inf
    folder = run_on_gpu(options(tmp_path))
    assert folder == folders[0]
    again = shares.done[place:]
    assert not [item for item in again if item in before and not isinstance(item, str)]
    assert len(shares.done) == ALL
    rows = read_machine_rows(folder)
    assert [row.probe for row in rows if isinstance(row, ProbeResult)] == [probe.title for probe in PROBES]
    assert len(list(read_records(folder / VERDICTS))) == 4
    assert len((folder / VERDICTS).read_text().splitlines()) == 4
    times = read_measurements(folder / TIMES)
    assert len(times) == len({time.key for time in times}) == sum(len(p.titles) for p in timed_points("cuda")[:3])
    assert [row.ending for row in rows if isinstance(row, StageEnd)].count("interrupted") == 1
    assert "- gone on at " in gpu_summary(rows, [], [])


def test_a_finished_run_is_not_done_again(shares: Shares, tmp_path: Path) -> None:
    folder = run_on_gpu(options(tmp_path, resume=False))
    whole = [(folder / name).read_text() for name in (VERDICTS, TIMES)]
    count = len(shares.done)
    assert run_on_gpu(options(tmp_path)) == folder
    assert shares.done[count:] == ["verdicts"]
    assert [(folder / name).read_text() for name in (VERDICTS, TIMES)] == whole


def test_without_resume_a_new_run_begins_and_says_that_one_was_stopped(shares: Shares, tmp_path: Path) -> None:
    shares.stop_after = 5
    with pytest.raises(Stopped):
        run_on_gpu(options(tmp_path, resume=False))
    shares.stop_after = math.inf
    said: list[str] = []
    folder = run_on_gpu(options(tmp_path, resume=False), on_folder=lambda _, note: said.append(note))
    assert folder.name.endswith("-2")
    assert len(said) == 1
    assert said[0].endswith("was not finished: --resume goes on with it")


@pytest.mark.parametrize("changed", ["package_version", "device_description"])
def test_a_run_of_other_versions_or_another_device_is_not_gone_on_with(
    changed: str, shares: Shares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares.stop_after = 15
    with pytest.raises(Stopped):
        run_on_gpu(options(tmp_path))
    shares.stop_after = math.inf
    monkeypatch.setattr(run_digest_module, changed, lambda _: "another")
    said: list[str] = []
    first = [path.read_bytes() for path in sorted(tmp_path.rglob("*.jsonl"))]
    folder = run_on_gpu(options(tmp_path), on_folder=lambda _, note: said.append(note))
    assert folder.name.endswith("-2")
    assert said == ["there is no run of just this to go on with: a new one begins"]
    assert len(shares.done) == 15 + ALL
    assert [path.read_bytes() for path in sorted(tmp_path.rglob("*.jsonl")) if path.parent != folder] == first


def test_a_verdict_that_depends_on_something_else_is_made_again(shares: Shares, tmp_path: Path) -> None:
    folder = run_on_gpu(options(tmp_path))
    lines = (folder / VERDICTS).read_text().splitlines()
    other = Record.model_validate_json(lines[1]).model_copy(update={"depends_on": "of another size"})
    (folder / VERDICTS).write_text("\n".join([lines[0], other.model_dump_json(), *lines[2:], ""]))
    count = len(shares.done)
    run_on_gpu(options(tmp_path))
    assert [item for item in shares.done[count:] if isinstance(item, SizeJob)] == size_jobs("cuda")[1:2]
    assert len((folder / VERDICTS).read_text().splitlines()) == 4


def test_a_line_that_was_being_written_is_cut_off_and_its_item_done_again(shares: Shares, tmp_path: Path) -> None:
    folder = run_on_gpu(options(tmp_path))
    for name in (MACHINE, VERDICTS, TIMES):
        text = (folder / name).read_text()
        (folder / name).write_text(text[:-30])
    count = len(shares.done)
    run_on_gpu(options(tmp_path))
    again = shares.done[count:]
    assert [item for item in again if isinstance(item, SizeJob)] == size_jobs("cuda")[3:4]
    assert [item for item in again if isinstance(item, TimedPoint)] == timed_points("cuda")[2:3]
    assert len((folder / VERDICTS).read_text().splitlines()) == 4
    times = read_measurements(folder / TIMES)
    assert len(times) == len({time.key for time in times}) == sum(len(p.titles) for p in timed_points("cuda")[:3])


def test_a_probe_whose_process_ended_is_asked_again(shares: Shares, tmp_path: Path) -> None:
    shares.crashing = {PROBES[3].title}
    folder = run_on_gpu(options(tmp_path))
    shares.crashing, count = set(), len(shares.done)
    run_on_gpu(options(tmp_path))
    assert len(shares.done) == count + 2
    rows = [row for row in read_machine_rows(folder) if isinstance(row, ProbeResult)]
    assert len(rows) == len(PROBES)
    assert {row.result for row in rows} == {"right"}


def test_what_the_first_probe_said_still_decides(shares: Shares, tmp_path: Path) -> None:
    shares.crashing = {COOPERATIVE}
    shares.stop_after = 1 + len(PROBES)
    with pytest.raises(Stopped):
        run_on_gpu(options(tmp_path))
    answered = ProbeResult(probe=COOPERATIVE, prediction="", result="wrong: off by 1")
    earlier = EarlierRun(rows=(answered,))
    assert not run._answered(GpuRunOptions(tmp_path, 100, 1, earlier=earlier), earlier.answers[0]).with_split


def test_a_time_says_what_was_judged_after_it(shares: Shares, tmp_path: Path) -> None:
    folder = run_on_gpu(options(tmp_path, stages=("times",)))
    assert {time.agrees for time in read_measurements(folder / TIMES)} == {None}
    run_on_gpu(options(tmp_path, stages=("sizes", "times")))
    judged = {(job.kernel_id, job.setting.dtype) for job in size_jobs("cuda")[:4]}
    for measured in read_measurements(folder / TIMES):
        assert isinstance(measured, SpeedMeasurement)
        is_judged = (measured.subject, measured.dtype) in judged and measured.sizes["d"] == 64
        assert (measured.agrees, measured.reason) == ((True, "") if is_judged else (None, "not judged at this size"))


def test_that_a_process_ended_is_forgotten_when_its_kernel_is_judged_to_the_end(
    shares: Shares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = verdict(Outcome.REFUTED).model_copy(update={"check": "kernel.process"})
    left_out = verdict(Outcome.NOT_RUN, kernel="fused/rnn.tanh").model_copy(update={"check": "kernel.process"})
    monkeypatch.setattr(run, "judge_isolated", lambda *_, **__: iter([ended, left_out]))
    folder = run_on_gpu(options(tmp_path, stages=("verdicts",)))
    run_on_gpu(options(tmp_path, stages=("machine",)))
    (record,) = read_records(folder / VERDICTS)
    assert (record.check, record.outcome) == ("kernel.process", Outcome.REFUTED)
    whole = verdict(Outcome.AGREES).model_copy(update={"check": "forward.bound", "depends_on": "x", "batch_size": 1})
    monkeypatch.setattr(run, "judge_isolated", lambda *_, **__: iter([whole]))
    run_on_gpu(options(tmp_path, stages=("verdicts",)))
    assert [record.check for record in read_records(folder / VERDICTS)] == ["forward.bound"]


def test_a_damaged_folder_is_in_nobodys_way(shares: Shares, tmp_path: Path) -> None:
    folder = run_on_gpu(options(tmp_path))
    (folder / MACHINE).write_text("nonsense\n" + (folder / MACHINE).read_text())
    assert run_on_gpu(options(tmp_path)).name == f"{folder.name}-2"


def test_a_run_says_when_it_began_and_what_it_depends_on(shares: Shares, tmp_path: Path) -> None:
    (start,) = (row for row in read_machine_rows(run_on_gpu(options(tmp_path))) if isinstance(row, RunStart))
    assert len(start.depends_on) == 32
    assert start.started.startswith("20")


@pytest.mark.parametrize(
    "other",
    [
        SizeJob("fused/rnn.tanh", Setting("float32", "cuda"), (3, 17, 2, 1)),
        SizeJob("fused/rnn.tanh", Setting("bfloat16", "cuda"), (3, 16, 2, 1)),
        SizeJob("fused/rnn.sigma", Setting("float32", "cuda"), (3, 16, 2, 1)),
        SizeJob("fused/rnn.tanh", Setting("float32", "cpu"), (3, 16, 2, 1)),
    ],
    ids=["size", "format", "kernel", "device"],
)
def test_a_verdict_at_a_size_depends_on_kernel_format_device_and_sizes(other: SizeJob) -> None:
    assert size_digest(other) != size_digest(SizeJob("fused/rnn.tanh", Setting("float32", "cuda"), (3, 16, 2, 1)))


@pytest.mark.process
@pytest.mark.deep("tests/unit/gpu/test_gone_on_with.py::test_what_was_done_before_it_was_stopped_is_not_done_again")
def test_a_trial_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    pytest.importorskip("triton", reason="not run: triton is not installed")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "rnn_harness", "gpu", str(out), "--interpret", "--stages", "machine,sizes"]
    command += ["--workers", "1", "--budget", "1200"]

    def verdicts() -> list[str]:
        files = list(out.glob(f"*/{VERDICTS}"))
        return files[0].read_text().splitlines() if files else []

    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while len(verdicts()) < 3 and process.poll() is None:
        time.sleep(0.05)
    process.kill()
    process.wait()
    before = verdicts()
    expected = len(size_jobs("cpu"))
    assert 3 <= len(before) < expected
    second = subprocess.run([*command, "--resume"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "what an earlier run has found there is not done again" in second.stderr
    after = verdicts()
    assert after[: len(before)] == before
    assert len(after) == len({Record.model_validate_json(line).key for line in after}) == expected
    assert second.stdout.startswith("# GPU run")
    assert "- gone on at " in second.stdout
