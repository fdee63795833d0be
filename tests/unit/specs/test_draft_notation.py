"""Documents written in other notations than the lectures': each kind once, by what the draft makes of it, or says."""

from __future__ import annotations

import pytest

from rnn_harness.specs.draft.document import DraftedSpec, draft_document


def _only(text: str) -> DraftedSpec:
    (drafted,) = draft_document(text, "paper").specs
    assert drafted.is_complete, drafted.problem
    return drafted


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (r"$$h_t = f(W x_t + U h_{t-1})$$ with $f = \tanh$.", 'functions = { f = "tanh" }\n'),
        (
            r"$$h_t = \mathcal{H}(W x_t + U h_{t-1})$$ where $\mathcal{H}$ is the rectifier.",
            'functions = { H = "relu" }\n',
        ),
        (
            r"$$c_t = i_t \odot g(W x_t + U r_{t-1})$$ $$i_t = \sigma(V x_t)$$ $$r_t = R\, h(c_t)$$ where $g$ and $h$ "
            r"are the activation functions, here $\tanh$.",
            'functions = { g = "tanh", h = "tanh" }\n',
        ),
        (r"$$h_t = \sigma(W x_t + u \odot h_{t-1})$$ Here $\sigma$ is the ReLU!", 'functions = { sigma = "relu" }\n'),
        (
            r"$$h_t = f(W x_t + U h_{t-1})$$ where $f \in \{\mathrm{sigm}, \tanh\}$.",
            'functions = { f = "tanh" }  # which functions f are could not be settled; tanh put\n',
        ),
        (
            r"$$h_t = f(W x_t + U h_{t-1})$$ where $f$ is the leaky ReLU.",
            'functions = { f = "tanh" }  # which functions f are could not be settled; tanh put\n',
        ),
    ],
    ids=["told by an equation", "a script letter", "two letters at once", "no sigmoid", "a choice", "one no spec has"],
)
def test_a_letter_before_a_parenthesis_is_a_function_that_the_text_tells_or_a_comment_says_is_put(
    text: str, line: str
) -> None:
    drafted = _only(text)
    assert line in drafted.text
    assert not {"f", "g", "h", "H"} & set(drafted.shapes["parameters"])


def test_a_weight_before_a_parenthesis_stays_a_weight() -> None:
    drafted = _only(r"$$h_t = \tanh(W x_t + U(z_t \odot h_{t-1}))$$ $$z_t = \sigma(H(x_t + V h_{t-1}))$$")
    assert drafted.shapes["parameters"] == {"W": "d n", "U": "d d", "H": "d n", "V": "n d"}


CODE = """# A cell
```
f[t] = sigmoid(Wf * [h[t-1], x[t]] + bf)   # forget
c[t] = f[t] . c[t-1] + (1 - f[t]) . tanh(Wg * x[t])
h[t] = c[t]
```
"""
UNICODE = """Notes

    x̃(n) = tanh( Win [1; u(n)] + W x(n−1) )      (2)
    x(n) = (1 − α) x(n−1) + α x̃(n)               (3)
"""


def test_equations_printed_as_code_and_in_the_signs_of_unicode_are_read() -> None:
    code = _only(CODE)
    assert code.shapes["parameters"] == {"W_f": "d d+n", "b_f": "d", "W_g": "d n"}
    assert [d.displayed.line for d in code.group.definitions.values()] == [3, 4, 5]
    reservoir = _only(UNICODE)
    assert (reservoir.shapes["inputs"], reservoir.shapes["states"]) == ({"u": "n"}, {"x": "d"})
    assert reservoir.shapes["parameters"] == {"W_in": "d n", "b_in": "d", "W": "d d", "alpha": ""}
    assert "# the column of W_in that multiplies the 1 is the bias b_in\n" in reservoir.text


def test_subscripts_of_unicode_and_a_weight_that_touches_its_vector_are_read() -> None:
    drafted = _only("    hₜ = σ(Wxₜ + U·hₜ₋₁)\n")
    assert drafted.shapes == {"inputs": {"x": "n"}, "states": {"h": "d"}, "parameters": {"W": "d n", "U": "d d"}}


def test_numbered_biases_are_told_apart_and_h_1_with_a_time_is_a_symbol() -> None:
    drafted = _only(
        r"$$s_1^{[t]} = \tanh(W x^{[t]} + b_1 + R y^{[t-1]} + b_2)$$ $$y^{[t]} = \tanh(V s_1^{[t]} + b_3)$$"
    )
    assert set(drafted.shapes["parameters"]) == {"W", "b_1", "R", "b_2", "V", "b_3"}
    assert list(drafted.group.definitions) == ["s_1", "y"]


def test_each_linear_layer_has_weights_of_its_own() -> None:
    rows = r"z_t &= \sigma(\mathrm{Linear}_d([x_t, h_{t-1}])) \\ h_t &= z_t \odot h_{t-1} + \mathrm{Linear}_d(x_t)"
    drafted = _only(rf"$$\begin{{aligned}}{rows}\end{{aligned}}$$")
    assert drafted.shapes["parameters"] == {"W_z": "d n+d", "b_z": "d", "W_h": "d n", "b_h": "d"}
    assert "# each linear layer in the equation of z is a matrix and a bias of its own, W_z and b_z\n" in drafted.text


def test_a_stack_of_gates_is_cut_into_its_rows() -> None:
    gates = r"\begin{array}{c} i \\ f \\ g \end{array}"
    functions = r"\begin{array}{c} \mathrm{sigm} \\ \mathrm{sigm} \\ \tanh \end{array}"
    joined = r"\begin{pmatrix} x_t \\ h_{t-1} \end{pmatrix}"
    stack = rf"\left({gates}\right) = \left({functions}\right) T_{{2n,3n}} {joined}"
    text = rf"Let $T_{{n,m}}$ be an affine transform. \[ {stack} \] \[ h_t = f \odot h_{{t-1}} + i \odot g \]"
    drafted = _only(text)
    assert drafted.shapes["parameters"] == {
        name: shape for gate in "ifg" for name, shape in ((f"W_{gate}", "d n+d"), (f"b_{gate}", "d"))
    }
    assert "# T is cut into the rows of i, f, g: each has weights of its own\n" in drafted.text


def test_a_stack_that_is_normalised_as_a_whole_is_not_cut_and_its_gates_are_told() -> None:
    stack = r"\begin{pmatrix} f_t \\ g_t \end{pmatrix} = LN(W h_{t-1}; \alpha, \beta) + V x_t"
    text = rf"\[ {stack} \] \[ h_t = \sigma(f_t) \odot h_{{t-1}} + \tanh(g_t) \]"
    draft = draft_document(text, "normalised")
    assert draft.reasons[0].startswith("gives a stack of symbols at once")
    assert "# f is taken for an input; line 1, which is in no step, may give it\n" in draft.specs[0].text


def test_vectors_side_by_side_small_weights_and_diagonal_ones_multiply_entry_by_entry_and_comments_say_so() -> None:
    text = r"""\begin{align}
i_t &= \sigma(W_{xi} x_t + W_{ci} c_{t-1}) \\
f_t &= \sigma(W_{xf} x_t + W_{cf} c_{t-1} + r_f h_{t-1}) \\
c_t &= f_t c_{t-1} + i_t \tanh(W_{xc} x_t) \\
h_t &= (1 - f_t) c_t
\end{align}
The matrices from the cell (e.g.\ $W_{ci}$) are diagonal."""
    drafted = _only(text)
    assert drafted.shapes["parameters"] == {
        "W_xi": "d n",
        "W_ci": "d",
        "W_xf": "d n",
        "W_cf": "d",
        "r_f": "d",
        "W_xc": "d n",
    }
    assert "# W_cf: diagonal by the text, written as vectors\n" in drafted.text
    assert "# r_f: a small letter beside a vector is taken for one number for each entry\n" in drafted.text
    assert "multiplied entry by entry, which the document does not say\n" in drafted.text
    assert 'output = "h"\n' in drafted.text


def test_what_is_printed_at_the_step_before_and_made_in_this_one_is_no_state() -> None:
    drafted = _only(r"\[ \hat{h}_{t-1} = \gamma_t \odot h_{t-1} \] \[ h_t = \tanh(W x_t + U \hat{h}_{t-1}) \]")
    assert drafted.shapes["states"] == {"h": "d"}
    assert "# h_hat is printed at t-1, and made in the step to t: no state\n" in drafted.text


def test_an_input_of_the_step_before_is_held_in_a_state() -> None:
    drafted = _only(r"\[ h_t = \tanh(W^1 x_{t-1} + W^2 x_t + U h_{t-1}) \]")
    assert drafted.shapes["states"] == {"h": "d", "x_before": "n"}
    assert "its equation is not printed" in drafted.text
    assert "output" not in drafted.text


def test_equations_of_entries_are_written_for_vectors() -> None:
    text = r"""\begin{eqnarray}
s_i(t) & = & f\Bigl(\sum_j u_{ij} x_j(t) + \sum_k v_{ik} s_k(t-1) + \theta_i\Bigr) \\
y_k(t) & = & g\Bigl(\sum_i w_{ik} s_i(t)\Bigr)
\end{eqnarray}
where $f$ is logistic and $g$ the identity"""
    drafted = _only(text)
    assert drafted.shapes["parameters"] == {"u": "d n", "v": "d d", "theta": "d", "w": "d k"}
    assert 'functions = { f = "sigmoid", g = "identity" }' in drafted.text


def test_one_entry_of_what_another_equation_gives_whole_is_no_step_of_its_own() -> None:
    draft = draft_document(
        "$$h_t = \\sigma(W x_t + u \\odot h_{t-1})$$\n$$h_{n,t} = \\sigma(w_n x_t + u_n h_{n,t-1})$$", "entries"
    )
    assert len(draft.specs) == 1
    assert draft.reasons == {1: "gives the entry n of h, which line 1 gives whole"}


def test_a_mark_at_a_result_is_a_label_and_no_transpose_and_no_other_symbol() -> None:
    rows = (
        r"c^{\,S}_t = \tanh(W c_{t-1})",
        r"c^{T}_t = c_{t-1} - c^{\,S}_t",
        r"c^{*}_t = c^T_t + g(x_t)",
        "c_t = c^*_t",
    )
    drafted = _only("\n".join(f"$${row}$$" for row in rows))
    assert list(drafted.group.definitions) == ["c_S", "c_T", "c_star", "c"]
    assert drafted.shapes["states"] == {"c": "d"}


def test_words_beside_a_row_choices_and_other_brackets_do_not_hinder() -> None:
    text = r"""\begin{align}
f_t &= \sigma(W x_t) \ \text{OR} \ \exp(W x_t) & &\text{forget gate} \\
d_t &= \exp\{-\max(0, V x_t)\} && \text{(decay)} \\
h_t &= f_t \odot |h_{t-1}| + \tfrac{1}{2} d_t
\end{align}"""
    drafted = _only(text)
    assert "# the document lets one choose; \\exp(W x_t) is left out\n" in drafted.text
    assert list(drafted.group.definitions) == ["f", "d", "h"]


def test_displays_that_are_steps_by_themselves_are_not_mixed() -> None:
    text = r"""\begin{equation}\begin{array}{rcl}
h_t & = & \sigma(W_h x_t + U_h h_{t-1}) \\ y_t & = & V h_t
\end{array}\end{equation}
\begin{equation}\begin{array}{rcl}
h_t & = & \sigma(W_h x_t + U_h y_{t-1}) \\ y_t & = & \tanh(V h_t)
\end{array}\end{equation}"""
    elman, jordan = draft_document(text, "two").specs
    assert (elman.shapes["states"], jordan.shapes["states"]) == ({"h": "d"}, {"y": "d"})
    assert "# other steps of the document give h, y in another way: line 5" in elman.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"$$h_t = \tanh(W x_t \mathbb{I}_{\{l=1\}} + U h_{t-1})$$", "a condition below a symbol"),
        ("```\nh[t] = clamp(h[t-1] + x[t], -1, 1)\n```", "applies clamp to several arguments"),
        (r"$$\alpha = \sqrt{1 + b}$$", "reads nothing with a time"),
        (r"$$h_t = h_{t-1} \quad \text{if } m_t = 1$$", "what holds under a condition"),
    ],
    ids=["an indicator", "a clip", "a constant", "a condition"],
)
def test_what_is_in_no_step_is_told_with_its_reason(text: str, words: str) -> None:
    draft = draft_document(text, "none")
    assert not draft.specs
    assert words in draft.reasons[0]


def test_comments_say_what_is_carried_nowhere_and_what_no_equation_gives() -> None:
    (drafted,) = draft_document(r"$$h_t = o_t \odot \tanh(W x_t)$$", "gates").specs
    assert "# nothing is carried from one time to the next: no recurrent step\n" in drafted.text
    assert "# o is taken for an input: no equation of the document gives it, no weight multiplies it\n" in drafted.text


def test_stacked_weights_are_cut_with_their_stack_and_rows_of_one_letter_share_nothing() -> None:
    stacked = (
        r"\begin{pmatrix} z_t \\ r_t \end{pmatrix} = \sigma\left(\begin{pmatrix} W_z \\ W_r \end{pmatrix} x_t\right)"
    )
    update = r"h_t = z_t \odot h_{t-1} + r_t"
    assert _only(rf"\[ {stacked} \] \[ {update} \]").shapes["parameters"] == {"W_z": "d n", "W_r": "d n"}
    alike = r"\begin{pmatrix} g_t \\ \tilde{g}_t \end{pmatrix} = \tanh(W x_t)"
    drafted = _only(rf"\[ {alike} \] \[ h_t = g_t \odot h_{{t-1}} + \tilde{{g}}_t \]")
    assert drafted.shapes["parameters"] == {"W_g1": "d n", "W_g2": "d n"}


def test_a_gate_without_a_time_is_no_function_of_what_stands_behind_it_in_parentheses() -> None:
    drafted = _only(r"\[ f = \sigma(W x_t + U h_{t-1}) \] \[ h_t = f (h_{t-1} + V x_t) \]")
    assert "functions" not in drafted.text
    assert "multiplied entry by entry" in drafted.text


def test_greek_letters_before_a_parenthesis_are_functions_and_steps_are_numbers() -> None:
    text = r"\[ h_j = h_{j-1} + \Delta t (-h_{j-1} + \rho(W x_j) + \epsilon (U h_{j-1})) \] where $\rho$ is a rectifier"
    drafted = _only(text)
    assert drafted.shapes["parameters"] == {"delta_step": "", "W": "d n", "epsilon": "", "U": "d d"}
    assert ('time = "j"' in drafted.text, 'functions = { rho = "relu" }' in drafted.text) == (True, True)


def test_a_convolution_is_told_and_an_unknown_function_makes_no_step() -> None:
    (images,) = draft_document("$$h_t = \\tanh(W * x_t + U * h_{t-1})$$ where $*$ is the convolution.", "images").specs
    assert "# * is a convolution by the text, and is read as a product: no spec has a convolution\n" in images.text
    (unknown,) = draft_document("    h[t] = h[t-1] + MLP(x[t])\n", "unknown").specs
    assert "function MLP has no meaning here" in unknown.problem


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        ("The matrix $U_h$ is diagonal.", "d"),
        ("We initialise $U_h$ to a diagonal matrix.", "d d"),
        ("$U_h$ is dense.", "d d"),
    ],
)
def test_a_matrix_is_diagonal_only_where_the_text_says_so_of_the_cell(words: str, shape: str) -> None:
    drafted = _only(rf"\[ h_t = \tanh(W_h x_t + U_h h_{{t-1}}) \] {words}")
    assert drafted.shapes["parameters"]["U_h"] == shape


def test_code_that_prints_no_times_has_those_of_what_is_called_previous() -> None:
    lines = "i = sigmoid(Wi x + Ui h_prev)\nc = c_prev + i * tanh(Wc x + Uc h_prev)\nh = tanh(c)\n"
    drafted = _only(f"# A cell\n```\n{lines}```\n")
    assert (drafted.shapes["inputs"], drafted.shapes["states"]) == ({"x": "n"}, {"c": "d", "h": "d"})
    assert drafted.shapes["parameters"] == {"W_i": "d n", "U_i": "d d", "W_c": "d n", "U_c": "d d"}


def test_states_of_the_step_after_times_in_parentheses_and_joined_vectors_are_read() -> None:
    update = r"x(t+1) = f\left(W^{in} u(t+1) + W x(t)\right)"
    drafted = _only(rf"\[ {update} \] \[ z(t) = \tanh(V [x(t) \,\|\, u(t)]) \] where $f$ is $\tanh$")
    assert drafted.shapes["parameters"] == {"W_in": "d n", "W": "d d", "V": "k n+d"}
    assert drafted.shapes["states"] == {"x": "d"}


def test_a_row_that_goes_on_with_a_product_belongs_to_the_row_before() -> None:
    text = "\\begin{align}\nh_t &= \\sigma(W x_t) \\\\\n &\\quad \\odot \\tanh(U h_{t-1})\n\\end{align}"
    assert _only(text).shapes["parameters"] == {"W": "d n", "U": "d d"}
    assert _only(f"$$\n{text}\n$$").shapes["parameters"] == {"W": "d n", "U": "d d"}


@pytest.mark.parametrize(
    ("formula", "function"),
    [
        (r"f(z) = 1/(1 + e^{-z})", "sigmoid"),
        (r"f(a) = \frac{e^{a} - e^{-a}}{e^{a} + e^{-a}}", "tanh"),
        (r"f(x) = \max(0, x)", "relu"),
        (r"g(x) = f(x) = \tanh(x)", "tanh"),
    ],
)
def test_a_function_may_be_told_by_its_formula(formula: str, function: str) -> None:
    assert (
        f'functions = {{ f = "{function}" }}\n' in _only(rf"\[ h_t = f(W x_t + U h_{{t-1}}) \] with ${formula}$.").text
    )


def test_the_letter_that_weights_carry_counts_layers_and_no_time() -> None:
    drafted = _only(r"\[ h_n^{(i)} = \tanh( W^{(i)} h_n^{(i-1)} + U^{(i)} h_{n-1}^{(i)} + b^{(i)} ) \]")
    assert (drafted.group.letter, drafted.shapes["inputs"], drafted.shapes["states"]) == (
        "n",
        {"h_i1": "n"},
        {"h_i": "d"},
    )


def test_a_result_that_is_made_of_no_state_is_no_output() -> None:
    drafted = _only(r"\[ a_t = W x_t + U h_{t-1} \] \[ h_t = z_t \odot h_{t-1} + \tanh(V x_t) \]")
    assert 'output = "h"\n' in drafted.text
    assert "# a: read by no equation; an output, or a part of another form of the step\n" in drafted.text
    assert "output" not in _only(r"\[ h_t = \tanh(W x_t + U h_{t-1}) \] \[ y_t = V h_t \]").text


def test_the_name_of_a_model_before_a_row_is_left_out() -> None:
    text = "\\begin{align}\n\\mathrm{RNN}:\\quad & h_t = \\tanh(W x_t + U h_{t-1}) \\\\\n& y_t = V h_t\n\\end{align}"
    assert _only(text).shapes["parameters"] == {"W": "d n", "U": "d d", "V": "k d"}


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        (
            " (1)  z_t = sigma(W_z x_t)\n (2)  h~_t = tanh(W x_t)\n (3)  h_t = z_t * h_{t-1} + h~_t\n",
            {"W_z": "d n", "W": "d n"},
        ),
        (r"\[ \left\{ \begin{aligned} s_t &= A s_{t-1} + B u_t, \\ y_t &= C s_t \end{aligned} \right. \]", None),
        (r"\[ h_t = {} & [W x_t + U h_{t-1}]_+ & \]", {"W": "d n", "U": "d d"}),
        (r"\[ h_t = h_{t-1} \ast \tanh(W x_t) \] \[ p_t = \mathrm{softmax}_k (V h_t) \]", {"W": "d n", "V": "k d"}),
    ],
    ids=["numbered lines", "a brace around the rows", "a rectified bracket", "signs between vectors"],
)
def test_other_ways_to_set_equations_are_read(text: str, parameters: dict[str, str] | None) -> None:
    assert _only(text).shapes["parameters"] == (parameters or {"A": "d d", "B": "d n", "C": "k d"})


def test_only_what_is_named_beside_the_word_is_diagonal() -> None:
    rows = r"\[ h_t = \tanh(W x_t + U_a h_{t-1}) \] \[ c_t = V_c c_{t-1} + A h_t \]"
    assert _only(rf"{rows} While $U_a$ is full, the matrices $V_c$ and $A$ are diagonal.").shapes["parameters"] == {
        "W": "d n",
        "U_a": "d d",
        "V_c": "d",
        "A": "d",
    }


def test_what_is_printed_for_the_next_step_is_made_of_the_inputs_of_this_one() -> None:
    drafted = _only(r"\[ s_{k+1} = A s_k + B u_k, \qquad y_k = C s_k + D u_k \]")
    assert [d.text for d in drafted.group.definitions.values()] == [
        r"s_{k} = A s_{k-1} + B u_{k}",
        r"y_{k} = C s_{k-1} + D u_{k}",
    ]
    assert "# s: what is printed for k+1 is made in the step of the inputs at k\n" in drafted.text
    assert "output" not in drafted.text


def test_a_transposed_small_letter_is_told_to_be_taken_for_a_matrix() -> None:
    drafted = _only(r"\[ \lambda_t = \sigma(w^\top x_t) \] \[ h_t = \lambda_t \odot h_{t-1} + W x_t \]")
    assert "# w is transposed before a vector: taken for a matrix;" in drafted.text


def test_the_name_of_a_line_of_plain_text_is_left_out() -> None:
    drafted = _only("fast:  f_t = tanh(A f_{t-1} + C x_t)\nslow:  s_t = (1 - eps) s_{t-1} + eps * tanh(D f_t)\n")
    assert drafted.shapes["parameters"] == {"A": "d d", "C": "d n", "epsilon": "", "D": "k d"}


def test_a_vector_before_a_matrix_and_its_vector_multiplies_their_product_entry_by_entry() -> None:
    drafted = _only(r"\[ h_t = \tanh(g_t U h_{t-1} + x_t W) \] \[ g_t = \sigma(V x_t) \]")
    assert drafted.group.definitions["h"].text == r"h_{t} = \tanh(g_{t} \odot U h_{t-1} + x_{t} W)"


def test_functions_that_are_told_in_turn_are_those_of_their_letters() -> None:
    words = r"$f_s$ and $f_y$ are $\tanh$ and softmax, respectively."
    drafted = _only(rf"\[ s_t = f_s(W x_t + U s_{{t-1}}) \] \[ y_t = f_y(V s_t) \] {words}")
    assert 'functions = { f_s = "tanh", f_y = "softmax" }' in drafted.text
