"""Choose among the ways to construct a cell the one whose cell can be called."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.construct import Construction, stated_sizes
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.fitting_sizes import fitting_sizes
from rnn_harness.validation.loading.joined_cells import layers_of_step
from rnn_harness.validation.loading.layout_faults import WrongLayout
from rnn_harness.validation.loading.parameter_exchange import in_evaluation


def chosen_construction(
    made: Iterable[tuple[Construction, Any]], sizes: CellSizes, *, is_torch: bool
) -> tuple[Construction, Any]:
    """Return the construction that fits, with the cell that it made: guesses count where nothing else works.

    Args:
        made: Ways to construct a cell, likely ones first, each with a cell; one at the least.
        sizes: The sizes of those cells.
        is_torch: Whether the cells are torch modules, of which alone it is known here whether they can be called, and
            which never learn their input size.
    """
    chosen: tuple[Construction, Any] | None = None
    guess: tuple[Construction, Any] | None = None
    for construction, cell in made:
        if construction.learns_input_size and is_torch:
            continue
        if construction.is_guess:
            guess = guess or (construction, cell)
        else:
            chosen = chosen or (construction, cell)
        if construction.is_certain or not is_torch or _can_be_called(cell, construction, sizes):
            chosen = (construction, cell)
            break
    chosen = chosen or guess
    assert chosen is not None, "without a way that works, constructions raises"
    return chosen


def _can_be_called(cell: Any, construction: Construction, sizes: CellSizes) -> bool:
    """Say whether a torch module can be called in the sizes that it was constructed for."""
    n, d = construction.fixed_sizes or sizes
    if not construction.any_sizes:
        return (stated_sizes(cell) or fitting_sizes(cell)) is not None
    try:
        find_convention(in_evaluation(copy.deepcopy(cell)), n, d)
    except WrongLayout:
        return True
    except Exception:  # a module that was constructed in a wrong way may raise anything
        return layers_of_step(cell, CellSizes(n, d)) is not None
    return True
