"""Long sums: right kernels are as precise as rounding explains; a gate slightly off is named, and not refuted."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rnn_harness.cases.case import Case
from rnn_harness.checks.check import Finding, worst_finding
from rnn_harness.engine.results import joined_results
from rnn_harness.engine.runner import Runner, RunPlan
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.kernels.checks.scale import CHECKS, LARGE_SINGLE_STEPS, SINGLE_STEPS, judge_at
from rnn_harness.records.probable_comparison import ProbableComparison, joined_comparisons
from rnn_harness.records.record import Record
from rnn_harness.records.validation_summary import summary_text
from rnn_harness.records.verdict import Outcome
from tests.helpers.judged_targets import validation
from tests.helpers.wrong_kernels import Tensors, kernel
from tests.power.test_any_size import SPECS, right

WIDE = ("float64", "float32")
UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}


def off_by(roundings: float) -> Kernel:
    """A kernel whose outputs, as of an output gate, are off by so many roundings in layers of more than 200 units."""

    def run(rightful: Any, p: Tensors, x: torch.Tensor, s: Tensors, lengths: Any) -> Any:
        outputs, finals = rightful(p, x, s, lengths)
        if outputs.shape[2] <= 200:
            return outputs, finals
        return outputs * (1 + roundings * UNIT[str(outputs.dtype).removeprefix("torch.")]), finals

    return kernel(run)


def judged_at(judged: Kernel, dtype: str, n: int, d: int, rows: int) -> Finding:
    case = Case(spec=judged.spec, dtype=dtype, n=n, d=d, B=rows, T=1, seed=1)  # type: ignore[arg-type]
    return judge_at(judged.evaluation(Setting(dtype, "cpu"), case), case)


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("spec", SPECS)
def test_a_right_kernel_is_as_precise_as_rounding_explains(spec: str, dtype: str) -> None:
    probable = judged_at(right(spec), dtype, 129, 128, 8).probable
    assert probable is not None
    assert probable.decided_by == "proved bound"
    assert probable.error_over_bound < 1
    assert 0 < probable.failure_probability < 1e-18
    assert not probable.sentence


@pytest.mark.deep("tests/power/test_lost_precision.py::test_a_right_kernel_is_as_precise_as_rounding_explains")
@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("spec", SPECS)
def test_a_right_kernel_is_as_precise_as_rounding_explains_at_every_size(spec: str, dtype: str) -> None:
    for n, d, rows in (*SINGLE_STEPS, *LARGE_SINGLE_STEPS):
        probable = judged_at(right(spec), dtype, n, d, rows).probable
        assert probable is None or not probable.names_lost_precision, (n, d, rows, probable)


@pytest.mark.parametrize("dtype", WIDE)
def test_a_gate_off_by_what_no_proved_bound_refutes_is_named(dtype: str) -> None:
    finding = judged_at(off_by({"float64": 200, "float32": 120}[dtype]), dtype, 256, 256, 8)
    assert finding.agrees
    assert finding.probable is not None
    assert finding.probable.decided_by == "probable bound"
    assert "the output h is off by" in finding.probable.sentence


def test_what_a_proved_bound_refutes_is_refuted_as_before() -> None:
    finding = judged_at(off_by(2000), "float32", 256, 256, 8)
    assert not finding.agrees
    assert finding.probable is None


def test_short_sums_and_narrow_formats_have_no_probable_bound() -> None:
    assert judged_at(right("gru.keep.column"), "float32", 33, 31, 16).probable is None
    assert judged_at(right("gru.keep.column"), "bfloat16", 129, 128, 8).probable is None


def record_of(judged: Kernel) -> Record:
    (check,) = (check for check in CHECKS if check.name == "scale.sizes")
    setting = Setting("float32", "cpu")
    subject, plan = judged.subject(setting), RunPlan((check,), dtype="float32")
    runner = Runner(subject, plan, lambda case: judged.evaluation(setting, case))
    runner.try_case(Case(spec=judged.spec, dtype="float32"), guarded=False)
    # As it comes back from another process, and is written to a file.
    results = joined_results(subject, (check,), [runner.results().tally()])
    (record,) = results.records(0, shrink=False)
    return Record.model_validate_json(record.model_dump_json())


def test_a_record_says_which_bound_decided_and_with_what_probability_it_fails() -> None:
    record = record_of(off_by(70))
    assert record.outcome is Outcome.AGREES
    assert record.probable is not None
    assert record.probable.decided_by == "probable bound"
    assert 0 < record.probable.failure_probability < 1e-12
    assert "mean zero" in record.probable.assumption
    assert "less precise than rounding explains" in record.reason
    summary = summary_text(validation((record,)))
    assert "note" in summary
    assert "less precise than rounding explains" in " ".join(summary.split())


def test_a_record_of_a_right_kernel_says_that_the_proved_bound_decided() -> None:
    record = record_of(right("gru.keep.column"))
    assert record.probable is not None
    assert record.probable.decided_by == "proved bound"
    assert not record.reason


def test_of_several_findings_lost_precision_is_kept_and_probabilities_add_up() -> None:
    lost = ProbableComparison(quantity="a", error_over_bound=2, failure_probability=1e-20, decided_by="probable bound")
    fine = ProbableComparison(quantity="b", error_over_bound=0.5, failure_probability=2e-20)
    findings = [
        Finding("E", True, error_over_bound=0.1, probable=lost),
        Finding("E", True, error_over_bound=0.9, probable=fine),
    ]
    worst = worst_finding(findings)
    assert worst.error_over_bound == 0.9
    assert worst.probable is not None
    assert worst.probable.quantity == "a"
    assert worst.probable.failure_probability == pytest.approx(3e-20, rel=1e-9)
    assert joined_comparisons((None, None)) is None
