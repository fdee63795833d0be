"""Functions that take a flag beside their inputs at which a row's state is forgotten."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from torch import Tensor, nn

from rnn_harness.array_types import Array
from rnn_harness.errors import NotRun, UsageError
from rnn_harness.validation.cells.calling_convention import plain_convention
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.consistency.consistency_property import Draw, Note, Violation
from rnn_harness.validation.consistency.driven_cell import make_cell
from rnn_harness.validation.consistency.unknown_cell import PROPERTIES
from rnn_harness.validation.loading.adapters.handwritten.data_arguments import adapted_pairs
from rnn_harness.validation.loading.locate import locate_object


def step(x: Array, h: Array, w: Array, done: Array) -> Array:
    return np.tanh(x + np.where(done[:, None], 0.0, h) @ w)


def test_a_flag_is_filled_with_zeros_and_the_other_function_with_ones() -> None:
    pair = next(iter(adapted_pairs(step, None)))
    x, h, w = np.ones((2, 3)), np.ones((2, 3)), np.eye(3)
    assert pair.restarting is not None
    assert np.array_equal(pair.forward(x=x, h=h, w=w), np.tanh(x + h))
    assert np.array_equal(pair.restarting(x=x, h=h, w=w), np.tanh(x))
    assert "done" in pair.note
    assert "without their features" in pair.note


class Reset(nn.GRUCell):
    """A step whose state is forgotten before it."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:  # type: ignore[override]  # it needs a state
        return super().forward(x, 0 * h)


class HalfReset(nn.GRUCell):
    """A step whose state is only halved before it."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:  # type: ignore[override]  # it needs a state
        return super().forward(x, h / 2)


def answer(restarting: type[nn.Module], usual: type[nn.Module] = nn.GRUCell) -> Violation | Note | None:
    """What is said of a GRU cell that is `restarting` where its flag is set."""
    capabilities = TargetCapabilities(make_restarting=lambda n, d: restarting(n, d).double())
    convention = replace(plain_convention(False, 1), taken=(0,))
    cell = make_cell(usual, capabilities, convention, (4, 3), "float64", ("h",))
    (prop,) = (prop for prop in PROPERTIES if prop.name == "reset")
    return prop.decide(Draw(cell, 2))


def test_a_reset_must_forget_the_state_that_is_given() -> None:
    assert answer(Reset) is None
    violation = answer(HalfReset)
    assert isinstance(violation, Violation)
    assert violation.part == "forward: reset of the state"


def test_a_state_that_never_matters_says_nothing_of_a_reset() -> None:
    with pytest.raises(NotRun):
        answer(Reset, usual=Reset)


def test_no_imported_module_is_suggested_for_a_misspelt_name() -> None:
    with pytest.raises(UsageError) as raised:
        locate_object("rnn_harness.validation.loading.target:copie")
    assert "copy" not in str(raised.value)
