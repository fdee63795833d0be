"""What makes cells of a target, with which arguments, and what their states are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rnn_harness.options import Options


@dataclass(frozen=True)
class CellMaker:
    """What makes cells, and with which further arguments.

    Attributes:
        name: What to call it.
        make: The class or function.
        options: Further arguments that the user gives.
        defaults: Further arguments that its library needs.
        state_names: What the states of the cells are called by the equations that they are held against.
    """

    name: str
    make: Callable[..., Any]
    options: Options
    defaults: Options
    state_names: tuple[str, ...] = ()
