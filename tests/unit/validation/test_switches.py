"""An argument that is true or false takes no state, whatever its name is: handed one, the call does something else."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rnn_harness.validation.loading.forward_signature import argument_plans, forward_arguments


class ReturnsStates(nn.Module):
    """A layer whose switch is named like a state, as in additive-recurrent-unit 0.1.0."""

    def forward(self, x: torch.Tensor, return_all_states: bool = False) -> torch.Tensor:
        return x if return_all_states else x[:, -1]


class TakesOptional(nn.Module):
    def forward(self, x: torch.Tensor, states: bool | None = None, mode: str = "train") -> torch.Tensor:
        return x


class TakesState(nn.Module):
    def forward(self, x: torch.Tensor, h: dict[str, torch.Tensor] | None = None, last: bool = False) -> torch.Tensor:
        return x


@pytest.mark.parametrize(
    ("module", "expected"),
    [(ReturnsStates(), {("x",)}), (TakesOptional(), {("x",)}), (TakesState(), {("x", "h"), ("x",)})],
    ids=["true or false", "true, false or none", "a dictionary of states"],
)
def test_a_switch_is_never_handed_a_state(module: nn.Module, expected: set[tuple[str, ...]]) -> None:
    plans = argument_plans(forward_arguments(module))
    assert {tuple(argument.name for argument in plan.arguments) for plan in plans} == expected
