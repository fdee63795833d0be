"""Measurements are read by their kind, unchanged, and a failed job is reported as what it was."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from rich.console import Console

from rnn_harness.errors import UsageError
from rnn_harness.records.measurement import (
    CurvePoint,
    DecayMeasurement,
    FailedBenchmark,
    LearningMeasurement,
    Measurement,
    ParameterCount,
    SpeedMeasurement,
    read_measurements,
    write_measurements,
)
from rnn_harness.reports.page import DocumentStatements, build_contents
from rnn_harness.reports.text.benchmarks import print_bench

FAILED = FailedBenchmark(job_kind="learning", subject="GRU learns adding, T = 20", spec="", reason="OSError: full")
EVERY_KIND: list[Measurement] = [
    SpeedMeasurement(subject="reference", spec="rnn.tanh", phase="both", sizes={"n": 4}, samples=(0.5,), median=0.5),
    DecayMeasurement(
        subject="RNN",
        spec="rnn.tanh",
        initialisation="torch",
        rate=0.5,
        lyapunov_exponent=-0.7,
        log10_norms=(CurvePoint(1, -0.3), CurvePoint(10, -math.inf)),
    ),
    LearningMeasurement(
        subject="RNN",
        spec="rnn.tanh",
        task="adding",
        task_title="add",
        sizes={"T": 20},
        training_steps=100,
        median=0.1,
        chance=0.2,
        seeds=3,
        seeds_solved=1,
        seconds=1.0,
        parameters=7,
        loss_curve=(CurvePoint(50, 0.15),),
    ),
    ParameterCount(subject="rnn.tanh", spec="rnn.tanh", origin="spec", count=32, formula="d*(d + n + 1)"),
    FAILED,
]


def test_every_kind_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_measurements(tmp_path / "all.jsonl", EVERY_KIND)
    assert read_measurements(tmp_path / "all.jsonl") == EVERY_KIND
    assert len({measurement.key for measurement in EVERY_KIND}) == len(EVERY_KIND)


@pytest.mark.parametrize(
    "row",
    [
        {"kind": "speed", "subject": "reference", "spec": "rnn.tanh", "what": "both", "middle": 1.0, "extra": {}},
        {**json.loads(FAILED.model_dump_json()), "schema_version": 4},
        {**json.loads(FAILED.model_dump_json()), "schema_version": 2},
        {"kind": "tempo"},
    ],
    ids=["fields of an older version", "a later version", "an earlier version", "an unknown kind"],
)
def test_a_line_that_is_no_measurement_of_this_version_is_named(row: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text(FAILED.model_dump_json() + "\n" + json.dumps(row) + "\n")
    with pytest.raises(UsageError, match=r"all\.jsonl:2: not a measurement"):
        read_measurements(path)


def test_a_last_line_that_is_cut_off_is_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "times.jsonl"
    write_measurements(path, EVERY_KIND)
    text = path.read_text()
    for end in (len(text) - 2, len(text) - len(text.splitlines()[-1]), len(text) - 30):
        path.write_text(text[:end])
        warnings: list[str] = []
        whole = text[:end].count("\n")
        assert read_measurements(path, warnings) == EVERY_KIND[:whole]
        assert len(warnings) == (not text[:end].endswith("\n"))
        assert all("times.jsonl:5: the last measurement is cut off" in warning for warning in warnings)
    path.write_text(f"{text.splitlines()[0][:40]}\n{text}")
    with pytest.raises(UsageError, match=r"times\.jsonl:1: not a measurement"):
        read_measurements(path)
    path.write_text(f'{text}{{"kind": "tempo"}}')
    with pytest.raises(UsageError, match=r"times\.jsonl:6: not a measurement"):
        read_measurements(path)


def test_a_failed_job_is_printed_and_noted_and_is_in_no_table() -> None:
    console = Console(record=True, width=140)
    print_bench(console, EVERY_KIND[-1:])
    assert console.export_text().strip() == "failed: GRU learns adding, T = 20: OSError: full"
    page = build_contents([], DocumentStatements(), EVERY_KIND[-1:])
    assert page.learning == {}
    assert page.notes[0] == "GRU learns adding, T = 20, failed: not shown, OSError: full"
