"""What is read of objects that others wrote, under names that are data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from rnn_harness.attributes import array_shape, attribute, field_values, member, method_if_any


class AnswersToEveryName:
    """An object as wrappers and mocks are: it has something under every name."""

    def __getattr__(self, name: str) -> str:
        return f"{name} of a wrapper"

    def step(self) -> int:
        return 1


@dataclass
class Carry:
    h: np.ndarray
    steps: int


def test_what_has_another_type_than_the_expected_one_is_no_attribute() -> None:
    assert attribute(AnswersToEveryName(), "bidirectional", bool) is None
    assert attribute(AnswersToEveryName(), "bidirectional", object) == "bidirectional of a wrapper"
    assert attribute(object(), "bidirectional", object) is None


def test_only_what_can_be_called_is_a_method() -> None:
    method = method_if_any(AnswersToEveryName(), "step")
    assert method is not None
    assert method() == 1
    assert method_if_any(AnswersToEveryName(), "reset") is None
    assert method_if_any(AnswersToEveryName(), "") is None


def test_a_member_that_must_exist_raises_where_it_does_not() -> None:
    assert member(np, "tanh") is np.tanh
    with pytest.raises(AttributeError, match="no_such_function"):
        member(np, "no_such_function")


def test_the_fields_of_a_record_are_not_copied_and_keep_their_order() -> None:
    carry = Carry(np.zeros(3), 2)
    values = field_values(carry)
    assert list(values) == ["h", "steps"]
    assert values["h"] is carry.h


def test_only_an_array_has_a_shape() -> None:
    assert array_shape(np.zeros((2, 3))) == (2, 3)
    assert array_shape(1.0) is None
