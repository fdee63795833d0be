"""What cannot be driven is told with lines that can be, once they are pasted and their dots are filled in."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rnn_harness.errors import UsageError
from rnn_harness.validation import target_of
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.undriven import WRAPPER_FOLLOWS, with_second_reason


class Nested(nn.Module):
    """A step whose input and state lie deep in dictionaries."""

    def __init__(self, n_features: int, width: int, activation: Any) -> None:
        super().__init__()
        self.joined, self.activation = nn.Linear(n_features + width, width), activation

    def forward(self, batch: dict[str, dict[str, Tensor]], memory: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
        both = torch.cat([batch["seen"]["x"], memory["core"]["h"]], -1)
        return {"h": self.activation(self.joined(both))}


def test_the_lines_of_a_torch_module_name_its_arguments_and_can_be_driven() -> None:
    with pytest.raises(UsageError) as refused:
        probe_target(target_of("Nested", Nested, {"activation": torch.tanh}))
    sentence, lines = str(refused.value).split(f"\n{WRAPPER_FOLLOWS}\n")
    assert "What went furthest: forward(x (7, 5), state (7, 3)) raised" in sentence
    assert "Nested(n_features=input_size, width=hidden_size, activation=...)" in lines
    lines = lines.replace("activation=...", "activation=torch.tanh")
    call = 'batch={"seen": {"x": x}}, memory={"core": {"h": h}})["h"]'
    namespace: dict[str, Any] = {"Nested": Nested, "torch": torch}
    exec(textwrap.dedent(lines).replace("batch=x, memory=h)", call), namespace)
    convention = probe_target(target_of("Driven", namespace["Driven"])).convention
    assert (convention.sequence, convention.states) == (False, 1)


def test_a_further_reason_stands_in_front_of_the_lines() -> None:
    assert with_second_reason("It raised.\n    line", "So did that.") == "It raised. So did that.\n    line"
    assert with_second_reason("It raised.", "So did that.") == "It raised. So did that."
