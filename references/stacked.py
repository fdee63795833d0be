"""Layers of one cell on top of each other (000:260): layer l reads the hidden states of layer l-1.

Names: ``layer0.W_x``, ``layer0.h``, ``layer1.W_x``, ...; layer 0 is the document's layer 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Inexact, Integer

from rnn_harness.references.arguments import ArgumentError
from rnn_harness.references.array_types import Array, IndexArray
from rnn_harness.references.protocol import Arrays, Gradients, Reference, Run, States


def add_prefix(prefix: str, values: Arrays) -> dict[str, Array]:
    """Return `values` with ``prefix.`` before every name.

    Args:
        prefix: without the dot, such as ``layer0``.
        values: arrays by name; they are not copied.
    """
    return {f"{prefix}.{name}": value for name, value in values.items()}


def select_prefix(prefix: str, values: Arrays) -> dict[str, Array]:
    """Return the entries of `values` whose name begins with ``prefix.``, without the prefix.

    Args:
        prefix: without the dot, such as ``layer0``.
        values: arrays by name; they are not copied.
    """
    return {name.removeprefix(f"{prefix}."): v for name, v in values.items() if name.startswith(f"{prefix}.")}


@dataclass(frozen=True)
class Stacked:
    """A stack of cells: every layer reads the hidden states of the layer below.

    Attributes:
        cells: the cells from the bottom up, all of the same hidden size.
    """

    cells: tuple[Reference, ...]

    def __post_init__(self) -> None:
        if not self.cells:
            raise ArgumentError("a stack needs at least one layer, got none")

    @property
    def name(self) -> str:
        """The name under which `get_reference` knows the stack."""
        return "stacked"

    @property
    def state_names(self) -> tuple[str, ...]:
        """The states of all layers, with the layer before the name."""
        return tuple(f"layer{i}.{name}" for i, cell in enumerate(self.cells) for name in cell.state_names)

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all cells' parameters, with the layer before the name; upper layers read d inputs.

        Args:
            input_size: n of layer 0.
            hidden_size: d of every layer.
        """
        return {
            f"layer{i}.{name}": shape
            for i, cell in enumerate(self.cells)
            for name, shape in cell.parameter_shapes(hidden_size if i else input_size, hidden_size).items()
        }

    def forward(
        self,
        parameters: Arrays,
        inputs: Inexact[Array, "T B n"],
        states: States | None = None,
        lengths: Integer[IndexArray, B] | None = None,
    ) -> Run:
        """Run all layers over a batch of sequences.

        Args:
            parameters: every parameter by name, in the shapes of `parameter_shapes`.
            inputs: the inputs of the bottom layer, time first.
            states: the initial states (B, d) of all layers by name; zero where None.
            lengths: the number of steps of every row; all T where None.

        Returns:
            The top layer's outputs (T, B, d), and the final states and traces of all layers.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        finals: dict[str, Array] = {}
        trace: dict[str, Array] = {}
        runs: list[Run] = []
        for i, cell in enumerate(self.cells):
            layer = f"layer{i}"
            initial = None if states is None else select_prefix(layer, states)
            run = cell.forward(select_prefix(layer, parameters), inputs, initial, lengths)
            runs.append(run)
            finals |= add_prefix(layer, run.finals)
            trace |= add_prefix(layer, run.trace)
            inputs = run.outputs
        return Run(inputs, finals, trace, runs)

    def backward(self, run: Run, d_outputs: Inexact[Array, "T B d"], d_finals: States | None = None) -> Gradients:
        """Propagate gradients back through time, from the top layer down.

        Args:
            run: the result of `forward`.
            d_outputs: the gradient for the top layer's outputs.
            d_finals: the gradient for the final states (B, d) of all layers by name; zero where None.

        Returns:
            The gradients for inputs, and for initial states and parameters of all layers.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        states: dict[str, Array] = {}
        parameters: dict[str, Array] = {}
        for i in reversed(range(len(self.cells))):
            layer = f"layer{i}"
            d_last = None if d_finals is None else select_prefix(layer, d_finals)
            gradients = self.cells[i].backward(run.saved[i], d_outputs, d_last)
            states = add_prefix(layer, gradients.states) | states
            parameters = add_prefix(layer, gradients.parameters) | parameters
            d_outputs = gradients.inputs
        return Gradients(d_outputs, states, parameters)
