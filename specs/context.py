"""The symbols that an equation may use, and what each printed name stands for among them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from rnn_harness.specs.dimensions import Shape
from rnn_harness.specs.expression import Component, Function, Node, Role, Transpose, Variable
from rnn_harness.specs.notation import Name
from rnn_harness.specs.symbols import Denoted, denote


class ElaborationError(ValueError):
    """A formula that can be read but not computed. `kind` is one of the audit's finding kinds; `equation` its id."""

    def __init__(self, kind: str, message: str, column: int = 0, equation: str = "") -> None:
        super().__init__(message)
        self.kind, self.column, self.equation = kind, column, equation


@dataclass
class Context:
    """The symbols an equation may use. `shapes`: every known name; `roles`: what each is.

    `functions`: what a function's letter stands for here; it goes before the usual meaning. `stars` collects what
    each printed ``*`` or ``\\cdot`` turned out to mean: ``product`` or ``entry by entry``.
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

    def function(self, name: str) -> Function | None:
        """The function a letter or a word stands for: as the spec declares it, else as everybody does."""
        return self.functions.get(name) or _USUAL.get(name) or _USUAL.get(name.lower())

    def names_function(self, name: Name) -> bool:
        """Whether a letter in front of parentheses is declared as a function, and as nothing else."""
        what = self.denote(name)
        return what.time is None and what.name in self.functions and what.name not in self.shapes

    def _undeclared(self, label: str, what: Denoted, column: int) -> ElaborationError:
        near = difflib.get_close_matches(label, self.shapes, n=3, cutoff=0.5)
        hint = f"; declared and near: {', '.join(near)}" if near else ""
        if what.time is not None and label[:1].isupper():
            family = [name for name in self.shapes if name.startswith(f"{label}_")]
            if family:
                hint = f" (a weight indexed by time?); declared: {', '.join(family)}"
        return ElaborationError("undeclared symbol", f"{label} is not declared{hint}", column)


_USUAL = {
    "sigma": Function.SIGMOID,
    "sigmoid": Function.SIGMOID,
    "sigm": Function.SIGMOID,
    "logistic": Function.SIGMOID,
    "tanh": Function.TANH,
    "log": Function.LOG,
    "ln": Function.LOG,
    "softmax": Function.SOFTMAX,
    "relu": Function.RELU,
}
