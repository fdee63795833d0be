"""A plain function that asks Haiku for its parameters is transformed, and driven as a step."""

from __future__ import annotations

from typing import Any

import pytest

from rnn_harness.validation import load_target
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.haiku_functions import haiku_function
from tests.helpers import HELPERS

pytest.importorskip("haiku")
FILE = HELPERS / "haiku_functions.py"


def _function(name: str) -> Any:
    from tests.helpers import haiku_functions

    return getattr(haiku_functions, name)


@pytest.mark.parametrize(
    ("name", "sizes_by_name", "sizes"),
    [
        ("lstm_step", {"hidden": "d"}, None),
        ("step_of_the_size_of_its_state", {}, None),
        ("step_of_seven_units", {}, (5, 7)),
    ],
)
def test_its_size_is_an_argument_or_that_of_its_state_or_its_own(
    name: str, sizes_by_name: dict[str, str], sizes: tuple[int, int] | None
) -> None:
    found = haiku_function(_function(name))
    assert found is not None
    assert found.sizes_by_name == sizes_by_name
    assert found.own_sizes() == (None if sizes is None else CellSizes(*sizes))


def test_what_transforms_by_itself_is_not_transformed_again() -> None:
    assert haiku_function(_function("makes_a_pair")) is None


def test_it_is_driven_in_the_sizes_that_are_wanted() -> None:
    module = load_target(f"{FILE}:lstm_step").make_module(4, 6)
    assert {name: tuple(value.shape) for name, value in module.named_parameters()} == {"~/b": (24,), "~/w": (10, 24)}
