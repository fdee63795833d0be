"""The run on a GPU machine, tried without one: what it asks first, what it keeps, how it ends."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from pydantic import BaseModel

from rnn_harness.cases.case import Case
from rnn_harness.cli._gpu import write_summary
from rnn_harness.cli.report_inputs import ReportInputs
from rnn_harness.errors import UsageError
from rnn_harness.gpu import GpuRunOptions, run, run_on_gpu
from rnn_harness.gpu.probes import COOPERATIVE, PROBES
from rnn_harness.gpu.run import STAGES, verdict_kernels
from rnn_harness.gpu.sizes import SIZES, SizeJob, judge_size, size_jobs
from rnn_harness.gpu.times import time_point, timed_points, timed_specs
from rnn_harness.kernels import Setting
from rnn_harness.kernels.drivers.fused import unavailable_reason
from rnn_harness.records.gpu_evidence import (
    MACHINE,
    SUMMARY,
    TIMES,
    VERDICTS,
    MachineFact,
    ProbeResult,
    StageEnd,
    read_machine_rows,
)
from rnn_harness.records.measurement import SpeedMeasurement, read_measurements
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.text.gpu import gpu_summary

needs_interpreter = pytest.mark.skipif(
    unavailable_reason("cpu") is not None,
    reason=f"not run: {unavailable_reason('cpu')}; with CUDA the same is tested by tests/gpu",
)


@pytest.fixture
def fake_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200 (fake)")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)


def verdict(outcome: Outcome, d: int = 64, kernel: str = "fused/lstm.column") -> Record:
    case = Case(spec="lstm.column", dtype="bfloat16", n=4, d=d, B=2, T=1)
    return Record(
        entry="lstm.column",
        spec="lstm.column",
        check=f"scale.n4-d{d}-B2-T1",
        witness="kernel",
        outcome=outcome,
        reason="off by a mile" if outcome is Outcome.REFUTED else "",
        case=case,
        kernel=kernel,
        dtype="bfloat16",
        device="cuda",
    )


def time_of(kernel: str = "fused/lstm.column", d: int = 64) -> SpeedMeasurement:
    sizes = {"n": d, "d": d, "B": 16, "T": 100}
    return SpeedMeasurement(
        subject=kernel, spec="lstm.column", sizes=sizes, dtype="bfloat16", phase="forward", device="cuda", median=2e-4
    )


def set_stages(monkeypatch: pytest.MonkeyPatch, **rows: list[BaseModel]) -> None:
    """Let the stages give these rows."""

    def stage(name: str, given: list[BaseModel]) -> object:
        def work(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
            yield from given

        return run._Stage(name, math.inf, work)

    monkeypatch.setattr(run, "STAGES", tuple(stage(name, given) for name, given in rows.items()))


@pytest.mark.usefixtures("fake_card")
def test_every_row_is_in_its_file_before_the_next_stage_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fact = MachineFact(subject="device", value="a card")
    set_stages(monkeypatch, first=[fact], second=[verdict(Outcome.AGREES)], third=[time_of()])
    lines: list[list[int]] = []

    def count(folder: Path) -> None:
        lines.append([len((folder / name).read_text().splitlines()) for name in (MACHINE, VERDICTS, TIMES)])

    folder = run_on_gpu(GpuRunOptions(tmp_path, 100, 1), after_stage=count)
    assert lines == [[3, 0, 0], [4, 1, 0], [5, 1, 1]]
    assert folder.name.endswith("-NVIDIA-H200-fake")
    assert run_on_gpu(GpuRunOptions(tmp_path, 100, 1)).name == f"{folder.name}-2"
    assert read_machine_rows(folder)[1] == fact


@pytest.mark.usefixtures("fake_card")
def test_a_time_says_whether_the_kernel_was_right_at_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[BaseModel] = [
        verdict(Outcome.AGREES),
        verdict(Outcome.AGREES, 128),
        verdict(Outcome.REFUTED, 128),
        verdict(Outcome.AGREES, 256, "nn.LSTM/cudnn"),
    ]
    set_stages(monkeypatch, sizes=judged, times=[time_of(d=d) for d in (64, 128, 256)])
    folder = run_on_gpu(GpuRunOptions(tmp_path, 100, 1))
    times = read_measurements(folder / TIMES)
    assert [time.agrees for time in times] == [True, False, None]
    assert times[1].reason == "off by a mile"
    summary = gpu_summary(read_machine_rows(folder), [], [t for t in times if isinstance(t, SpeedMeasurement)])
    assert "| 64, 16, 100 | fused/lstm.column | bfloat16 | 2.00 | – | right |" in summary
    assert "| 128, 16, 100 | fused/lstm.column | bfloat16 | not shown | – | wrong |" in summary
    assert "| 256, 16, 100 | fused/lstm.column | bfloat16 | 2.00 | – | not judged at this size |" in summary


def test_in_the_summary_kernels_of_one_size_stand_together() -> None:
    times = [time_of(d=64), time_of(d=128), time_of("fused/lstm.noforget", d=64)]
    rows = [line for line in gpu_summary([], [], times).splitlines() if line.startswith(("| 64,", "| 128,"))]
    assert [row.split("|")[1:3] for row in rows] == [
        [" 64, 16, 100 ", " fused/lstm.column "],
        [" 64, 16, 100 ", " fused/lstm.noforget "],
        [" 128, 16, 100 ", " fused/lstm.column "],
    ]


@pytest.mark.usefixtures("fake_card")
@pytest.mark.parametrize("answer", ["right: off by 1e-7", "gave no answer for 40 s"])
def test_kernels_that_hang_when_they_meet_are_not_tried_further(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def probes(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
        yield ProbeResult(probe=COOPERATIVE, prediction="", result=answer)

    def later(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
        seen.append(options.with_split)
        yield from ()

    stages = (run._Stage("probes", math.inf, probes), run._Stage("later", math.inf, later))
    monkeypatch.setattr(run, "STAGES", stages)
    run_on_gpu(GpuRunOptions(tmp_path, 100, 1))
    assert seen == [answer.startswith("right")]
    assert not any(job.kernel_id.startswith("split") for job in size_jobs("cuda", with_split=False))


@needs_interpreter
def test_the_probe_of_meeting_programs_is_right_in_the_interpreter() -> None:
    assert PROBES[0].title == COOPERATIVE
    assert PROBES[0].ask("cpu").startswith("right: off by ")


@pytest.mark.usefixtures("fake_card")
def test_a_report_reads_the_folder_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_stages(monkeypatch, sizes=[verdict(Outcome.AGREES), verdict(Outcome.REFUTED, 128)], times=[time_of()])
    folder = run_on_gpu(GpuRunOptions(tmp_path, 100, 1))
    for path in (folder, tmp_path):  # the run itself, and what was given as OUT
        inputs = ReportInputs()
        inputs.read(path)
        assert [record.outcome for record in inputs.records.values()] == [Outcome.AGREES, Outcome.REFUTED]
        (time,) = inputs.measurements.values()
        assert (time.subject, time.agrees) == ("fused/lstm.column", True)
    other = run_on_gpu(GpuRunOptions(tmp_path, 100, 1))
    with pytest.raises(UsageError, match=rf"holds the GPU runs .*: give --from {other}, or another of them"):
        ReportInputs().read(tmp_path)


@pytest.mark.usefixtures("fake_card")
def test_where_the_budget_is_used_up_the_remaining_stages_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_stages(monkeypatch, first=[MachineFact(subject="device", value="a card")])
    folder = run_on_gpu(GpuRunOptions(tmp_path, 1, 1))  # less than what is left for the summary
    _, row = read_machine_rows(folder)
    assert isinstance(row, StageEnd)
    assert (row.stage, row.ending) == ("first", "no time left")


@pytest.mark.usefixtures("fake_card")
@pytest.mark.parametrize(
    ("limit", "budget", "ending"),
    [
        (0.02, 100, "cut by its limit after 0 s: it may not have come to everything"),
        (math.inf, 5.3, "cut by the budget of the run after 0 s: it may not have come to everything"),
        (60, 5.3, "cut by the budget of the run after 0 s: it may not have come to everything"),
    ],
    ids=["by its limit", "by the budget, as the last stage", "by the budget, before its limit"],
)
def test_a_stage_that_was_cut_says_by_what(
    limit: float, budget: float, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
        while time.monotonic() < deadline:
            time.sleep(0.01)
            yield verdict(Outcome.AGREES)

    monkeypatch.setattr(run, "STAGES", (run._Stage("cut", limit, work), run._Stage("later", math.inf, no_work)))
    if limit == math.inf:
        monkeypatch.setattr(run, "STAGES", run.STAGES[:1])
    rows = read_machine_rows(run_on_gpu(GpuRunOptions(tmp_path, budget, 1)))
    assert [row.ending for row in rows if isinstance(row, StageEnd) and row.stage == "cut"] == [ending]
    later = [row.ending for row in rows if isinstance(row, StageEnd) and row.stage == "later"]
    assert later == ([] if limit == math.inf else ["done" if budget == 100 else "no time left"])


@pytest.mark.usefixtures("fake_card")
@pytest.mark.parametrize(
    ("error", "ending"),
    [(KeyboardInterrupt(), "interrupted"), (ValueError("a bug"), "ended by ValueError: a bug")],
    ids=["interrupted", "a bug"],
)
def test_a_run_that_ends_in_a_stage_keeps_its_rows_and_writes_its_summary(
    error: BaseException, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
        yield verdict(Outcome.REFUTED)
        raise error

    monkeypatch.setattr(run, "STAGES", (run._Stage("sizes", math.inf, work), run._Stage("later", math.inf, no_work)))
    folders: list[Path] = []
    with pytest.raises(type(error)):
        run_on_gpu(GpuRunOptions(tmp_path, 100, 1), lambda _: None, write_summary, lambda made, _: folders.append(made))
    _, row = read_machine_rows(folders[0])
    assert isinstance(row, StageEnd)
    assert (row.stage, row.ending) == ("sizes", ending)
    summary = (folders[0] / SUMMARY).read_text()
    assert "## Sizes: 1 refuted; 1 kernels and formats" in summary
    assert "- fused/lstm.column, bfloat16, scale.n4-d64-B2-T1: off by a mile" in summary
    inputs = ReportInputs()
    inputs.read(folders[0])
    assert [record.outcome for record in inputs.records.values()] == [Outcome.REFUTED]


@pytest.mark.usefixtures("fake_card")
@pytest.mark.parametrize(("budget", "allowed"), [(30, 40), (480, 40), (4800, 400)])
def test_with_a_larger_budget_every_stage_may_take_as_much_more(
    budget: float, allowed: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines: list[float] = []

    def work(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
        deadlines.append(deadline - time.monotonic())
        yield from ()

    monkeypatch.setattr(run, "STAGES", (run._Stage("first", 40, work), run._Stage("last", math.inf, work)))
    run_on_gpu(GpuRunOptions(tmp_path, budget, 1))
    left = budget - run.SECONDS_AT_THE_END
    assert deadlines == pytest.approx([min(allowed, left), left], abs=10)


@pytest.mark.usefixtures("fake_card")
def test_stages_are_chosen_by_name_and_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_stages(monkeypatch, machine=[], sizes=[verdict(Outcome.AGREES)], times=[time_of()])
    run_names: list[str] = []
    run_on_gpu(GpuRunOptions(tmp_path, 100, 1, stages=("times", "machine")), run_names.append)
    assert run_names == ["machine", "times"]
    with pytest.raises(UsageError, match="--stages: there is no stage 'time', expected some of machine, sizes, times"):
        run_on_gpu(GpuRunOptions(tmp_path, 100, 1, stages=("time",)))


def test_without_torch_a_run_is_refused_with_the_python_that_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="torch is not installed here: run this with the Python whose torch"):
        run_on_gpu(GpuRunOptions(tmp_path, 100, 1))


def no_work(options: GpuRunOptions, deadline: float) -> Iterator[BaseModel]:
    yield from ()


def test_without_a_gpu_a_run_is_refused_with_the_way_to_try_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match=r"there is no GPU to run on: torch .*; --interpret tries all stages"):
        run_on_gpu(GpuRunOptions(tmp_path, 100, 1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("fake_card")
def test_the_interpreter_in_the_way_of_the_gpu_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    with pytest.raises(UsageError, match="TRITON_INTERPRET=1 is set: unset it"):
        run_on_gpu(GpuRunOptions(tmp_path, 100, 1))


def test_a_last_line_that_was_being_written_is_left_out_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    fact = MachineFact(subject="device", value="a card")
    (tmp_path / MACHINE).write_text(fact.model_dump_json() + "\n" + '{"kind": "probe", "pro')
    assert read_machine_rows(tmp_path) == [fact]
    (tmp_path / MACHINE).write_text('{"kind": "pro\n' + fact.model_dump_json() + "\n")
    with pytest.raises(UsageError, match=r"machine\.jsonl:1: not a row of a GPU run"):
        read_machine_rows(tmp_path)


def test_what_is_worth_most_comes_first() -> None:
    assert [stage.name for stage in STAGES] == ["machine", "probes", "sizes", "times", "verdicts"]
    jobs = size_jobs("cuda")
    assert len(jobs) == len(set(jobs))
    assert jobs[0].sizes == SIZES[0]
    assert jobs[0].kernel_id.startswith("fused/")
    assert jobs[0].setting == Setting("bfloat16", "cuda")
    assert {"nn.GRU/cudnn-tf32", "fused-tf32x3/lstm.peephole"} <= {job.kernel_id for job in jobs}


def test_the_grid_of_times_has_the_sizes_that_people_use() -> None:
    points = timed_points("cuda")
    assert len(points) == len(set(points)) == 5 * 3 * 2 * 10
    assert {point.d for point in points} == {64, 128, 256, 512, 1024}
    assert {point.B for point in points} == {1, 16, 64}
    assert {point.T for point in points} == {100, 1000}
    with_cudnn, lacked = timed_specs()
    assert [(point.spec, point.d, point.B, point.T) for point in points[:3]] == [
        (spec, 64, 16, 1000) for spec in with_cudnn
    ]
    assert {point.spec for point in points} == {*with_cudnn, *lacked}


def test_the_documents_variants_that_cudnn_lacks_are_timed_after_those_that_it_has_at_the_same_sizes() -> None:
    with_cudnn, lacked = timed_specs()
    assert with_cudnn == ("lstm.column", "gru.reset_after", "rnn.tanh")
    assert {"gru.keep.column", "gru.write.concatenated", "rnn.sigma", "gru.sigma", "lstm.sigma"} < set(lacked)
    assert {"lstm.noforget", "lstm.peephole"} < set(lacked)
    places = {(point.spec, (point.d, point.B, point.T)): number for number, point in enumerate(timed_points("cuda"))}
    for (spec, sizes), place in places.items():
        assert spec in with_cudnn or place > max(places[torch_spec, sizes] for torch_spec in with_cudnn)


def test_variants_that_differ_by_a_flag_are_judged_two_sizes_later() -> None:
    jobs = size_jobs("cuda")
    place = {(job.kernel_id, job.setting.dtype, job.sizes): number for number, job in enumerate(jobs)}
    for earlier, later in itertools.pairwise(SIZES):
        assert place["fused/lstm.column", "float64", earlier] < place["fused/lstm.column", "bfloat16", later]
    for size, two_later in zip(SIZES, SIZES[2:], strict=False):
        assert place["fused/lstm.sigma", "bfloat16", size] > place["split/lstm.column", "float64", size]
        assert place["fused/lstm.sigma", "float64", size] > place["fused/lstm.column", "bfloat16", two_later]


def test_every_kernel_with_a_cuda_setting_gets_a_verdict_once() -> None:
    settings = [(kernel.id, kernel.settings[0].dtype) for kernel in verdict_kernels("cuda")]
    assert len(settings) == len(set(settings))
    assert settings[0] == ("fused/rnn.tanh", "float32")
    assert ("nn.LSTM/cudnn-tf32", "float32") in settings


def test_titles_of_probes_are_unique() -> None:
    assert len({probe.title for probe in PROBES}) == len(PROBES)


@needs_interpreter
def test_a_kernel_is_judged_at_one_size_and_a_size_it_does_not_take_is_not_run() -> None:
    records: list[Record] = []
    judge_size(records.append, SizeJob("fused/rnn.tanh", Setting("float32", "cpu"), (3, 16, 2, 1)))
    judge_size(records.append, SizeJob("fused/rnn.tanh", Setting("float32", "cpu"), (3, 65, 2, 1)))
    assert [record.outcome for record in records] == [Outcome.AGREES, Outcome.NOT_RUN]
    assert records[0].check == "scale.n3-d16-B2-T1"
    assert records[0].case is not None
    assert records[0].case.d == 16
    assert "hidden size 65 is too large in float32" in records[1].reason


@needs_interpreter
@pytest.mark.deep("tests/unit/gpu/test_gpu_run.py::test_a_time_says_whether_the_kernel_was_right_at_its_size")
@pytest.mark.parametrize(("number", "torch_has_it"), [(0, True), (1, False)], ids=["what torch has", "what it lacks"])
def test_a_point_is_timed_with_triton_and_where_torch_has_it_with_torch_in_turns_and_both_ways(
    number: int, torch_has_it: bool
) -> None:
    times: list[SpeedMeasurement] = []
    point = timed_points("cpu")[number]
    time_point(times.append, point)
    assert {time.subject for time in times} == {
        *(["nn.RNN/native"] if torch_has_it else []),
        *(f"{division}{suffix}/{point.spec}" for division in ("fused", "split") for suffix in ("", "-tf32x3", "-tf32")),
    }
    assert {time.spec for time in times} == {point.spec}
    assert {time.phase for time in times} == {"forward", "both"}
    assert all(time.reason == "" and len(time.samples) == 5 for time in times)


@pytest.mark.process
@pytest.mark.deep("tests/unit/gpu/test_gpu_run.py::test_every_row_is_in_its_file_before_the_next_stage_begins")
def test_a_trial_in_the_interpreter_answers_every_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton", reason="not run: triton is not installed")
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    folder = run_on_gpu(GpuRunOptions(tmp_path, 600, 2, interpret=True))
    rows = [json.loads(line) for line in (folder / MACHINE).read_text().splitlines()]
    assert [row["probe"] for row in rows if row["kind"] == "probe"] == [probe.title for probe in PROBES]
    assert not [row["result"] for row in rows if row["kind"] == "probe" and "raises" in row["result"]]
    assert (folder / VERDICTS).read_text()
