"""Errata outside of equations and contradictions: every word stands where it is said to, every evidence is decided."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rnn_harness.checks import all_checks
from rnn_harness.specs import (
    Contradiction,
    Misprint,
    claims,
    contradictions,
    equivalences,
    library,
    misprints,
)
from rnn_harness.subjects.subject import Subject


def test_with_those_of_equations_there_are_76() -> None:
    of_equations = {erratum.id for spec in library().specs for entry in spec.entries for erratum in entry.errata}
    others = {misprint.id for misprint in misprints()} | {contradiction.id for contradiction in contradictions()}
    assert len(misprints()) + len(contradictions()) == len(others), "no id twice"
    assert sum(name.startswith("X-") for name in of_equations | others) == 76


@pytest.mark.parametrize("one", [*misprints(), *contradictions()], ids=lambda one: one.id)
def test_evidence_is_decided_somewhere(one: Misprint | Contradiction) -> None:
    known = set(library().entries) | {pair.id for pair in equivalences()} | {claim.id for claim in claims()}
    checks = {check.name: check for check in all_checks()}
    for name in one.evidence:
        if "/" in name:
            spec, check = name.split("/")
            assert checks[check].supports(Subject.of(library().spec(spec))), f"{check} says nothing about {spec}"
        else:
            assert name in known


def test_a_misprint_that_a_claim_tells_needs_the_claim() -> None:
    row = {"id": "X-1", "prints": {"000:1": "x"}, "says": "a", "right": "b"}
    with pytest.raises(ValidationError, match="claim needs evidence"):
        Misprint.model_validate({**row, "by": "claim"})
    with pytest.raises(ValidationError, match="reading has no evidence"):
        Misprint.model_validate({**row, "by": "reading", "evidence": ["C-001"]})


def test_a_contradiction_has_two_sides() -> None:
    one_side = {
        "id": "X-1",
        "topic": "t",
        "positions": [{"at": [], "says": "a"}],
        "resolved": "r",
        "evidence": ["Q-01"],
    }
    with pytest.raises(ValidationError, match="two positions"):
        Contradiction.model_validate(one_side)
