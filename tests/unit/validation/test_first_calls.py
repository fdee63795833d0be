"""Modules that make their weights at their first call are driven, and so are features that lie before the time."""

from __future__ import annotations

import pytest

from rnn_harness.validation import Target, ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.layout_faults import WrongLayout
from tests.helpers import HELPERS

FILE = HELPERS / "first_calls.py"


def _target(name: str) -> Target:
    return load_target(f"{FILE}:{name}")


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("LazyLSTMCell", {"x2g.weight": (28, 4), "x2g.bias": (28,), "h2g.weight": (28, 7)}),
        ("BuiltLayer", {"kernel": (4, 7), "recurrent": (7, 7)}),
    ],
)
def test_weights_that_the_first_call_makes_have_the_sizes_that_are_asked_for(
    name: str, shapes: dict[str, tuple[int, ...]]
) -> None:
    made = _target(name).make_module(4, 7)
    assert {key: tuple(value.shape) for key, value in made.named_parameters()} == shapes


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        pytest.param(
            "LazyLSTMCell",
            "agrees",
            "",
            marks=pytest.mark.deep(
                "tests/unit/validation/test_first_calls.py::"
                "test_weights_that_the_first_call_makes_have_the_sizes_that_are_asked_for"
            ),
        ),
        ("BuiltWithFirstState", "refuted", "1 + 2 + 3 with the state carried over"),
        ("ChannelsMixed", "refuted", "inputs (B, n, T) are read as (B, T, n) with a view or reshape"),
    ],
)
def test_a_cell_that_is_built_by_its_first_call_is_judged(name: str, outcome: str, words: str) -> None:
    target = _target(name)
    verdict = collect_validation(name, run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    assert verdict.outcome == outcome
    assert words in (verdict.diagnosis.sentence() if verdict.diagnosis else "")


@pytest.mark.parametrize("name", ["LazyHead", "OneHotLanguageModel"])
def test_a_model_with_a_lazy_output_layer_is_called(name: str) -> None:
    from rnn_harness.validation.models.understand import model_of

    model = model_of(_target(name))
    assert model is not None
    assert [part.name for part in model.parts] == ["rnn"]
    assert "head.weight" in dict(model.module.named_parameters())


@pytest.mark.parametrize("name", ["ChannelsFirst", "ChannelsToBatchFirst"])
def test_features_before_the_time_are_driven(name: str) -> None:
    assert "batch by features by time" in str(probe_target(_target(name)).convention)


@pytest.mark.parametrize("name", ["ChannelsMixed", "ChannelsMixedTwice"])
def test_a_reshape_of_features_and_time_is_a_finding(name: str) -> None:
    with pytest.raises(WrongLayout, match="features and time are mixed up"):
        probe_target(_target(name))
