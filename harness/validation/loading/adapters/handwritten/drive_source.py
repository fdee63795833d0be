"""A cell written by hand as a driven module: its ways are found once, at sizes that differ pairwise, and then kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule
from rnn_harness.validation.loading.adapters.handwritten.call_errors import FailureLog
from rnn_harness.validation.loading.adapters.handwritten.call_trial import CallTrial, results_at, try_call
from rnn_harness.validation.loading.adapters.handwritten.cell_source import CellSource
from rnn_harness.validation.loading.adapters.handwritten.find_ways import CellWays, find_ways
from rnn_harness.validation.loading.adapters.handwritten.handwritten_cell import (
    HandwrittenCell,
    PaddedCellModule,
    outer_convention,
)
from rnn_harness.validation.loading.adapters.handwritten.other_methods import weights_of_other_methods
from rnn_harness.validation.loading.adapters.handwritten.read_outs import weights_of_read_outs
from rnn_harness.validation.loading.adapters.handwritten.stored_arrays import is_weight_path
from rnn_harness.validation.loading.adapters.handwritten.trial_numbers import TrialNumbers, draw_trial_numbers


@dataclass(frozen=True)
class DrivenSource:
    """A cell and how it is called.

    Attributes:
        source: The cell.
        ways: How it is called.
        trial: A call of it.
        number: Which of the sources that were tried it is, from 0.
        hidden_size: The number of units at which it was called.
    """

    source: CellSource
    ways: CellWays
    trial: CallTrial
    number: int
    hidden_size: int

    @property
    def rank(self) -> tuple[bool, bool]:
        """How much can be asked of it: gradients, if it has a backward, and batches."""
        has_all = self.ways.backward is not None or self.source.backward_function is None
        return has_all, self.ways.forward.is_batched

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Its parameters: what changes the results, or is called as weights are; no state and no array it leaves.

        What only another method reads, which shares no weight with forward, is that method's: of another direction.
        What changes scores that come back beside the states is a head's.
        """
        states = self.ways.forward.attributes
        influential = [name for name in self.source.parameters if self.trial.has_influence(f"parameters.{name}")]
        called = (self.source.forward_function, self.source.backward_function if self.ways.backward else None)
        foreign = weights_of_other_methods(self.source.holder, called, influential)
        silent = [name for name in self.source.parameters if name not in influential]
        read_outs = weights_of_read_outs(self.trial, silent, self.hidden_size)
        return tuple(
            name
            for name in self.source.parameters
            if name not in states
            and name not in read_outs
            and (name in influential or (is_weight_path(name) and name.partition("/")[0] not in foreign))
        )

    def module(self, source: CellSource, padding: str = "") -> ArrayLibraryModule:
        """Return the module of a cell that is called in this way.

        Args:
            source: This cell, or one of the same kind and other sizes.
            padding: The argument that says which steps are padding; empty if there is none.
        """
        names = self.parameter_names
        chosen = {name: value for name, value in source.parameters.items() if name in names}
        cell = HandwrittenCell(source, self.ways, padding if self.ways.forward.is_batched else "")
        made = PaddedCellModule if cell.padding else ArrayLibraryModule
        return made(cell, chosen, differentiable=self.ways.backward is not None)

    @property
    def capabilities(self) -> TargetCapabilities:
        """What it takes and offers."""
        return TargetCapabilities(
            dtypes=("float64", "float32") if self._keeps_float32() else ("float64",),
            calling_convention=outer_convention(self.ways.forward),
            no_gradients_reason=self.ways.no_gradients_reason,
            library="NumPy",
        )

    def _keeps_float32(self) -> bool:
        """Whether float32 comes out where float32 goes in: many make arrays of zeros, which are of float64."""
        values = {name: value.astype(np.float32) for name, value in self.trial.values.items()}
        try:
            results = results_at(self.source, self.ways.forward, values)
        except Exception:  # then it takes float64 alone
            return False
        return all(result.dtype == np.float32 for result in results)


def drive_sources(sources: Iterable[CellSource], sizes: CellSizes, log: FailureLog) -> DrivenSource | None:
    """Find the source that can be called in the most telling way, and that way: a batch before one row, with gradients.

    Args:
        sources: The cell with parameters of several shapes, or with several methods.
        sizes: The input size and the hidden size.
        log: Where the ways that fail are noted.
    """
    numbers, tried = draw_trial_numbers(sizes), list(sources)
    for lenient in (False, True):
        best: DrivenSource | None = None
        for number, source in enumerate(tried):
            driven = _driven(source, numbers, log, number, lenient=lenient)
            if driven is not None and (best is None or driven.rank > best.rank):
                best = driven
            if best is not None and all(best.rank):
                break
        if best is not None:
            return best
    return None


def _driven(
    source: CellSource, numbers: TrialNumbers, log: FailureLog, number: int, *, lenient: bool
) -> DrivenSource | None:
    """The source and how it is called; None if it cannot be called."""
    initial = source.parameters
    source.parameters = generic_numbers(initial)
    try:
        ways = find_ways(source, numbers, log, lenient=lenient)
        return (
            None
            if ways is None
            else DrivenSource(source, ways, try_call(source, ways.forward, numbers), number, numbers.sizes.hidden_size)
        )
    finally:
        source.parameters = initial


def generic_numbers(parameters: Mapping[str, Array]) -> dict[str, Array]:
    """Draw random numbers of the shapes of the parameters: initial values may be zero, or all equal.

    Args:
        parameters: Arrays by name, of which the shapes are taken.
    """
    rng = np.random.default_rng(17)
    return {name: rng.standard_normal(np.shape(value)) / 2 for name, value in parameters.items()}


Remake = Callable[[Any, int, int], ArrayLibraryModule]
"""Makes the module of a cell of other sizes that is called in the same way."""
