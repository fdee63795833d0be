"""How other papers write a cell is read too; what could be read in two ways, or not at all, is refused."""

from __future__ import annotations

import pytest

from rnn_harness.specs.notation import Binary, Bracket, Call, Name, NotationError, Tree, parse
from rnn_harness.specs.symbols import Denoted, denote


def side(text: str) -> Tree:
    (chain,) = parse(text)
    return chain.sides[-1]


def meaning(text: str) -> Denoted:
    name = side(text)
    assert isinstance(name, Name)
    return denote(name, "t", frozenset("c"), {})


@pytest.mark.parametrize(
    ("text", "function"),
    [
        (r"h = \text{tanh}(a)", "tanh"),
        (r"h = \mathrm{tanh}\left(a\right)", "tanh"),
        (r"h = \operatorname{ReLU}(a)", "ReLU"),
        (r"h = \sigma[a]", "sigma"),
        (r"h = \sigma_g(a)", "sigma_g"),
        (r"h = \sigma_{g}(a)", "sigma_g"),
        (r"h = \ln(a)", "ln"),
    ],
)
def test_a_function_in_any_dress_stays_a_function(text: str, function: str) -> None:
    tree = side(text)
    assert isinstance(tree, Call)
    assert tree.function == function


@pytest.mark.parametrize(
    ("text", "name", "time"),
    [
        (r"\hat{\mathbf{h}}_t", "h_hat", 0),
        (r"\mathbf{\tilde{h}}_{t-1}", "h_tilde", -1),
        (r"\tilde{h_t}", "h_tilde", 0),
        (r"\mathbf h_t", "h", 0),
        (r"\Gamma_u", "Gamma_u", None),
        (r"W_{\text{in}}", "W_in", None),
        (r"W_{x,h}", "W_xh", None),
        ("U_{g,t}", "U_g", 0),
        ("{U_g}_t", "U_g", 0),
        ("h^{(t-1)}", "h", -1),
        (r"a^{\langle t \rangle}", "a", 0),
        ("a^{<t-1>}", "a", -1),
        ("c'_t", "c_prime", 0),
        (r"\mathrm{net}_t", "net", 0),
    ],
)
def test_name_means_what_it_does_in_the_papers(text: str, name: str, time: int | None) -> None:
    found = meaning(text)
    assert (found.name, found.time) == (name, time)


@pytest.mark.parametrize("text", ["W^T", r"W^\top", r"W^{\top}", r"W^{\mathsf{T}}", "{W_{x}}^T", r"W^\intercal"])
def test_every_sign_of_transposition_transposes(text: str) -> None:
    assert meaning(text).transposed


def test_layer_and_transposition_stand_together() -> None:
    found = meaning("W^{(l-1)T}")
    assert (found.layer, found.transposed, found.name) == (-1, True, "W")


def test_class_index_may_follow_a_comma() -> None:
    assert meaning("y_{t,c}").component == meaning("y_{tc}").component == "c"


@pytest.mark.parametrize("text", ["[h; x]", "[h, x]", r"\begin{bmatrix} h \\ x \end{bmatrix}"])
def test_concatenation_is_written_in_three_ways(text: str) -> None:
    assert side(text) == Bracket((Name("h"), Name("x")))


def test_what_stands_together_binds_before_a_sign_and_the_sign_of_a_product_before_entry_by_entry() -> None:
    inner = Binary("", Name("W"), Name("h"))
    assert side(r"r \odot W h") == Binary("\\odot", Name("r"), inner)
    assert side(r"W h \odot r") == Binary("\\odot", inner, Name("r"))
    assert side(r"r \circ W \cdot h") == Binary("\\circ", Name("r"), Binary("\\cdot", Name("W"), Name("h")))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (r"a = b \quad c = d", 2),
        (r"a = b, \quad c = d.", 2),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", 2),
        (r"\begin{aligned} a &= b \\ &+ c \end{aligned}", 1),
        (r"\begin{aligned} a &= b \end{aligned} \quad c = d", 2),
        (r"a = b \tag{3}", 1),
        (r"\text{Gate: } a = b \text{ (no bias)}", 1),
        (r"i = \text{timestep}", 1),
    ],
)
def test_statements_are_told_apart(text: str, count: int) -> None:
    assert len(parse(text)) == count


def test_arrows_are_signs_and_not_letters() -> None:
    for sign in (r"\rightarrow", r"\leftarrow", r"\Rightarrow", r"\to", r"\gets"):
        (chain,) = parse(rf"a {sign} b")
        assert (chain.sides, chain.relations) == ((Name("a"), Name("b")), (sign,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1 0 0]", r"column 4: cannot read '0 0\]'"),
        ("a 2", "column 3: another formula begins here"),
        ("a & b", "column 3: '&' between two symbols"),
        (r"\tanh h", r"argument of \\tanh goes in parentheses"),
        (r"\hat{\tilde{h}}", "one accent at a time"),
        ("(" * 60 + "a" + ")" * 60, "more than 50 brackets"),
        ("1" * 500, "a number of 500 digits"),
        ("a+" * 10_001 + "a", "at most 20000"),
        ("a" + " a" * 5000, "more operations inside each other"),
        (r"\text{only words}", "stops too early"),
    ],
    ids=lambda text: text[:20],
)
def test_what_could_be_misread_is_refused(text: str, message: str) -> None:
    with pytest.raises(NotationError, match=message):
        parse(text)


def test_column_counts_through_line_breaks() -> None:
    with pytest.raises(NotationError) as caught:
        parse("a =\n  b + ? c")
    assert caught.value.column == 11
    (chain,) = parse("a =\n  b")
    assert chain.sides[1].column == 7
