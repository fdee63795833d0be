"""The one typed expression: every arithmetic evaluates it, every derivation transforms it.

A shape is a tuple of symbolic sizes; the batch axis is never written. A variable that is not a parameter carries one
value per batch row, a parameter one value in all.
Nodes check the shapes of their operands when built and raise `ShapeError`, so that an ill-typed tree cannot exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rnn_harness.specs.dimensions import Dimension, Shape, show_shape
from rnn_harness.specs.leaves import ROW_FUNCTIONS as ROW_FUNCTIONS
from rnn_harness.specs.leaves import Constant as Constant
from rnn_harness.specs.leaves import Function as Function
from rnn_harness.specs.leaves import Role as Role
from rnn_harness.specs.leaves import ShapeError as ShapeError
from rnn_harness.specs.leaves import Variable as Variable
from rnn_harness.specs.traversal import variables as variables
from rnn_harness.specs.traversal import walk as walk


def _refuse(operation: str, first: Node, second: Node) -> ShapeError:
    """Return an error that names the operation, both operands and both shapes."""
    return ShapeError(
        f"{operation}: {describe(first)} has shape {show_shape(first.shape)}, "
        f"{describe(second)} has shape {show_shape(second.shape)}"
    )


@dataclass(frozen=True, slots=True)
class _Elementwise:
    """An operation entry by entry, on operands of one shape or with a scalar."""

    left: Node
    right: Node
    operation: ClassVar[str]

    def __post_init__(self) -> None:
        if self.left.shape and self.right.shape and self.left.shape != self.right.shape:
            raise _refuse(self.operation, self.left, self.right)

    @property
    def shape(self) -> Shape:
        """The shape that follows from the operands."""
        return self.left.shape or self.right.shape

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return (self.left, self.right)


class Add(_Elementwise):
    """``left + right``; a scalar is spread over the other operand."""

    __slots__ = ()
    operation = "sum"


class Subtract(_Elementwise):
    """``left - right``; a scalar is spread over the other operand, as in ``1 - z``."""

    __slots__ = ()
    operation = "difference"


class Multiply(_Elementwise):
    """The product entry by entry (Hadamard), or a scaling when one side is a scalar."""

    __slots__ = ()
    operation = "entry-by-entry product"


class Divide(_Elementwise):
    """The quotient entry by entry; a scalar is spread over the other operand."""

    __slots__ = ()
    operation = "entry-by-entry quotient"


@dataclass(frozen=True, slots=True)
class MatrixVector:
    """``W x``: the matrix acts on a column vector.

    Attributes:
        matrix: W, of shape (m, n).
        vector: x, of shape (n,); the product has shape (m,).
    """

    matrix: Node
    vector: Node

    def __post_init__(self) -> None:
        if len(self.matrix.shape) != 2 or len(self.vector.shape) != 1:
            raise _refuse("product matrix times vector", self.matrix, self.vector)
        if self.matrix.shape[1] != self.vector.shape[0]:
            raise _refuse("product matrix times vector", self.matrix, self.vector)

    @property
    def shape(self) -> Shape:
        """The shape that follows from the operands."""
        return (self.matrix.shape[0],)

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return (self.matrix, self.vector)


@dataclass(frozen=True, slots=True)
class VectorMatrix:
    """``x W``: the matrix acts on a row vector.

    Attributes:
        vector: x, of shape (n,).
        matrix: W, of shape (n, m); the product has shape (m,).
    """

    vector: Node
    matrix: Node

    def __post_init__(self) -> None:
        if len(self.matrix.shape) != 2 or len(self.vector.shape) != 1:
            raise _refuse("product vector times matrix", self.vector, self.matrix)
        if self.vector.shape[0] != self.matrix.shape[0]:
            raise _refuse("product vector times matrix", self.vector, self.matrix)

    @property
    def shape(self) -> Shape:
        """The shape that follows from the operands."""
        return (self.matrix.shape[1],)

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return (self.vector, self.matrix)


@dataclass(frozen=True, slots=True)
class Transpose:
    """``W^T``: the transposed matrix.

    Attributes:
        matrix: W.
    """

    matrix: Node

    def __post_init__(self) -> None:
        if len(self.matrix.shape) != 2:
            raise ShapeError(
                f"transpose: {describe(self.matrix)} has shape {show_shape(self.matrix.shape)}, not a matrix"
            )

    @property
    def shape(self) -> Shape:
        """The shape that follows from the operands."""
        return (self.matrix.shape[1], self.matrix.shape[0])

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return (self.matrix,)


@dataclass(frozen=True, slots=True)
class Concatenate:
    """``[a, b, ...]``: vectors one after the other.

    Attributes:
        parts: the vectors, in the order printed.
    """

    parts: tuple[Node, ...]

    def __post_init__(self) -> None:
        for part in self.parts:
            if len(part.shape) != 1:
                raise ShapeError(f"concatenation: {describe(part)} has shape {show_shape(part.shape)}, not a vector")

    @property
    def shape(self) -> Shape:
        """The shape that follows from the operands."""
        return (sum((part.shape[0] for part in self.parts), Dimension()),)

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return self.parts


@dataclass(frozen=True, slots=True)
class Apply:
    """A function applied to an argument.

    Attributes:
        function: the function; those of `ROW_FUNCTIONS` take a vector, the others act entry by entry.
        argument: its argument.
    """

    function: Function
    argument: Node

    def __post_init__(self) -> None:
        if self.function in ROW_FUNCTIONS and len(self.argument.shape) != 1:
            shape = show_shape(self.argument.shape)
            raise ShapeError(f"{self.function.value}: {describe(self.argument)} has shape {shape}, not a vector")

    @property
    def shape(self) -> Shape:
        """The shape that follows from the operands."""
        return self.argument.shape

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return (self.argument,)


@dataclass(frozen=True, slots=True)
class Component:
    """``y_c``: one entry of a vector, chosen for each batch row by a class index.

    Attributes:
        vector: y.
        index: the name of the class index.
    """

    vector: Node
    index: str
    shape: ClassVar[Shape] = ()

    def __post_init__(self) -> None:
        if len(self.vector.shape) != 1:
            raise ShapeError(
                f"component {self.index}: {describe(self.vector)} has shape "
                f"{show_shape(self.vector.shape)}, not a vector"
            )

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return (self.vector,)


# The four nodes below come from derivations only; no document prints them.


@dataclass(frozen=True, slots=True)
class Outer:
    """``left right^T``, summed over the batch: the gradient of a matrix.

    Attributes:
        left: a vector, of shape (m,).
        right: a vector, of shape (n,); the product has shape (m, n).
    """

    left: Node
    right: Node

    def __post_init__(self) -> None:
        if len(self.left.shape) != 1 or len(self.right.shape) != 1:
            raise _refuse("outer product", self.left, self.right)

    @property
    def shape(self) -> Shape:
        """The shape that follows from the operands."""
        return (self.left.shape[0], self.right.shape[0])

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Dot:
    """The inner product of two vectors, one scalar per batch row.

    Attributes:
        left: a vector.
        right: a vector of the same shape.
    """

    left: Node
    right: Node
    shape: ClassVar[Shape] = ()

    def __post_init__(self) -> None:
        if len(self.left.shape) != 1 or self.left.shape != self.right.shape:
            raise _refuse("inner product", self.left, self.right)

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive entries of a vector: the adjoint of `Concatenate`.

    Attributes:
        vector: the vector.
        start: the first entry, from 0.
        stop: the entry behind the last.
        size: the number of entries.
    """

    vector: Node
    start: Dimension
    stop: Dimension
    size: Dimension

    @property
    def shape(self) -> Shape:
        """The shape that follows from the operands."""
        return (self.size,)

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return (self.vector,)


@dataclass(frozen=True, slots=True)
class Place:
    """A zero vector with a scalar put at a class index: the adjoint of `Component`.

    Attributes:
        scalar: the scalar.
        index: the name of the class index.
        shape: the shape of the vector.
    """

    scalar: Node
    index: str
    shape: Shape

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return (self.scalar,)


Node = (
    Variable
    | Constant
    | Add
    | Subtract
    | Multiply
    | Divide
    | MatrixVector
    | VectorMatrix
    | Transpose
    | Concatenate
    | Apply
    | Component
    | Outer
    | Dot
    | Slice
    | Place
)


def describe(node: Node) -> str:
    """Write a node in one line, for messages.

    Args:
        node: the root; variables print by their plain names.
    """
    if isinstance(node, Variable):
        return str(node)
    if isinstance(node, Constant):
        return str(node.value)
    if isinstance(node, Apply):
        return f"{node.function.value}({describe(node.argument)})"
    if isinstance(node, Transpose):
        return f"{describe(node.matrix)}^T"
    names = [describe(child) for child in node.children]
    if isinstance(node, Concatenate):
        return f"[{', '.join(names)}]"
    signs = {
        Add: " + ",
        Subtract: " - ",
        Multiply: " ⊙ ",
        Divide: " / ",
        MatrixVector: " ",
        VectorMatrix: " ",
    }
    return "(" + signs.get(type(node), f" {type(node).__name__.lower()} ").join(names) + ")"
