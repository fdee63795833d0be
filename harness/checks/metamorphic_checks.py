"""The metamorphic properties as checks, one each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rnn_harness.checks.check import Check, Finding
from rnn_harness.checks.metamorphic import PROPERTIES, MetamorphicProperty
from rnn_harness.checks.metamorphic.cell_traits import Traits
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.subjects.subject import Subject


def decide_property(entry: MetamorphicProperty, evaluation: Evaluation) -> Iterator[Finding]:
    """Decide a property on one case.

    Args:
        entry: The property.
        evaluation: The subject on the case.

    Yields:
        The worst comparison, about the whole spec; nothing where there is nothing to compare.
    """
    comparisons = entry.comparisons(SubjectRun.of(evaluation))
    judgements = [judgement for comparison in comparisons if (judgement := comparison.judge())]
    if judgements:
        worst = max(judgements, key=lambda judgement: (not judgement.agrees, judgement.error_over_bound or 0.0))
        detail = f"{entry.title}: {worst.detail}" if worst.detail else ""
        spec = evaluation.subject.spec.id
        yield Finding(spec, worst.agrees, detail, worst.error_over_bound, worst.error, worst.bound)


def _supports(entry: MetamorphicProperty) -> Callable[[Subject], bool]:
    return lambda subject: entry.supports(Traits(subject))


def _run(entry: MetamorphicProperty) -> Callable[[Evaluation], Iterator[Finding]]:
    return lambda evaluation: decide_property(entry, evaluation)


CHECKS = tuple(Check(entry.check, "reference", _supports(entry), _run(entry)) for entry in PROPERTIES)
