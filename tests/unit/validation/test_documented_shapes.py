"""Shapes that a documentation writes with an arrow are held against what a model gives, along steps and rows."""

from __future__ import annotations

import pytest
from torch import nn

from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import load_target
from rnn_harness.validation.models.check_documented_shapes import check_documented_shapes, documented_shapes
from rnn_harness.validation.models.understand import understand
from tests.helpers import HELPERS


def documenting(text: str) -> nn.Module:
    """A module with a documentation."""
    module: nn.Module = type("Documented", (nn.Module,), {"__doc__": text})()
    return module


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("(B, T, D) -> (B, T, 2H).", (("B", "T", "D"), ("B", "T", "2H"))),
        ("x (B, T, D) -> scores (B, T, C)", (("B", "T", "D"), ("B", "T", "C"))),
        ("tokens [T, B] → [T, B, V]", (("T", "B"), ("T", "B", "V"))),
    ],
)
def test_shapes_with_an_arrow_between_them_are_read(text: str, shapes: tuple[tuple[str, ...], ...]) -> None:
    documented = documented_shapes(documenting(text))
    assert documented is not None
    assert (documented.input, documented.output) == shapes


@pytest.mark.parametrize(
    "text",
    [
        "x of shape (B, T, D), the outputs are of shape (B, T, H)",
        "(B, T, D) -> (B, T, H), then (B, T, H) -> (B, H)",
        "(T, B, 2*H) -> (T, B, H)",
        "(B, B, D) -> (B, B, D)",
    ],
    ids=["no arrow", "two of them", "a product goes in", "one word twice"],
)
def test_nothing_is_read_where_it_is_not_plain(text: str) -> None:
    assert documented_shapes(documenting(text)) is None


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("Joined", [Outcome.AGREES]),
        ("JoinedInTime", [Outcome.REFUTED]),
        ("EverySecondStep", []),
        ("ChannelsInside", []),
        ("CallsTheOtherOutput", []),
        ("StridesAndKeepsTheLetter", []),
        ("ExchangesItsAxes", [Outcome.REFUTED]),
    ],
)
def test_an_output_that_is_joined_or_exchanged_against_its_documentation_is_refuted(
    name: str, outcomes: list[Outcome]
) -> None:
    model = understand(load_target(f"{HELPERS / 'documented_shapes.py'}:{name}"))
    statements = list(check_documented_shapes(model.with_numbers(0)))
    assert [statement.outcome for statement in statements] == outcomes
    if name == "JoinedInTime":
        assert "its documentation says (B, T, D) -> (B, T, 2H)" in statements[0].sentence
