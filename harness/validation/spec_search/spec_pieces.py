"""The pieces of a spec's parameters that stand alone in an implementation: a joined matrix has one for each operand."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.specs.dimensions import Dimension, Shape
from rnn_harness.specs.expression import (
    Add,
    Concatenate,
    MatrixVector,
    Node,
    Subtract,
    Transpose,
    Variable,
    VectorMatrix,
    walk,
)
from rnn_harness.specs.program import Program

_NOTHING = Dimension()
KNOWN = 1024
"""Programs whose biases are remembered: as many as one search holds against a target."""


@dataclass(frozen=True)
class SpecPiece:
    """A parameter of a spec, or the part of it that multiplies one operand.

    Attributes:
        parameter: The spec's parameter.
        shape: Its shape as (results, operands) of a matrix, (d,) of a vector, () of a scalar.
        turned: Whether the spec has it as (operands, results).
        start: Where it begins along the operands.
    """

    parameter: str
    shape: Shape
    turned: bool = False
    start: Dimension = _NOTHING

    def view(self, parameter: Array, sizes: Mapping[str, int]) -> Array:
        """Return the piece of an array in the spec's shape, as a view of the shape (results, operands).

        Args:
            parameter: The array of the whole parameter.
            sizes: The named sizes.
        """
        if len(self.shape) < 2:
            return parameter
        matrix = parameter.T if self.turned else parameter
        start = self.start.size(sizes)
        part: Array = matrix[:, start : start + self.shape[1].size(sizes)]
        return part

    def size(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Return its shape in numbers.

        Args:
            sizes: The named sizes, n and d.
        """
        return tuple(axis.size(sizes) for axis in self.shape)


def spec_pieces(program: Program) -> tuple[SpecPiece, ...]:
    """Cut a program's parameters where they multiply several operands at once.

    Args:
        program: The program of a spec, whose expressions are walked.
    """
    uses: dict[str, tuple[bool, tuple[Dimension, ...]]] = {}
    for assignment in program.assignments:
        for node in walk(assignment.expression):
            for name, turned, widths in _uses(node):
                known = uses.get(name)
                uses[name] = (turned, widths) if known is None or known == (turned, widths) else (turned, ())
    pieces: list[SpecPiece] = []
    for parameter in program.parameters:
        if len(parameter.shape) < 2:
            pieces.append(SpecPiece(parameter.name, parameter.shape))
            continue
        turned, widths = uses.get(parameter.name, (False, ()))
        results, operands = parameter.shape[::-1] if turned else parameter.shape
        start = Dimension()
        for width in widths or (operands,):
            pieces.append(SpecPiece(parameter.name, (results, width), turned, start))
            start += width
    return tuple(pieces)


def _uses(node: Node) -> Iterator[tuple[str, bool, tuple[Dimension, ...]]]:
    """Yield how a product uses a matrix: its name, whether results stand second, and the widths of joined operands."""
    match node:
        case MatrixVector():
            matrix, vector, turned = node.matrix, node.vector, False
        case VectorMatrix():
            matrix, vector, turned = node.matrix, node.vector, True
        case _:
            return
    if isinstance(matrix, Transpose):
        matrix, turned = matrix.matrix, not turned
    if isinstance(matrix, Variable):
        widths = tuple(part.shape[0] for part in vector.parts) if isinstance(vector, Concatenate) else ()
        yield matrix.name, turned, widths


@functools.lru_cache(maxsize=KNOWN)
def added_vectors(program: Program) -> frozenset[str]:
    """Return the names of the parameters that are biases: vectors that are added wherever they stand.

    Args:
        program: The program whose expressions are looked through.
    """
    vectors = {parameter.name for parameter in program.parameters if len(parameter.shape) == 1}
    elsewhere: set[str] = set()
    for assignment in program.assignments:
        for node in walk(assignment.expression):
            if not isinstance(node, Add | Subtract):
                elsewhere |= {child.name for child in node.children if isinstance(child, Variable)}
    return frozenset(vectors - elsewhere)


def empty_parameters(program: Program, sizes: Mapping[str, int]) -> dict[str, Array]:
    """Make zeros for all parameters of a program, by name.

    Args:
        program: The program, which declares names and shapes.
        sizes: The named sizes.
    """
    return {v.name: np.zeros(tuple(axis.size(sizes) for axis in v.shape)) for v in program.parameters}
