"""The sizes of a torch module that does not state them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.construct import stated_sizes
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.layout_faults import WrongLayout
from rnn_harness.validation.loading.parameter_exchange import in_evaluation

if TYPE_CHECKING:
    from torch import nn

MOST_TRIALS = 40


def fitting_sizes(module: nn.Module) -> CellSizes | None:
    """Find the sizes of a module: the first that its parts state, or that its parameters allow, and that it takes.

    Args:
        module: A module whose sizes are fixed, such as one that was loaded with its parameters.
    """
    possible = list(dict.fromkeys(_possible_sizes(module)))[:MOST_TRIALS]
    for is_quick in (True, False):
        for sizes in possible:
            try:
                find_convention(in_evaluation(copy.deepcopy(module)), *sizes, is_quick=is_quick)
            except WrongLayout:
                return sizes
            except UsageError:
                continue
            return sizes
    return None


def _possible_sizes(module: nn.Module) -> Iterator[CellSizes]:
    """List the sizes that parts of a module state, then those that the shapes of its parameters allow."""
    from torch.nn.parameter import is_lazy

    for _, part in module.named_modules():
        sizes = stated_sizes(part)
        if sizes is not None:
            yield sizes
    axes = {size for value in module.parameters() if not is_lazy(value) for size in value.shape}
    hidden = sorted({size // gates for size in axes for gates in (1, 3, 4) if size % gates == 0}, reverse=True)
    for d in hidden:
        for n in sorted({*axes, *(size - d for size in axes if size > d)}):
            yield CellSizes(n, d)
