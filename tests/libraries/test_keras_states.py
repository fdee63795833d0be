"""Cells of Keras with states of several widths are driven by one state that holds all of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rnn_harness.errors import UsageError
from rnn_harness.validation import ValidationRequest, collect_validation, run_validation
from rnn_harness.validation.loading.adapters.keras_layers import KerasAdapter
from rnn_harness.validation.loading.adapters.keras_states import widths_of_states
from rnn_harness.validation.loading.target import target_of

keras = pytest.importorskip("keras")


def _class_of_cells(new_states: Any) -> Any:
    """Make a class of cells that remember their last input; a function makes their states of old and new ones."""

    class RemembersInput(keras.layers.Layer):  # type: ignore[name-defined]
        def __init__(self, input_size: int, units: int, **further: Any) -> None:
            super().__init__(**further)
            self.input_size, self.units = input_size, units
            self.state_size = (units, input_size)

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(self.input_size, self.units), name="kernel")
            self.change = self.add_weight(shape=(self.input_size, self.units), name="change")
            self.recurrent = self.add_weight(shape=(self.units, self.units), name="recurrent")

        def call(self, inputs: Any, states: Any) -> Any:
            h, last = states
            ops = keras.ops
            moved = ops.matmul(inputs, self.kernel) + ops.matmul(inputs - last, self.change)
            new = ops.tanh(moved + ops.matmul(h, self.recurrent))
            return new, new_states(h, new, inputs)

    return RemembersInput


RIGHT = _class_of_cells(lambda _h, new, x: [new, x])
ROWS_MIXED = _class_of_cells(lambda _h, new, x: [new, keras.ops.zeros_like(x) + keras.ops.mean(x, axis=0)])
OLD_STATE = _class_of_cells(lambda h, _new, x: [h, x])
TOO_NARROW = _class_of_cells(lambda _h, new, x: [new[:, :-1], x])


@pytest.mark.parametrize(("state_size", "widths"), [(4, (4,)), ((4, 3), (4, 3)), ([(4, 2), 3], (8, 3))])
def test_the_widths_of_states_are_read_off_what_a_cell_says(state_size: object, widths: tuple[int, ...]) -> None:
    assert widths_of_states(state_size) == widths


def test_the_states_are_those_of_the_cell_side_by_side() -> None:
    driven = KerasAdapter().drive(RIGHT(5, 3), 5, 3, {})
    assert driven.capabilities.fixed_sizes == (5, 8)
    x, h, last = torch.randn(2, 5), torch.randn(2, 3), torch.randn(2, 5)
    given = driven.module(x, torch.cat([h, last], -1))
    torch.testing.assert_close(given[:, 3:], x)
    assert driven.remake is not None
    assert driven.remake(None, driven.capabilities.fixed_sizes)(x, torch.cat([h, last], -1)).shape == (2, 8)


@pytest.mark.parametrize(
    ("cell", "outcome", "words"),
    [(RIGHT, "consistent", ""), (ROWS_MIXED, "refuted", "row"), (OLD_STATE, "consistent", "")],
)
def test_such_cells_are_judged(cell: Any, outcome: str, words: str) -> None:
    events = list(run_validation(target_of("cell", cell), ValidationRequest(dtypes=("float64",), examples=0)))
    verdict = collect_validation("cell", iter(events))
    assert verdict.outcome == outcome
    assert words in (verdict.diagnosis.sentence() if verdict.diagnosis else "")
    told = any("state 1 of 2 comes back as it was given" in str(event) for event in events)
    assert told == (cell is OLD_STATE)


def test_states_of_other_widths_than_a_cell_says_are_told_in_plain_words() -> None:
    with pytest.raises(
        UsageError, match=r"cannot drive RemembersInput: called with inputs \(B, 5\) and a list of"
    ) as told:
        KerasAdapter().drive(TOO_NARROW(5, 3), 5, 3, {})
    assert "(B, 3), (B, 5)" in str(told.value)
    assert "_StatelessLayer" not in str(told.value)
