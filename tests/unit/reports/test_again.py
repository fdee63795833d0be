"""The command beside a number makes that number again: its plan holds the job that measured it."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rnn_harness.benchmarks import FULL, QUICK, USUAL, BenchmarkSize, plan_jobs
from rnn_harness.benchmarks.decay.measure import DECAY_CELLS
from rnn_harness.benchmarks.learning.learner import LEARNERS
from rnn_harness.cli._app import app
from rnn_harness.families import FAMILIES
from rnn_harness.records.measurement import (
    BY_CONSTRUCTOR,
    BY_EQUATIONS,
    BenchmarkPlan,
    DecayMeasurement,
    LearningMeasurement,
    Measurement,
    MeasurementKind,
    ParameterCount,
    SpeedMeasurement,
)
from rnn_harness.reports.page.again import measured_again, page_plan
from rnn_harness.reports.page.claims import decide_claims
from rnn_harness.reports.page.contents import build_contents
from rnn_harness.reports.page.document_statements import DocumentStatements
from rnn_harness.reports.page.render import write_report
from rnn_harness.specs import claims

KINDS: tuple[MeasurementKind, ...] = ("parameters", "decay", "speed", "learning")


def speed(spec: str, sizes: dict[str, int], plan: BenchmarkPlan = "", job: str = "", **more: str) -> SpeedMeasurement:
    """A time of forward and backward."""
    base = {"subject": "reference", "spec": spec, "phase": "both", "agrees": True, "dtype": "float32", "median": 1.0}
    base |= {"ci_low": 0.9, "ci_high": 1.1}
    return SpeedMeasurement.model_validate({**base, "sizes": sizes, "plan": plan, "job": job, **more})


def decay(subject: str, spec: str, initialisation: str, plan: BenchmarkPlan = "", job: str = "") -> DecayMeasurement:
    """A factor per step."""
    base = {"rate": 0.6, "ci_low": 0.5, "ci_high": 0.7, "lyapunov_exponent": -0.5, "sizes": {"T": 200}}
    base |= {"subject": subject, "spec": spec, "initialisation": initialisation, "plan": plan, "job": job}
    return DecayMeasurement.model_validate(base)


def learning(subject: str, spec: str, plan: BenchmarkPlan = "", job: str = "") -> LearningMeasurement:
    """A loss after training."""
    base = {"task": "adding", "task_title": "t", "training_steps": 1, "median": 1.0, "chance": 1.0, "seeds": 1}
    base |= {"seeds_solved": 0, "seconds": 1.0, "parameters": 1, "sizes": {"T": 5}}
    base |= {"subject": subject, "spec": spec, "plan": plan, "job": job}
    return LearningMeasurement.model_validate(base)


def count(job: str, plan: BenchmarkPlan = "") -> ParameterCount:
    """A number of parameters."""
    base = {"subject": "mgu", "spec": "mgu", "origin": "spec", "count": 1, "formula": "d", "plan": plan, "job": job}
    return ParameterCount.model_validate(base)


def rows_of(size: BenchmarkSize) -> Iterator[Measurement]:
    """Yield a measurement of every job of a plan, as it would stand on the page."""
    for job in plan_jobs(size, KINDS, tuple(FAMILIES), "float32"):
        title, plan = job.title, job.plan
        if job.kind == "speed":
            spec = title.removeprefix("speed of ").partition(", ")[0]
            sizes = {letter: int(number) for letter, number in re.findall(r"(\w) = (\d+)", title)}
            yield speed(spec, sizes, plan, title)
        elif job.kind == "decay":
            name = title.removeprefix("decay of ")
            cell = next(cell for cell in sorted(DECAY_CELLS, key=len, reverse=True) if name.startswith(f"{cell}, "))
            yield decay(cell, DECAY_CELLS[cell][0], name.removeprefix(f"{cell}, ").partition(", ")[0], plan, title)
        elif job.kind == "learning":
            subject = title.partition(" learns ")[0]
            family = next(learner.family for learner in LEARNERS if subject.partition(", ")[0] == learner.name)
            yield learning(subject, FAMILIES[family].spec, plan, title)
        else:
            yield count(title, plan)


@functools.cache
def planned(command: str) -> str:
    """Return what a command would run."""
    result = CliRunner().invoke(app, [*shlex.split(command)[1:], "--plan"])
    assert result.exit_code == 0, result.output
    return result.output


_DEEP = pytest.mark.deep(
    "tests/unit/reports/test_again.py::test_the_plan_of_every_copied_command_holds_the_job_of_its_number"
)


@pytest.mark.parametrize(
    "size", [QUICK, *(pytest.param(size, marks=_DEEP) for size in (USUAL, FULL))], ids=lambda size: size.name
)
def test_the_plan_of_every_copied_command_holds_the_job_of_its_number(size: BenchmarkSize) -> None:
    rows = list(rows_of(size))
    resized = [row for row in rows if isinstance(row, SpeedMeasurement) and row.sizes["n"] != row.sizes["d"]]
    assert {row.spec for row in resized} == {FAMILIES[family].spec for family in ("rnn", "gru")}
    for row in rows:
        command = measured_again(row)
        titles = [line.partition(" s  ")[2] for line in planned(command).splitlines()]
        assert row.job in titles, f"{command} does not measure {row.job}"


@pytest.mark.parametrize(
    ("row", "command"),
    [
        (speed("lstm.column", {"n": 64, "d": 64}, dtype="float64"), "speed --spec lstm.column --dtype float64"),
        (speed("rnn.tanh", {"n": 64, "d": 149}, device="cuda"), "speed --families rnn --device cuda"),
        (decay("mgu", "mgu", BY_EQUATIONS, job="decay of my mgu.toml, by its equations"), "decay --spec 'my mgu.toml'"),
        (decay("mgu", "mgu", BY_EQUATIONS), "decay --spec mgu"),
        (decay("my cells.py:Cell", "mgu", BY_CONSTRUCTOR), "decay --cell 'my cells.py:Cell'"),
        (learning("cells.py:Cell, stateful", "mgu"), "learning --cell cells.py:Cell"),
        (count("parameters of mgu"), "parameters --spec mgu"),
    ],
)
def test_a_number_that_was_asked_for_by_an_option_is_asked_for_by_it_again(row: Measurement, command: str) -> None:
    assert measured_again(row) == f"rnn-harness bench {command}"


def test_what_is_measured_by_equations_is_planned_again() -> None:
    assert "decay of mgu, by its equations" in planned("rnn-harness bench decay --spec mgu --quick")
    assert "parameters of mgu" in planned("rnn-harness bench parameters --spec mgu")


def test_a_page_of_two_plans_says_which_and_each_command_is_of_its_own(tmp_path: Path) -> None:
    rows: list[Measurement] = [
        decay("RNN", "rnn.tanh", "torch", "quick"),
        decay("RNN", "rnn.tanh", "torch", "full").model_copy(update={"sizes": {"T": 4000}}),
        speed("rnn.tanh", {"n": 64, "d": 64}, "full"),
    ]
    write_report(build_contents([], DocumentStatements(), rows), tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "This page holds measurements of 2 plans: full (decay, speed); quick (decay)." in text
    assert "full and quick plans" in text
    for command in (
        "rnn-harness bench decay --families rnn --quick",
        "rnn-harness bench decay --families rnn --full",
        "rnn-harness bench speed --spec rnn.tanh --full",
        "rnn-harness bench decay speed --full --records full.jsonl",
        "rnn-harness bench decay --quick --records quick.jsonl",
    ):
        assert f'data-copy="{command}"' in text, command
    assert "makes all of this" not in text, "no plan of report makes a page of two"
    commands = {row.id: row.command for row in decide_claims(claims(), [], rows)}
    assert commands["C-061"] == "rnn-harness bench decay --full && rnn-harness bench decay --quick"
    assert commands["C-053"] == "rnn-harness bench speed --full", "the quick plan measured no times"


@pytest.mark.parametrize(
    ("plans", "report"),
    [
        ((), "rnn-harness report"),
        (("usual",), "rnn-harness report"),
        (("quick",), "rnn-harness report --quick"),
        (("full",), ""),
        (("quick", "usual"), ""),
    ],
)
def test_a_command_makes_the_whole_page_where_one_plan_of_report_does(
    plans: tuple[BenchmarkPlan, ...], report: str
) -> None:
    assert page_plan([decay("RNN", "rnn.tanh", "torch", plan) for plan in plans]).report == report
