"""Which check kills which mutant, after how many examples and how many seconds."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.exceptions import ComplexWarning

from rnn_harness.cases.case import Case
from rnn_harness.cases.fixed_cases import fixed_cases
from rnn_harness.checks import Check, all_checks
from rnn_harness.engine.runner import run_check
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.evaluation.vacuity import vacuity_reason
from rnn_harness.mutants.mutant import Mutant, build
from rnn_harness.specs import Spec, library
from rnn_harness.subjects.subject import Subject


@dataclass(frozen=True)
class Kill:
    """A check that refuted a mutant: at which counted example, after how many seconds of its own."""

    check: str
    examples: int
    seconds: float
    detail: str


@dataclass(frozen=True)
class MutantResult:
    """What became of a mutant. `vacuous`: cases that could not have shown anything, and were not used."""

    mutant: Mutant
    kills: tuple[Kill, ...]
    examples: int
    vacuous: int

    @property
    def killed(self) -> bool:
        return bool(self.kills)


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
                wrong = next((one for one in run_check(check, evaluation.copied(subject)) if not one.agrees), None)
            spent[name] += time.perf_counter() - start
            if wrong is not None:
                kills.append(Kill(name, counted, spent[name], wrong.detail))
                del waiting[name]
    return MutantResult(mutant, tuple(kills), counted, skipped)


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
    """Every mutant's fate, one after the other."""
    for mutant in mutants:
        on_start(mutant)
        yield judge_mutant(mutant)
