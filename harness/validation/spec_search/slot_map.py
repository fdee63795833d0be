"""A parameter map by slots: which slot of a target's parameters is which piece of a spec's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.kernels.packing import exact_parts
from rnn_harness.specs.dimensions import Shape
from rnn_harness.validation.spec_search.slots import Slot
from rnn_harness.validation.spec_search.spec_pieces import SpecPiece

SPARE = 0.5
"""What stands in a bias that only a wrong cell has: the spec has no number for it."""


@dataclass(frozen=True)
class SlotRole:
    """What a slot is.

    Attributes:
        piece: The piece of the spec.
        flipped: Whether the slot holds the piece transposed.
        shared_with: A second piece that the slot is as well, which only a wrong cell has; None of a right one.
    """

    piece: SpecPiece
    flipped: bool = False
    shared_with: SpecPiece | None = None

    @property
    def pieces(self) -> tuple[SpecPiece, ...]:
        """All pieces that the slot is."""
        return (self.piece,) if self.shared_with is None else (self.piece, self.shared_with)


@dataclass(frozen=True)
class SlotMap:
    """A target's parameter map.

    Attributes:
        roles: Every slot with its role; slots of one piece are added. A piece of a parameter without a shape is one
            that the spec does not have.
        shapes: The shapes of the spec's parameters, by name.
    """

    roles: tuple[tuple[Slot, SlotRole], ...]
    shapes: tuple[tuple[str, Shape], ...]

    def sizes(self, parameters: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
        """Read the named sizes off the shapes of the spec's parameters.

        Args:
            parameters: The shapes in numbers, by name.
        """
        sizes: dict[str, int] = {}
        for name, shape in self.shapes:
            for axis, length in zip(shape, parameters[name], strict=True):
                if len(axis.terms) == 1:
                    ((symbol, factor),) = axis.terms
                    sizes.setdefault(symbol, (length - axis.constant) // factor)
        for name, shape in self.shapes:
            for axis, length in zip(shape, parameters[name], strict=True):
                unknown = [(symbol, factor) for symbol, factor in axis.terms if symbol not in sizes]
                if len(unknown) == 1:
                    known = axis.constant + sum(factor * sizes.get(symbol, 0) for symbol, factor in axis.terms)
                    sizes[unknown[0][0]] = (length - known) // unknown[0][1]
        return sizes

    @property
    def _known(self) -> tuple[tuple[Slot, SlotRole], ...]:
        """The slots that are pieces of the spec."""
        names = {name for name, _ in self.shapes}
        return tuple((slot, role) for slot, role in self.roles if role.piece.parameter in names)

    @property
    def most_parts(self) -> int:
        """The largest number of slots of one piece."""
        return max(self._counts.values(), default=1)

    @property
    def _counts(self) -> Counter[SpecPiece]:
        """The number of slots of every piece of the spec."""
        return Counter(role.piece for _, role in self._known)

    def pack(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Write the spec's parameters as the target's.

        Args:
            parameters: Arrays by the spec's names. A piece that has several slots is divided into as many summands.

        Returns:
            Arrays by the target's names, as they are stored.
        """
        arrays = {name: np.asarray(value) for name, value in parameters.items()}
        sizes = self.sizes({name: value.shape for name, value in arrays.items()})
        plain: dict[str, Array] = {}
        summands = {
            piece: iter(exact_parts(piece.view(arrays[piece.parameter], sizes), count))
            for piece, count in self._counts.items()
        }
        dtype = next(iter(arrays.values())).dtype
        for slot, role in self.roles:
            if slot.parameter not in plain:
                plain[slot.parameter] = np.zeros(slot.plain_shape(sizes), dtype)
            value = next(summands.get(role.piece, iter([np.array(SPARE)])))
            slot.view(plain[slot.parameter], sizes)[...] = value.T if role.flipped else value
        first = {slot.parameter: slot for slot, _ in reversed(self.roles)}
        return {name: first[name].stored(value) for name, value in plain.items()}

    def gradients(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, list[Array]]:
        """Read the target's gradients as the spec's.

        Args:
            packed: Gradients by the target's names.
            shapes: The shapes of the spec's parameters, by name.

        Returns:
            By the spec's names, as many gradients as the piece with the most slots has; all must be equal.
        """
        sizes = self.sizes(shapes)
        parts: dict[SpecPiece, list[Array]] = {}
        for slot, role in self._known:
            value = slot.view(slot.plain(packed[slot.parameter]), sizes)
            parts.setdefault(role.piece, []).append(value.T if role.flipped else value)
        gradients: dict[str, list[Array]] = {}
        for name in dict.fromkeys(piece.parameter for piece in parts):
            pieces = [piece for piece in parts if piece.parameter == name]
            for number in range(max(len(parts[piece]) for piece in pieces)):
                whole = np.zeros(shapes[name], parts[pieces[0]][0].dtype)
                for piece in pieces:
                    piece.view(whole, sizes)[...] = parts[piece][min(number, len(parts[piece]) - 1)]
                gradients.setdefault(name, []).append(whole)
        return gradients

    def unpack(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """Read the target's parameters as the spec's: slots of one piece are added.

        Args:
            packed: Arrays by the target's names.
            shapes: The shapes of the spec's parameters, by name.

        Returns:
            By the spec's names; parameters that no slot is are left out.
        """
        sizes = self.sizes(shapes)
        whole: dict[str, Array] = {}
        for slot, role in self._known:
            value = slot.view(slot.plain(packed[slot.parameter]), sizes)
            for piece in role.pieces:
                if piece.parameter not in whole:
                    whole[piece.parameter] = np.zeros(shapes[piece.parameter], value.dtype)
                place = piece.view(whole[piece.parameter], sizes)
                place[...] = place + (value.T if role.flipped else value)
        return whole

    @property
    def absent(self) -> tuple[str, ...]:
        """The spec's parameters that no slot is."""
        present = {piece.parameter for _, role in self.roles for piece in role.pieces}
        return tuple(name for name, _ in self.shapes if name not in present)

    def sentence(self) -> str:
        """Say which parameter of the target is which of the spec, where the names do not say so."""
        blocks: dict[str, list[str]] = {}
        for slot, role in self.roles:
            blocks.setdefault(slot.parameter, []).append(role.piece.parameter + ("^T" if role.flipped else ""))
        renamed = {name: parts for name, parts in blocks.items() if parts != [name]}
        return ", ".join(f"{name} = {' '.join(dict.fromkeys(parts))}" for name, parts in renamed.items())
