"""Which witness is independent of which: by how they count, and by what they say of an equation that is wrong."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from rnn_harness.cases.fixed_cases import fixed_cases
from rnn_harness.checks import all_checks
from rnn_harness.checks.entry_checks import entry_checks
from rnn_harness.engine.runner import run_check
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome, Witness
from rnn_harness.reports.page.evidence import SELF_WITNESSES, RecordEvidence
from rnn_harness.reports.summary import DERIVATION, WITNESSES, summarise_entries
from rnn_harness.specs import library
from rnn_harness.specs.spec import Spec
from rnn_harness.subjects.subject import Subject

INDEPENDENT: tuple[frozenset[Witness], ...] = (
    frozenset({"text"}),
    frozenset({"reference"}),
    frozenset({"numeric", "symbolic", "torch"}),
)
"""What shares nothing with the others: those of one set differentiate the very same expression."""


def record(witness: Witness, outcome: Outcome, check: str = "x") -> Record:
    """What a witness says of an entry."""
    reason = "" if outcome in (Outcome.AGREES, Outcome.REFUTED) else "r"
    return Record(entry="E-1", spec="s", check=check, witness=witness, outcome=outcome, reason=reason)


@pytest.mark.parametrize(
    "agreeing",
    [subset for size in range(len(WITNESSES) + 1) for subset in itertools.combinations(WITNESSES, size)],
    ids=lambda subset: ", ".join(subset) or "nobody",
)
@pytest.mark.parametrize("other", [Outcome.REFUTED, Outcome.NOT_RUN, Outcome.VACUOUS])
def test_witnesses_count_once_for_each_that_shares_nothing(agreeing: tuple[Witness, ...], other: Outcome) -> None:
    records = [record(name, Outcome.AGREES if name in agreeing else other) for name in WITNESSES]
    summary = summarise_entries(records)["s", "E-1"]
    assert summary.independent_witnesses == sum(bool(group & set(agreeing)) for group in INDEPENDENT)


def test_every_witness_of_an_equation_is_in_one_of_the_sets() -> None:
    assert set().union(*INDEPENDENT) == set(WITNESSES)
    assert sum(map(len, INDEPENDENT)) == len(WITNESSES)
    assert frozenset(DERIVATION) in INDEPENDENT


def _wrong_spec() -> Spec:
    """The simple RNN of 000:260 with a minus in the place of a plus: another equation than the reference computes."""
    right = library().spec("rnn.tanh")
    (equation,) = right.model.equations
    text = equation.reading or equation.printed
    wrong = equation.model_copy(update={"reading": text.replace("+", "-", 1)})
    assert wrong.reading != text
    return replace(right, model=right.model.model_copy(update={"equations": (wrong,)}))


def test_of_a_wrong_equation_the_derivation_agrees_in_three_voices_and_the_reference_alone_refutes_it() -> None:
    spec = _wrong_spec()
    (equation,) = spec.model.equations
    decided = {
        check.witness: check.decide() for check in entry_checks(spec, equation, library(), 0) if check.witness != "text"
    }
    assert set(decided) == set(DERIVATION)
    assert all(finding.agrees for finding in decided.values()), "they differentiate whatever stands there"
    (check,) = (check for check in all_checks() if check.name == "forward.equation")
    evaluation = Evaluation.of(Subject.of(spec), next(iter(fixed_cases("rnn.tanh"))))
    assert [finding.agrees for finding in run_check(check, evaluation)] == [False], (
        "the reference computes the equation as it is printed"
    )


@pytest.mark.parametrize("check", sorted(SELF_WITNESSES))
def test_that_a_witness_of_the_derivation_or_the_print_agrees_is_no_evidence(check: str) -> None:
    assert RecordEvidence([record("numeric", Outcome.AGREES, check)]).outcome("E-1") is Outcome.NOT_RUN
    assert RecordEvidence([record("numeric", Outcome.REFUTED, check)]).outcome("E-1") is Outcome.REFUTED
    assert RecordEvidence([record("reference", Outcome.AGREES, "forward.equation")]).outcome("E-1") is Outcome.AGREES
