"""Outputs that are one buffer, overwritten at every step, are told from outputs that repeat the last state."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnn_harness.validation import load_target
from rnn_harness.validation.consistency.consistency_property import STEPS, Draw, Violation
from rnn_harness.validation.consistency.driven_cell import make_cell, numbered_states
from rnn_harness.validation.consistency.overwritten_outputs import outputs_apart
from rnn_harness.validation.consistency.repeated_arrays import appends_one_array
from rnn_harness.validation.identification.probe import probe_target
from tests.helpers import HELPERS
from tests.helpers.array_buffers import CopiesItsBuffer, ListsItsBuffer, NumbersItsBuffer, RepeatsItsBuffer


class OneBuffer(nn.Module):
    """Inference with a buffer for the state; wrong, for it puts the buffer itself into the list."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        state, steps = x.new_zeros(x.shape[1], self.h2h.out_features), []
        for x_t in x:
            torch.tanh(self.x2h(x_t) + self.h2h(state), out=state)
            steps.append(self.output(state))
        return self.joined(steps)

    def output(self, state: Tensor) -> Tensor:
        return state

    def joined(self, steps: list[Tensor]) -> Tensor:
        return torch.stack(steps)


class CopiedBuffer(OneBuffer):
    def output(self, state: Tensor) -> Tensor:
        return state.clone()


class BufferInto(OneBuffer):
    """Writes every state into its place."""

    def joined(self, steps: list[Tensor]) -> Tensor:
        outputs = torch.empty(len(steps), *steps[0].shape, dtype=steps[0].dtype)
        for place, step in zip(outputs, steps, strict=True):
            place.copy_(step)
        return outputs

    def output(self, state: Tensor) -> Tensor:
        return state + 0


class LastState(CopiedBuffer):
    """Repeats the last state for a decoder that reads it at every step."""

    def joined(self, steps: list[Tensor]) -> Tensor:
        return torch.stack([steps[-1] for _ in steps])


class LastStateOfBuffer(OneBuffer):
    """The same from the buffer itself: steps[-1:] * len(steps)."""

    def joined(self, steps: list[Tensor]) -> Tensor:
        return torch.stack(steps[-1:] * len(steps))


def _for_decoder(steps: list[Tensor]) -> Tensor:
    return torch.stack(steps[-1:] * len(steps))


class LastStateByAFunction(OneBuffer):
    """The same, put together by a function beside the class."""

    def joined(self, steps: list[Tensor]) -> Tensor:
        return _for_decoder(steps)


def _violation(layer: type[nn.Module]) -> Violation | None:
    target = load_target(f"{__file__}:{layer.__name__}")
    probe = probe_target(target)
    states = numbered_states(probe.convention)
    cell = make_cell(target.make_module, target.capabilities, probe.convention, probe.sizes, "float64", states)
    return outputs_apart(Draw(cell, 1))


def test_outputs_that_are_one_overwritten_buffer_are_named() -> None:
    violation = _violation(OneBuffer)
    assert violation is not None
    assert "one buffer, which every step writes into" in violation.sentence


@pytest.mark.parametrize("layer", [CopiedBuffer, BufferInto, LastState, LastStateOfBuffer, LastStateByAFunction])
def test_right_layers_with_buffers_are_not_refuted(layer: type[nn.Module]) -> None:
    assert _violation(layer) is None


@pytest.mark.parametrize(
    ("layer", "is_one_array"),
    [(CopiesItsBuffer, False), (RepeatsItsBuffer, False), (ListsItsBuffer, True), (NumbersItsBuffer, True)],
)
def test_an_array_that_changes_while_a_list_of_it_grows_is_told_from_one_that_is_repeated(
    layer: type[CopiesItsBuffer], is_one_array: bool
) -> None:
    x = np.random.default_rng(1).normal(size=(2, STEPS, 3))
    assert appends_one_array(lambda: layer(3, 4).forward(x), STEPS) is is_one_array


def test_a_numpy_layer_that_lists_its_buffer_is_refuted_for_that() -> None:
    target = load_target(f"{HELPERS / 'array_buffers.py'}:ListsItsBuffer")
    probe = probe_target(target)
    assert "(B, T, n)" in str(probe.convention)
    cell = make_cell(target.make_module, target.capabilities, probe.convention, probe.sizes, "float64", ("state",))
    violation = outputs_apart(Draw(cell, 1))
    assert violation is not None
    assert "one buffer, which every step writes into" in violation.sentence
