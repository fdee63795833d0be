"""What a model is made and called with, and what it declares about its input."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from rnn_harness.validation.cells.declared_layout import declared_layout
from rnn_harness.validation.loading.named_arguments import named_arguments


def test_arguments_of_a_model_get_values_by_their_names() -> None:
    def build(vocab_size: int, embedding_dim: int, hidden: int, n_classes: int, bias: bool = True) -> None: ...

    assert named_arguments(build, {}) == {"vocab_size": 11, "embedding_dim": 6, "hidden": 8, "n_classes": 4}
    assert named_arguments(build, {"hidden": 20}) == {"vocab_size": 11, "embedding_dim": 6, "n_classes": 4}


def test_no_value_is_made_up_for_an_argument_that_is_no_size() -> None:
    def build(input_size: int, activation: Any) -> None: ...

    assert named_arguments(build, {}) is None


def _documented(text: str) -> nn.Module:
    """Make a module with a docstring."""
    return type("Documented", (nn.Module,), {"__doc__": text, "forward": lambda self, x: x})()


@pytest.mark.parametrize(
    ("text", "batch_axis"),
    [
        ("x (B, T, n) -> (T, B, d)", 0),
        ("Sentences (seq_len, batch) -> scores", 1),
        ("mask: (T, B), x: (batch, time, features)", 0),
        ("Input:  (batch, seq_len) integers\nOutput: (batch, seq_len, vocab_size) scores", 0),
        ("Output: (batch, seq_len, vocab_size) scores", None),
        ("Returns (B, T, d).", None),
        ("(t, b, c, h, w) -> (b, t, c, h, w)", None),
        ("x: of shape (T, B, n) or (B, T, n)", None),
        ("A model of sentences (with attention, and a head).", None),
        ("", None),
    ],
)
def test_the_declared_axes_are_those_of_the_input(text: str, batch_axis: int | None) -> None:
    layout = declared_layout(_documented(text), "x")
    assert (layout.batch_axis if layout is not None else None) == batch_axis
