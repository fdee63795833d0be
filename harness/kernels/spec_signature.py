"""The names and shapes of a cell that has a spec and no reference: those that the spec declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnn_harness.errors import NotRun
from rnn_harness.references import Gradients, Run
from rnn_harness.specs import Spec
from rnn_harness.subjects.subject import LAYERS


@dataclass(frozen=True)
class SpecSignature:
    """A stand-in for a reference that knows with what a kernel is called, and computes nothing.

    Attributes:
        spec: The spec of the cell.
    """

    spec: Spec

    @property
    def name(self) -> str:
        """The id of the spec."""
        return self.spec.id

    @property
    def state_names(self) -> tuple[str, ...]:
        """The states that the spec declares, by name."""
        return tuple(state.name for state in self.spec.program(LAYERS).states)

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Give the shapes that the spec declares, by parameter.

        Args:
            input_size: n.
            hidden_size: d.
        """
        sizes = {"n": input_size, "d": hidden_size}
        shapes = {symbol.name: symbol.shape for symbol in self.spec.program(LAYERS).parameters}
        return {name: tuple(axis.size(sizes) for axis in shape) for name, shape in shapes.items()}

    def forward(self, *_: Any, **__: Any) -> Run:
        """Refuse: there is no reference.

        Raises:
            NotRun: Always.
        """
        raise NotRun(f"{self.spec.id} has no reference")

    def backward(self, *_: Any, **__: Any) -> Gradients:
        """Refuse: there is no reference.

        Raises:
            NotRun: Always.
        """
        raise NotRun(f"{self.spec.id} has no reference")
