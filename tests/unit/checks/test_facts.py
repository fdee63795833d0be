"""Every fact holds for what the documents speak of, and not for its opposite; one that cannot fail decides nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from rnn_harness.checks.facts import FACTS_SPEC, Fact, facts, of_libraries
from rnn_harness.checks.facts.of_libraries import is_installed
from rnn_harness.engine.select import select
from rnn_harness.engine.verify import verify
from rnn_harness.errors import NotRun
from rnn_harness.specs import claims

_WITHOUT_KERAS = pytest.mark.deep(
    "tests/unit/checks/test_facts.py::test_torch_and_onnx_decide_where_keras_is_not_installed"
)
"""Keras takes five seconds to import."""


@pytest.fixture
def without_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if Keras were not installed."""
    monkeypatch.setattr(of_libraries, "is_installed", lambda package: package != "keras" and is_installed(package))


@pytest.mark.parametrize(
    "fact",
    [pytest.param(fact, marks=[_WITHOUT_KERAS] if "keras" in fact.packages else []) for fact in facts()],
    ids=lambda fact: fact.name,
)
def test_a_fact_holds_for_its_sample_and_not_for_its_opposite(fact: Fact[Any]) -> None:
    try:
        answer, opposite = fact.decide(fact.sample), fact.decide(fact.opposite)
    except NotRun as reason:
        pytest.skip(str(reason))
    assert answer.holds, answer.detail
    assert not opposite.holds, opposite.detail
    assert fact.finding().agrees
    assert not dataclasses.replace(fact, sample=fact.opposite).finding().agrees
    assert not dataclasses.replace(fact, opposite=fact.sample).finding().agrees


_BY_NAME = {fact.name: fact for fact in facts()}


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        pytest.param("gates-and-states", ("rnn.tanh", "lstm.column"), id="a cell of one state without two gates"),
        pytest.param("order-of-computation", "rnn.tanh", id="a cell without a candidate"),
        pytest.param("past-is-recovered", 100, id="a state that is found to eight digits"),
        pytest.param("clipping-lets-it-learn", 0.01, id="a limit that leaves the loss large"),
        pytest.param(
            "sentences-of-three-words",
            dataclasses.replace(_BY_NAME["sentences-of-three-words"].sample, most_words=2),
            id="sentences that are longer than is said",
        ),
        pytest.param(
            "sentences-of-three-words",
            dataclasses.replace(_BY_NAME["sentences-of-three-words"].sample, steps=4),
            id="a network of another number of steps",
        ),
    ],
)
def test_a_fact_does_not_hold_of(name: str, sample: Any) -> None:
    """What differs from the fact's sample in less than its opposite does."""
    answer = _BY_NAME[name].decide(sample)
    assert not answer.holds, answer.detail


@pytest.mark.usefixtures("without_keras")
def test_torch_and_onnx_decide_where_keras_is_not_installed() -> None:
    start, distributed = (fact for fact in facts() if "keras" in fact.packages)
    answer, opposite = start.decide(start.sample), start.decide(start.opposite)
    assert answer.holds, answer.detail
    assert "torch" in answer.detail
    assert "not installed: " in answer.detail
    assert not opposite.holds
    assert "torch.nn.LSTM" in opposite.detail
    with pytest.raises(NotRun, match=r"pip install 'rnn-harness\[keras\]'"):
        distributed.finding()
    assert "keras " in " ".join(distributed.library_versions)


def test_every_fact_decides_a_claim() -> None:
    named = {name for claim in claims() for name in claim.evidence if name.startswith(f"{FACTS_SPEC}/")}
    assert named == {f"{FACTS_SPEC}/{fact.name}" for fact in facts()}


@pytest.mark.usefixtures("without_keras")
def test_facts_are_decided_by_name_and_with_everything() -> None:
    records = list(verify(select(["facts"])))
    assert [record.check for record in records] == [fact.name for fact in facts()]
    outcomes = {record.check: record.outcome for record in records}
    assert outcomes.pop("one-layer-for-every-step") == "not run"
    assert set(outcomes.values()) == {"agrees"}
    assert {record.spec for record in records} == {FACTS_SPEC}
    assert select([]).with_facts
    assert not select(["E-348"]).with_facts
