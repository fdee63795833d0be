"""From what is printed to what is computed: names get shapes, products get their meaning from them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from rnn_harness.specs._names import Denoted, denote
from rnn_harness.specs.dimensions import Shape, show_shape
from rnn_harness.specs.expression import (
    Add,
    Apply,
    Component,
    Concatenate,
    Constant,
    Function,
    MatrixVector,
    Multiply,
    Node,
    Role,
    ShapeError,
    Subtract,
    Transpose,
    Variable,
    VectorMatrix,
    describe,
)
from rnn_harness.specs.notation import (
    Binary,
    Bracket,
    Call,
    Derivative,
    Name,
    Negative,
    Number,
    Total,
    Tree,
    Tuple,
)

_FUNCTIONS = {
    "sigma": Function.SIGMOID,
    "tanh": Function.TANH,
    "log": Function.LOG,
    "softmax": Function.SOFTMAX,
}


class ElaborationError(ValueError):
    """A formula that can be read but not computed. `kind` is one of the audit's finding kinds."""

    def __init__(self, kind: str, message: str, column: int = 0) -> None:
        super().__init__(message)
        self.kind, self.column = kind, column


@dataclass
class Context:
    """The symbols an equation may use. `shapes`: every known name; `roles`: what each is.

    `directions`: for a state, +1 if it runs forward in time, -1 backward. `stars` collects what each printed
    ``*`` or ``\\cdot`` turned out to mean: ``product`` or ``entry by entry``.
    """

    time: str
    shapes: dict[str, Shape]
    roles: dict[str, Role]
    functions: Mapping[str, Function] = field(default_factory=dict)
    indices: frozenset[str] = frozenset()
    aliases: dict[str, str] = field(default_factory=dict)
    layer: int | None = None
    bottom: Variable | None = None
    stars: list[tuple[str, str]] = field(default_factory=list)

    def denote(self, name: Name) -> Denoted:
        """What `name` denotes here."""
        return denote(name, self.time, self.indices, self.aliases)

    def variable(self, name: Name) -> Node:
        """The variable (or component, or transpose) a printed name stands for. Raises ElaborationError."""
        what = self.denote(name)
        if what.step is not None:
            raise ElaborationError("syntax", f"{what.name}_{what.step}: an absolute step in a recurrence", name.column)
        if self.layer is not None and what.layer is not None:
            level = self.layer + what.layer
            if level == 0 and self.bottom is not None and what.time is not None:
                return self.bottom.at(what.time)
            label = f"{what.name}@{level}"
        else:
            label = what.name
        if label not in self.shapes:
            raise self._undeclared(label, what, name.column)
        role, shape = self.roles[label], self.shapes[label]
        time = what.time
        if role is Role.PARAMETER:
            if time is not None:
                message = f"{label}: a parameter does not depend on time"
                raise ElaborationError("time-indexed parameter", message, name.column)
        elif time is None:
            time = 0
        latex = what.latex
        if self.layer is not None and what.layer is not None:
            latex += f"^{{({self.layer + what.layer})}}"
        node: Node = Variable(label, shape, time, role, latex)
        if what.transposed:
            node = Transpose(node)
        return Component(node, what.component) if what.component else node

    def _undeclared(self, label: str, what: Denoted, column: int) -> ElaborationError:
        near = difflib.get_close_matches(label, self.shapes, n=3, cutoff=0.5)
        hint = f"; declared and near: {', '.join(near)}" if near else ""
        if what.time is not None and label[:1].isupper() and f"{label}" not in self.shapes:
            family = [name for name in self.shapes if name.startswith(f"{label}_")]
            if family:
                hint = f" (a weight indexed by time?); declared: {', '.join(family)}"
        return ElaborationError("undeclared symbol", f"{label} is not declared{hint}", column)


def elaborate(tree: Tree, context: Context) -> Node:
    """The typed expression of one side. Raises ElaborationError."""
    try:
        return _elaborate(tree, context)
    except ShapeError as error:
        raise ElaborationError("shape", str(error), tree.column) from None


def _elaborate(tree: Tree, context: Context) -> Node:
    match tree:
        case Name():
            return context.variable(tree)
        case Number():
            return Constant(tree.value)
        case Negative():
            return Subtract(Constant(Fraction(0)), _elaborate(tree.body, context))
        case Binary():
            left, right = _elaborate(tree.left, context), _elaborate(tree.right, context)
            return _binary(tree.sign, left, right, context)
        case Call():
            function = _FUNCTIONS.get(tree.function) or context.functions.get(tree.function)
            if function is None:
                message = f"function {tree.function} has no meaning here: declare it under [functions]"
                raise ElaborationError("undeclared symbol", message, tree.column)
            return Apply(function, _elaborate(tree.argument, context))
        case Bracket():
            parts = tuple(_elaborate(item, context) for item in tree.items)
            return parts[0] if len(parts) == 1 else Concatenate(parts)
        case Tuple() | Derivative() | Total():
            kind = type(tree).__name__.lower()
            raise ElaborationError("syntax", f"a {kind} cannot stand in the equation of a step", tree.column)


def _binary(sign: str, left: Node, right: Node, context: Context) -> Node:
    if sign in ("+", "\\oplus"):
        return Add(left, right)
    if sign == "-":
        return Subtract(left, right)
    ranks = (len(left.shape), len(right.shape))
    if sign in ("\\circ", "\\odot", "\\otimes"):
        return Multiply(left, right)
    if 0 in ranks:
        return Multiply(left, right)
    if ranks == (2, 1):
        context.stars.append((sign, "product"))
        return MatrixVector(left, right)
    if ranks == (1, 2):
        context.stars.append((sign, "product"))
        return VectorMatrix(left, right)
    if ranks == (1, 1) and sign:
        context.stars.append((sign, "entry by entry"))
        return Multiply(left, right)
    raise ShapeError(
        f"product: {describe(left)} has shape {show_shape(left.shape)}, "
        f"{describe(right)} has shape {show_shape(right.shape)}"
    )
