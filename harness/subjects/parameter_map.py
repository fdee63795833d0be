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
    """One reference parameter inside a spec parameter."""

    name: str
    transposed: bool
    negative: bool

    def place(self, array: Array) -> Array:
        """The block as it stands in the spec's parameter."""
        turned = array.T if self.transposed else array
        return -turned if self.negative else turned


def parse_map(text: str) -> tuple[MappedBlock, ...]:
    """The blocks of one map. Raises UsageError that shows the text."""
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
    """The spec's parameter. KeyError names a reference parameter that does not exist."""
    placed = [block.place(source[block.name]) for block in blocks]
    return placed[0] if len(placed) == 1 else np.concatenate(placed, axis=-1)


def scatter(
    blocks: tuple[MappedBlock, ...], gradient: Array, source: Mapping[str, Array], into: dict[str, Array]
) -> None:
    """The adjoint of `assemble`: add the gradient of the spec's parameter to those of the reference's."""
    start = 0
    for block in blocks:
        shape = block.place(source[block.name]).shape
        part = gradient[..., start : start + shape[-1]]
        start += shape[-1]
        part = block.place(part)
        into[block.name] = into[block.name] + part if block.name in into else part


def expand(text: dict[str, str], layers: int | None) -> dict[str, str]:
    """Names and maps of every layer of a layered spec; unchanged where there are none."""
    if layers is None:
        return dict(text)
    return {f"{name}@{l + 1}": value.format(l=l) for l in range(layers) for name, value in text.items()}  # noqa: E741
