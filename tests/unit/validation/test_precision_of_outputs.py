"""A layer that writes its outputs into an array without a dtype is judged in float32, and not refuted in float64."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnn_harness.validation import load_target
from rnn_harness.validation.identification.probe import probe_target


class WritesIntoZeros(nn.Module):
    """Writes its outputs into ``torch.zeros``, which is of float32 by default; its states are of the inputs' format."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = nn.Linear(input_size + hidden_size, hidden_size)
        self.hidden_size = hidden_size

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        outputs, h = torch.zeros(*x.shape[:2], self.hidden_size), x.new_zeros(x.shape[1], self.hidden_size)
        for t, x_t in enumerate(x):
            h = torch.tanh(self.cell(torch.cat([x_t, h], 1)))
            outputs[t] = h
        return outputs, h


class NamesItsModules(WritesIntoZeros):
    """Keeps a list under the name of a method of torch."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.modules = [self.cell]  # type: ignore[assignment]  # as people write it


def test_outputs_of_float32_from_inputs_of_float64_are_judged_in_float32() -> None:
    assert probe_target(load_target(f"{__file__}:WritesIntoZeros")).dtype == "float32"


def test_a_module_whose_modules_are_a_list_is_driven() -> None:
    assert probe_target(load_target(f"{__file__}:NamesItsModules")).convention.sequence
