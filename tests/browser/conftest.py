"""A page of a report in headless Chromium, as Debian packages it; not run where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnn_harness.records.kill_matrix import Kill, MutantResult, Part
from rnn_harness.records.measurement import (
    CurvePoint,
    DecayMeasurement,
    LearningMeasurement,
    Measurement,
    SpeedMeasurement,
)
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.page import build_contents, document_statements, write_report
from rnn_harness.specs import library

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _records() -> Iterator[Record]:
    base = {"spec": "gru.keep.column", "check": "forward.equation", "error_over_bound": 0.5}
    for entry, witness in (("E-348", "reference"), ("E-348", "numeric"), ("E-349", "torch"), ("E-346", "reference")):
        yield Record.model_validate({**base, "entry": entry, "witness": witness, "outcome": Outcome.AGREES})
    yield Record.model_validate({**base, "entry": "E-347", "witness": "reference", "outcome": Outcome.REFUTED})
    for name in library().entries:
        spec, _ = library().entry(name)
        audit = {"entry": name, "spec": spec.id, "check": "text.audit", "witness": "text", "outcome": Outcome.AGREES}
        yield Record.model_validate({**audit, "reason": "what the audit found"})
    pair = {"spec": "equivalences", "check": "symbolic.pair", "witness": "symbolic", "outcome": Outcome.AGREES}
    yield from (Record.model_validate({**pair, "entry": name}) for name in ("Q-01", "Q-02"))
    kernel = {"spec": "lstm.column", "check": "precision.format", "witness": "kernel", "outcome": Outcome.AGREES}
    for name, dtype, bits in (("nn.LSTM/native", "float32", 22.7), ("nn.LSTM/onednn", "bfloat16", 7.9)):
        row = {"entry": "lstm.column", "kernel": name, "dtype": dtype, "device": "cpu", "bits": bits}
        yield Record.model_validate({**kernel, **row})


def _measured() -> Iterator[Measurement]:
    norms = (CurvePoint(1, -0.2), CurvePoint(10, -2.0), CurvePoint(100, -20.0))
    for name, rate in (("RNN", 0.57), ("GRU", 0.64), ("LSTM", 0.63)):
        yield DecayMeasurement(
            subject=name,
            spec="lstm.column",
            initialisation="torch",
            agrees=True,
            rate=rate,
            ci_low=rate - 0.01,
            ci_high=rate + 0.01,
            log10_norms=norms,
            lyapunov_exponent=-0.5,
            half_life=1.4,
            float32_horizon=31.0,
            bound_per_step=2.0,
        )
        yield SpeedMeasurement(
            subject=name,
            spec="lstm.column",
            phase="both",
            agrees=True,
            sizes={"n": 64, "d": 64, "B": 16, "T": 50},
            dtype="float32",
            median=rate / 100,
            ci_low=rate / 101,
            ci_high=rate / 99,
        )
        yield LearningMeasurement(
            subject=name,
            spec="lstm.column",
            task="adding",
            task_title="add two numbers",
            sizes={"T": 20, "d": 16},
            training_steps=150,
            median=rate / 2,
            chance=1.0,
            best=0.1,
            seeds=3,
            seeds_solved=1,
            seconds=2.0,
            parameters=1300,
            loss_curve=(CurvePoint(50, 0.9), CurvePoint(100, 0.5), CurvePoint(150, rate / 2)),
        )


def _mutant(name: str, part: Part, edit: str, check: str, examples: int) -> MutantResult:
    kill = Kill(check=check, examples=examples, seconds=0.1, detail="")
    return MutantResult(
        mutant=name, spec="gru.keep.column", part=part, edit=edit, killed=True, examples=9, vacuous=0, kills=(kill,)
    )


MUTANTS = (
    _mutant("gru.swapped", "forward", "z -> 1 - z", "forward.equation", 1),
    _mutant("lstm.lost", "backward", "dc -> 0", "metamorphic.gates-in-unit-interval", 2),
)


@pytest.fixture(scope="session")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("report")
    write_report(build_contents(list(_records()), document_statements(), list(_measured()), [], MUTANTS), folder)
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("not run: chromium is not installed (Debian: apt-get install chromium)")
    api = pytest.importorskip("playwright.sync_api", reason="not run: pip install 'rnn-harness[browser]'")
    with api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Any, page_url: str) -> Iterator[Any]:
    """The page with its tables open, with every error of its console, and every address it asked for."""
    context = browser.new_context()
    opened = context.new_page()
    opened.errors, opened.asked = [], []
    opened.on(
        "console", lambda message: opened.errors.append(message.text) if message.type in ("error", "warning") else None
    )
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.goto(page_url)
    opened.evaluate("document.querySelectorAll('details.data').forEach(table => { table.open = true; })")
    yield opened
    context.close()
