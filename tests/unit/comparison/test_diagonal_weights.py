"""A cell that is another one with a diagonal matrix: which one, which matrix, and that it is less than the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.comparison.diagonal_weights import compare_with_diagonal
from rnn_harness.comparison.named_pair import NamedCell
from rnn_harness.records.comparison import ComparedCell, Comparison
from rnn_harness.specs import Spec, library, literature, parse_spec

ROWS = Comparison("undecided", "no map was found", ComparedCell("A", ""), ComparedCell("B", ""))
DIAGONAL_MGU = """
id = "own"
title = "a minimal gated unit whose gate sees its own unit alone"
inputs = { x = "n" }
states = { h = "d" }
parameters = { A = "d n", a = "d", B = "d n", C = "d d", p = "d", q = "d" }
[[equations]]
id = "own-1"
printed = 'f_t = \\sigma(A x_t + a \\odot h_{t-1} + p)'
[[equations]]
id = "own-2"
printed = 'g_t = \\tanh(B x_t + C (f_t \\odot h_{t-1}) + q)'
[[equations]]
id = "own-3"
printed = 'h_t = (1 - f_t) \\odot h_{t-1} + f_t \\odot g_t'
"""


def spec_of(name: str) -> Spec:
    """Return a spec that is shipped."""
    return next(spec for spec in (*library().specs, *literature()) if spec.id == name)


def cell(spec: Spec) -> NamedCell:
    return NamedCell(spec, frozenset())


def test_an_independent_rnn_is_a_simple_rnn_with_a_diagonal_matrix() -> None:
    decision = compare_with_diagonal((cell(spec_of("indrnn.tanh")), cell(spec_of("rnn.tanh"))), ("A", "B"), ROWS)
    assert decision is not None
    comparison = decision.comparison
    assert comparison.outcome == "different"
    assert comparison.included == "left"
    assert [condition.endswith(" is diagonal") for condition in comparison.conditions] == [True]
    assert comparison.counterexample is not None
    assert decision.translation is not None


def test_one_of_several_matrices_is_the_diagonal_one() -> None:
    own = cell(parse_spec(DIAGONAL_MGU, Path("own.toml")))
    decision = compare_with_diagonal((own, cell(spec_of("mgu"))), ("A", "B"), ROWS)
    assert decision is not None
    assert decision.comparison.conditions == ("B: U_f is diagonal",)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("rnn.tanh", "indrnn.tanh"),
        ("indrnn.relu", "rnn.tanh"),
        ("rnn.tanh", "rnn.tanh"),
        ("indrnn.tanh", "antisymmetric"),
    ],
)
def test_no_diagonal_makes_other_cells_equal(first: str, second: str) -> None:
    assert compare_with_diagonal((cell(spec_of(first)), cell(spec_of(second))), ("A", "B"), ROWS) is None
