"""Drafts of spec files from documents: equations found, grouped into steps, with the shapes of their symbols."""

from __future__ import annotations

import pytest

from rnn_harness.specs import Spec, library, literature
from rnn_harness.specs.dimensions import Dimension, parse_shape
from rnn_harness.specs.draft import Draft, displayed_equations, draft_document
from tests.helpers.documents import DOCUMENTS, WITH_DOCUMENTS, lines_of

ROLES = ("inputs", "states", "parameters")

PAPER = r"""
\section{The unit}
The gate is
\begin{align}
  z_t &= \sigma(W_z x_t + U_z h_{t-1} + b_z) \label{eq:z} \\
  \tilde{h}_t &= \tanh(W x_t
      + U (z_t \odot h_{t-1})) \nonumber
\end{align}
and then
\[ h_t = (1 - z_t) \odot h_{t-1} + \beta z_t \odot \tilde{h}_t \]
with the loss
\begin{equation} L = \sum_{t=1}^T L_t(\theta) \end{equation}
"""
NOTES = """
# Elman
$$s_i = \\tanh(U x_i + W s_{i-1})$$

## Its output
$$y_i = \\operatorname{softmax}(V s_i)$$

# Something else
$$h_t = \\tanh(W_h [H_{t-1}, x_t] + b))$$
$$[0.1, 0.2]$$
"""


def shapes_by_role(spec: Spec) -> dict[str, dict[str, str]]:
    return {"inputs": spec.model.inputs, "states": spec.model.states, "parameters": spec.model.parameters}


def is_an_instance(declared: dict[str, dict[str, str]], inferred: dict[str, dict[str, str]]) -> bool:
    """Say whether declared shapes are inferred ones with sizes put in: an equation may not show that two are equal."""
    sizes: dict[str, Dimension] = {}
    sums: list[tuple[Dimension, Dimension]] = []
    for role in ROLES:
        for name, text in declared[role].items():
            wanted, found = parse_shape(text), parse_shape(inferred[role][name])
            if len(wanted) != len(found):
                return False
            for axis, size in zip(wanted, found, strict=True):
                if len(size.terms) == 1 and size.terms[0][1] == 1:
                    if sizes.setdefault(size.terms[0][0], axis) != axis:
                        return False
                else:
                    sums.append((axis, size))
    parts = [
        (axis, sum((sizes[symbol] for symbol, factor in size.terms for _ in range(factor)), Dimension()))
        for axis, size in sums
    ]
    return all(axis == total for axis, total in parts)


def test_a_paper_in_latex_makes_one_step_with_lines_and_shapes() -> None:
    draft = draft_document(PAPER, "unit")
    (spec,) = draft.specs
    assert spec.is_complete, spec.problem
    assert [d.displayed.line for d in spec.group.definitions.values()] == [5, 6, 10]
    assert spec.shapes == {
        "inputs": {"x": "n"},
        "states": {"h": "d"},
        "parameters": {"W_z": "d n", "U_z": "d d", "b_z": "d", "W": "d n", "U": "d d", "beta": ""},
    }
    assert 'title = "The unit"' in spec.text
    assert list(draft.reasons) == [3]


FOREIGN = {
    "letters with an index for functions, told in words": (
        r"""$\sigma_g$ is the sigmoid function, $\sigma_c$ the hyperbolic tangent:
\begin{align}
z_t &= \sigma_g(W_{z} x_t + U_{z} h_{t-1} + b_z) \\
h_t &= (1 - z_t) \circ h_{t-1} + z_t \circ \sigma_c(W x_t + U h_{t-1})
\end{align}""",
        'functions = { sigma_g = "sigmoid", sigma_c = "tanh" }',
    ),
    "a letter whose function is told by an equation in the text": (
        r"""$$\mathbf{h}^{(t)} = \phi\left(\mathbf{W}\mathbf{x}^{(t)} + \mathbf{U}\mathbf{h}^{(t-1)}\right)$$
with $\phi = \tanh$.""",
        'functions = { phi = "tanh" }',
    ),
    "brackets of a given size, spaces before them": (
        r"""\begin{align}
z_t &= \sigma\bigl(W_z x_t + R_z h_{t-1}\bigr), \\
h_t &= (1 - z_t) \circ \tanh\!\bigg(W x_t + z_t \circ \big(R h_{t-1} + c\big)\bigg) + z_t \circ h_{t-1}.
\end{align}""",
        'parameters = { W_z = "d n", R_z = "d d", W = "d n", R = "d d", c = "d" }',
    ),
    "rows aligned inside of one equation, stars and a bold one": (
        r"""\begin{equation}
\begin{aligned}
\bm{u}_t &= \operatorname{sigmoid}\!\left( \bm{W}^{u} \bm{x}_t + \bm{R}^{u} \bm{s}_{t-1} \right), \\
\bm{s}_t &= \bm{u}_t \star \bm{s}_{t-1} + (\bm{1} - \bm{u}_t) \star \mathrm{tanh}\!\left(\bm{W} \bm{x}_t\right) .
\end{aligned}
\end{equation}""",
        'parameters = { W_u = "d n", R_u = "d d", W = "d n" }',
    ),
}


@pytest.mark.parametrize("kind", list(FOREIGN))
def test_the_notation_of_papers_makes_a_step(kind: str) -> None:
    text, line = FOREIGN[kind]
    (spec,) = draft_document(text, "foreign").specs
    assert spec.is_complete, spec.problem
    assert line in spec.text
    assert "could not be settled" not in spec.text


def test_a_function_that_the_text_does_not_tell_is_said_to_be_unsettled() -> None:
    (spec,) = draft_document(r"$$h_t = \sigma_h(W x_t + U h_{t-1})$$ with a bounded $\sigma_h$.", "odd").specs
    assert spec.is_complete, spec.problem
    assert "which functions sigma_h are could not be settled" in spec.text


def test_steps_are_told_apart_and_what_cannot_be_settled_is_said() -> None:
    first, second = draft_document(NOTES, "notes").specs
    assert (first.group.letter, list(first.group.definitions), first.is_complete) == ("i", ["s", "y"], True)
    assert "# H and h are taken for one symbol" in second.text
    assert "reading = 'h_t = \\tanh(W_h [H_{t-1}, x_t] + b)'" in second.text
    assert second.shapes["parameters"] == {"W_h": "d n+d", "b": "d"}
    assert second.is_complete


def test_a_shape_that_does_not_fit_stands_in_the_file_as_a_comment() -> None:
    (spec,) = draft_document("$$h_t = \\tanh(W x_t + W h_{t-1} + [h_{t-1}, x_t])$$", "odd").specs
    assert "# could not be settled: line 1: two sizes that stand side by side are not equal" in spec.text
    assert spec.text.startswith("# makes no step yet: ")


def test_lines_of_a_plain_text_are_taken_where_nothing_is_displayed() -> None:
    text = "The cell computes\n   h_t = \\tanh(W x_t + U h_{t-1})\nand nothing else.\n"
    assert [(equation.line, equation.text) for equation in displayed_equations(text)] == [
        (2, "h_t = \\tanh(W x_t + U h_{t-1})")
    ]


WITHOUT_A_HINT = ("ltc",)
"""Of its time constants, a small Greek letter in a fraction, nothing says that they are no single number."""
ALL_CELLS = [
    spec
    for spec in (*literature(), *library().cells)
    if spec.id not in ("loss.cross_entropy", "gru.write.004", *WITHOUT_A_HINT)
]


@pytest.mark.parametrize("spec", ALL_CELLS, ids=lambda spec: spec.id)
def test_the_equations_of_a_spec_alone_give_one_step_whose_shapes_the_declared_ones_are(spec: Spec) -> None:
    text = "\n\n".join(f"$${entry.text}$$" for entry in spec.equations if not entry.alternative)
    draft = draft_document(text, "again")
    assert [drafted.problem for drafted in draft.specs] == [""]
    inferred = {role: dict(table) for role, table in draft.specs[0].shapes.items()}
    declared = {role: dict(table) for role, table in shapes_by_role(spec).items()}
    inferred["parameters"] = {n: s for n, s in inferred["parameters"].items() if n not in spec.model.constants}
    if spec.model.aliases:  # one input under two names
        for role in ROLES:
            renamed = {spec.model.aliases.get(name, name): shape for name, shape in inferred[role].items()}
            inferred[role] = {**renamed, **inferred[role]}
    assert all(set(declared[role]) <= set(inferred[role]) for role in ROLES)
    assert is_an_instance(declared, inferred)


def test_a_small_greek_letter_is_one_number_unless_it_is_multiplied_entry_by_entry() -> None:
    one, many = (
        draft_document(f"$$h_t = \\tanh(W x_t + U h_{{t-1}}) + \\tau {sign} h_{{t-1}}$$", "tau").specs[0]
        for sign in ("", "\\odot")
    )
    assert (one.shapes["parameters"]["tau"], many.shapes["parameters"]["tau"]) == ("", "d")


@WITH_DOCUMENTS
def test_four_fifths_of_the_documents_equations_are_found_unaided_and_complete_steps_have_their_shapes() -> None:
    drafts = {number: draft_document("\n".join(lines_of(number)), "doc") for number in DOCUMENTS}
    wanted = {
        (entry.document or spec.model.document, line)
        for spec in library().cells
        for entry in spec.equations
        for line in (entry.line, *entry.also)
        if (entry.document or spec.model.document) in drafts
    }
    displayed = {(name, equation.line) for name, draft in drafts.items() for equation in draft.displayed}
    found = {(name, line) for name, draft in drafts.items() for line in _lines(draft)}
    assert len(wanted & displayed) > 60
    assert len(found & wanted & displayed) >= 0.8 * len(wanted & displayed), sorted((wanted & displayed) - found)
    complete = [drafted for draft in drafts.values() for drafted in draft.specs if drafted.is_complete]
    assert len(complete) >= 15


def _lines(draft: Draft) -> set[int]:
    groups = [spec.group for spec in draft.specs]
    printed = {d.displayed.line for group in groups for d in (*group.definitions.values(), *group.others)}
    return printed | {line for group in groups for again in group.repeated.values() for line in again}
