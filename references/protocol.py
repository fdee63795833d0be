"""What every reference offers: one forward and one hand-written backward over a whole sequence.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from rnn_harness.references.array_types import Array, IndexArray

Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Run:
    """What a forward pass computed.

    `outputs` (T, B, d): the hidden state at every step; rows past their length hold zero.
    `finals`: the last state of every row by name, ``h`` and for an LSTM ``c``, each (B, d).
    `trace`: every named intermediate over time, each (T, B, d): ``hidden_state``, ``reset_gate``, ...
    `saved`: what the backward needs; private to the reference.
    """

    outputs: Array
    finals: dict[str, Array]
    trace: dict[str, Array]
    saved: Any = field(repr=False, default=None)


@dataclass(frozen=True)
class Gradients:
    """Gradients of the scalar sum(outputs * d_outputs) + sum(finals * d_finals).

    `inputs` (T, B, n); `states` by name, the gradient for the initial state, (B, d); `parameters` by name.
    """

    inputs: Array
    states: dict[str, Array]
    parameters: dict[str, Array]


@runtime_checkable
class Reference(Protocol):
    """A cell run over a sequence, with its backward."""

    @property
    def name(self) -> str: ...

    @property
    def state_names(self) -> tuple[str, ...]: ...

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]: ...

    def forward(
        self,
        parameters: Arrays,
        inputs: Array,
        states: Arrays | None = None,
        lengths: IndexArray | None = None,
    ) -> Run: ...

    def backward(self, run: Run, d_outputs: Array, d_finals: Arrays | None = None) -> Gradients: ...
