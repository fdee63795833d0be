"""How a spec's symbols correspond to a reference's parameters, states and trace, in both directions.

A parameter of the spec is written out of the reference's: ``W_xr``, ``W_xr^T``, ``-b_z``, or ``[W_hz, W_xz]``,
blocks side by side. ``{l}`` stands for the layer, counted from 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError

_BLOCK = re.compile(r"(-?)([A-Za-z_][\w.@]*)(\^T)?")


@dataclass(frozen=True, slots=True)
class MappedBlock:
    """One reference parameter inside a spec parameter.

    Attributes:
        name: the reference parameter.
        transposed: whether it stands there transposed.
        negative: whether it stands there with the opposite sign.
    """

    name: str
    transposed: bool
    negative: bool

    def place(self, array: Array) -> Array:
        """Return the block as it stands in the spec's parameter.

        Args:
            array: the reference's parameter; not changed, but what is returned may be a view of it.
        """
        turned = array.T if self.transposed else array
        return -turned if self.negative else turned


def parse_map(text: str) -> tuple[MappedBlock, ...]:
    """Read the blocks of one map.

    Args:
        text: ``W_xr``, ``W_xr^T``, ``-b_z`` or ``[W_hz, W_xz]``.

    Raises:
        UsageError: it cannot be read; the message shows it.
    """
    inner = text.strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1]
    blocks = []
    for part in inner.split(","):
        match = _BLOCK.fullmatch(part.strip())
        if match is None:
            raise UsageError(f"parameter map {text!r} cannot be read; expected NAME, NAME^T, -NAME or [NAME, NAME]")
        blocks.append(MappedBlock(match[2], bool(match[3]), bool(match[1])))
    return tuple(blocks)


def assemble(blocks: tuple[MappedBlock, ...], source: Mapping[str, Array]) -> Array:
    """Write the spec's parameter out of the reference's.

    Args:
        blocks: the map of the parameter.
        source: the reference's parameters by name.

    Raises:
        KeyError: a reference parameter does not exist.
    """
    placed = [block.place(source[block.name]) for block in blocks]
    return placed[0] if len(placed) == 1 else np.concatenate(placed, axis=-1)


def scatter(
    blocks: tuple[MappedBlock, ...], gradient: Array, source: Mapping[str, Array], into: dict[str, Array]
) -> None:
    """Add the gradient of a spec parameter to those of the reference's: the adjoint of `assemble`.

    Args:
        blocks: the map of the parameter.
        gradient: the gradient of the spec's parameter.
        source: the reference's parameters by name, for their shapes.
        into: gets the sums, by reference parameter.
    """
    start = 0
    for block in blocks:
        shape = block.place(source[block.name]).shape
        part = gradient
        if shape:  # a single number stands beside no other
            part = gradient[..., start : start + shape[-1]]
            start += shape[-1]
        part = block.place(part)
        into[block.name] = into[block.name] + part if block.name in into else part


def expand(text: dict[str, str], layers: int | None) -> dict[str, str]:
    """Write names and maps out for every layer.

    Args:
        text: maps by name, with ``{l}`` for the layer.
        layers: number of layers, or None for a spec without layers, whose maps stay as they are.
    """
    if layers is None:
        return dict(text)
    return {f"{name}@{l + 1}": value.format(l=l) for l in range(layers) for name, value in text.items()}  # noqa: E741
