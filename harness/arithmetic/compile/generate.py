"""A program's step as straight-line Python, written once per program and compiled, then run in any arithmetic.

The generated function takes the arithmetic's operations and a dictionary of values, and returns the targets. The
source is made from the expression tree alone: names are replaced by numbered identifiers, so nothing of a spec's
text can reach the compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from rnn_harness.arithmetic.protocol import Arithmetic, OpenT, StoredT
from rnn_harness.array_types import IndexArray
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
from rnn_harness.specs.program import Assignment

Key = tuple[str, int | None]
"""A symbol's name and its time; None for a parameter."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that a generated function computes.

    Attributes:
        key: Where it stands in the result; later targets may read it under that key.
        expression: What is computed.
        stored: False where the value goes on into a sum and is not rounded yet.
    """

    key: Key
    expression: Node
    stored: bool = True


class OpenStep(Protocol):
    """A generated function; values of targets that are not stored stay open."""

    def __call__(
        self,
        arithmetic: Arithmetic[StoredT, OpenT],
        env: Mapping[Key, StoredT | OpenT],
        indices: Mapping[str, IndexArray],
    ) -> dict[Key, StoredT | OpenT]:
        """Compute the targets from the values in `env`."""


class StoredStep(Protocol):
    """A generated function that stores every target."""

    def __call__(
        self,
        arithmetic: Arithmetic[StoredT, OpenT],
        env: Mapping[Key, StoredT | OpenT],
        indices: Mapping[str, IndexArray],
    ) -> dict[Key, StoredT]:
        """Compute the targets from the values in `env`."""


_BINARY = {
    Add: "add",
    Subtract: "subtract",
    Multiply: "multiply",
    Divide: "divide",
    Outer: "outer",
    Dot: "dot",
}


def key(variable: Variable) -> Key:
    """Return the key under which a variable's value is looked up.

    Args:
        variable: Its name and time make the key.
    """
    return (variable.name, variable.time)


class _Writer:
    """Writes expressions as Python source; names and constants get numbered identifiers."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        self.names: dict[Key, str] = {}
        self.reads: list[str] = []
        self.constants: dict[str, object] = {}

    def name(self, variable: Variable) -> str:
        variable_key = key(variable)
        if variable_key not in self.names:
            identifier = f"v{len(self.names)}"
            self.names[variable_key] = identifier
            self.constants[f"k_{identifier}"] = variable_key
            self.reads.append(f"    {identifier} = env[k_{identifier}]")
        return self.names[variable_key]

    def constant(self, value: object) -> str:
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


_COMPILED: dict[tuple[int, tuple[tuple[str, int], ...]], tuple[object, OpenStep]] = {}


def compiled(owner: object, targets: Callable[[], tuple[Target, ...]], sizes: Mapping[str, int]) -> OpenStep:
    """Return ``compile_targets(targets(), sizes)``, remembered for `owner`.

    Args:
        owner: What the targets belong to; hashing their trees would take long.
        targets: Gives the targets; asked only the first time.
        sizes: The named sizes.

    Returns:
        The generated function.
    """
    memory_key = (id(owner), tuple(sizes.items()))
    entry = _COMPILED.get(memory_key)
    if entry is None or entry[0] is not owner:
        entry = (owner, compile_targets(targets(), sizes))
        _COMPILED[memory_key] = entry
    return entry[1]


def compiled_assignments(owner: object, assignments: Iterable[Assignment], sizes: Mapping[str, int]) -> StoredStep:
    """Return the function that computes assignments in order and stores each, remembered for `owner`.

    Args:
        owner: The object that the function is remembered for, recognised by identity.
        assignments: Read only where nothing is remembered; each may use the ones before it.
        sizes: The named sizes, which are written into the function.
    """
    step = compiled(owner, lambda: tuple(Target(key(a.target), a.expression) for a in assignments), sizes)
    return cast("StoredStep", step)


def compile_targets(targets: tuple[Target, ...], sizes: Mapping[str, int]) -> OpenStep:
    """Write and compile one function that computes `targets` in order; each may use the ones before it.

    Args:
        targets: What is computed.
        sizes: The named sizes: slices and placements are written out with them.

    Returns:
        The function, to be called as ``step(arithmetic, env, indices)``.
    """
    writer = _Writer(sizes)
    body: list[str] = []
    for number, target in enumerate(targets):
        text = writer.write(target.expression)
        body.append(f"    t{number} = settle({text})" if target.stored else f"    t{number} = {text}")
        writer.names[target.key] = f"t{number}"
    head = [f"    {name} = arithmetic.{name}" for name in _OPERATIONS if any(f"{name}(" in line for line in body)]
    head += ["    slice_ = arithmetic.slice"] if any("slice_(" in line for line in body) else []
    for number, target in enumerate(targets):
        writer.constants[f"r{number}"] = target.key
    result = ", ".join(f"r{number}: t{number}" for number in range(len(targets)))
    source = "\n".join(["def step(arithmetic, env, indices):", *head, *writer.reads, *body, f"    return {{{result}}}"])
    namespace = dict(writer.constants)
    exec(compile(source, "<generated step>", "exec"), namespace)
    return cast("OpenStep", namespace["step"])
