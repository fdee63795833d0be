"""Every check that only kernels have refutes a kernel that is wrong in its way, and agrees with the right one."""

from __future__ import annotations

import pytest

from rnn_harness.engine.runner import run_check
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.kernels.drivers.eager import EagerDriver
from rnn_harness.kernels.judge import KERNEL_CHECKS, SINGLE_CASE_CHECKS, judge_kernels, kernel_cases
from rnn_harness.kernels.setting import settings
from rnn_harness.records.verdict import Outcome
from tests.helpers import wrong_kernels as wrong

CHECKS = {check.name: check for check in (*KERNEL_CHECKS, *SINGLE_CASE_CHECKS)}
RIGHT = Kernel("right", "", wrong.SPEC, EagerDriver, settings(wrong.ALL))


def test_every_check_of_kernels_has_a_wrong_kernel_to_refute() -> None:
    assert set(wrong.WRONG) == set(CHECKS)


@pytest.mark.parametrize("name", wrong.WRONG)
def test_a_check_refutes_the_kernel_that_is_wrong_in_its_way(name: str) -> None:
    kernel, dtype = wrong.WRONG[name]
    setting = Setting(dtype, "cpu")
    findings = run_check(CHECKS[name], kernel.evaluation(setting, kernel_cases(kernel, setting)[0]))
    assert findings
    assert not all(finding.agrees for finding in findings), name


@pytest.mark.parametrize("name", [name for name in wrong.WRONG if name != "backward.shares"])
def test_a_check_agrees_with_the_right_kernel(name: str) -> None:
    _, dtype = wrong.WRONG[name]
    setting = Setting(dtype, "cpu")
    findings = run_check(CHECKS[name], RIGHT.evaluation(setting, kernel_cases(RIGHT, setting)[0]))
    assert findings
    assert all(finding.agrees for finding in findings), [finding.detail for finding in findings]


def test_a_kernel_that_is_not_the_one_asked_for_is_refuted_and_judged_no_further() -> None:
    (record,) = judge_kernels((wrong.MISLED,), examples=0)
    assert record.outcome is Outcome.REFUTED
    assert record.check == "kernel.dispatch"
    assert "another kernel than the one asked for: aten::mkldnn_rnn_layer did not run" in record.reason
    assert "aten::lstm" in record.ran
