"""Errata and contradictions that rest on claims: another verdict of a claim refutes them."""

from __future__ import annotations

import pytest

from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.page.errata import decide_contradictions, decide_errata
from rnn_harness.reports.page.evidence import NOT_RUN, Evidence, ReportedVerdict
from rnn_harness.specs.claims import Verdict
from rnn_harness.specs.errata import Contradiction, Misprint, contradictions, misprints

VERDICTS: tuple[Verdict, ...] = ("true", "true under conditions", "false", "depends")
BY_CLAIMS = [misprint for misprint in misprints() if misprint.by == "claim"]
WITH_CLAIMS = [contradiction for contradiction in contradictions() if contradiction.verdicts]


def _claims_of(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name.startswith("C-")]


def _erratum(misprint: Misprint, verdicts: dict[str, ReportedVerdict]) -> Outcome | None:
    (row,) = decide_errata({}, [misprint], [], Evidence([], verdicts))
    return row.outcome


def _contradiction(contradiction: Contradiction, verdicts: dict[str, ReportedVerdict]) -> Outcome:
    (row,) = decide_contradictions([contradiction], [], Evidence([], verdicts))
    return row.outcome


@pytest.mark.parametrize("misprint", BY_CLAIMS, ids=lambda misprint: misprint.id)
def test_an_erratum_is_refuted_where_one_of_its_claims_is_plainly_true(misprint: Misprint) -> None:
    claims = _claims_of(misprint.evidence)
    assert claims == list(misprint.evidence)
    shown: dict[str, ReportedVerdict] = dict.fromkeys(claims, "false")
    assert _erratum(misprint, shown) is Outcome.AGREES
    for claim in claims:
        assert _erratum(misprint, {**shown, claim: "true"}) is Outcome.REFUTED
        assert _erratum(misprint, {**shown, claim: "depends"}) is Outcome.AGREES
        assert _erratum(misprint, {**shown, claim: NOT_RUN}) is Outcome.NOT_RUN


@pytest.mark.parametrize("contradiction", WITH_CLAIMS, ids=lambda contradiction: contradiction.id)
def test_a_contradiction_is_refuted_where_a_claim_comes_out_otherwise(contradiction: Contradiction) -> None:
    assert set(contradiction.evidence) == set(contradiction.verdicts), "its other evidence would need records here"
    shown: dict[str, ReportedVerdict] = {claim: verdicts[0] for claim, verdicts in contradiction.verdicts.items()}
    assert _contradiction(contradiction, shown) is Outcome.AGREES
    for claim, expected in contradiction.verdicts.items():
        others = [verdict for verdict in VERDICTS if verdict not in expected]
        assert others
        for verdict in others:
            assert _contradiction(contradiction, {**shown, claim: verdict}) is Outcome.REFUTED
        assert _contradiction(contradiction, {**shown, claim: NOT_RUN}) is Outcome.NOT_RUN


def test_there_are_errata_and_contradictions_of_both_kinds() -> None:
    assert len(BY_CLAIMS) >= 15
    assert len(WITH_CLAIMS) >= 5
