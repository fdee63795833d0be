"""Layers that a document counts by a letter become one layer, or the layers of a spec, with a comment that says so."""

from __future__ import annotations

import pytest

from rnn_harness.specs.draft.document import DraftedSpec, draft_document

_DEEP_GRU = r"""
$$
\begin{aligned}
z^{l}_t &= \sigma(W_z^{l} h^{l-1}_t + U_z^{l} h^{l}_{t-1} + b_z^{l}) \\
r^{l}_t &= \sigma(W_r^{l} h^{l-1}_t + U_r^{l} h^{l}_{t-1} + b_r^{l}) \\
\tilde{h}^{l}_t &= \tanh(W_h^{l} h^{l-1}_t + U_h^{l} (r^{l}_t \odot h^{l}_{t-1}) + b_h^{l}) \\
h^{l}_t &= (1 - z^{l}_t) \odot h^{l}_{t-1} + z^{l}_t \odot \tilde{h}^{l}_t
\end{aligned}
$$
"""
_PARENTHESES = r"$$\mathbf{H}_t^{(l)} = \phi_l(\mathbf{H}_t^{(l-1)} \mathbf{W}_\textrm{xh}^{(l)} + " + (
    r"\mathbf{H}_{t-1}^{(l)} \mathbf{W}_\textrm{hh}^{(l)} + \mathbf{b}_\textrm{h}^{(l)})$$"
)
_UP = r"$$h^{l+1}_t = \tanh(W^{l+1} h^{l}_t + U^{l+1} h^{l+1}_{t-1})$$"
_ELL = r"$$h^{(\ell)}_t = \tanh(W^{(\ell)} h^{(\ell-1)}_t + U^{(\ell)} h^{(\ell)}_{t-1} + b^{(\ell)})$$"
_SUBSCRIPT = r"$$h_{l,t} = \tanh(W_l h_{l-1,t} + U_l h_{l,t-1} + b_l)$$"
_BRACKETS = (
    r"$$h_t^{[l]} = \tanh(W_{ih}^{[l]} h_t^{[l-1]} + b_{ih}^{[l]} + W_{hh}^{[l]} h_{t-1}^{[l]} + b_{hh}^{[l]})$$"
)


def _only(text: str) -> DraftedSpec:
    (drafted,) = draft_document(text, "stacked").specs
    assert drafted.is_complete, drafted.problem
    return drafted


@pytest.mark.parametrize(
    ("text", "letter", "below", "state"),
    [
        (_DEEP_GRU, "l", "h_l1", "h_l"),
        (_UP, "l", "h_l", "h_l1"),
        (_ELL, "ell", "h_ell1", "h_ell"),
        (_SUBSCRIPT, "l", "h_l1", "h_l"),
        (_BRACKETS, "l", "h_l1", "h_l"),
    ],
)
def test_one_layer_takes_its_input_from_the_layer_below_and_a_comment_says_so(
    text: str, letter: str, below: str, state: str
) -> None:
    drafted = _only(text)
    assert drafted.shapes["inputs"] == {below: "n"}
    assert drafted.shapes["states"] == {state: "d"}
    comment = f"# {letter} counts layers: {below} is {state} of the layer below, and the input of this one layer\n"
    assert comment in drafted.text


def test_layers_in_parentheses_are_those_of_a_spec_and_a_label_needs_no_braces() -> None:
    drafted = _only(_PARENTHESES)
    assert "layers = true" in drafted.text
    assert set(drafted.shapes["parameters"]) == {"W_xh", "W_hh", "b_h"}
    assert drafted.text.startswith("# l counts layers: each takes what the layer below it gives")


@pytest.mark.parametrize(
    "text",
    [r"$$h_t = \tanh(W x_t + U h_{t-1} + V h_{t-2})$$", r"$$c_t = f_1 \odot c_{t-1} + W x^{1}_t + U x_t$$"],
)
def test_no_layers_are_told_where_none_are_printed(text: str) -> None:
    assert "layers" not in draft_document(text, "plain").specs[0].text
