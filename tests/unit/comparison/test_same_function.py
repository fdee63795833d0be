"""Two cells of one family: proved equal where they are, else apart on numbers, and equal under which condition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnn_harness.comparison.equality import SIZES, compare_functions, family_pair, family_spec
from rnn_harness.comparison.relation import FamilyCell, Relation, relate
from rnn_harness.derivatives.program_pair import compare_polynomials, find_witness
from rnn_harness.records.comparison import ComparedCell, Comparison
from rnn_harness.validation.cells.cell_model import CellModel


def cell(model: CellModel, without: tuple[str, ...] = ()) -> FamilyCell:
    """Return a cell with all parameters of its family but some."""
    names = {name for kind in ("x", "h", "b") for name in model.parameter_names(kind)}
    return FamilyCell(model, frozenset(names - set(without)))


GRU = cell(CellModel("gru", reset="after"))
RESET_BEFORE = cell(CellModel("gru"))
WRITING = cell(CellModel("gru", reset="after", update="write"))
ONE_BIAS_OUTSIDE = cell(CellModel("gru", reset="after"), ("b_hg",))
ONE_BIAS_INSIDE = cell(CellModel("gru", reset="after"), ("b_g",))
LSTM = cell(CellModel("lstm"))
COUPLED, COUPLING = (cell(CellModel("lstm", forget=forget)) for forget in ("coupled", "coupling"))
DIAGONAL, FULL = (cell(CellModel("lstm", peephole=kind)) for kind in ("diagonal", "full"))
HARD = CellModel("gru", reset="after", gate="hard sigmoid 0.2")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(GRU, GRU, id="itself"),
        pytest.param(GRU, WRITING, id="an update gate that keeps and one that writes"),
        pytest.param(cell(HARD), cell(replace(HARD, update="write")), id="the same with hard sigmoids"),
        pytest.param(cell(CellModel("lstm", offset=1.0)), LSTM, id="a constant at the forget gate that its bias holds"),
        pytest.param(COUPLED, COUPLING, id="coupled to the input gate and to the forget gate"),
        pytest.param(cell(CellModel("rnn", candidate="relu")), cell(CellModel("rnn", candidate="relu")), id="ReLU"),
    ],
)
def test_equal_cells_are_proved_equal_in_both_directions(left: FamilyCell, right: FamilyCell) -> None:
    for first, second in ((left, right), (right, left)):
        functions = compare_functions(first, second)
        assert functions.left_is_included
        assert functions.right_is_included
        assert functions.identities > 0
        assert functions.parting_point is None


CONDITIONED = [
    pytest.param(GRU, RESET_BEFORE, ("b_hg zero", "W_hg diagonal"), ("W_hg diagonal",), id="the place of the reset"),
    pytest.param(GRU, ONE_BIAS_OUTSIDE, ("b_hg zero",), (), id="two biases of the candidate and one outside"),
    pytest.param(
        ONE_BIAS_INSIDE, ONE_BIAS_OUTSIDE, ("b_hg zero",), ("b_g zero",), id="one bias inside and one outside"
    ),
    pytest.param(DIAGONAL, LSTM, ("W_ci zero", "W_cf zero", "W_co zero"), (), id="peepholes and none"),
    pytest.param(DIAGONAL, FULL, (), ("W_ci diagonal", "W_cf diagonal", "W_co diagonal"), id="vectors and matrices"),
    pytest.param(LSTM, COUPLED, ("W_xf tied", "W_hf tied", "b_f tied"), (), id="a forget gate and a coupled one"),
    pytest.param(COUPLING, LSTM, (), ("W_xi tied", "W_hi tied", "b_i tied"), id="a coupled input gate and its own"),
    pytest.param(
        cell(CellModel("lstm", peephole="diagonal", peephole_state="old")),
        DIAGONAL,
        ("W_co zero",),
        ("W_co zero",),
        id="a peephole on the old cell state and on the new",
    ),
]


@pytest.mark.parametrize(("left", "right", "of_left", "of_right"), CONDITIONED)
def test_cells_that_agree_under_a_condition_are_told_it_with_numbers_that_break_it(
    left: FamilyCell, right: FamilyCell, of_left: tuple[str, ...], of_right: tuple[str, ...]
) -> None:
    functions = compare_functions(left, right)
    conditions = functions.relation.left_conditions, functions.relation.right_conditions
    texts = [{f"{condition.name} {condition.kind}" for condition in side} for side in conditions]
    assert texts == [set(of_left), set(of_right)]
    assert functions.is_equal_under_conditions
    assert not (functions.left_is_included and functions.right_is_included)
    point = functions.parting_point
    assert point is not None
    assert point.gap.left != point.gap.right
    # What the sketches give on these numbers, which share no code with the equations.
    for gap, numbers, side in ((point.gap.left, point.left, left), (point.gap.right, point.right, right)):
        states = tuple(numbers.states[name] for name in side.model.state_names)
        outputs, finals = side.model.run(numbers.parameters, numbers.inputs, states)
        values = {"h": outputs[0], "c": finals[-1]}
        name, place = point.gap.place[0], int(point.gap.place[2:-1])
        np.testing.assert_allclose(values[name][0, place], gap, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (LSTM, cell(CellModel("lstm", candidate="relu")), "goes through tanh in one and through ReLU in the other"),
        (LSTM, cell(CellModel("lstm", forget="none")), "no finite weights"),
        (LSTM, cell(CellModel("lstm", cell_clip=3.0)), "as long as nothing leaves -3 to 3"),
        (
            cell(CellModel("lstm", offset=1.0), ("b_i", "b_f", "b_g", "b_o")),
            cell(CellModel("lstm"), ("b_i", "b_f", "b_g", "b_o")),
            "no bias that could hold it",
        ),
    ],
)
def test_what_no_weights_remove_is_said_and_shown(left: FamilyCell, right: FamilyCell, words: str) -> None:
    functions = compare_functions(left, right)
    assert any(words in obstacle for obstacle in functions.relation.obstacles)
    assert not functions.is_equal_under_conditions
    assert functions.parting_point is not None


@pytest.mark.parametrize("name", ["W_xz", "W_hz", "b_z"])
def test_a_map_that_is_wrong_in_one_sign_is_not_proved(name: str) -> None:
    relation = relate(GRU, WRITING)
    rules = tuple(replace(rule, sign=1) if rule.right == name else rule for rule in relation.rules)
    pair = family_pair(GRU, WRITING, Relation(rules), ())
    assert any(compare_polynomials(pair, size).difference for size in SIZES)
    assert find_witness(pair) is not None


def test_a_condition_that_is_left_out_is_not_proved() -> None:
    relation = relate(GRU, RESET_BEFORE)
    for condition in relation.left_conditions:
        remaining = tuple(other for other in relation.left_conditions if other != condition)
        pair = family_pair(GRU, RESET_BEFORE, relation, remaining)
        assert any(compare_polynomials(pair, size).difference for size in SIZES)


def test_the_equations_that_part_are_named() -> None:
    point = compare_functions(GRU, RESET_BEFORE).parting_point
    assert point is not None
    assert point.equations[0].startswith("g_t")
    assert "b_{hg}" in point.equations[0]
    assert point.equations[1].startswith("g_t")
    assert "candidate" in family_spec(GRU).id


def test_results_are_short_where_python_shows_them_and_hold_nothing_that_a_notebook_reads_as_html() -> None:
    sides = (ComparedCell("a.py:<b>", "a & b"), ComparedCell("torch.nn:GRU", "GRU"))
    comparison = Comparison("different", "they are two <functions>", *sides)
    assert repr(comparison) == "<Comparison of a.py:<b> and torch.nn:GRU: different; print it for a summary>"
    page = comparison._repr_html_()
    assert "a.py:&lt;b&gt; and torch.nn:GRU: different" in page
    assert "two &lt;functions&gt;" in page
    assert "<b>a.py" in page
