"""The symbols that an equation may use, and what each printed name stands for among them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from rnn_harness.specs.dimensions import Shape
from rnn_harness.specs.expression import Component, Constant, Function, Node, Role, Transpose, Variable
from rnn_harness.specs.notation import Name
from rnn_harness.specs.products import ProductSign
from rnn_harness.specs.symbols import Denoted, denote


class ElaborationError(ValueError):
    """A formula that can be read but not computed.

    Attributes:
        category: one of the audit's categories, such as ``shape`` or ``undeclared symbol``.
        column: the column at fault, from 1; 0 where it is not known.
        equation: the id of the equation; empty where it is not known.

    Args:
        message: What does not fit, with the symbols and shapes at fault.
    """

    def __init__(self, category: str, message: str, column: int = 0, equation: str = "") -> None:
        super().__init__(message)
        self.category, self.column, self.equation = category, column, equation


@dataclass
class Context:
    """The symbols an equation may use.

    Attributes:
        time: the index letter of time.
        shapes: the shape of every known name.
        roles: the role of every known name.
        functions: the meaning of the letters declared as functions; it goes before the usual meaning.
        indices: the letters of class indices.
        aliases: plain names that the file declares for printed ones.
        layer: the layer, from 1, in a spec with layers; else None.
        bottom: the input that layer 1 reads as the layer below it.
        constants: the numbers that printed letters stand for.
        product_signs: the meanings that the printed product signs turned out to have, collected in the elaboration.
    """

    time: str
    shapes: dict[str, Shape]
    roles: dict[str, Role]
    functions: Mapping[str, Function] = field(default_factory=dict)
    indices: frozenset[str] = frozenset()
    aliases: dict[str, str] = field(default_factory=dict)
    layer: int | None = None
    bottom: Variable | None = None
    constants: Mapping[str, Fraction] = field(default_factory=dict)
    product_signs: list[ProductSign] = field(default_factory=list)

    def denote(self, name: Name) -> Denoted:
        """Interpret a printed name with the letters and aliases of this context.

        The digit of ``b_1`` is a label where ``b_1`` is declared, and else an absolute step.

        Args:
            name: the name as parsed, with its scripts and accents.
        """
        symbol = denote(name, self.time, self.indices, self.aliases)
        numbered = f"{symbol.name}_{symbol.step}"
        return symbol if numbered not in self.shapes else replace(symbol, name=numbered, step=None)

    def variable(self, name: Name) -> Node:
        """Look up the variable (or component, or transpose) that a printed name stands for.

        Args:
            name: the name as parsed; in a spec with layers, its layer is counted from `layer`.

        Raises:
            ElaborationError: for a name that is not declared, an absolute step, or a parameter with a time.
        """
        symbol = self.denote(name)
        if symbol.step is not None:
            raise ElaborationError(
                "syntax", f"{symbol.name}_{symbol.step}: an absolute step in a recurrence", name.column
            )
        if self.layer is not None and symbol.layer is not None:
            level = self.layer + symbol.layer
            if level == 0 and self.bottom is not None and symbol.time is not None:
                return self.bottom.at(symbol.time)
            label = f"{symbol.name}@{level}"
        else:
            label = symbol.name
        if label in self.constants and label not in self.shapes:
            if symbol.time is not None:
                message = f"{label}: a constant does not depend on time"
                raise ElaborationError("syntax", message, name.column)
            return Constant(self.constants[label])
        if label not in self.shapes:
            raise self._undeclared(label, symbol, name.column)
        role, shape = self.roles[label], self.shapes[label]
        time = symbol.time
        if role is Role.PARAMETER:
            if time is not None:
                message = f"{label}: a parameter does not depend on time"
                raise ElaborationError("time-indexed parameter", message, name.column)
        elif time is None:
            time = 0
        latex = symbol.latex
        if self.layer is not None and symbol.layer is not None:
            latex += f"^{{({self.layer + symbol.layer})}}"
        node: Node = Variable(label, shape, time, role, latex)
        if symbol.transposed:
            node = Transpose(node)
        return Component(node, symbol.component) if symbol.component else node

    def function(self, name: str) -> Function | None:
        """Return the function a letter or a word stands for: as the spec declares it, else as is usual; or None.

        Args:
            name: the letter or word as printed, without a backslash.
        """
        known = self.functions.get(name) or _USUAL_FUNCTIONS.get(name)
        # Of a word with capitals only the longer ones mean the same: LN is layer normalisation, and no logarithm.
        return known or (_USUAL_FUNCTIONS.get(name.lower()) if len(name) > len("log") else None)

    def names_function(self, name: Name) -> bool:
        """Decide whether a letter in front of parentheses is declared as a function, and not as a variable too.

        Args:
            name: the name as parsed, in front of the parentheses.
        """
        symbol = self.denote(name)
        return symbol.time is None and symbol.name in self.functions and symbol.name not in self.shapes

    def _undeclared(self, label: str, symbol: Denoted, column: int) -> ElaborationError:
        """Return an error that names the declared symbols near an undeclared one."""
        near = difflib.get_close_matches(label, self.shapes, n=3, cutoff=0.5)
        hint = f"; declared and near: {', '.join(near)}" if near else ""
        if symbol.time is not None and label[:1].isupper():
            family = [name for name in self.shapes if name.startswith(f"{label}_")]
            if family:
                hint = f" (a weight indexed by time?); declared: {', '.join(family)}"
        return ElaborationError("undeclared symbol", f"{label} is not declared{hint}", column)


_USUAL_FUNCTIONS = {
    "sigma": Function.SIGMOID,
    "sigmoid": Function.SIGMOID,
    "sigm": Function.SIGMOID,
    "logistic": Function.SIGMOID,
    "tanh": Function.TANH,
    "log": Function.LOG,
    "ln": Function.LOG,
    "softmax": Function.SOFTMAX,
    "relu": Function.RELU,
    "exp": Function.EXP,
    "softplus": Function.SOFTPLUS,
    "sqrt": Function.SQRT,
    "mean": Function.MEAN,
    "invstd": Function.INVERSE_DEVIATION,
    "id": Function.IDENTITY,
}
