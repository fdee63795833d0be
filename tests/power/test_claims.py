"""No claim is true whatever happens: what would make it false is tried, and its evidence must refute it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from rnn_harness.cases.fixed_cases import fixed_cases
from rnn_harness.checks import all_checks
from rnn_harness.checks.document_examples import document_checks
from rnn_harness.checks.facts import FACTS_SPEC, facts
from rnn_harness.derivatives.equivalence import prove_equivalence
from rnn_harness.engine.runner import run_check
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.mutants import MUTANTS, Mutant, build
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.page.claims import decide_claims
from rnn_harness.specs import Claim, Entry, Equivalence, Example, Falsifier, claims, equivalences, library
from rnn_harness.subjects.subject import Subject
from tests.helpers.false_cells import FALSE_CELLS, FalseCell

BY_CHECKS = [claim for claim in claims() if claim.by == "checks"]
MUTANT_BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


def _by_mutant(mutant: Mutant, evidence: tuple[str, ...]) -> set[str]:
    """Which of the evidence a wrong reference refutes, on the fixed cases."""
    spec = library().spec(mutant.spec)
    subject = build(mutant, spec)
    named = {piece.partition("/")[2] for piece in evidence if piece.partition("/")[0] == mutant.spec}
    entries = {piece for piece in evidence if "/" not in piece}
    named |= {"forward.equation"} if entries else set()
    checks = [check for check in all_checks() if check.name in named and check.supports(subject)]
    refuted: set[str] = set()
    for case in fixed_cases(mutant.spec):
        evaluation = Evaluation.of(Subject.of(spec), case)
        for check in checks:
            if case.dtype in check.dtypes:
                for finding in run_check(check, evaluation.copied(subject)):
                    pieces = {finding.entry, f"{mutant.spec}/{check.name}"} & set(evidence)
                    refuted |= set() if finding.agrees else pieces
    return refuted


def _by_text(falsifier: Falsifier) -> set[str]:
    """Whether an entry with another text is refuted."""
    _, entry = library().entries[falsifier.entry]
    change = {"asked": falsifier.text} if isinstance(entry, Example) else {"reading": falsifier.text}
    assert _agrees(entry)
    return set() if _agrees(entry.model_copy(update=change)) else {falsifier.entry}


def _agrees(entry: Entry) -> bool:
    """Whether every check of an entry that can be run agrees."""
    agreed = []
    for check in document_checks(entry, library(), 0):
        with contextlib.suppress(NotRun):
            agreed.append(check.decide().agrees)
    return bool(agreed) and all(agreed)


def _by_parameters(falsifier: Falsifier) -> set[str]:
    """Whether a pair with other parameters is not what is expected of it."""
    pair = next(pair for pair in equivalences() if pair.id == falsifier.pair)
    other: Equivalence = pair.model_copy(update={"parameters": {**pair.parameters, **falsifier.parameters}})
    assert prove_equivalence(pair).is_as_expected
    return set() if prove_equivalence(other).is_as_expected else {pair.id}


def _refuted(claim: Claim) -> frozenset[str]:
    falsifier = claim.false_if
    assert falsifier is not None
    if falsifier.fact:
        (fact,) = (fact for fact in facts() if fact.name == falsifier.fact)
        try:
            assert fact.decide(fact.sample).holds
        except NotRun as reason:
            pytest.skip(str(reason))
        return frozenset() if fact.decide(fact.opposite).holds else frozenset({f"{FACTS_SPEC}/{fact.name}"})
    if falsifier.mutants:
        refuted = {name: _by_mutant(MUTANT_BY_NAME[name], claim.evidence) for name in falsifier.mutants}
        assert all(refuted.values()), f"{claim.id} agrees with {[name for name in refuted if not refuted[name]]}"
        return frozenset().union(*refuted.values())
    return frozenset(_by_text(falsifier) if falsifier.entry else _by_parameters(falsifier))


def _records(claim: Claim, refuted: frozenset[str]) -> Iterator[Record]:
    """What a run would record: every piece of evidence agrees but those that are refuted."""
    for piece in claim.evidence:
        spec, _, check = piece.partition("/")
        outcome = Outcome.REFUTED if piece in refuted else Outcome.AGREES
        base = {"entry": spec, "spec": spec, "check": check} if check else {"entry": piece, "spec": "", "check": "x"}
        yield Record.model_validate({**base, "witness": "reference", "outcome": outcome})


_ASKS_KERAS = {f"{FACTS_SPEC}/{fact.name}" for fact in facts() if "keras" in fact.packages}
_WITHOUT_KERAS = pytest.mark.deep(
    "tests/unit/checks/test_facts.py::test_torch_and_onnx_decide_where_keras_is_not_installed"
)


@pytest.mark.parametrize(
    "claim",
    [pytest.param(claim, marks=[_WITHOUT_KERAS] if _ASKS_KERAS & set(claim.evidence) else []) for claim in BY_CHECKS],
    ids=lambda claim: f"{claim.id} if {claim.false_if.says}",
)
def test_what_would_make_a_claim_false_refutes_its_evidence(claim: Claim) -> None:
    refuted = _refuted(claim)
    assert refuted, f"{claim.id}: none of {', '.join(claim.evidence)} sees it"
    (row,) = decide_claims([claim], list(_records(claim, refuted)), [])
    assert row.verdict == "evidence refuted"
    (row,) = decide_claims([claim], list(_records(claim, frozenset())), [])
    assert row.verdict == claim.verdict


@pytest.mark.deep("tests/power/test_claims.py::test_what_would_make_a_claim_false_refutes_its_evidence")
@pytest.mark.parametrize("cell", FALSE_CELLS, ids=lambda cell: f"{cell.claim}: {cell.says}")
def test_another_cell_that_makes_a_claim_false_refutes_its_evidence(cell: FalseCell) -> None:
    (claim,) = (claim for claim in BY_CHECKS if claim.id == cell.claim)
    refuted = frozenset(_by_mutant(cell.mutant, claim.evidence))
    assert refuted, f"{claim.id}: none of {', '.join(claim.evidence)} sees it"
    (row,) = decide_claims([claim], list(_records(claim, refuted)), [])
    assert row.verdict == "evidence refuted"


BY_MUTANTS = {claim.id: claim.false_if.mutants for claim in BY_CHECKS if claim.false_if and claim.false_if.mutants}


@pytest.mark.parametrize("claim", [claim for claim in BY_CHECKS if claim.id in BY_MUTANTS], ids=lambda claim: claim.id)
def test_a_claim_about_several_families_is_refuted_for_each(claim: Claim) -> None:
    checked = {piece.partition("/")[0] for piece in claim.evidence if "/" in piece}
    wrong = {MUTANT_BY_NAME[name].spec for name in BY_MUTANTS[claim.id]}
    assert checked <= wrong, f"{claim.id}: no wrong reference of {', '.join(sorted(checked - wrong))} is tried"


def test_every_reference_that_makes_a_claim_false_is_named_by_a_claim() -> None:
    from rnn_harness.mutants.claims import MUTANTS as OF_CLAIMS

    named = {name for names in BY_MUTANTS.values() for name in names}
    required = {name for check in all_checks() for name in check.kills}
    assert {mutant.name for mutant in OF_CLAIMS} <= named | required
    assert named <= set(MUTANT_BY_NAME)
