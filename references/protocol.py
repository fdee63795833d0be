"""What every reference offers: one forward and one hand-written backward over a whole sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

from jaxtyping import Inexact, Integer

from rnn_harness.references.array_types import Array, IndexArray

Arrays: TypeAlias = Mapping[str, Array]
"""Arrays by name, of any shape: parameters and their gradients."""

States: TypeAlias = Mapping[str, Inexact[Array, "B _"]]
"""States, or gradients for them, by name: one row for each batch row."""


@dataclass(frozen=True)
class Run:
    """The result of a forward pass.

    Attributes:
        outputs: the hidden state at every step; zero at steps past a row's length.
        finals: the last state of every row by name, ``h`` and for an LSTM ``c``.
        trace: every named intermediate over time: ``hidden_state``, ``reset_gate``, ...
        saved: what the backward needs; private to the reference.
    """

    outputs: Inexact[Array, "T B m"]
    finals: dict[str, Inexact[Array, "B _"]]
    trace: dict[str, Inexact[Array, "T B _"]]
    saved: Any = field(repr=False, default=None)


@dataclass(frozen=True)
class Gradients:
    """Gradients of the scalar sum(outputs * d_outputs) + sum(finals * d_finals).

    Attributes:
        inputs: the gradient for the inputs.
        states: the gradient for each initial state, by name.
        parameters: the gradient for each parameter, by name and in the parameter's shape.
    """

    inputs: Inexact[Array, "T B n"]
    states: dict[str, Inexact[Array, "B _"]]
    parameters: dict[str, Array]


@runtime_checkable
class Reference(Protocol):
    """A cell run over a sequence, with its backward."""

    @property
    def name(self) -> str:
        """The name under which `get_reference` knows the cell."""
        ...

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of the states that the cell carries from step to step."""
        ...

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of every parameter by name.

        Args:
            input_size: n, the number of entries of one input vector.
            hidden_size: d, the number of hidden units of one cell.
        """
        ...

    def forward(
        self,
        parameters: Arrays,
        inputs: Inexact[Array, "T B n"],
        states: States | None = None,
        lengths: Integer[IndexArray, B] | None = None,
    ) -> Run:
        """Run the cell over a batch of sequences.

        Args:
            parameters: every parameter by name, in the shapes of `parameter_shapes` and the dtype of the inputs.
            inputs: the inputs, time first.
            states: the initial states by name; zero where None.
            lengths: the number of steps of every row, 0 to T; all T where None. A row's states stay as they are
                from its length on, and its outputs are zero there.

        Returns:
            Outputs, final states and the trace.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        ...

    def backward(self, run: Run, d_outputs: Inexact[Array, "T B m"], d_finals: States | None = None) -> Gradients:
        """Propagate gradients back through time, from the last step to the first.

        Args:
            run: the result of this reference's `forward`.
            d_outputs: the gradient for the outputs; steps past a row's length do not count.
            d_finals: the gradient for the final states by name; zero where None.

        Returns:
            The gradients for inputs, initial states and parameters.

        Raises:
            ArgumentError: for arguments that do not fit.
        """
        ...
