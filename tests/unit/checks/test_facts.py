"""Every fact holds for what the documents speak of, and not for its opposite; one that cannot fail decides nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from rnn_harness.checks.facts import FACTS_SPEC, Fact, facts
from rnn_harness.engine.select import select
from rnn_harness.engine.verify import verify
from rnn_harness.specs import claims


@pytest.mark.parametrize("fact", facts(), ids=lambda fact: fact.name)
def test_a_fact_holds_for_its_sample_and_not_for_its_opposite(fact: Fact[Any]) -> None:
    answer, opposite = fact.decide(fact.sample), fact.decide(fact.opposite)
    assert answer.holds, answer.detail
    assert not opposite.holds, opposite.detail
    assert fact.finding().agrees
    assert not dataclasses.replace(fact, sample=fact.opposite).finding().agrees
    assert not dataclasses.replace(fact, opposite=fact.sample).finding().agrees


def test_every_fact_decides_a_claim() -> None:
    named = {name for claim in claims() for name in claim.evidence if name.startswith(f"{FACTS_SPEC}/")}
    assert named == {f"{FACTS_SPEC}/{fact.name}" for fact in facts()}


def test_facts_are_decided_by_name_and_with_everything() -> None:
    records = list(verify(select(["facts"])))
    assert [record.check for record in records] == [fact.name for fact in facts()]
    assert {record.outcome for record in records} == {"agrees"}
    assert {record.spec for record in records} == {FACTS_SPEC}
    assert select([]).with_facts
    assert not select(["E-348"]).with_facts
