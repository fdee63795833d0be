"""The documents' claims: every place exists, and every evidence is something that is really decided."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rnn_harness.checks import all_checks
from rnn_harness.checks.facts import FACTS_SPEC, facts
from rnn_harness.reports.page.measured_claims import MEASURED_CLAIMS
from rnn_harness.specs import Claim, claims, library
from rnn_harness.specs.equivalences import equivalences
from rnn_harness.subjects.subject import Subject


def test_there_are_156_with_ids_of_their_own() -> None:
    assert len(claims()) == 156
    assert len({one.id for one in claims()}) == 156


@pytest.mark.parametrize("one", [one for one in claims() if one.evidence], ids=lambda one: one.id)
def test_what_a_claim_rests_on_is_decided_somewhere(one: Claim) -> None:
    entries = set(library().entries) | {pair.id for pair in equivalences()}
    checks = {check.name: check for check in all_checks()}
    for name in one.evidence:
        if one.by == "measured":
            assert name in MEASURED_CLAIMS
        elif name.startswith(f"{FACTS_SPEC}/"):
            assert name.partition("/")[2] in {fact.name for fact in facts()}
        elif "/" in name:
            spec, check = name.split("/")
            assert checks[check].supports(Subject.of(library().spec(spec))), f"{check} says nothing about {spec}"
        else:
            assert name in entries


def test_every_way_to_measure_is_used_by_a_claim() -> None:
    assert {name for one in claims() if one.by == "measured" for name in one.evidence} == set(MEASURED_CLAIMS)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"by": "checks", "verdict": "true"}, "needs evidence"),
        ({"by": "literature", "verdict": "true", "evidence": ["E-001"]}, "has no evidence"),
        ({"by": "not testable"}, "and a reason"),
        ({"by": "literature", "when": "x", "false_if": {"says": "y"}}, "a verdict is missing"),
        ({"by": "literature", "verdict": "true", "false_if": {"says": "y"}}, "say in when which publication"),
        ({"by": "literature", "verdict": "true", "when": "x"}, "say in false_if what would make it false"),
        ({"by": "measured", "evidence": ["x"]}, "say in false_if what would make it false"),
        ({"by": "measured", "evidence": ["x"], "false_if": {"says": "y"}, "verdict": "true"}, "none is written down"),
        ({"by": "checks", "evidence": ["E-001"], "false_if": {"says": "y"}, "verdict": "true"}, "names a mutant"),
    ],
)
def test_a_claim_without_what_decides_it_is_refused(row: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Claim.model_validate({"id": "C-1", "prints": {"000:1": "x"}, "says": "x", **row})
