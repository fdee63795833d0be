"""What a task is.

Dimension legend: T time steps, B batch rows, n input size, k outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from rnn_harness.array_types import Array

Drawn = tuple[Array, Array]
"""Inputs (T, B, n); targets (B,) or (B, k) at the end, or (T, B) at every step, -1 where none is asked for, or
(T, B, k).
"""
WIDTHS: Mapping[str, int] = MappingProxyType({"rnn": 34, "gru": 19, "lstm": 16})
"""Hidden sizes of nearly the same number of parameters, 1,300 with two inputs."""


@dataclass(frozen=True)
class Task:
    """`kind`: ``number`` or ``class`` at the end, ``numbers`` or ``classes`` at every step; the loss of numbers is the
    mean squared error. `chance`: the loss of the best guess without memory. `solved`: the loss below which it counts
    as solved. `best`: a loss that nobody goes below. `both`: tried with both directions of time too. `window`: the
    gradient goes back through so many steps at most, and it is tried with the state carried from window to window, and
    without. `widths`: hidden sizes, by family, of its `layers`.
    """

    name: str
    title: str
    steps: int
    inputs: int
    outputs: int
    kind: str
    chance: float
    solved: float
    draw: Callable[[np.random.Generator, int], Drawn] = field(repr=False)
    both: bool = False
    window: int = 0
    best: float = 0.0
    widths: Mapping[str, int] = field(default_factory=lambda: WIDTHS, repr=False)
    layers: int = 1

    @property
    def every(self) -> bool:
        """Whether something is asked for at every step."""
        return self.kind in ("numbers", "classes")

    @property
    def counts(self) -> bool:
        """Whether numbers are asked for, and not classes."""
        return self.kind in ("number", "numbers")
