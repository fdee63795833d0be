"""Layers of a target whose parameters are trained, for the tasks of ``bench learning``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.benchmarks.learning.layer_maker import LayerMaker, States
from rnn_harness.comparison.own_decay import tied_driver
from rnn_harness.comparison.tied_cell import TiedCell, load_compared, tie
from rnn_harness.errors import NotRun
from rnn_harness.kernels.driver_protocol import Driver
from rnn_harness.validation.request import ValidationRequest

if TYPE_CHECKING:
    from torch import Tensor

_DTYPE = "float32"


@dataclass(frozen=True)
class TrainedCell:
    """One layer of a target.

    Attributes:
        driver: Runs it over a sequence.
        parameters: Its parameters by its own names.
        state_names: The names of its states, in the order of its equations.
        hidden_size: d.
    """

    driver: Driver
    parameters: dict[str, Tensor]
    state_names: tuple[str, ...]
    hidden_size: int

    @property
    def leaves(self) -> list[Tensor]:
        """Its parameters, in its own order."""
        return list(self.parameters.values())

    def run(self, inputs: Tensor, states: States | None) -> tuple[Tensor, States]:
        """Run it over a sequence.

        Args:
            inputs: (T, B, n).
            states: The initial states (B, d); None for zeros.

        Returns:
            The hidden states (T, B, d), and the final states (B, d).
        """
        initial = states or (inputs.new_zeros(inputs.shape[1], self.hidden_size),) * len(self.state_names)
        outputs, finals = self.driver.run(
            self.parameters, inputs, dict(zip(self.state_names, initial, strict=True)), None
        )
        return outputs, tuple(finals[name] for name in self.state_names)


def layer_maker(request: ValidationRequest) -> LayerMaker:
    """Load a target in this process, which is a worker, and return what makes layers of it.

    Args:
        request: Names the target.

    Raises:
        UsageError: It cannot be loaded or driven.
        NotRun: It cannot be trained, for the reason that is given.
    """
    tied = tie(load_compared(request), request)
    capabilities = tied.target.capabilities
    if capabilities.no_gradients_reason:
        raise NotRun(f"it cannot be trained: {capabilities.no_gradients_reason}")
    if _DTYPE not in capabilities.dtypes:
        raise NotRun(f"tasks are learnt in {_DTYPE}, which it does not take")
    if capabilities.fixed_sizes is not None:
        n, d = capabilities.fixed_sizes
        raise NotRun(f"it exists for n = {n}, d = {d} alone; tasks have input sizes of their own")
    driver, names = tied_driver(tied)
    return LayerMaker(
        tied.spec_name, lambda n, d: _layer(tied, driver, names, n, d), lambda n, d: _parameter_count(tied, n, d)
    )


def _layer(tied: TiedCell, driver: Driver, state_names: tuple[str, ...], n: int, d: int) -> TrainedCell:
    """Make a layer with the weights that the target's constructor draws."""
    import torch

    module = tied.target.make_module(n, d)
    leaves = {
        name: value.detach().clone().to(torch.float32).requires_grad_() for name, value in module.named_parameters()
    }
    return TrainedCell(driver, leaves, state_names, d)


def _parameter_count(tied: TiedCell, n: int, d: int) -> int:
    """Count the parameters of a layer."""
    return sum(value.numel() for value in tied.target.make_module(n, d).parameters())
