"""A gate that is the complement of the print's: the same cell with other weights, and told so."""

from __future__ import annotations

from functools import partial

import pytest

import rnn_harness
from rnn_harness.array_types import Array
from rnn_harness.comparison.named_pair import NamedCell, pair_of
from rnn_harness.derivatives.program_pair import compare_polynomials
from rnn_harness.specs import literature
from rnn_harness.validation.spec_search.complements import complement_of, complemented_specs, weights_of_other_sign
from tests.helpers import complementary_gates

WITH_A_GATE = [(spec, variant) for spec in literature() for variant in complemented_specs(spec)]


@pytest.mark.parametrize(("name", "spec"), [("KeepsWhereThePaperWrites", "mgu"), ("LightGRUThatWrites", "ligru")])
def test_a_cell_with_the_complement_of_a_gate_is_the_cell_of_the_paper(name: str, spec: str) -> None:
    validation = rnn_harness.validate(getattr(complementary_gates, name), examples=0, dtypes=("float64",))
    assert validation.outcome == "agrees"
    assert validation.spec == spec
    assert validation.identification is not None
    assert "the same cell with W_" in validation.identification.sentence
    assert "negated" in validation.identification.sentence


def test_a_gate_that_is_exchanged_in_one_place_is_another_cell() -> None:
    validation = rnn_harness.validate(complementary_gates.ExchangedInTheStateAlone, examples=0, dtypes=("float64",))
    assert validation.outcome == "consistent"


def test_what_is_held_to_the_print_is_refuted_and_told_which_weights_to_negate() -> None:
    cell = complementary_gates.KeepsWhereThePaperWrites
    validation = rnn_harness.validate(cell, spec="mgu", examples=0, dtypes=("float64",))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert validation.diagnosis.difference.endswith("; with W_f, U_f, b_f negated it is mgu")


def test_every_complement_of_the_literature_is_a_spec_with_the_same_symbols() -> None:
    assert len(WITH_A_GATE) >= 30
    for spec, variant in WITH_A_GATE:
        program = variant.program()
        assert program.parameters == spec.program().parameters
        assert program.assignments != spec.program().assignments


@pytest.mark.parametrize("name", ["mgu", "ligru", "cfn", "peephole"])
def test_the_named_weights_negated_are_proved_to_give_the_same_cell(name: str) -> None:
    proved = 0
    for spec, variant in WITH_A_GATE:
        if name not in spec.id:
            continue
        negated = weights_of_other_sign(spec, variant)
        assert negated
        cells = NamedCell(spec, frozenset()), NamedCell(variant, frozenset())
        pair = pair_of(*cells, partial(_negated, negated))
        assert not compare_polynomials(pair, 1).difference, variant.equations
        as_they_are = pair_of(*cells, partial(_negated, frozenset()))
        assert compare_polynomials(as_they_are, 1).difference, variant.equations
        proved += 1
    assert proved


def _negated(negated: frozenset[str], parameters: dict[str, Array], _: object) -> dict[str, Array]:
    return {name: -value if name in negated else value for name, value in parameters.items()}


def test_specs_that_differ_in_something_else_have_no_weights_of_another_sign() -> None:
    first, variant = WITH_A_GATE[0]
    second = next(spec for spec, _ in WITH_A_GATE if spec.id != first.id)
    assert weights_of_other_sign(first, second) == frozenset()
    assert weights_of_other_sign(first, first) == frozenset()
    assert complement_of(first) is None
    assert complement_of(variant) is not None
