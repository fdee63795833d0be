"""The names and shapes of a cell that has a spec and no reference: the spec's own.

Dimension legend: n input size, d hidden size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnn_harness.errors import NotRun
from rnn_harness.references import Gradients, Run
from rnn_harness.specs import Spec
from rnn_harness.subjects.subject import LAYERS


@dataclass(frozen=True)
class SpecSignature:
    """In the place of a reference: it knows what a kernel is called with, and computes nothing."""

    spec: Spec

    @property
    def name(self) -> str:
        return self.spec.id

    @property
    def state_names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.spec.program(LAYERS).states)

    def parameter_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """As the spec declares them."""
        sizes = {"n": input_size, "d": hidden_size}
        shapes = {one.name: one.shape for one in self.spec.program(LAYERS).parameters}
        return {name: tuple(axis.size(sizes) for axis in shape) for name, shape in shapes.items()}

    def forward(self, *_: Any, **__: Any) -> Run:
        """Raises NotRun: there is no reference."""
        raise NotRun(f"{self.spec.id} has no reference")

    def backward(self, *_: Any, **__: Any) -> Gradients:
        """Raises NotRun: there is no reference."""
        raise NotRun(f"{self.spec.id} has no reference")
