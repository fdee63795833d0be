"""A cell of JAX whose states have several widths, as a cell with one state that joins them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rnn_harness.errors import UsageError
from rnn_harness.options import Options
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters import Adapter, DrivenModule
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.joined_states import JoinedStates, joined_states
from rnn_harness.validation.loading.layout_faults import WrongLayout

_MOST_CALLS = 200
"""A call of JAX that fails takes some milliseconds: it is traced first."""


@dataclass
class JoiningAdapter:
    """An adapter whose modules are wrapped, so that they have one state.

    Attributes:
        inner: The adapter that drives the cell.
        joined: How its states are joined.
        made_for: The sizes that the cell is made for.
        name: The name of the inner adapter.
        options: The keys of ``--init`` that are meant for it: none.
    """

    inner: Adapter
    joined: JoinedStates
    made_for: CellSizes
    name: str
    options: tuple[str, ...] = ()

    @property
    def sizes(self) -> CellSizes:
        """The input size, and the width of all states together."""
        return self.joined.sizes

    def accepts(self, cell_type: type) -> bool:
        """Say whether the inner adapter drives objects of a class."""
        return self.inner.accepts(cell_type)

    def defaults(self, cell_type: type) -> Options:
        """Return what the inner adapter says that a constructor needs."""
        return self.inner.defaults(cell_type)

    def drive(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive the cell, its states joined."""
        driven = self.inner.drive(cell, *self.made_for, options)
        notes = (*driven.capabilities.notes, self.joined.note())
        return DrivenModule(self.joined.wrap(driven.module), replace(driven.capabilities, notes=notes))


def with_joined_states(adapter: Adapter, cell: Any, sizes: CellSizes) -> JoiningAdapter | None:
    """Return an adapter that joins the states of a cell; None if it can be called with states of the hidden size.

    Args:
        adapter: The adapter of its library.
        cell: The cell; what is no cell but a model is left alone.
        sizes: The sizes that it was made for.
    """
    driven = adapter.drive(cell, *sizes, {})
    if driven.capabilities.has_parts:
        return None
    try:
        find_convention(driven.module, *sizes, driven.capabilities.calling_convention)
    except WrongLayout:
        return None
    except UsageError:
        for state_first in (True, False):
            joined = joined_states(driven.module, sizes.hidden_size, state_first, _MOST_CALLS)
            if joined is not None:
                return JoiningAdapter(adapter, joined, sizes, adapter.name)
    return None
