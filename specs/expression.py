"""The one typed expression: every arithmetic evaluates it, every derivation transforms it.

Dimension legend: a shape is a tuple of symbolic sizes; the batch axis is never written. A variable that is
not a parameter carries one value per batch row, a parameter one value in all.
Nodes check their own shapes when built and raise `ShapeError`, so that an ill-typed tree cannot exist.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar

from rnn_harness.specs.dimensions import Dimension, Shape, show_shape


class ShapeError(ValueError):
    """Shapes that do not fit: the message names the operation, both operands and both shapes."""


class Role(enum.Enum):
    """What a variable is to the step it stands in."""

    INPUT = "input"
    STATE = "state"
    PARAMETER = "parameter"
    INTERMEDIATE = "intermediate"
    COTANGENT = "cotangent"


class Function(enum.Enum):
    """The functions that equations apply; all but SOFTMAX act entry by entry. STEP is the slope of RELU: 1 or 0."""

    SIGMOID = "sigmoid"
    TANH = "tanh"
    RELU = "relu"
    STEP = "step"
    SOFTMAX = "softmax"
    LOG = "log"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class Variable:
    """A named quantity, at a time offset (0 now, -1 the step before, +1 the step after; None: timeless).

    `name` is the plain name (``h``, ``h_tilde``, ``W_xi``); `latex` is how it is printed, without the time.
    Two variables are the same when name and time are.
    """

    name: str
    shape: Shape = field(compare=False)
    time: int | None = None
    role: Role = field(default=Role.INTERMEDIATE, compare=False)
    latex: str = field(default="", compare=False)

    @property
    def children(self) -> tuple[Node, ...]:
        return ()

    def at(self, time: int | None) -> Variable:
        """The same quantity at another time."""
        return Variable(self.name, self.shape, time, self.role, self.latex)

    def __str__(self) -> str:
        if self.time is None:
            return self.name
        return f"{self.name}[t{self.time:+d}]" if self.time else f"{self.name}[t]"


@dataclass(frozen=True, slots=True)
class Constant:
    """An exact rational scalar."""

    value: Fraction
    shape: ClassVar[Shape] = ()

    @property
    def children(self) -> tuple[Node, ...]:
        return ()


def _refuse(operation: str, left: Node, right: Node) -> ShapeError:
    return ShapeError(
        f"{operation}: {describe(left)} has shape {show_shape(left.shape)}, "
        f"{describe(right)} has shape {show_shape(right.shape)}"
    )


@dataclass(frozen=True, slots=True)
class _Elementwise:
    left: Node
    right: Node
    operation: ClassVar[str]

    def __post_init__(self) -> None:
        if self.left.shape and self.right.shape and self.left.shape != self.right.shape:
            raise _refuse(self.operation, self.left, self.right)

    @property
    def shape(self) -> Shape:
        return self.left.shape or self.right.shape

    @property
    def children(self) -> tuple[Node, ...]:
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
    """The quotient entry by entry."""

    __slots__ = ()
    operation = "entry-by-entry quotient"


@dataclass(frozen=True, slots=True)
class MatrixVector:
    """``W x``: the matrix acts on a column vector."""

    matrix: Node
    vector: Node

    def __post_init__(self) -> None:
        if len(self.matrix.shape) != 2 or len(self.vector.shape) != 1:
            raise _refuse("product matrix times vector", self.matrix, self.vector)
        if self.matrix.shape[1] != self.vector.shape[0]:
            raise _refuse("product matrix times vector", self.matrix, self.vector)

    @property
    def shape(self) -> Shape:
        return (self.matrix.shape[0],)

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.matrix, self.vector)


@dataclass(frozen=True, slots=True)
class VectorMatrix:
    """``x W``: the matrix acts on a row vector."""

    vector: Node
    matrix: Node

    def __post_init__(self) -> None:
        if len(self.matrix.shape) != 2 or len(self.vector.shape) != 1:
            raise _refuse("product vector times matrix", self.vector, self.matrix)
        if self.vector.shape[0] != self.matrix.shape[0]:
            raise _refuse("product vector times matrix", self.vector, self.matrix)

    @property
    def shape(self) -> Shape:
        return (self.matrix.shape[1],)

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.vector, self.matrix)


@dataclass(frozen=True, slots=True)
class Transpose:
    """``W^T``."""

    matrix: Node

    def __post_init__(self) -> None:
        if len(self.matrix.shape) != 2:
            raise ShapeError(
                f"transpose: {describe(self.matrix)} has shape {show_shape(self.matrix.shape)}, not a matrix"
            )

    @property
    def shape(self) -> Shape:
        return (self.matrix.shape[1], self.matrix.shape[0])

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.matrix,)


@dataclass(frozen=True, slots=True)
class Concatenate:
    """``[a, b, ...]``: vectors one after the other, in the order printed."""

    parts: tuple[Node, ...]

    def __post_init__(self) -> None:
        for part in self.parts:
            if len(part.shape) != 1:
                raise ShapeError(f"concatenation: {describe(part)} has shape {show_shape(part.shape)}, not a vector")

    @property
    def shape(self) -> Shape:
        return (sum((part.shape[0] for part in self.parts), Dimension()),)

    @property
    def children(self) -> tuple[Node, ...]:
        return self.parts


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of `Function`; softmax takes a vector, the others act entry by entry."""

    function: Function
    argument: Node

    def __post_init__(self) -> None:
        if self.function is Function.SOFTMAX and len(self.argument.shape) != 1:
            raise ShapeError(
                f"softmax: {describe(self.argument)} has shape {show_shape(self.argument.shape)}, not a vector"
            )

    @property
    def shape(self) -> Shape:
        return self.argument.shape

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.argument,)


@dataclass(frozen=True, slots=True)
class Component:
    """``y_c``: one entry of a vector, chosen per batch row by the class index named `index`."""

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
        return (self.vector,)


# The four nodes below come from derivations only; no document prints them.


@dataclass(frozen=True, slots=True)
class Outer:
    """``left right^T``, summed over the batch: the gradient of a matrix."""

    left: Node
    right: Node

    def __post_init__(self) -> None:
        if len(self.left.shape) != 1 or len(self.right.shape) != 1:
            raise _refuse("outer product", self.left, self.right)

    @property
    def shape(self) -> Shape:
        return (self.left.shape[0], self.right.shape[0])

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Dot:
    """The inner product of two vectors, one scalar per batch row."""

    left: Node
    right: Node
    shape: ClassVar[Shape] = ()

    def __post_init__(self) -> None:
        if len(self.left.shape) != 1 or self.left.shape != self.right.shape:
            raise _refuse("inner product", self.left, self.right)

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Slice:
    """Entries ``start`` (inclusive) to ``stop`` (exclusive) of a vector: the adjoint of `Concatenate`."""

    vector: Node
    start: Dimension
    stop: Dimension
    size: Dimension

    @property
    def shape(self) -> Shape:
        return (self.size,)

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.vector,)


@dataclass(frozen=True, slots=True)
class Place:
    """A zero vector of `shape` with a scalar put at the class index named `index`: adjoint of `Component`."""

    scalar: Node
    index: str
    shape: Shape

    @property
    def children(self) -> tuple[Node, ...]:
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
    """A short name of a node for messages."""
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


def walk(node: Node) -> Iterator[Node]:
    """Every node of a tree, parents before children."""
    yield node
    for child in node.children:
        yield from walk(child)


def variables(node: Node) -> Iterator[Variable]:
    """Every occurrence of a variable in a tree, in reading order."""
    return (part for part in walk(node) if isinstance(part, Variable))
