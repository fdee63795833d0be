"""What a mistake makes of an equation: the rewrites that are tried, with the words for each."""

from __future__ import annotations

import pytest

from rnn_harness.specs import library, literature
from rnn_harness.specs.expression import describe
from rnn_harness.validation.spec_search.program_rewrites import in_order
from rnn_harness.validation.spec_search.rewrites import rewrites

_CENTRED = "(U_g h[t-1]) - mean((U_g h[t-1]))"
_SQUARE = "mean(((U_g h[t-1]) ⊙ (U_g h[t-1])))"
_VARIANCE = f"mean((({_CENTRED}) ⊙ ({_CENTRED})))"


@pytest.mark.parametrize(
    ("name", "words", "expression"),
    [
        pytest.param(
            "cornn",
            "(tanh(((((U y[t-1]) + (V z[t-1])) + (W x)) + b)) - (1 ⊙ y[t-1])) - (1 ⊙ z[t-1]) stands where z should",
            "(tanh(((((U y[t-1]) + (V z[t-1])) + (W x[t])) + b)) - (1 ⊙ y[t-1])) - (1 ⊙ z[t-1])))",
            id="a part of a result is read for the whole",
        ),
        pytest.param(
            "minlstm",
            "f is overwritten by f / (f + i)",
            "i[t] / ((f[t] / (f[t] + i[t])) + i[t])",
            id="a gate is overwritten before it is read again",
        ),
        pytest.param(
            "lightru",
            "h[t-1] is added inside of tanh",
            "tanh((((W_h x[t]) + b_h) + h[t-1]))",
            id="a state is added inside of a function",
        ),
        pytest.param("ran", "c[t-1] is added to h", "(tanh(c[t]) + c[t-1])", id="another state is added to the output"),
        pytest.param("ran", "a bias is added in c_tilde", "((W_c x[t]) + bias)", id="a bias has no place"),
        pytest.param("lstm.cifg", "c is clipped to [-1, 1]", "- 1))) - 1)", id="a cell state is clipped"),
        pytest.param("ugrnn", "g is the mean over the units", "mean(sigmoid(", id="a gate is one number for all units"),
        pytest.param(
            "mingru",
            "h_tilde goes through the positive function x + 1/2, or sigmoid below 0",
            "sigmoid((0 - relu((0 - ",
            id="a candidate is made positive",
        ),
        pytest.param("gru.layernorm", "v_p is taken for v_q", "v_p[t]", id="one result is taken for another"),
        pytest.param("gru.layernorm", "m_p is left out", "(p_r[t] - 0) ⊙ (p_r[t] - 0)", id="a result is left out"),
        pytest.param("indrnn.relu", "u ⊙ h[t-1] is an inner product", "(u dot h[t-1])", id="a product is an inner one"),
        pytest.param("ugrnn", "1 and g are exchanged in 1 - g", "(g[t] - 1) ⊙ c[t]", id="a complement is turned round"),
        pytest.param("ugrnn", "g is added to 1, not subtracted", "(1 + g[t]) ⊙ c[t]", id="a complement is a sum"),
        pytest.param(
            "gilr",
            "the root of one less the square of g stands where 1 - g should",
            "sqrt((1 - (g[t] ⊙ g[t]))) ⊙ i[t]",
            id="the weights' squares are one in all",
        ),
        pytest.param(
            "janet",
            "sigmoid((s - 1)) ends before 1",
            "((1 - sigmoid(s[t])) - 1) ⊙ c_tilde[t]",
            id="parentheses are missing",
        ),
        pytest.param("slstm", "1 stands where i_hat should", "n[t-1]) + 1)", id="a one is added in a gate's place"),
        pytest.param(
            "ugrnn",
            "the larger of g ⊙ h[t-1] and (1 - g) ⊙ c stands where their sum should",
            "+ relu((((1 - g[t]) ⊙ c[t]) - (g[t] ⊙ h[t-1])))",
            id="the larger of two terms is taken",
        ),
        pytest.param(
            "fastgrnn",
            "sigmoid is applied to the sum and not to its terms",
            "sigmoid((((1 - z[t]) ⊙ zeta) + nu))",
            id="a function is applied to a sum with a number in it",
        ),
        pytest.param(
            "lstm.cifg",
            "tanh is applied where c is computed and not where it is read",
            "c[t] = tanh(",
            id="a function is applied to the state that is kept",
        ),
        pytest.param("slstm", "tanh is applied to c / n", "tanh((c[t] / n[t]))", id="a quotient is squashed"),
        pytest.param("mgu", "a limit to [0, 1] stands where sigmoid should", "- relu((", id="a gate is only limited"),
        pytest.param("ligru", "elu stands where relu should", "+ (exp((0 - relu(", id="elu stands for relu"),
        pytest.param("slstm", "the smaller stands where the larger should", "(0 - relu((0 - ", id="min stands for max"),
        pytest.param(
            "gru.layernorm.apart",
            "r multiplies before the normalisation of U_g h[t-1] and not behind it",
            "mean((r[t] ⊙ (U_g h[t-1])))",
            id="a gate multiplies before a normalisation",
        ),
        pytest.param(
            "gru.layernorm.apart",
            "U_g h[t-1] is divided by its root mean square, and its mean is not subtracted",
            f"(U_g h[t-1]) / sqrt(({_SQUARE} + 1/100000))",
            id="a normalisation has no mean",
        ),
        pytest.param(
            "gru.layernorm.apart",
            "U_g h[t-1] is centred, and then divided by the root mean square of what was not centred",
            f"({_CENTRED}) / sqrt(({_SQUARE} + 1/100000))",
            id="a normalisation's variance is not centred",
        ),
        pytest.param(
            "gru.layernorm.apart",
            "U_g h[t-1] is normalised by the variance over one unit less than there are",
            f"({_CENTRED}) / sqrt((({_VARIANCE} / (1 - softmax((0 ⊙ (U_g h[t-1]))))) + 1/100000))",
            id="a normalisation's variance is the unbiased one",
        ),
        pytest.param(
            "gru.layernorm.apart",
            "U_g h[t-1] is divided by its deviation and a constant that belongs below the root",
            f"({_CENTRED}) / (sqrt({_VARIANCE}) + 1/100000)",
            id="a normalisation's constant stands behind the root",
        ),
        pytest.param(
            "gru.layernorm.apart",
            "U_g h[t-1] is normalised by the variance over one unit less than there are, "
            "with a constant that belongs below the root",
            f"({_CENTRED}) / (sqrt(({_VARIANCE} / (1 - softmax((0 ⊙ (U_g h[t-1])))))) + 1/100000)",
            id="a normalisation's variance is the unbiased one, its constant behind the root",
        ),
        pytest.param(
            "gru.layernorm.apart",
            "U_g h[t-1] is divided by its variance and not by the root of it",
            "(inverse_deviation((U_g h[t-1])) ⊙ inverse_deviation((U_g h[t-1])))",
            id="a normalisation has no root",
        ),
    ],
)
def test_the_expression_is_rewritten_as_the_sentence_says(name: str, words: str, expression: str) -> None:
    program = next(spec for spec in literature() if spec.id == name).program()
    found = [
        f"{assignment.target} = {describe(assignment.expression)}"
        for rewrite in rewrites(program)
        if words in rewrite.sentences
        for assignment in rewrite.program.assignments
    ]
    assert any(expression in line for line in found)


def test_what_gives_a_result_is_no_mistake_in_its_place() -> None:
    program = next(spec for spec in literature() if spec.id == "mingru").program()
    right = {a.target.name: describe(a.expression) for a in program.assignments}
    wrong = [rewrite.sentences[0] for rewrite in rewrites(program)]
    assert not [words for words in wrong if words.startswith(right["z"].replace("[t]", ""))]


@pytest.mark.parametrize(
    ("name", "words", "equations"),
    [
        (
            "lem",
            "a hard sigmoid of slope 1/6 stands where sigmoid should, everywhere",
            ("lem-1", "lem-2"),
        ),
        ("brc", "relu stands where tanh should, everywhere", ("brc-1", "brc-3")),
        (
            "gru.layernorm.apart",
            "all are divided by its root mean square, and its mean is not subtracted",
            ("gru.layernorm.apart-1", "gru.layernorm.apart-2", "gru.layernorm.apart-3"),
        ),
        ("rhn.depth2", "h[t-1] stands where s_a should", ("rhn.depth2-4", "rhn.depth2-5")),
    ],
)
def test_one_mistake_in_what_several_equations_share_names_them_all(
    name: str, words: str, equations: tuple[str, ...]
) -> None:
    program = next(spec for spec in literature() if spec.id == name).program()
    assert any(rewrite.equations == equations and set(rewrite.sentences) == {words} for rewrite in rewrites(program))


def test_a_limit_of_zero_is_no_term_that_a_mistake_leaves_out() -> None:
    program = next(spec for spec in literature() if spec.id == "grud").program()
    sentences = [sentence for rewrite in rewrites(program) for sentence in rewrite.sentences]
    assert "relu is left out" in sentences
    assert [sentence for sentence in sentences if sentence.startswith("0 ") or " 0 +" in sentence] == []


@pytest.mark.parametrize(("name", "clipped"), [("lstm.cifg", {"c"}), ("lstm.noaf", {"c", "y"}), ("mgu", {"h"})])
def test_what_lies_within_one_by_itself_is_not_clipped_by_a_mistake(name: str, clipped: set[str]) -> None:
    """A product of a sigmoid and a tanh does; without the tanh, or beside a state, it need not."""
    program = next(spec for spec in literature() if spec.id == name).program()
    sentences = [sentence for rewrite in rewrites(program) for sentence in rewrite.sentences]
    assert {words.split()[0] for words in sentences if words.endswith("is clipped to [-1, 1]")} == clipped


@pytest.mark.parametrize(
    ("name", "rectified"),
    [("lstm.refined", {"c", "h"}), ("mingru.positive", {"a", "h"}), ("ran", {"c_tilde", "c"})],
)
def test_what_is_never_negative_by_itself_is_not_rectified_by_a_mistake(name: str, rectified: set[str]) -> None:
    """What one sigmoid leaves of another is not; what is added to a state may be."""
    program = next(spec for spec in literature() if spec.id == name).program()
    sentences = [sentence for rewrite in rewrites(program) for sentence in rewrite.sentences]
    assert {words.split()[0] for words in sentences if words.endswith("goes through relu")} == rectified


def test_mistakes_of_a_program_of_two_passes_are_made() -> None:
    program = library().spec("rnn.bidirectional.phi").program()
    assert len(program.passes) > 1
    sentences = [sentence for rewrite in rewrites(program) for sentence in rewrite.sentences]
    assert "A_forward[t-1] W_AA_forward is not added" in sentences


@pytest.mark.parametrize("name", ["lem", "minlstm", "mgu", "qrnn"])
def test_the_wrong_programs_of_a_spec_are_listed_once_each_and_can_be_computed(name: str) -> None:
    program = next(spec for spec in literature() if spec.id == name).program()
    listed = [rewrite.program for rewrite in rewrites(program)]
    assert len({*listed, program}) == len(listed) + 1, "no two are equal, and none is the right one"
    assert all(in_order(wrong) == wrong for wrong in listed), "what is read is computed before, or nothing can be done"
