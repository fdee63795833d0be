"""One step of torch's LSTM with a projection, as a cell whose two states, of different widths, stand side by side."""

from __future__ import annotations

from torch import Tensor, nn

from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.cells.state_form import StateForm
from rnn_harness.validation.loading.joined_states import JoinedStates
from rnn_harness.validation.loading.state_handing import StateHanding
from rnn_harness.validation.loading.target import Target

_JOINED = JoinedStates(5, (3, 6), StateHanding(StateForm("tuple")), (0, 1))
"""Small sizes, all of them different; the equations do not depend on those of the layer."""


class ProjectedStep(nn.Module):
    """Runs `nn.LSTM` with a projection over a sequence of one step.

    Args:
        layer: One layer in one direction.
    """

    def __init__(self, layer: nn.LSTM) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the projected state and the cell state after a step.

        Args:
            x: The inputs of the step, (B, n).
            state: Both states before it, each with B rows.
        """
        projected, cell = state
        _, (projected, cell) = self.layer(x[None], (projected[None], cell[None]))
        return projected[0], cell[0]


def projected_target(name: str, bias: bool) -> Target:
    """Return what torch computes with a projection as a target of fixed sizes.

    Args:
        name: What to call it.
        bias: Whether it has biases.
    """

    def make(_input_size: int, _hidden_size: int) -> nn.Module:
        width, cell_width = _JOINED.widths
        layer = nn.LSTM(_JOINED.input_size, cell_width, bias=bias, proj_size=width)
        return _JOINED.wrap(ProjectedStep(layer))

    return Target(name, make, TargetCapabilities(fixed_sizes=_JOINED.sizes))
