"""Verdicts come from what there is: without evidence not run, against it never what was expected."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rnn_harness.records.kill_matrix import Kill, MutantResult
from rnn_harness.records.measurement import CurvePoint, DecayMeasurement, Measurement, ParameterCount, SpeedMeasurement
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.page.claims import decide_claims
from rnn_harness.reports.page.measured_claims import KIND_OF_CLAIM, MEASURED_CLAIMS
from rnn_harness.specs import Claim, claims
from tests.helpers.measured_facts import FACTS, Facts, count, decay, learning, timed


def _claim(by: str, *evidence: str, verdict: str | None = "true") -> Claim:
    false_if = {"says": "y", "mutants": ("rnn.input unused",) if by == "checks" else ()}
    base = {"id": "C-1", "prints": {"000:1": "x"}, "says": "x", "by": by, "evidence": evidence, "false_if": false_if}
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


def test_one_refuted_evidence_of_two_is_enough() -> None:
    records = [_record(Outcome.AGREES), _record(Outcome.REFUTED, "E-2")]
    (row,) = decide_claims([_claim("checks", "E-1", "E-2")], records, [])
    assert row.verdict == "evidence refuted"
    assert row.evidence == "E-1 agrees, E-2 refuted"


@pytest.mark.parametrize("check", ["equation.numeric", "equation.symbolic", "equation.torch", "text.audit"])
def test_a_witness_that_agrees_for_any_equation_is_no_evidence_but_its_refutation_is(check: str) -> None:
    """The derivative of an equation that says the opposite is as right as that of the one that is printed."""
    claim = _claim("checks", "E-1")
    (row,) = decide_claims([claim], [_record(Outcome.AGREES, check=check)], [])
    assert row.verdict == "not run"
    (row,) = decide_claims([claim], [_record(Outcome.AGREES), _record(Outcome.REFUTED, check=check)], [])
    assert row.verdict == "evidence refuted"


def test_what_a_kernel_computes_is_no_evidence_for_a_document() -> None:
    kernel = _record(Outcome.AGREES).model_copy(update={"kernel": "nn.GRU", "witness": "kernel"})
    (row,) = decide_claims([_claim("checks", "E-1")], [kernel], [])
    assert row.verdict == "not run"


def test_without_anything_only_what_a_publication_decides_has_a_verdict() -> None:
    for row, claim in zip(decide_claims(claims(), [], []), claims(), strict=True):
        if claim.by in ("checks", "measured"):
            assert row.verdict == "not run"
        else:
            assert row.verdict in ("true", "true under conditions", "false", "not testable")


@pytest.mark.parametrize(
    ("name", "facts"),
    [(name, facts) for name, rows in FACTS.items() for facts in rows],
    ids=lambda value: value if isinstance(value, str) else value.verdict,
)
def test_the_verdict_follows_from_the_measurements(name: str, facts: Facts) -> None:
    decided = MEASURED_CLAIMS[name](facts.measurements)
    assert decided is not None
    assert decided.verdict == facts.verdict, decided.numbers


@pytest.mark.parametrize("claim", [claim for claim in claims() if claim.by == "measured"], ids=lambda claim: claim.id)
def test_other_measurements_make_a_measured_claim_false_and_others_do_not(claim: Claim) -> None:
    (name,) = claim.evidence
    verdicts = {decide_claims([claim], [], facts.measurements)[0].verdict for facts in FACTS[name]}
    assert "false" in verdicts
    assert verdicts & {"true", "true under conditions"}


_FASTER = (timed("rnn.tanh", 1.0), timed("lstm.column", 2.0))
_FASTER_LSTM = timed("lstm.column", 0.5)
_UNCOUNTED_TIMES: dict[str, dict[str, Any]] = {
    "of what computes something else": {"agrees": False},
    "of what nothing was compared with": {"agrees": None},
    "of the forward pass alone": {"phase": "forward"},
    "on another device": {"device": "cuda"},
    "that is lost in noise": {"median": None},
}
_EXPLODING = decay("RNN", "gain-3", 0.1, losses=(None, None))


@pytest.mark.parametrize(
    ("name", "rows", "uncounted"),
    [
        pytest.param(
            "fewer parameters",
            (count("gru.keep.column", 96), count("lstm.column", 128)),
            (count("gru.keep.column", 200).model_copy(update={"agrees": False}),),
            id="a number of parameters that the arrays do not have",
        ),
        *(
            pytest.param("rnn faster", _FASTER, (_FASTER_LSTM.model_copy(update=update),), id=f"a time {reason}")
            for reason, update in _UNCOUNTED_TIMES.items()
        ),
        pytest.param(
            "rnn faster",
            _FASTER,
            tuple(
                row.model_copy(update={"sizes": {**row.sizes, "n": 100}})
                for row in (timed("rnn.tanh", 3.0), timed("lstm.column", 2.0))
            ),
            id="times of cells with as many parameters as an LSTM",
        ),
        pytest.param(
            "gru keeps",
            (decay("GRU", "torch", -0.2), decay("GRU", "keep", -0.01)),
            (decay("GRU", "keep", -2.0).model_copy(update={"agrees": False}),),
            id="the decay of what computes something else",
        ),
        pytest.param(
            "loss where it explodes",
            (_EXPLODING,),
            (decay("RNN", "torch", -0.2, losses=(0.5,)),),
            id="a training where the gradient does not explode",
        ),
        *(
            pytest.param(
                name,
                (learning("RNN", "adding", 0, 0.2, rate_before=0.6),),
                (learning("GRU", "adding", 3, 0.0, rate_before=rate),),
                id=f"a gradient {reason}, where {name}",
            )
            for name in ("nothing is learnt", "loss stands still")
            for reason, rate in (("that has not vanished", 0.95), ("that was not measured", None))
        ),
        *(
            pytest.param(
                "sees ahead",
                (learning("GRU, both directions", "ahead", 3), learning("GRU", "ahead", 0)),
                (learning(subject, "ahead", solved, sizes={"T": 20}),),
                id=f"a shorter length, of {subject}",
            )
            for subject, solved in (("GRU", 3), ("GRU, both directions", 0))
        ),
    ],
)
def test_a_verdict_leaves_out(name: str, rows: Sequence[Measurement], uncounted: Sequence[Measurement]) -> None:
    """What would change the verdict if it counted, before the other measurements or behind them."""
    decided = MEASURED_CLAIMS[name](rows)
    assert decided is not None
    assert MEASURED_CLAIMS[name]([*uncounted, *rows]) == decided
    assert MEASURED_CLAIMS[name]([*rows, *uncounted]) == decided


def test_each_family_is_timed_by_its_fastest_implementation() -> None:
    """The RNN's second implementation is slower than the LSTM's fastest, and the LSTM's slowest the slowest of all."""
    rows = [timed("rnn.tanh", 1.0), timed("rnn.tanh", 3.0), timed("lstm.column", 2.0), timed("lstm.column", 0.5)]
    for order in itertools.permutations(rows):
        decided = MEASURED_CLAIMS["rnn faster"](order)
        assert decided is not None
        assert decided.verdict == "false"
        assert decided.numbers.endswith("2.00 at d = 64")


def test_without_a_gradient_that_explodes_its_training_decides_nothing() -> None:
    row = decay("RNN", "gain-3", -0.1, losses=(0.9, 3.0))
    assert MEASURED_CLAIMS["loss where it explodes"]([row]) is None


def test_a_loss_that_rises_with_noise_alone_is_not_learnt() -> None:
    """One seed above what a model without a memory reaches: the median alone proves nothing."""
    row = learning("RNN", "adding", 0, 0.16, rate_before=0.6, samples=(0.16, 0.16, 0.171))
    decided = MEASURED_CLAIMS["nothing is learnt"]([row])
    assert decided is not None
    assert decided.verdict == "true"


@pytest.mark.parametrize("name", ["nothing is learnt", "loss stands still"])
def test_a_gradient_that_is_cut_at_windows_has_not_vanished_over_the_sequence(name: str) -> None:
    """What is carried by the state is learnt within its windows, where the gradient is large."""
    row = learning("RNN, stateful", "carry", 3, 0.0, rate_before=0.6)
    assert MEASURED_CLAIMS[name]([row]) is None
    assert MEASURED_CLAIMS[name]([row.model_copy(update={"task": "order"})]) is not None


@pytest.mark.parametrize("points", [(10, 16, 32, 64, 100), (10, 16, 32)], ids=["five lags", "three lags"])
def test_noise_is_not_geometric(points: tuple[int, ...]) -> None:
    noise = np.random.default_rng(1).standard_normal(len(points))
    curve = tuple(CurvePoint(lag, float(value)) for lag, value in zip(points, noise, strict=True))
    rows = [
        decay("RNN", "torch", -0.2).model_copy(update={"log10_norms": curve}),
        decay("LSTM without forget gate", "torch", 0.01),
    ]
    decided = MEASURED_CLAIMS["geometric"](rows)
    assert decided is not None
    assert decided.verdict == "false"


@pytest.mark.parametrize("name", MEASURED_CLAIMS)
def test_what_was_not_measured_says_nothing(name: str) -> None:
    assert MEASURED_CLAIMS[name]([]) is None


def test_every_way_to_measure_has_facts_on_both_sides() -> None:
    assert set(FACTS) == set(MEASURED_CLAIMS)


def test_a_claim_says_what_would_make_it_false_and_what_became_of_it() -> None:
    claim = next(claim for claim in claims() if claim.id == "C-005")
    assert claim.false_if is not None
    (mutant,) = claim.false_if.mutants
    (row,) = decide_claims([claim], [], [])
    assert row.false_if == "a reset gate that is always open"
    assert row.tried == f"tried with the wrong reference {mutant}, in the tests: refuted"

    def result(*kills: str) -> MutantResult:
        return MutantResult(
            mutant=mutant,
            spec="gru.keep.column",
            part="forward",
            edit="x -> y",
            killed=bool(kills),
            examples=1,
            vacuous=0,
            kills=tuple(Kill(check=check, examples=1, seconds=0.1, detail="d") for check in kills),
        )

    (row,) = decide_claims([claim], [], [], [result("metamorphic.gru-limit-is-rnn", "metamorphic.adjoint")])
    assert row.tried.endswith(": refuted by metamorphic.gru-limit-is-rnn")
    agreeing = [
        Record(entry="gru", spec=spec, check=check, witness="reference", outcome=Outcome.AGREES)
        for spec, _, check in (piece.partition("/") for piece in claim.evidence)
    ]
    (row,) = decide_claims([claim], agreeing, [], [result("metamorphic.gru-limit-is-rnn")])
    assert row.verdict == "true"
    (row,) = decide_claims([claim], agreeing, [], [result("metamorphic.adjoint")])
    assert row.tried == f"tried with the wrong reference {mutant}: not refuted, so that nothing is decided"
    assert row.verdict == "not run", "what agrees with a false cell, too, proves nothing"


def test_a_claim_about_two_families_is_blind_where_one_wrong_reference_is_not_refuted() -> None:
    claim = next(claim for claim in claims() if claim.id == "C-001")
    assert claim.false_if is not None
    gru, lstm = claim.false_if.mutants
    agreeing = [
        Record(entry="x", spec=spec, check=check, witness="reference", outcome=Outcome.AGREES)
        for spec, _, check in (piece.partition("/") for piece in claim.evidence)
    ]
    kill = Kill(check="metamorphic.gates-in-unit-interval", examples=1, seconds=0.1, detail="d")
    base = {"part": "forward", "edit": "x -> y", "examples": 1, "vacuous": 0}
    seen = MutantResult.model_validate({"mutant": gru, "spec": "s", "killed": True, "kills": (kill,), **base})
    unseen = MutantResult.model_validate({"mutant": lstm, "spec": "s", "killed": False, "kills": (), **base})
    (row,) = decide_claims([claim], agreeing, [], [seen])
    assert row.verdict == "true"
    assert row.tried == (
        f"tried with the wrong reference {gru}: refuted by metamorphic.gates-in-unit-interval; "
        f"tried with the wrong reference {lstm}, in the tests: refuted"
    )
    (row,) = decide_claims([claim], agreeing, [], [seen, unseen])
    assert row.verdict == "not run", "what one of the two families does not show is not proved of both"
    assert row.tried.endswith(f"{lstm}: not refuted, so that nothing is decided")


@pytest.mark.parametrize("name", FACTS)
def test_the_command_measures_what_the_claim_asks(name: str) -> None:
    kinds = {ParameterCount: "parameters", SpeedMeasurement: "speed", DecayMeasurement: "decay"}
    asked = {kinds.get(type(row), "learning") for facts in FACTS[name] for row in facts.measurements}
    assert asked == {KIND_OF_CLAIM[name]}
    claim = _claim("measured", name, verdict=None)
    for plan, option in (("quick", " --quick"), ("usual", "")):
        rows = [row.model_copy(update={"plan": plan}) for row in FACTS[name][0].measurements]
        assert decide_claims([claim], [], rows)[0].command == f"rnn-harness bench {KIND_OF_CLAIM[name]}{option}"


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.id)
def test_every_claim_shows_what_was_tried_or_why_it_cannot_be(claim: Claim) -> None:
    (row,) = decide_claims([claim], [], [])
    assert bool(row.false_if) == bool(row.tried) == (claim.by != "not testable")
    assert bool(row.command) == (claim.by in ("checks", "measured"))
    assert row.when or claim.by not in ("literature", "not testable")


def test_evidence_shows_its_proof_or_its_cases_and_largest_error() -> None:
    proof = _record(Outcome.AGREES, "Q-1", "equivalence.proof").model_copy(update={"reason": "3 identities proved"})
    numbers = _record(Outcome.AGREES).model_copy(update={"examples": 9, "error_over_bound": 0.12})
    not_run = _record(Outcome.NOT_RUN).model_copy(update={"reason": "nothing to compute"})
    (row,) = decide_claims([_claim("checks", "Q-1", "E-1")], [proof, numbers, not_run], [])
    assert row.verdict == "true"
    assert row.evidence == "Q-1 agrees: 3 identities proved, E-1 agrees: 9 cases, error at most 0.12 of its bound"
    wrong = _record(Outcome.REFUTED).model_copy(update={"examples": 9, "reason": "the state is 2, not 1"})
    (row,) = decide_claims([_claim("checks", "E-1")], [numbers, wrong], [])
    assert row.evidence == "E-1 refuted: the state is 2, not 1"


def test_a_fact_shows_the_numbers_that_decide_it() -> None:
    claim = next(claim for claim in claims() if claim.id == "C-161")
    record = Record(
        entry="codes-keep-case",
        spec="facts",
        check="codes-keep-case",
        witness="reference",
        outcome=Outcome.AGREES,
        reason="The 0100000, the 0000010",
    )
    (row,) = decide_claims([claim], [record], [])
    assert (row.verdict, row.evidence) == ("true", "facts/codes-keep-case agrees: The 0100000, the 0000010")
