"""One point of the grid: a spec at some sizes, dtype and device, and the work that a forward does there."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass

from rnn_harness.benchmarks.equations import measured_spec
from rnn_harness.families import FAMILIES
from rnn_harness.specs.expression import MatrixVector, Node, Role, Variable, VectorMatrix
from rnn_harness.specs.program import Program
from rnn_harness.specs.traversal import walk
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind
from rnn_harness.subjects.subject import Subject

TIMED_SPECS = {name: family.spec for name, family in FAMILIES.items()}
"""The spec of each family that torch has kernels for."""


@dataclass(frozen=True)
class WeightBlock:
    """Weights that multiply vectors of one size.

    Attributes:
        columns: The size of the vectors.
        of_inputs: Whether the vectors are inputs, which are known for all steps at once.
    """

    columns: int
    of_inputs: bool


@dataclass(frozen=True)
class SpeedPoint:
    """One point of the grid.

    Attributes:
        spec: The id of the spec, or its file.
        n: The input size.
        d: The hidden size.
        B: Batch rows.
        T: Time steps.
        dtype: ``float32`` or ``float64``.
        device: ``cpu`` or ``cuda``.
    """

    spec: str
    n: int
    d: int
    B: int
    T: int
    dtype: str = "float32"
    device: str = "cpu"

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes by their letters."""
        return {"n": self.n, "d": self.d, "B": self.B, "T": self.T}

    @functools.cached_property
    def weight_rows(self) -> dict[WeightBlock, int]:
        """The rows of all weights, by what they multiply."""
        spec = measured_spec(self.spec)
        if spec.reference is None:
            return _rows_of_products(spec.program(), self.sizes)
        shapes = Subject.of(spec).cell.parameter_shapes(self.n, self.d)
        rows: Counter[WeightBlock] = Counter()
        for name, shape in shapes.items():
            if len(shape) == 2:
                rows[WeightBlock(shape[1], is_kind(name, ParameterKind.INPUT))] += shape[0]
        return dict(rows)

    @property
    def weights(self) -> int:
        """The number of entries of all weights."""
        return sum(block.columns * rows for block, rows in self.weight_rows.items())

    @property
    def bytes_moved(self) -> int:
        """Bytes that a forward must move at least: weights, inputs and outputs, once."""
        return (8 if self.dtype == "float64" else 4) * (self.weights + self.T * self.B * (self.n + self.d))

    @property
    def operations(self) -> int:
        """Floating-point operations of the matrix products of one forward."""
        return 2 * self.weights * self.B * self.T


def _rows_of_products(program: Program, sizes: dict[str, int]) -> dict[WeightBlock, int]:
    """Count the rows of the matrices in all products of a program, by the vectors that they multiply."""
    rows: Counter[WeightBlock] = Counter()
    for assignment in program.assignments:
        for node in walk(assignment.expression):
            if isinstance(node, MatrixVector | VectorMatrix):
                block = WeightBlock(node.vector.shape[0].size(sizes), _is_input(node.vector))
                rows[block] += node.shape[0].size(sizes)
    return dict(rows)


def _is_input(vector: Node) -> bool:
    return isinstance(vector, Variable) and vector.role is Role.INPUT
