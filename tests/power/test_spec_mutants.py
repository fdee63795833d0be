"""Wrong cells that a spec's own equations make: the checks see them, for families that have no reference."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from rnn_harness.comparison.spec_mutants import SpecMutant, killer, spec_mutants
from rnn_harness.errors import UsageError
from rnn_harness.specs import Spec, literature
from rnn_harness.validation.judging.own_specs import load_spec_file
from rnn_harness.validation.spec_search.rewrites import Rewrite

STEPS = [
    spec for spec in literature() if len(spec.model.states) <= 2 and set(spec.model.states.values()) == {"d"}
]  # the cells with other states are no steps that mutants are made of
SIMPLE = [spec for spec in literature() if spec.id in ("gilr", "fastgrnn", "ran")]
OUTPUT_APART = [spec for spec in literature() if spec.id == "mclstm"]
SEVERAL_INPUTS = [spec for spec in literature() if spec.id == "grud"]


def _right(spec: Spec) -> SpecMutant:
    """The spec as a mutant of itself."""
    return SpecMutant(spec, Rewrite(spec.program(), ("none",), ("nothing is wrong",), 0))


@pytest.mark.parametrize("spec", SIMPLE, ids=lambda spec: spec.id)
def test_the_likeliest_mistakes_of_a_spec_are_all_killed(spec: Spec) -> None:
    likeliest = list(itertools.islice(spec_mutants(spec), 12))
    assert len(likeliest) == 12
    assert [mutant.sentence for mutant in likeliest if killer(mutant) is None] == []


@pytest.mark.parametrize("spec", [*SIMPLE, *SEVERAL_INPUTS, *OUTPUT_APART], ids=lambda spec: spec.id)
def test_the_right_equations_are_killed_by_no_check(spec: Spec) -> None:
    assert killer(_right(spec)) is None


@pytest.mark.deep("tests/power/test_spec_mutants.py::test_the_right_equations_are_killed_by_no_check")
@pytest.mark.parametrize("spec", STEPS, ids=lambda spec: spec.id)
def test_the_right_equations_of_every_cell_of_the_literature_are_killed_by_no_check(spec: Spec) -> None:
    assert killer(_right(spec)) is None


@pytest.mark.parametrize("spec", SEVERAL_INPUTS, ids=lambda spec: spec.id)
def test_mistakes_of_a_cell_with_several_inputs_are_killed(spec: Spec) -> None:
    """The likeliest mistake of each equation that reads an input."""
    first = {mutant.rewrite.equations: mutant for mutant in reversed(list(spec_mutants(spec)))}
    mutants = [first[equation.id,] for equation in spec.equations[:3]]
    assert [mutant.sentence for mutant in mutants if killer(mutant) is None] == []


def test_a_limit_of_a_state_that_few_rows_reach_is_seen() -> None:
    (spec,) = (spec for spec in literature() if spec.id == "mgu")
    (limited,) = (mutant for mutant in spec_mutants(spec) if mutant.sentence == "mgu-3: h is clipped to [-1, 1]")
    assert killer(limited) == "precision.format"


@pytest.mark.deep("tests/power/test_spec_mutants.py::test_the_likeliest_mistakes_of_a_spec_are_all_killed")
@pytest.mark.parametrize("spec", STEPS, ids=lambda spec: spec.id)
def test_sixty_mistakes_of_every_cell_of_the_literature_are_killed(spec: Spec) -> None:
    survivors = [mutant.sentence for mutant in itertools.islice(spec_mutants(spec), 60) if killer(mutant) is None]
    assert survivors == []


def test_mutants_are_made_of_all_cells_but_those_with_three_states_or_with_states_of_several_widths() -> None:
    left_out = {spec.id for spec in literature()} - {spec.id for spec in STEPS}
    assert left_out == {
        "grud.centred",
        "grud.last",
        "lmu",
        "lstm.nested",
        "lstm.recurrent_projection",
        "qrnn",
        "scrn",
        "slstm",
    }


_OF_TWO_WIDTHS = r"""
id = "rated"
title = "A simple RNN whose state decays by what comes in"
document = "nowhere"
inputs = { x = "n", a = "d" }
states = { h = "d" }
parameters = { W = "d n", U = "d d" }
[[equations]]
id = "rated-1"
line = 1
printed = 'h_t = \tanh(W x_t + U (a_t \odot h_{t-1}))'
"""


def test_mutants_of_a_spec_whose_inputs_have_several_widths_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rated.toml").write_text(_OF_TWO_WIDTHS, encoding="utf-8")
    spec = load_spec_file(str(tmp_path / "rated.toml"))
    with pytest.raises(UsageError, match="rated has inputs of several widths"):
        killer(next(spec_mutants(spec)))
