"""A layer whose outputs are not as wide as its states: two directions side by side, a projection, a head inside."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.cells.state_form import result_leaves
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.layout_faults import WrongLayout
from rnn_harness.validation.loading.parameter_exchange import in_evaluation, own_call
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target


def target_of_wider_outputs(target: Target) -> Target | None:
    """Return a layer as one of the width of its outputs, where it cannot be driven with its hidden size.

    Args:
        target: A target that no way of calling fits.

    Returns:
        The target at one size; None where no sequence alone gives outputs over time.
    """
    sizes = target.capabilities.fixed_sizes or TRIAL_SIZES
    layer = in_evaluation(target.make_module(*sizes))
    for width in dict.fromkeys(_widths(layer, sizes)):
        try:
            find_convention(layer, sizes.input_size, width)
        except WrongLayout:
            pass
        except Exception:  # a module that is called in a wrong way may raise anything
            continue
        note = (
            f"its outputs are {width} wide where it is made for a hidden size of {sizes.hidden_size}: two directions, "
            "a projection or a head; they are judged by what holds for every layer"
        )
        wide = CellSizes(sizes.input_size, width)
        capabilities = replace(
            target.capabilities, fixed_sizes=wide, calling_convention=None, notes=(*target.capabilities.notes, note)
        )
        return replace(target, make_module=lambda _n, _d: target.make_module(*sizes), capabilities=capabilities)
    return None


def _widths(layer: nn.Module, sizes: CellSizes) -> list[int]:
    """The widths of outputs that come back for a sequence alone, with the time in front or behind the rows."""
    n, d = sizes
    steps, rows = distinct_step_count(n, d), distinct_batch_size(n, d)
    first = next((value for value in layer.parameters() if value.is_floating_point()), None)
    dtype = torch.float64 if first is None else first.dtype
    call = own_call(layer)
    widths: list[int] = []
    for lengths in ((steps, rows), (rows, steps)):
        x = torch.randn(*lengths, n, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)
        try:
            with torch.no_grad():
                leaves = [leaf.tensor for leaf in result_leaves(call(x))]
        except (Exception, SystemExit):  # a module that is called in a wrong way may raise anything
            continue
        over_time = (leaf for leaf in leaves if leaf.dim() == 3 and tuple(leaf.shape[:2]) == lengths)
        widths += [leaf.shape[-1] for leaf in over_time if leaf.shape[-1] != d]
    return widths
