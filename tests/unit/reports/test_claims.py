"""Verdicts come from what there is: without evidence not run, against it never what was expected."""

from __future__ import annotations

import pytest

from rnn_harness.records.measurement import DecayMeasurement, LearningMeasurement, Measurement
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.page.claims import decide_claims
from rnn_harness.reports.page.measured_claims import MEASURED_CLAIMS
from rnn_harness.specs import Claim, claims


def _claim(by: str, *evidence: str, verdict: str | None = "true") -> Claim:
    base = {"id": "C-1", "at": ["000:1"], "says": "x", "by": by, "evidence": evidence}
    return Claim.model_validate(base if verdict is None else {**base, "verdict": verdict})


def _record(outcome: Outcome, entry: str = "E-1", check: str = "metamorphic.gates-in-unit-interval") -> Record:
    return Record(entry=entry, spec="gru", check=check, witness="reference", outcome=outcome)


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        ([], "not run"),
        ([_record(Outcome.NOT_RUN)], "not run"),
        ([_record(Outcome.AGREES)], "true"),
        ([_record(Outcome.AGREES), _record(Outcome.REFUTED)], "evidence refuted"),
    ],
    ids=["without records", "not run", "agreed with", "refuted"],
)
def test_verdict_of_checks(records: list[Record], verdict: str) -> None:
    for name in ("E-1", "gru/metamorphic.gates-in-unit-interval"):
        (row,) = decide_claims([_claim("checks", name)], records, [])
        assert row.verdict == verdict


def test_one_evidence_of_two_is_not_enough() -> None:
    (row,) = decide_claims([_claim("checks", "E-1", "E-2")], [_record(Outcome.AGREES)], [])
    assert row.verdict == "not run"
    assert row.evidence == "E-1 agrees, E-2 not run"


def test_without_anything_only_sources_and_definitions_have_a_verdict() -> None:
    for row, claim in zip(decide_claims(claims(), [], []), claims(), strict=True):
        if claim.by in ("checks", "measured"):
            assert row.verdict == "not run"
        else:
            assert row.verdict in ("true", "true under conditions", "false", "not testable")


def _decay(subject: str, initialisation: str, rate: float, float32_horizon: float | None = None) -> DecayMeasurement:
    return DecayMeasurement(
        subject=subject,
        spec="x",
        initialisation=initialisation,
        agrees=True,
        rate=rate,
        ci_low=rate - 0.01,
        ci_high=rate + 0.01,
        float32_horizon=float32_horizon,
        lyapunov_exponent=-0.5,
    )


def _learning(subject: str, task: str, solved: int) -> LearningMeasurement:
    return LearningMeasurement(
        subject=subject,
        spec="x",
        task=task,
        task_title="t",
        sizes={"T": 20},
        training_steps=100,
        median=0.1,
        chance=0.17,
        seeds=3,
        seeds_solved=solved,
        seconds=1.0,
        parameters=1300,
    )


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("explodes", [_decay("RNN", "gain-3", 1.3)], [_decay("RNN", "gain-3", 0.9)]),
        (
            "gates keep",
            [_decay(n, "torch", 0.6) for n in ("RNN", "GRU", "LSTM")] + [_decay("LSTM", "chrono", 0.99)],
            [_decay(n, "torch", 0.6) for n in ("RNN", "GRU", "LSTM")] + [_decay("LSTM", "chrono", 0.5)],
        ),
        (
            "eight or ten",
            [_decay("sigmoid RNN", "torch", 0.14, float32_horizon=8.0)],
            [_decay("sigmoid RNN", "torch", 0.9, float32_horizon=150.0)],
        ),
        (
            "long dependencies",
            [_learning("RNN", "adding", 0), _learning("GRU", "adding", 3), _learning("LSTM", "adding", 1)],
            [_learning("RNN", "adding", 3), _learning("GRU", "adding", 3), _learning("LSTM", "adding", 1)],
        ),
        (
            "stateful learns",
            [_learning("GRU, stateful", "carry", 3), _learning("GRU, stateless", "carry", 0)],
            [_learning("GRU, stateful", "carry", 3), _learning("GRU, stateless", "carry", 2)],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_measurement_may_speak_for_a_claim_or_against_it(
    name: str, good: list[Measurement], bad: list[Measurement]
) -> None:
    supported, broken = MEASURED_CLAIMS[name](good), MEASURED_CLAIMS[name](bad)
    assert supported is not None
    assert broken is not None
    assert supported.is_supported
    assert not broken.is_supported
    (row,) = decide_claims([_claim("measured", name, verdict="true")], [], bad)
    assert row.verdict == "evidence refuted"


@pytest.mark.parametrize("name", MEASURED_CLAIMS)
def test_what_was_not_measured_says_nothing(name: str) -> None:
    assert MEASURED_CLAIMS[name]([]) is None
