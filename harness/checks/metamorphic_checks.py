"""The metamorphic relations as checks, one each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rnn_harness.checks.check import Check, Finding
from rnn_harness.checks.metamorphic import RELATIONS, Relation
from rnn_harness.checks.metamorphic.cell_traits import Traits
from rnn_harness.checks.metamorphic.subject_run import Bench
from rnn_harness.evaluation.evaluation import Trial
from rnn_harness.subjects.subject import Subject


def judged(one: Relation, trial: Trial) -> Iterator[Finding]:
    """The worst comparison of a relation, about the whole spec; nothing where there is nothing to compare."""
    found = [judgement for comparison in one.law(Bench.of(trial)) if (judgement := comparison.judge())]
    if found:
        worst = max(found, key=lambda judgement: (not judgement.agrees, judgement.share or 0.0))
        detail = f"{one.id}, {one.title}: {worst.detail}" if worst.detail else ""
        about = trial.subject.spec.id
        yield Finding(about, worst.agrees, detail, worst.share, worst.error, worst.bound)


def _applies(one: Relation) -> Callable[[Subject], bool]:
    return lambda subject: one.applies(Traits(subject))


def _run(one: Relation) -> Callable[[Trial], Iterator[Finding]]:
    return lambda trial: judged(one, trial)


CHECKS = tuple(Check(f"relation.{one.id}", "reference", _applies(one), _run(one)) for one in RELATIONS)
