"""A candidate, judged by every check; where it rounds as another right form of the same cell, by that form's bounds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.cases.case import Case
from rnn_harness.checks.check import Finding, worst_finding
from rnn_harness.engine.runner import run_check
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels import Kernel, Setting, judge_kernels
from rnn_harness.kernels.judge import SINGLE_CASE_CHECKS, blank_record, kernel_checks
from rnn_harness.records.events import PhaseStarted
from rnn_harness.records.record import Record
from rnn_harness.records.validation import TAKEN_CHECK
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.diagnosis.gradient_pattern import factors_of_float32
from rnn_harness.validation.judging.function_accuracy import (
    FunctionAccuracy,
    accuracy_record,
    measure_function_accuracy,
    wider_kernels,
)
from rnn_harness.validation.request import Listener, ValidationRequest
from rnn_harness.validation.returned_numbers import (
    MOST_JUDGED_CASES,
    MOST_JUDGED_NUMBERS,
    ReturnedCase,
    returned_case,
)


class CandidateJudge:
    """Judges one candidate in all of its settings.

    Attributes:
        kernel: The candidate, with what is known so far of how it rounds.
        returned: What it gave on the cases on which it was judged, by dtype.

    Args:
        kernel: The candidate in the place of a kernel, before anything was measured.
        request: Seed, number of cases and what else was asked for.
        listener: Told what begins, and in which dtype.
    """

    def __init__(self, kernel: Kernel, request: ValidationRequest, listener: Listener) -> None:
        self.kernel = replace(kernel, skipped_checks=(*kernel.skipped_checks, *request.left_out))
        self._request, self._listener = request, listener
        self._is_declared = kernel.absolute_function_error
        self._may_round_otherwise = True
        self.returned: dict[str, dict[Case, ReturnedCase]] = {}

    def records(self) -> Iterator[Record]:
        """Yield the records of every setting; the listener is told which dtype it is."""
        for setting in self.kernel.settings:
            self._on_start(setting, f"{self.kernel.id}, {setting}")
            accuracy = self._measured(setting)
            was_single_inside = self.kernel.is_single_inside
            yield from self._records_in(setting)
            if self.kernel.is_single_inside and not was_single_inside:
                yield _single_constant_record(self.kernel, setting, self._request.seed)
            if accuracy is not None:
                yield accuracy_record(self.kernel, setting, self._request.seed, accuracy)

    def keep_numbers(self, evaluation: Evaluation) -> None:
        """Keep what the candidate gave on a case, of the first cases: the very numbers that were judged.

        Args:
            evaluation: The candidate on the case.
        """
        cases = self.returned.setdefault(evaluation.case.dtype, {})
        if evaluation.case in cases or len(cases) < MOST_JUDGED_CASES:
            with contextlib.suppress(Exception):  # what could not be run is refuted already
                cases[evaluation.case] = returned_case(evaluation, MOST_JUDGED_NUMBERS)

    def _on_start(self, setting: Setting, title: str) -> None:
        self._listener.on_start(PhaseStarted(title, setting.dtype))

    def _measured(self, setting: Setting) -> FunctionAccuracy | None:
        """Measure the functions, and judge by what is measured; None where the library says how accurate they are."""
        if self._is_declared:
            return None
        accuracy = measure_function_accuracy(self.kernel, setting)
        if accuracy.is_absolute:
            self.kernel = replace(self.kernel, absolute_function_error=True)
        return accuracy

    def _records_in(self, setting: Setting) -> Iterator[Record]:
        """Yield the records of one setting; begin again where it turns out that the candidate rounds otherwise."""
        single = replace(self.kernel, settings=(setting,))
        request = self._request
        decided: set[str] = set()
        for record in judge_kernels(
            (single,),
            request.seed,
            request.examples,
            lambda title: self._on_start(setting, title),
            self._listener.on_case,
            self.keep_numbers,
        ):
            wider = self._wider_kernel(record)
            if wider is not None:
                self.kernel = wider
                break
            decided.add(record.key)
            yield record
        else:
            return
        for record in self._records_in(setting):
            if record.key not in decided:  # what agrees by the tighter bound agrees
                yield record

    def _wider_kernel(self, record: Record) -> Kernel | None:
        """Find the form of the candidate by whose bound it agrees where it is refuted; None if there is none."""
        if record.outcome is not Outcome.REFUTED or record.case is None or not self._may_round_otherwise:
            return None
        if record.error_over_bound is None or not 1 < record.error_over_bound < float("inf"):
            return None  # it is not by a bound that it is refuted
        wider = next(
            (kernel for kernel in wider_kernels(self.kernel) if _agrees(kernel, record.check, record.case)), None
        )
        if wider is None and _has_constant_of_float32(self.kernel, record):
            wider = replace(self.kernel, is_single_inside=True)
        self._may_round_otherwise = wider is not None
        return wider


def _has_constant_of_float32(kernel: Kernel, record: Record) -> bool:
    """Say whether gradients in float64 are off as those of a slope whose constant was rounded to float32.

    torch's own hard sigmoid has such a slope: 1/6 in float32.
    """
    if record.dtype != "float64" or not record.check.startswith("backward.") or record.case is None:
        return False
    setting = next(setting for setting in kernel.settings if setting.dtype == record.dtype)
    try:
        single_step = kernel.evaluation(setting, record.case.model_copy(update={"T": 1}))
        right = {
            name: np.array([float(ball.mid()) for ball in balls.flat]).reshape(balls.shape)
            for name, balls in single_step.gradient_balls.items()
        }
        if not factors_of_float32(single_step.flat_gradients, right):
            return False
    except NotRun:
        return False
    single = replace(kernel, is_single_inside=True)
    return _agrees(single, "backward.bound", record.case)


def _single_constant_record(kernel: Kernel, setting: Setting, seed: int) -> Record:
    """Make the record which says that a slope has a constant of float32."""
    reason = (
        "its gradients have a constant that is rounded to float32 although it takes float64, and are judged by what "
        "float32 rounds"
    )
    update = {"outcome": Outcome.AGREES, "reason": reason, "examples": 1}
    return blank_record(kernel, setting, TAKEN_CHECK, seed).model_copy(update=update)


def _agrees(kernel: Kernel, check_name: str, case: Case) -> bool:
    try:
        finding = _find_on_case(kernel, check_name, case)
    except NotRun:
        return False
    return finding is not None and finding.agrees


def _find_on_case(kernel: Kernel, check_name: str, case: Case) -> Finding | None:
    """Judge a candidate by one check on one case, by the bounds of one form; None if it has no such check."""
    checks = {check.name: check for check in (*kernel_checks(), *SINGLE_CASE_CHECKS, *kernel.own_checks)}
    if check_name not in checks:
        return None
    setting = next((setting for setting in kernel.settings if setting.dtype == case.dtype), kernel.settings[0])
    return worst_finding(run_check(checks[check_name], kernel.evaluation(setting, case)))


def judge_case(kernel: Kernel, check_name: str, case: Case) -> Finding | None:
    """Judge a candidate by one check on one case, by the bounds of any form of the same cell.

    Args:
        kernel: The candidate.
        check_name: The name of the check.
        case: Sizes, dtype and seed; the arrays are drawn from it.

    Returns:
        The worst finding; None if the candidate has no such check.

    Raises:
        NotRun: The check cannot be run on the candidate.
    """
    judged = judge_forms(kernel, check_name, case)
    return None if judged is None else judged[0]


def judge_forms(kernel: Kernel, check_name: str, case: Case) -> tuple[Finding, Kernel] | None:
    """Judge a candidate as `judge_case` does, and say by which form.

    Args:
        kernel: The candidate.
        check_name: The name of the check.
        case: Sizes, dtype and seed; the arrays are drawn from it.

    Returns:
        The worst finding, and the candidate as the form by whose bounds it agrees, if it does by any.

    Raises:
        NotRun: The check cannot be run on the candidate.
    """
    finding = _find_on_case(kernel, check_name, case)
    if finding is None:
        return None
    if not finding.agrees:
        for wider in wider_kernels(kernel):
            wider_finding = _find_on_case(wider, check_name, case)
            if wider_finding is not None and wider_finding.agrees:
                return wider_finding, wider
    return finding, kernel
