"""Which check kills which mutant, after how many examples and how many seconds."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from numpy.exceptions import ComplexWarning

from rnn_harness.cases.case import Case
from rnn_harness.cases.fixed_cases import fixed_cases
from rnn_harness.checks import Check, all_checks
from rnn_harness.engine.runner import run_check
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.vacuity import vacuity_reason
from rnn_harness.mutants.mutant import Mutant, build
from rnn_harness.records.kill_matrix import Kill, MutantResult
from rnn_harness.specs import Spec, library
from rnn_harness.subjects.subject import Subject


def judge_mutant(mutant: Mutant, checks: tuple[Check, ...] | None = None) -> MutantResult:
    """Judge one mutant by every check, on the anchor cases that could have failed."""
    subject = build(mutant, library().spec(mutant.spec))
    waiting = {c.name: c for c in checks or all_checks() if c.supports(subject)}
    spent = dict.fromkeys(waiting, 0.0)
    kills: list[Kill] = []
    counted = skipped = 0
    for case in fixed_cases(mutant.spec):
        evaluation = _right_evaluation(subject.spec, case)
        if evaluation is None:
            skipped += 1
            continue
        counted += 1
        for name, check in list(waiting.items()):
            if case.dtype not in check.dtypes:
                continue
            start = time.perf_counter()
            with warnings.catch_warnings():
                # A mutant that computes in another format drops the imaginary part of a complex step.
                warnings.simplefilter("ignore", ComplexWarning)
                wrong = next(
                    (finding for finding in run_check(check, evaluation.copied(subject)) if not finding.agrees), None
                )
            spent[name] += time.perf_counter() - start
            if wrong is not None:
                seconds = round(spent[name], 4)
                kills.append(Kill(check=name, examples=counted, seconds=seconds, detail=wrong.detail))
                del waiting[name]
    return MutantResult(
        **mutant.describe().model_dump(),
        killed=bool(kills),
        examples=counted,
        vacuous=skipped,
        kills=tuple(kills),
    )


def _right_evaluation(spec: Spec, case: Case) -> Evaluation | None:
    """The evaluation of the right reference, unless the case is vacuous."""
    right = Evaluation.of(Subject.of(spec), case)
    with np.errstate(all="ignore"):
        if vacuity_reason(right) is not None:
            return None
    return right


def judge_mutants(
    mutants: tuple[Mutant, ...], on_start: Callable[[Mutant], None] = lambda _: None
) -> Iterator[MutantResult]:
    """Judge mutants one after the other; `on_start` is called with each before it is judged."""
    for mutant in mutants:
        on_start(mutant)
        yield judge_mutant(mutant)
