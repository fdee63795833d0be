"""How a document's symbols and a reference's arrays correspond: the `[reference]` table of a spec, both ways.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, k output size, L layers.
A parameter of the document is one or more of the reference's, transposed or negated, as blocks side by side. The
map is linear and exact; gradients go back through its adjoint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.specs import Spec
from rnn_harness.specs.program import Program

Array = NDArray[Any]

_BLOCK = re.compile(r"(?P<sign>-)?\s*(?P<name>[A-Za-z_][\w.]*)(?P<transpose>\^T)?")


class LinkError(ValueError):
    """A `[reference]` table that cannot be followed: the message quotes the text and says what was expected."""


@dataclass(frozen=True, slots=True)
class Block:
    """One of the reference's parameters inside a parameter of the document."""

    name: str
    transposed: bool = False
    negated: bool = False

    def place(self, value: Array) -> Array:
        """The reference's array as it stands in the document's."""
        turned = value.T if self.transposed else value
        return -turned if self.negated else turned

    take = place  # transposing and negating undo themselves, and are their own adjoints


def parse_blocks(text: str) -> tuple[Block, ...]:
    """Read ``W_xr``, ``W_xr^T``, ``-b_z`` or ``[W_hz, W_xz]``. Raises LinkError."""
    inner = text.strip()
    listed = inner.startswith("[") and inner.endswith("]")
    parts = inner[1:-1].split(",") if listed else [inner]
    blocks = []
    for part in parts:
        found = _BLOCK.fullmatch(part.strip())
        if found is None:
            raise LinkError(f"{text!r} is not a link: expected NAME, NAME^T, -NAME or [NAME, NAME]")
        blocks.append(Block(found["name"], found["transpose"] is not None, found["sign"] is not None))
    return tuple(blocks)


@dataclass(frozen=True)
class Link:
    """Names of the program (keys) to names of the reference (values)."""

    inputs: tuple[str, ...]
    parameters: dict[str, tuple[Block, ...]]
    states: dict[str, str]
    trace: dict[str, str]
    directions: dict[str, int] = field(default_factory=dict)

    def to_spec(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """The document's parameters out of the reference's. Raises LinkError on a name that is not there."""
        found = {}
        for name, blocks in self.parameters.items():
            missing = [block.name for block in blocks if block.name not in parameters]
            if missing:
                known = ", ".join(parameters)
                raise LinkError(f"parameter {name} is linked to {missing[0]}; the reference has {known}")
            placed = [block.place(parameters[block.name]) for block in blocks]
            found[name] = placed[0] if len(placed) == 1 else np.concatenate(placed, axis=-1)
        return found

    def to_reference(
        self, values: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]
    ) -> dict[str, Array]:
        """The reference's parameters out of the document's: where several hold the same one, the last counts."""
        found: dict[str, Array] = {}
        for block, part in self._parts(values, shapes):
            found[block.name] = np.ascontiguousarray(block.take(part))
        return found

    def gradients(
        self, gradients: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]
    ) -> dict[str, Array]:
        """Gradients for the reference's parameters out of those for the document's: the adjoint of `to_spec`."""
        found: dict[str, Array] = {}
        for block, part in self._parts(gradients, shapes):
            taken = block.take(part)
            found[block.name] = found[block.name] + taken if block.name in found else taken
        return found

    def _parts(
        self, values: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]
    ) -> Iterator[tuple[Block, Array]]:
        for name, blocks in self.parameters.items():
            if name not in values:
                continue
            start = 0
            for block in blocks:
                shape = shapes[block.name][::-1] if block.transposed else shapes[block.name]
                stop = start + (shape[-1] if shape else 1)
                yield block, values[name] if len(blocks) == 1 else values[name][..., start:stop]
                start = stop

    def states_to_spec(self, states: Mapping[str, Array]) -> dict[str, Array]:
        """The document's states out of the reference's."""
        return {name: states[own] for name, own in self.states.items()}


def link(spec: Spec, layers: int = 2) -> Link:
    """The link of a spec with a `[reference]` table, for a stack of `layers`. Raises LinkError."""
    table = spec.reference
    if table is None:
        raise LinkError(f"{spec.id} names no reference: expected a [reference] table")
    program = spec.program(layers)
    return Link(
        tuple(variable.name for variable in program.inputs),
        {v.name: parse_blocks(_named(table.parameters, v.name)) for v in program.parameters},
        {v.name: _named(table.states, v.name) for v in program.states},
        {one.target.name: name for one in program.assignments if (name := _traced(table.trace, one.target.name))},
        _directions(program),
    )


def _named(table: Mapping[str, str], name: str) -> str:
    """What `name` (``W`` or, in layer 2 of a stack, ``W@2``) is linked to; itself, if nothing is said."""
    base, _, layer = name.partition("@")
    text = table.get(base, base)
    return text.replace("{l}", str(int(layer) - 1)) if layer else text


def _traced(table: Mapping[str, str], name: str) -> str | None:
    return _named(table, name) if name.partition("@")[0] in table else None


def _directions(program: Program) -> dict[str, int]:
    """The direction of time in which each state is carried."""
    found = {state.name: 1 for state in program.states}
    for one in program.passes:
        found |= {state.name: one.direction for state in one.carried if one.direction}
    return found
