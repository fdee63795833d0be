"""A torch module that is written with a method of one step, and without forward, is judged by that method."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnn_harness.validation import ValidationRequest, collect_validation, run_validation, target_of
from rnn_harness.validation.loading.methods_of_steps import with_step_as_forward


class MGUWithAStep(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.f = nn.Linear(input_size + hidden_size, hidden_size)
        self.c = nn.Linear(input_size + hidden_size, hidden_size)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        f = torch.sigmoid(self.f(torch.cat([x, h], 1)))
        return (1 - f) * h + f * torch.tanh(self.c(torch.cat([x, f * h], 1)))


class WithTwoSteps(MGUWithAStep):
    def forward_step(self, x: Tensor, h: Tensor) -> Tensor:
        return self.step(x, h) / 2


class WithAForward(MGUWithAStep):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.step(x, h)


def test_the_method_of_one_step_is_judged_and_told() -> None:
    target = target_of("cell", MGUWithAStep)
    assert target.capabilities.notes == ("it has no forward: its method step is judged",)
    validation = collect_validation("cell", run_validation(target, ValidationRequest(dtypes=("float64",), examples=0)))
    assert validation.outcome == "agrees"
    assert validation.spec == "mgu"


def test_nothing_is_chosen_where_there_is_a_forward_or_a_choice() -> None:
    assert [with_step_as_forward(cell_class(5, 3)) for cell_class in (WithAForward, WithTwoSteps)] == ["", ""]
