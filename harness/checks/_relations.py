"""The metamorphic relations as checks, one each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rnn_harness.checks._check import Check, Finding
from rnn_harness.relations import RELATIONS, Relation
from rnn_harness.relations._bench import Bench
from rnn_harness.relations._traits import Traits
from rnn_harness.subjects import Subject
from rnn_harness.trial import Trial


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
