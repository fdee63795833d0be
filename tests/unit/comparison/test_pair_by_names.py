"""Two specs that no map of weights makes equal: where they part with weights of equal names, and when they agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnn_harness.comparison.named_pair import NamedCell
from rnn_harness.comparison.pair_by_names import compare_by_names, compare_by_rewrite
from rnn_harness.records.comparison import ComparedCell, Comparison
from rnn_harness.specs import literature, parse_spec

ROWS = Comparison("undecided", "no map was found", ComparedCell("A", ""), ComparedCell("B", ""))
GATE_OUTSIDE = r"\tilde{h}_t = \tanh(W_h x_t + f_t \odot (U_h h_{t-1}) + b_h)"
UNIT = r"h_t = (1 - f_t) \odot h_{t-1} + f_t \odot \tilde{h}_t"


def shipped(name: str) -> NamedCell:
    """Return a spec of the literature."""
    return NamedCell(next(spec for spec in literature() if spec.id == name), frozenset())


def written(parameters: str, *equations: str, inputs: str = "x", states: str = "h") -> NamedCell:
    """Return a spec of somebody's."""
    rows = "\n".join(f"[[equations]]\nid = 'own-{k}'\nprinted = '{text}'" for k, text in enumerate(equations))
    head = "id = 'own'\ntitle = 'own'\n"
    head += f"inputs = {{ {inputs} = 'n' }}\nstates = {{ {states} = 'd' }}\nparameters = {{ {parameters} }}"
    return NamedCell(parse_spec(f"{head}\n{rows}", Path("own.toml")), frozenset())


def test_a_gate_inside_and_outside_the_product_agree_where_the_matrix_is_diagonal() -> None:
    weights = "W_f = 'd n', W_h = 'd n', U_f = 'd d', U_h = 'd d', b_f = 'd', b_h = 'd'"
    own = written(weights, r"f_t = \sigma(W_f x_t + U_f h_{t-1} + b_f)", GATE_OUTSIDE, UNIT)
    decision = compare_by_names((shipped("mgu"), own), ("A", "B"), ROWS)
    assert decision.comparison.outcome == "undecided"
    assert decision.comparison.conditions == ("A: U_h is diagonal",)
    assert "they part, and they are proved equal where the conditions hold" in decision.comparison.sentence
    assert decision.parting_point is not None
    assert decision.parting_point.equations[1] == GATE_OUTSIDE


def test_weights_that_one_cell_alone_has_are_zero_where_they_agree() -> None:
    weights = "W_f = 'd n', W_h = 'd n', U_h = 'd d', b_f = 'd', b_h = 'd'"
    inside = r"\tilde{h}_t = \tanh(W_h x_t + U_h (f_t \odot h_{t-1}) + b_h)"
    reads_the_input = written(weights, r"f_t = \sigma(W_f x_t + b_f)", inside, UNIT)
    decision = compare_by_names((shipped("mgu.state"), reads_the_input), ("A", "B"), ROWS)
    assert decision.comparison.conditions == ("A: U_f is zero", "B: W_f is zero")
    assert decision.parting_point is not None


@pytest.mark.parametrize("sign", ["-", "+"], ids=["another function", "the same"])
def test_nothing_is_said_where_no_condition_is_proved_or_nothing_parts(sign: str) -> None:
    weights = "W_f = 'd n', W_h = 'd n', U_f = 'd d', U_h = 'd d', b_f = 'd', b_h = 'd'"
    inside = r"\tilde{h}_t = \tanh(W_h x_t + U_h (f_t \odot h_{t-1}) + b_h)"
    last = rf"h_t = (1 - f_t) \odot h_{{t-1}} {sign} f_t \odot \tilde{{h}}_t"
    own = written(weights, r"f_t = \sigma(W_f x_t + U_f h_{t-1} + b_f)", inside, last)
    decision = compare_by_names((shipped("mgu"), own), ("A", "B"), ROWS)
    assert decision.comparison.conditions == ()
    assert (decision.parting_point is None) is (sign == "+")


@pytest.mark.parametrize("has_bias", [True, False], ids=["with a bias", "without"])
def test_a_cell_of_other_names_is_read_as_the_second_and_the_equation_that_differs_is_named(has_bias: bool) -> None:
    weights = "A = 'd n', B = 'd d', c = 'd', P = 'd n', Q = 'd d'" + (", r = 'd'" if has_bias else "")
    gate = r"g_t = \sigma(A u_t + B s_{t-1} + c)"
    candidate = rf"k_t = \tanh(P u_t + g_t \odot (Q s_{{t-1}}){' + r' if has_bias else ''})"
    last = r"s_t = (1 - g_t) \odot s_{t-1} + g_t \odot k_t"
    own = written(weights, gate, candidate, last, inputs="u", states="s")
    decision = compare_by_rewrite((own, shipped("mgu")), ("A", "B"), ROWS)
    assert decision.parting_point is not None
    assert "read as B, A is written otherwise in mgu-2: f multiplies behind U_h" in decision.comparison.sentence
    assert decision.comparison.conditions == ("A: Q is diagonal", *([] if has_bias else ["B: b_h is zero"]))


def test_a_cell_that_is_no_rewrite_of_the_second_is_not_read_as_it() -> None:
    own = written("A = 'd n', B = 'd d'", r"s_t = \max(A u_t, B s_{t-1})", inputs="u", states="s")
    assert compare_by_rewrite((own, shipped("mgu")), ("A", "B"), ROWS).comparison == ROWS


def test_cells_that_are_equal_without_any_matrix_alone_have_no_condition() -> None:
    first = written("W_f = 'd n', b_f = 'd'", r"h_t = \tanh(W_f x_t) + b_f \odot h_{t-1}")
    second = written("V = 'd n', b_f = 'd'", r"h_t = V x_t + b_f \odot h_{t-1}")
    decision = compare_by_names((first, second), ("A", "B"), ROWS)
    assert decision.parting_point is not None
    assert decision.comparison.conditions == ()
    assert "proved equal" not in decision.comparison.sentence
