"""A convolutional cell inside of a model, as a target of its own."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.loading.pointwise_cells import at_one_point
from rnn_harness.validation.loading.spatial_states import SpatialStates, spatial_states
from rnn_harness.validation.loading.target import Target

if TYPE_CHECKING:
    from torch import nn


def convolutional_target(name: str, module: nn.Module, channels: CellSizes) -> Target | None:
    """Return a module with convolutions as a target of vectors; None if it cannot be called as a cell.

    Its equations are told where its space is one point, as those of a convolutional cell that is handed in by itself.

    Args:
        name: What to call it.
        module: The module, which is copied.
        channels: The channels of its inputs and of its states.
    """
    spatial = spatial_states(copy.deepcopy(module), channels)
    if spatial is None:
        return None

    def with_space(_n: int, _d: int) -> nn.Module:
        return spatial.wrap(copy.deepcopy(module))

    notes = (spatial.note(),)
    target = Target(name, with_space, TargetCapabilities(fixed_sizes=spatial.sizes, notes=notes))
    return _at_one_point(target, module, spatial) or target


def _at_one_point(target: Target, module: nn.Module, spatial: SpatialStates) -> Target | None:
    """The same where space is one point; None where it cannot be called so."""
    channels = CellSizes(spatial.inputs, spatial.units)

    def make(_n: int, _d: int) -> nn.Module:
        point = at_one_point(copy.deepcopy(module))
        if point is None:
            raise UsageError(f"{target.name} is another cell where its space is one point")
        return spatial.at(channels).wrap(point)

    try:
        find_convention(in_evaluation(make(*channels)), *channels)
    except Exception:  # a module at one point may raise anything
        return None
    note = "its convolutions are judged where space is one point: there each is a product with the middle of its kernel"
    capabilities = replace(target.capabilities, fixed_sizes=channels, notes=(note,))
    return replace(target, make_module=make, capabilities=capabilities, in_space=target)
