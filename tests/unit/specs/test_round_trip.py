"""What is printed as LaTeX and read again is the same function."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.specs.context import Context
from rnn_harness.specs.dimensions import parse_shape
from rnn_harness.specs.elaborate import elaborate
from rnn_harness.specs.expression import (
    Add,
    Apply,
    Concatenate,
    Constant,
    Function,
    MatrixVector,
    Multiply,
    Node,
    Role,
    Subtract,
    Transpose,
    Variable,
    VectorMatrix,
)
from rnn_harness.specs.latex import to_latex
from rnn_harness.specs.notation import parse
from rnn_harness.specs.program import Assignment, Pass, Program

SIZES = {"n": 2, "d": 3}
TABLE = {
    "a": ("d", Role.INPUT, "a"),
    "h_tilde": ("d", Role.INPUT, r"\tilde{h}"),
    "R_g": ("d", Role.INPUT, "R_{g}"),
    "x": ("n", Role.INPUT, "x"),
    "b_z": ("d", Role.PARAMETER, "b_{z}"),
    "W": ("d d", Role.PARAMETER, "W"),
    "W_hz": ("d d", Role.PARAMETER, "W_{hz}"),
    "U": ("d n", Role.PARAMETER, "U"),
    "V_x": ("d n+d", Role.PARAMETER, "V_{x}"),
}
SHAPES = {name: parse_shape(row[0]) for name, row in TABLE.items()}
ROLES = {name: row[1] for name, row in TABLE.items()}


def variable(name: str) -> Variable:
    time = None if ROLES[name] is Role.PARAMETER else 0
    return Variable(name, SHAPES[name], time, ROLES[name], TABLE[name][2])


def _square_and_transposed(name: str) -> st.SearchStrategy[Node]:
    matrix = variable(name)
    return st.sampled_from([matrix, Transpose(matrix)])


squares = st.sampled_from(["W", "W_hz"]).flatmap(_square_and_transposed)
numbers = st.fractions(min_value=0, max_value=3, max_denominator=8).map(Constant)


def grown(vectors: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    pairs = st.tuples(vectors, vectors)
    return st.one_of(
        pairs.map(lambda pair: Add(*pair)),
        pairs.map(lambda pair: Subtract(*pair)),
        pairs.map(lambda pair: Multiply(*pair)),
        vectors.map(lambda vector: Subtract(Constant(Fraction(0)), vector)),
        st.tuples(numbers, vectors).map(lambda pair: Multiply(*pair)),
        st.tuples(numbers, vectors).map(lambda pair: Subtract(*pair)),
        st.tuples(squares, vectors).map(lambda pair: MatrixVector(*pair)),
        st.tuples(vectors, squares).map(lambda pair: VectorMatrix(*pair)),
        vectors.map(
            lambda vector: MatrixVector(variable("V_x"), Concatenate((variable("x"), Add(variable("a"), vector))))
        ),
        st.tuples(st.sampled_from([Function.SIGMOID, Function.TANH, Function.SOFTMAX]), vectors).map(
            lambda pair: Apply(*pair)
        ),
    )


leaves = st.one_of(
    st.sampled_from(["a", "h_tilde", "R_g"]).map(variable),
    st.sampled_from(["a", "h_tilde"]).map(lambda name: Multiply(variable("b_z"), variable(name))),
    st.just(MatrixVector(variable("U"), variable("x"))),
)
expressions = st.recursive(leaves, grown, max_leaves=8)


def value(node: Node) -> np.ndarray:
    rng = np.random.default_rng(7)
    drawn = {name: rng.standard_normal([size.size(SIZES) for size in SHAPES[name]]) for name in TABLE}
    target = Variable("y", parse_shape("d"), 0)
    inputs = tuple(variable(name) for name in TABLE if ROLES[name] is Role.INPUT)
    parameters = tuple(variable(name) for name in TABLE if ROLES[name] is Role.PARAMETER)
    whole = Pass(0, (), (Assignment(target, Add(node, variable("a")), "E"),))
    program = Program("trial", inputs, (), parameters, (target,), (whole,))
    values = Values(
        {v.name: drawn[v.name] for v in parameters},
        {v.name: drawn[v.name][None, None] for v in inputs},
        {},
        SIZES,
    )
    result: np.ndarray = evaluate(program, values, BallArithmetic()).steps[0]["y"]
    return result


def same(left: Node, right: Node) -> bool:
    """Equal functions give balls of 200 bits that overlap, whatever the order of the operations."""
    return all(a.overlaps(b) for a, b in zip(value(left).flat, value(right).flat, strict=True))


@given(expressions)
@settings(max_examples=max(150, settings().max_examples))
def test_printed_expression_read_again_is_the_same_function(node: Node) -> None:
    text = to_latex(node)
    (chain,) = parse(text)
    again = elaborate(chain.sides[0], Context("t", SHAPES, ROLES))
    assert again.shape == node.shape
    assert same(again, node), text


def test_another_expression_is_told_apart() -> None:
    w, x = variable("W"), variable("a")
    assert not same(MatrixVector(w, x), MatrixVector(Transpose(w), x))
    assert not same(Multiply(x, MatrixVector(w, x)), MatrixVector(w, Multiply(x, x)))


@given(expressions)
@settings(max_examples=max(100, settings().max_examples))
def test_print_of_what_was_read_is_the_same_text(node: Node) -> None:
    def again(text: str) -> str:
        (chain,) = parse(text)
        return to_latex(elaborate(chain.sides[0], Context("t", SHAPES, ROLES)))

    once = again(to_latex(node))
    assert again(once) == once
