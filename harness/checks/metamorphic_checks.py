"""The metamorphic relations as checks, one each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rnn_harness.checks.check import Check, Finding
from rnn_harness.checks.metamorphic import RELATIONS, Relation
from rnn_harness.checks.metamorphic.cell_traits import Traits
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.subjects.subject import Subject


def judged(one: Relation, evaluation: Evaluation) -> Iterator[Finding]:
    """The worst comparison of a relation, about the whole spec; nothing where there is nothing to compare."""
    found = [judgement for comparison in one.law(SubjectRun.of(evaluation)) if (judgement := comparison.judge())]
    if found:
        worst = max(found, key=lambda judgement: (not judgement.agrees, judgement.error_over_bound or 0.0))
        detail = f"{one.id}, {one.title}: {worst.detail}" if worst.detail else ""
        about = evaluation.subject.spec.id
        yield Finding(about, worst.agrees, detail, worst.error_over_bound, worst.error, worst.bound)


def _applies(one: Relation) -> Callable[[Subject], bool]:
    return lambda subject: one.supports(Traits(subject))


def _run(one: Relation) -> Callable[[Evaluation], Iterator[Finding]]:
    return lambda evaluation: judged(one, evaluation)


CHECKS = tuple(Check(f"relation.{one.id}", "reference", _applies(one), _run(one)) for one in RELATIONS)
