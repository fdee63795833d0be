"""A program's step as straight-line Python, written once per program and compiled, then run in any arithmetic.

The generated function takes the arithmetic's operations and a dictionary of values, and returns the targets. The
source is made from the expression tree alone: names are replaced by numbered identifiers, so nothing of a spec's
text can reach the compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rnn_harness.specs.expression import (
    Add,
    Apply,
    Component,
    Concatenate,
    Constant,
    Divide,
    Dot,
    MatrixVector,
    Multiply,
    Node,
    Outer,
    Place,
    Slice,
    Subtract,
    Transpose,
    Variable,
    VectorMatrix,
)

Key = tuple[str, int | None]
Targets = tuple[tuple[Key, Node, bool], ...]
Compiled = Callable[[Any, dict[Key, Any], Mapping[str, Any]], dict[Key, Any]]

_BINARY = {
    Add: "add",
    Subtract: "subtract",
    Multiply: "multiply",
    Divide: "divide",
    Outer: "outer",
    Dot: "dot",
}


def key(variable: Variable) -> Key:
    """How a variable is looked up: name and time."""
    return (variable.name, variable.time)


class _Writer:
    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        self.names: dict[Key, str] = {}
        self.reads: list[str] = []
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}

    def name(self, variable: Variable) -> str:
        where = key(variable)
        if where not in self.names:
            self.names[where] = f"v{len(self.names)}"
            self.constants[f"k_{self.names[where]}"] = where
            self.reads.append(f"    {self.names[where]} = env[k_{self.names[where]}]")
        return self.names[where]

    def constant(self, value: Any) -> str:
        label = f"c{len(self.constants)}"
        self.constants[label] = value
        return label

    def write(self, node: Node) -> str:
        match node:
            case Variable():
                return self.name(node)
            case Constant():
                return f"number({self.constant(node.value)})"
            case MatrixVector():
                return f"matrix_vector({self.write(node.matrix)}, {self.write(node.vector)})"
            case VectorMatrix():
                return f"vector_matrix({self.write(node.vector)}, {self.write(node.matrix)})"
            case Transpose():
                return f"transpose({self.write(node.matrix)})"
            case Concatenate():
                return f"concatenate({', '.join(self.write(part) for part in node.parts)})"
            case Apply():
                return f"apply({self.constant(node.function)}, {self.write(node.argument)})"
            case Component():
                return f"component({self.write(node.vector)}, indices[{node.index!r}])"
            case Slice():
                start, stop = node.start.size(self.sizes), node.stop.size(self.sizes)
                return f"slice_({self.write(node.vector)}, {start}, {stop})"
            case Place():
                size = node.shape[0].size(self.sizes)
                return f"place({self.write(node.scalar)}, indices[{node.index!r}], {size})"
            case _:
                left, right = (self.write(child) for child in node.children)
                return f"{_BINARY[type(node)]}({left}, {right})"


_OPERATIONS = (
    "number",
    "settle",
    "add",
    "subtract",
    "multiply",
    "divide",
    "matrix_vector",
    "vector_matrix",
    "transpose",
    "concatenate",
    "apply",
    "component",
    "place",
    "outer",
    "dot",
)


_COMPILED: dict[tuple[int, tuple[tuple[str, int], ...]], tuple[object, Compiled]] = {}


def compiled(owner: object, targets: Callable[[], Targets], sizes: Mapping[str, int]) -> Compiled:
    """`compile_targets(targets(), sizes)`, remembered for `owner` (whose trees would take long to hash)."""
    where = (id(owner), tuple(sizes.items()))
    found = _COMPILED.get(where)
    if found is None or found[0] is not owner:
        found = (owner, compile_targets(targets(), sizes))
        _COMPILED[where] = found
    return found[1]


def compile_targets(targets: Targets, sizes: Mapping[str, int]) -> Compiled:
    """One function that computes `targets` in order; each may use the ones before it.

    Called as ``f(arithmetic, env, indices)``; `env` maps (name, time) to values. A target marked False is left
    open: it goes on into a sum, and is not rounded yet.
    """
    writer = _Writer(sizes)
    body: list[str] = []
    known: list[tuple[str, Key]] = []
    for where, node, settled in targets:
        text = writer.write(node)
        identifier = f"t{len(known)}"
        body.append(f"    {identifier} = settle({text})" if settled else f"    {identifier} = {text}")
        writer.names[where] = identifier
        known.append((identifier, where))
    head = [f"    {name} = arithmetic.{name}" for name in _OPERATIONS if any(f"{name}(" in line for line in body)]
    head += ["    slice_ = arithmetic.slice"] if any("slice_(" in line for line in body) else []
    for index, (_, where) in enumerate(known):
        writer.constants[f"r{index}"] = where
    result = ", ".join(f"r{index}: {identifier}" for index, (identifier, _) in enumerate(known))
    source = "\n".join(["def run(arithmetic, env, indices):", *head, *writer.reads, *body, f"    return {{{result}}}"])
    namespace: dict[str, Any] = dict(writer.constants)
    exec(compile(source, "<generated step>", "exec"), namespace)
    run: Compiled = namespace["run"]
    return run


def targets_of(assignments: Iterable[Any]) -> Targets:
    """Assignments as the generator takes them."""
    return tuple((key(one.target), one.expression, True) for one in assignments)
