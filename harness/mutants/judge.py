"""Which check kills which mutant, after how many examples and how many seconds."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.exceptions import ComplexWarning

from rnn_harness.cases.fixed_cases import fixed_cases
from rnn_harness.checks import Check, Finding, all_checks
from rnn_harness.engine.runner import run_check
from rnn_harness.errors import HarnessError
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.vacuity import vacuity_reason
from rnn_harness.mutants.mutant import Mutant, build
from rnn_harness.records.kill_matrix import Kill, MutantResult
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject


def judge_mutant(
    mutant: Mutant, checks: tuple[Check, ...] | None = None, stop_at_first_kill: bool = False
) -> MutantResult:
    """Judge a mutant on the fixed cases that could have failed.

    Every check gets copies of the numbers, since a mutant may overwrite what it is given; what is expected of them is
    shared by all checks and by all mutants of a spec.

    Args:
        mutant: which one.
        checks: by which checks; by default all.
        stop_at_first_kill: whether one kill is enough.
    """
    subject = build(mutant, library().spec(mutant.spec))
    waiting = {check.name: check for check in checks or all_checks() if check.supports(subject)}
    seconds = dict.fromkeys(waiting, 0.0)
    kills: list[Kill] = []
    counted = vacuous = 0
    for case in fixed_cases(mutant.spec):
        right = Evaluation.of(Subject.of(subject.spec), case)
        if _is_vacuous(right):
            vacuous += 1
            continue
        counted += 1
        for name, check in list(waiting.items()):
            if case.dtype not in check.dtypes:
                continue
            start = time.perf_counter()
            refutation = _refutation(check, right.copied(subject))
            seconds[name] += time.perf_counter() - start
            if refutation is not None:
                spent = round(seconds[name], 4)
                kills.append(Kill(check=name, examples=counted, seconds=spent, detail=refutation.detail))
                del waiting[name]
                if stop_at_first_kill:
                    return _result(mutant, kills, counted, vacuous)
    return _result(mutant, kills, counted, vacuous)


def _result(mutant: Mutant, kills: Sequence[Kill], examples: int, vacuous: int) -> MutantResult:
    """Return a mutant's row of the kill matrix."""
    return MutantResult(
        **mutant.describe().model_dump(),
        killed=bool(kills),
        examples=examples,
        vacuous=vacuous,
        kills=tuple(kills),
    )


def _is_vacuous(right: Evaluation) -> bool:
    """Whether the case proves nothing even about the right reference."""
    with np.errstate(all="ignore"):
        return vacuity_reason(right) is not None


def _refutation(check: Check, evaluation: Evaluation) -> Finding | None:
    """The first finding of a check that refutes, or None."""
    with warnings.catch_warnings():
        # A mutant that computes in another format drops the imaginary part of a complex step.
        warnings.simplefilter("ignore", ComplexWarning)
        try:
            findings = run_check(check, evaluation)
        except HarnessError:
            return None  # a check that fails says nothing about the mutant
        return next((finding for finding in findings if not finding.agrees), None)
