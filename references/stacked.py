"""Layers of one cell on top of each other (000:260): layer l reads the hidden states of layer l-1.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, L layers.
Names: ``layer0.W_x``, ``layer0.h``, ``layer1.W_x``, ...; layer 0 is the document's layer 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnn_harness.references.arguments import ArgumentError
from rnn_harness.references.array_types import Array
from rnn_harness.references.protocol import Arrays, Gradients, Reference, Run


def prefixed(prefix: str, values: Arrays) -> dict[str, Array]:
    """`values` with ``prefix.`` before every name."""
    return {f"{prefix}.{name}": value for name, value in values.items()}


def selected(prefix: str, values: Arrays) -> dict[str, Array]:
    """The entries of `values` whose name begins with ``prefix.``, without it."""
    return {name.removeprefix(f"{prefix}."): v for name, v in values.items() if name.startswith(f"{prefix}.")}


@dataclass(frozen=True)
class Stacked:
    """`cells` from the bottom up, all of the same hidden size."""

    cells: tuple[Reference, ...]

    def __post_init__(self) -> None:
        if not self.cells:
            raise ArgumentError("a stack needs at least one layer, got none")

    @property
    def name(self) -> str:
        return "stacked"

    @property
    def state_names(self) -> tuple[str, ...]:
        return tuple(f"layer{i}.{name}" for i, cell in enumerate(self.cells) for name in cell.state_names)

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Every cell's parameters, with its layer before the name; the upper ones read d inputs."""
        return {
            f"layer{i}.{name}": shape
            for i, cell in enumerate(self.cells)
            for name, shape in cell.parameter_shapes(hidden_size if i else input_size, hidden_size).items()
        }

    def forward(
        self,
        parameters: Arrays,
        inputs: Array,
        states: Arrays | None = None,
        lengths: NDArray[np.intp] | None = None,
    ) -> Run:
        """Run over `inputs` (T, B, n). Raises ArgumentError on arguments that do not fit."""
        finals: dict[str, Array] = {}
        trace: dict[str, Array] = {}
        runs: list[Run] = []
        for i, cell in enumerate(self.cells):
            layer = f"layer{i}"
            own = None if states is None else selected(layer, states)
            run = cell.forward(selected(layer, parameters), inputs, own, lengths)
            runs.append(run)
            finals |= prefixed(layer, run.finals)
            trace |= prefixed(layer, run.trace)
            inputs = run.outputs
        return Run(inputs, finals, trace, runs)

    def backward(self, run: Run, d_outputs: Array, d_finals: Arrays | None = None) -> Gradients:
        """Backpropagation through time, from the top layer down."""
        states: dict[str, Array] = {}
        parameters: dict[str, Array] = {}
        for i in reversed(range(len(self.cells))):
            layer = f"layer{i}"
            own = None if d_finals is None else selected(layer, d_finals)
            gradients = self.cells[i].backward(run.saved[i], d_outputs, own)
            states = prefixed(layer, gradients.states) | states
            parameters = prefixed(layer, gradients.parameters) | parameters
            d_outputs = gradients.inputs
        return Gradients(d_outputs, states, parameters)
