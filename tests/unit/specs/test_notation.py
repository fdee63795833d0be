"""The documents' LaTeX is read as it is meant, and what cannot be read is refused with its place."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_harness.specs import library
from rnn_harness.specs.notation import (
    Binary,
    Bracket,
    Call,
    Derivative,
    Name,
    Negative,
    NotationError,
    Number,
    Total,
    Tree,
    Tuple,
    parse,
)


def side(text: str) -> Tree:
    (chain,) = parse(text)
    (tree,) = chain.sides
    return tree


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("h_t", Name("h", sub="t")),
        (r"\tilde{h}_t", Name("h", "tilde", "t")),
        (r"\hat{H}_{t}", Name("H", "hat", "t")),
        (r"\vec{h}_{t-1}", Name("h", "vec", "t-1")),
        (r"\overleftarrow{h}_{t+1}", Name("h", "overleftarrow", "t+1")),
        (r"\mathbf{W}_{xi}^T", Name("W", sub="xi", sup="T")),
        (r"\mathbf{h}_{(t-1)}", Name("h", sub="(t-1)")),
        ("h_t^{(l-1)}", Name("h", sub="t", sup="(l-1)")),
        ("W_{XA}^{forward}", Name("W", sub="XA", sup="forward")),
        ("A_{t-1}(Forward)", Name("A", sub="t-1", direction="forward")),
        ("y_{tc}", Name("y", sub="tc")),
        (r"\mathcal{L}_t(\theta)", Name("L", sub="t")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_decorated_name_keeps_its_decorations(text: str, name: Name) -> None:
    assert side(text) == name


@pytest.mark.parametrize(
    "sign", ["*", r"\cdot", r"\circ", r"\odot", r"\otimes", r"\oplus", "+", "-"], ids=lambda sign: f"sign {sign}"
)
def test_sign_is_kept_as_printed(sign: str) -> None:
    tree = side(f"a {sign} b")
    assert isinstance(tree, Binary)
    assert tree.sign == sign


def test_juxtaposition_is_a_product_and_binds_like_one() -> None:
    assert side("Ux_i + b") == Binary("+", Binary("", Name("U"), Name("x", sub="i")), Name("b"))
    assert side("ac(bd+a)") == Binary(
        "", Binary("", Name("a"), Name("c")), Binary("+", Binary("", Name("b"), Name("d")), Name("a"))
    )


@pytest.mark.parametrize(
    ("text", "function"),
    [
        (r"\sigma (a)", "sigma"),
        (r"\tanh\left(a\right)", "tanh"),
        ("tanh(a)", "tanh"),
        (r"\phi(a)", "phi"),
        (r"\mathcal{O}(a)", "O"),
        (r"\log(a)", "log"),
        (r"\operatorname{softmax}(a)", "softmax"),
    ],
)
def test_function_is_recognised(text: str, function: str) -> None:
    assert side(text) == Call(function, Name("a"))


def test_brackets_hold_concatenations_and_exact_decimals() -> None:
    assert side("[h_{t-1}, x_t]") == Bracket((Name("h", sub="t-1"), Name("x", sub="t")))
    assert side("[0.1, 2]") == Bracket((Number(Fraction(1, 10)), Number(Fraction(2))))


def test_chain_of_equalities_keeps_every_side() -> None:
    (chain,) = parse(r"y = h = o \otimes \tanh(c)")
    assert [type(one) for one in chain.sides] == [Name, Name, Binary]
    (arrow,) = parse(r"(1 - Z_t) \otimes h_{t-1} \Rightarrow [0.7] \otimes [0.6]")
    assert arrow.relations == ("\\Rightarrow",)


def test_sums_and_derivatives_of_backpropagation_are_read() -> None:
    tree = side(r"\sum_{k=1}^4 \frac{\partial s_4}{\partial s_k} \frac{\partial^+ s_k}{\partial W}")
    assert isinstance(tree, Total)
    assert (tree.index, tree.lower, tree.upper) == ("k", 1, "4")
    product = tree.body
    assert isinstance(product, Binary)
    assert product.left == Derivative(Name("s", sub="4"), Name("s", sub="k"), False)
    assert product.right == Derivative(Name("s", sub="k"), Name("W"), True)


def test_a_line_that_continues_an_equation_belongs_to_it() -> None:
    (chain,) = parse(r"a &= b \\ &= c")
    assert len(chain.sides) == 3
    assert len(parse(r"a = b \\ c = d")) == 2


def test_minus_in_front_and_arguments_of_a_named_function() -> None:
    assert side("-a") == Negative(Name("a"))
    assert side("f(a, b)") == Binary("", Name("f"), Tuple((Name("a"), Name("b"))))


def test_the_lost_parenthesis_of_003_852_is_refused_at_its_column() -> None:
    _, entry = library().entry("E-348")
    with pytest.raises(NotationError, match="'\\)' closes nothing") as caught:
        parse(entry.printed)
    assert caught.value.category == "unbalanced"
    assert caught.value.column == len(entry.printed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a + ", "stops too early"),
        ("a = * b", r"cannot read '\* b'"),
        ("(a", "never closed"),
        ("[a)", "closes nothing"),
        (r"\unknown a", "cannot read"),
        ("", "stops too early"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(NotationError, match=f"column \\d+: .*{message}"):
        parse(text)


PRINTS = [entry.text for spec in library().specs for entry in spec.model.equations]


@given(st.sampled_from(PRINTS), st.integers(0, 200), st.sampled_from(list("()[]{}=+*_^\\ a1&,")), st.booleans())
@settings(max_examples=max(300, settings().max_examples))
def test_a_damaged_print_is_refused_or_read_but_never_breaks_the_parser(
    text: str, place: int, sign: str, insert: bool
) -> None:
    place %= len(text)
    damaged = text[:place] + sign + text[place + (0 if insert else 1) :]
    with contextlib.suppress(NotationError):
        parse(damaged)
