"""Shapes decide what a product means, and what does not fit is refused with names, shapes, document and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rnn_harness.specs import Spec, SpecError, audit, library, load_spec
from rnn_harness.specs.expression import Concatenate, MatrixVector, Multiply, VectorMatrix, walk
from rnn_harness.specs.latex import to_latex

HEAD = """
id = "mine"
title = "A trial"
document = "mine"
inputs = { x = "n" }
states = { h = "d" }
parameters = { W = "d n", U = "d d", R = "n d", b = "d" }
"""


def used(head: str, equations: tuple[str, ...]) -> str:
    """The head without the inputs and parameters that no equation mentions."""
    text = " ".join(equations)

    def keep(table: re.Match[str]) -> str:
        rows = [row for row in table[2].split(", ") if row.split()[0] in text]
        return f"{table[1]} = {{ {', '.join(rows)} }}"

    return re.sub(r"^(inputs|parameters) = \{ (.*) \}$", keep, head, flags=re.MULTILINE)


def spec(tmp_path: Path, *equations: str, head: str = HEAD) -> Spec:
    rows = [f"[[equations]]\nid = \"F-{i:03d}\"\nline = {i}\nprinted = '{text}'" for i, text in enumerate(equations, 1)]
    path = tmp_path / "mine.toml"
    path.write_text(used(head, equations) + "\n".join(rows), encoding="utf-8")
    return load_spec(path)


def operations(made: Spec) -> set[type]:
    return {type(node) for one in made.program().assignments for node in walk(one.expression)}


def test_star_before_a_matrix_is_a_product_and_between_vectors_entry_by_entry(tmp_path: Path) -> None:
    found = operations(spec(tmp_path, r"h_t = \tanh(x_t * R + h_{t-1} * b)"))
    assert VectorMatrix in found
    assert Multiply in found
    assert MatrixVector not in found


def test_matrix_before_a_vector_is_a_product(tmp_path: Path) -> None:
    assert MatrixVector in operations(spec(tmp_path, r"h_t = \tanh(W x_t + U h_{t-1})"))


def test_concatenation_adds_sizes(tmp_path: Path) -> None:
    head = HEAD.replace('b = "d"', 'V = "d d+n"')
    assert Concatenate in operations(spec(tmp_path, r"h_t = \tanh(V [h_{t-1}, x_t])", head=head))


def test_shape_error_names_symbols_shapes_document_and_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"F-001 \(document mine, line 1\).*R has shape n×d, x\[t\] has shape n"):
        spec(tmp_path, r"h_t = \tanh(R x_t)").program()


def test_target_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="h is declared d, its equation gives n"):
        spec(tmp_path, r"h_t = \tanh(x_t)").program()


def test_undeclared_symbol_names_the_nearest(tmp_path: Path) -> None:
    head = HEAD.replace('b = "d"', 'b_g = "d"')
    with pytest.raises(SpecError, match="b_q is not declared; declared and near: b_g"):
        spec(tmp_path, r"h_t = \tanh(U h_{t-1} + b_g + b_q)", head=head).program()


def test_cycle_names_its_equations(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="circular dependency of F-001 and F-002"):
        spec(tmp_path, "h_t = U r_t", r"r_t = \sigma(U h_t)").program()


def test_symbol_defined_twice_names_both_equations(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="h is defined twice, by F-001 and F-002"):
        spec(tmp_path, "h_t = U h_{t-1}", "h_t = W x_t").program()


@pytest.mark.parametrize("late", ["h_{t+1} + U h_{t-1}", "U h_{t-2}"])
def test_values_from_the_future_or_further_back_are_refused(tmp_path: Path, late: str) -> None:
    with pytest.raises(SpecError, match=r"future|more than one step back"):
        spec(tmp_path, f"h_t = {late}").program()


def test_missing_output_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="output h is computed by no equation"):
        spec(tmp_path, "r_t = U h_{t-1}").program()


def test_equations_are_put_in_order_whatever_order_they_are_printed_in(tmp_path: Path) -> None:
    made = spec(tmp_path, r"h_t = r_t \odot h_{t-1}", r"r_t = \sigma(W x_t)")
    assert [one.target.name for one in made.program().assignments] == ["r", "h"]


def test_equation_printed_one_step_early_is_shifted() -> None:
    program = library().spec("lstm.noforget").program()
    output = next(one for one in program.assignments if one.equation == "E-329")
    assert output.target.time == 0
    assert to_latex(output.expression) == (r"\sigma\left(W_{o} h_{t-1} + U_{o} x_{t} + b_{o}\right)")


def test_chained_equality_defines_both_symbols() -> None:
    program = library().spec("lstm.column").program()
    assert [one.target.name for one in program.assignments if one.equation == "E-328"] == ["h", "y"]


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_layers_are_unrolled_and_the_lowest_reads_the_input(layers: int) -> None:
    program = library().spec("rnn.stacked").program(layers)
    assert len(program.assignments) == layers
    shapes = {v.name: v.shape for v in program.parameters}
    assert str(shapes["U@1"][1]) == "n"
    assert all(str(shapes[f"U@{level}"][1]) == "d" for level in range(2, layers + 1))


def test_both_directions_get_a_pass_of_their_own() -> None:
    assert [one.direction for one in library().spec("rnn.bidirectional").program().passes] == [1, -1, 0]


def test_matrices_side_by_side_act_one_after_the_other(tmp_path: Path) -> None:
    head = HEAD.replace('b = "d"', 'V = "d d"')
    (one,) = spec(tmp_path, r"h_t = \tanh(U V h_{t-1} + 2 W x_t)", head=head).program().assignments
    assert to_latex(one.expression) == r"\tanh\left(U \left(V h_{t-1}\right) + 2 \, W x_{t}\right)"


def test_entry_by_entry_waits_for_the_product(tmp_path: Path) -> None:
    (one,) = spec(tmp_path, r"h_t = h_{t-1} \odot U h_{t-1} + W x_t").program().assignments
    assert to_latex(one.expression) == r"h_{t-1} \odot U h_{t-1} + W x_{t}"


@pytest.mark.parametrize("text", [r"h_t = f(W x_t + U h_{t-1})", r"h_t = \phi(W x_t + U h_{t-1})"])
def test_a_letter_declared_as_a_function_is_applied(tmp_path: Path, text: str) -> None:
    made = spec(tmp_path, text, head=HEAD + 'functions = { f = "relu", phi = "relu" }\n')
    assert to_latex(made.program().assignments[0].expression).startswith(r"\operatorname{relu}")


def test_the_audit_of_a_print_knows_the_letters_that_are_declared_as_functions(tmp_path: Path) -> None:
    made = spec(tmp_path, "h_t = f(W x_t + U h_{t-1})", head=HEAD + 'functions = { f = "relu" }\n')
    assert audit(made) == ()


def test_numbered_parameters_and_symbols_with_a_mark_are_told_apart(tmp_path: Path) -> None:
    head = HEAD.replace('b = "d"', 'b_1 = "d", b_2 = "d"')
    made = spec(tmp_path, "h^{*}_t = W x_t + b_1", "h_t = U h_{t-1} + h_t^{*} + b_2", head=head)
    assert [a.target.name for a in made.program().assignments] == ["h_star", "h"]
    assert [v.name for v in made.program().parameters] == ["W", "U", "b_1", "b_2"]


def test_a_symbol_with_a_number_and_a_time_has_the_number_for_a_label(tmp_path: Path) -> None:
    made = spec(tmp_path, "s_1^{[t]} = W x^{[t]}", "h^{[t]} = U h^{[t-1]} + s_1^{[t]}")
    assert [a.target.name for a in made.program().assignments] == ["s_1", "h"]


def test_a_declared_meaning_of_sigma_goes_before_the_usual_one(tmp_path: Path) -> None:
    made = spec(tmp_path, r"h_t = \sigma(W x_t + U h_{t-1})", head=HEAD + 'functions = { sigma = "tanh" }\n')
    assert to_latex(made.program().assignments[0].expression).startswith(r"\tanh")


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("h_t = U h_t + W x_t", "F-001 needs its own result, h, at the same time step"),
        ("h_4 = U h_{t-1}", "the left side is one step of h"),
        ("h_t^T = U h_{t-1}", "the left side is the transpose of h"),
        (r"h_t \Rightarrow U h_{t-1}", "defines nothing; expected '='"),
        ("h_t = 1", "h is declared d, its equation gives scalar"),
        ("U = h_{t-1}", "U is declared d×d, its equation gives d"),
        ("h_{t+1} = U h_t + W x_t", r"uses x\[t-1\], an input from the step before; only what is declared a state"),
        (r"h_t = \gelu(U h_{t-1})", "cannot read"),
        (r"h_t = \text{gelu}(U h_{t-1})", "function gelu has no meaning here"),
        ("h_t = U h_{t-1} + W [x_t, b]", "b is the same in every row of a batch"),
        ("h_t = U b + U h_{t-1}", "U and b are parameters both"),
        ("h_t = [1, 2] + U h_{t-1}", "concatenation: 1 has shape scalar"),
    ],
)
def test_what_no_step_can_mean_is_refused(tmp_path: Path, equation: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        spec(tmp_path, equation).program()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('x = "n"', 'x = "n", w = "n"', "w is declared, but no equation uses it"),
        ('U = "d d"', 'U = "d d", Q = "d d"', "Q is declared, but no equation uses it"),
        ('h = "d"', 'h = "d", g = "d"', "state g is computed by no equation"),
        ('h = "d"', 'h = "d", r = "d"', "state r: no equation reads it from another step"),
        ('h = "d"', 'h = "d d"', "h is a matrix; what differs from step to step is a vector or a scalar"),
        ('h = "d"', 'h = "d", x = "n"', "x is declared twice, under inputs and under states"),
    ],
)
def test_declarations_must_be_used_and_possible(tmp_path: Path, old: str, new: str, message: str) -> None:
    head = HEAD.replace(', b = "d"', "").replace(', R = "n d"', "").replace(old, new)
    path = tmp_path / "mine.toml"
    rows = [("F-001", r"r_t = \tanh(W x_t)"), ("F-002", "h_t = U h_{t-1} + r_t")]
    path.write_text(head + "".join(f"[[equations]]\nid = '{i}'\nline = 1\nprinted = '{text}'\n" for i, text in rows))
    with pytest.raises(SpecError, match=message):
        load_spec(path).program()


@pytest.mark.parametrize("divisor", ["0", "(1 - 1)", "(h_{t-1} - h_{t-1})", "(0 b)", "(2 - 6 / 3)"])
def test_a_division_by_what_is_always_0_is_refused(tmp_path: Path, divisor: str) -> None:
    with pytest.raises(SpecError, match="a division by 0: the divisor is 0 whatever its symbols are"):
        spec(tmp_path, rf"h_t = \tanh(W x_t + U h_{{t-1}} + b) / {divisor}").program()


@pytest.mark.parametrize("divisor", ["2", "(1 + 1)", "(1 + b)", "(b - h_{t-1})"])
def test_a_division_by_what_may_be_another_number_is_read(tmp_path: Path, divisor: str) -> None:
    assert spec(tmp_path, rf"h_t = \tanh(W x_t + U h_{{t-1}} + b) / {divisor}").program()
