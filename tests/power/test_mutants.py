"""Mutants keep the checks honest: every fault is seen, every check sees what it promises, right references pass."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rnn_harness.cases.case import Case
from rnn_harness.cases.fixed_cases import fixed_cases
from rnn_harness.checks import Check, all_checks
from rnn_harness.engine.runner import Runner, RunPlan
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.mutants import MUTANTS, Mutant, PatchError, build, judge_mutant
from rnn_harness.specs import library
from rnn_harness.subjects.subject import Subject

CELLS = [spec.id for spec in library().cells if spec.reference is not None]
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


def test_there_are_more_than_sixty_mutants_and_their_names_differ() -> None:
    assert len(BY_NAME) == len(MUTANTS) > 60


def test_both_passes_are_attacked_and_so_are_the_published_bugs() -> None:
    assert {mutant.part for mutant in MUTANTS} == {"forward", "backward"}
    published = {mutant.published_bug for mutant in MUTANTS if mutant.published_bug.startswith("B-")}
    assert len(published) >= 10


@pytest.mark.parametrize("name", BY_NAME)
def test_mutant_is_killed_by_every_check_that_is_named_for_it(name: str) -> None:
    named = [check for check in all_checks() if name in check.kills]
    groups: list[tuple[Check, ...]] = [(check,) for check in named] or [all_checks()]
    for checks in groups:
        result = judge_mutant(BY_NAME[name], checks, stop_at_first_kill=True)
        assert result.examples > 0, "every case was vacuous"
        assert result.kills, f"{', '.join(check.name for check in named) or 'every check'} misses {result.edit}"


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_check_names_mutants_that_there_are(check: Check) -> None:
    assert check.kills, "a check that kills nothing proves nothing"
    assert set(check.kills) <= set(BY_NAME)


@pytest.mark.deep("tests/power/test_mutants.py::test_mutant_is_killed_by_every_check_that_is_named_for_it")
@pytest.mark.parametrize("name", BY_NAME)
def test_the_row_of_a_mutant_in_the_kill_matrix_has_every_check_that_is_named_for_it(name: str) -> None:
    result = judge_mutant(BY_NAME[name])
    named = {check.name for check in all_checks() if name in check.kills}
    assert result.examples > 0, "every case was vacuous"
    assert result.kills, f"survived: {result.edit}"
    assert named <= {kill.check for kill in result.kills}


@pytest.mark.parametrize("name", BY_NAME)
def test_mutant_runs_on_a_plain_case(name: str) -> None:
    mutant = BY_NAME[name]
    subject = build(mutant, library().spec(mutant.spec))
    with np.errstate(all="ignore"):
        evaluation = Evaluation.of(subject, Case(spec=mutant.spec, B=2, n=3, d=4, T=3, seed=1))
        assert evaluation.gradients is not None, "a fault that only raises says nothing about the checks"


IN_DEFAULT = ("rnn.tanh", "gru.keep.column", "lstm.column", "lstm.stacked", "rnn.bidirectional")
"""References of which the default run tries all checks here, too: its `verify` has those of every cell."""
IN_DEEP = pytest.mark.deep("tests/power/test_mutants.py::test_right_reference_agrees_in_every_check")


@pytest.mark.parametrize("spec", [pytest.param(spec, marks=() if spec in IN_DEFAULT else IN_DEEP) for spec in CELLS])
def test_right_reference_agrees_in_every_check(spec: str) -> None:
    runner = Runner(Subject.of(library().spec(spec)))
    counted = [runner.try_case(case) for case in fixed_cases(spec)]
    assert any(counted)
    assert runner.results().refuted == {}


def test_an_edit_that_matches_nothing_is_refused_by_name() -> None:
    wrong = dataclasses.replace(MUTANTS[0], old="no such text")
    with pytest.raises(PatchError, match="stands 0 times"):
        build(wrong, library().spec(wrong.spec))


def test_building_a_mutant_leaves_the_right_reference_as_it_is() -> None:
    mutant = Mutant("x", "rnn.sigma.unbiased", "rnn", "forward", "new += a[t]", "new -= a[t]")
    spec = library().spec(mutant.spec)
    build(mutant, spec)
    runner = Runner(Subject.of(spec), RunPlan(tuple(c for c in all_checks() if c.name == "forward.equation")))
    assert runner.try_case(next(fixed_cases(spec.id)))
    assert runner.results().refuted == {}


def test_one_kill_is_enough_where_no_more_is_asked_for() -> None:
    mutant = BY_NAME["gru.reset gate unused"]
    checks = tuple(check for check in all_checks() if check.name.startswith(("forward.", "backward.")))
    first_kill, *further_kills = judge_mutant(mutant, checks).kills
    result = judge_mutant(mutant, checks, stop_at_first_kill=True)
    assert further_kills
    assert [(kill.check, kill.examples) for kill in result.kills] == [(first_kill.check, first_kill.examples)]
