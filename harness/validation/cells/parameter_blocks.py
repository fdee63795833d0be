"""A parameter map by blocks: which block of a target's parameter is which parameter of the reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.kernels.packing import exact_parts
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind


@dataclass(frozen=True)
class StorageForm:
    """How a parameter is stored, compared with its plain form: a matrix (G d, columns) or a vector (G d,) for G gates.

    Attributes:
        lead: The length of a first axis over which the rows are divided; 0 where there is none.
        tail: Whether there is a last axis of length one.
        turned: Whether rows and columns are exchanged.
        vector: Whether the plain form is a vector.
        ones: The places of axes of length one in a vector of three axes, as in (G, 1, d).
        interleaved: The number of gates where the rows of one unit lie together, one for each gate; 0 where the rows
            of one gate lie together.
        taps: The length of a last axis over which the columns are divided, as in the kernel of a convolution over time
            (rows, n, taps): the columns of the first tap stand first. 0 where there is none.
    """

    lead: int = 0
    tail: bool = False
    turned: bool = False
    vector: bool = False
    ones: tuple[int, ...] = ()
    interleaved: int = 0
    taps: int = 0

    def plain(self, value: Array) -> Array:
        """Bring a stored parameter into its plain form.

        Args:
            value: The parameter as the target stores it.

        Returns:
            (rows, columns) for a matrix, its blocks of rows one below the other; (rows,) for a vector. A view where one
            is possible.
        """
        if self.interleaved:
            rows = replace(self, interleaved=0).plain(value)
            return rows.reshape(-1, self.interleaved, *rows.shape[1:]).swapaxes(0, 1).reshape(rows.shape)
        if self.vector:
            return value.reshape(-1)
        if self.taps:
            return value.swapaxes(1, 2).reshape(len(value), -1)
        if self.lead:
            blocks = value.swapaxes(1, 2) if self.turned else value
            return blocks.reshape(-1, blocks.shape[2])
        return value.T if self.turned else value

    def stored(self, plain: Array) -> Array:
        """Bring a plain form back into the form in which the parameter is stored.

        Args:
            plain: (rows, columns) for a matrix, (rows,) for a vector.

        Returns:
            The inverse of `plain`.
        """
        if self.interleaved:
            rows = plain.reshape(self.interleaved, -1, *plain.shape[1:]).swapaxes(0, 1).reshape(plain.shape)
            return replace(self, interleaved=0).stored(rows)
        if self.vector:
            shape = (self.lead, -1) if self.lead else (-1,)
            return np.expand_dims(plain.reshape((*shape, 1) if self.tail else shape), self.ones)
        if self.taps:
            return np.ascontiguousarray(plain.reshape(len(plain), self.taps, -1).swapaxes(1, 2))
        if self.lead:
            blocks = plain.reshape(self.lead, -1, plain.shape[1])
            return np.ascontiguousarray(blocks.swapaxes(1, 2) if self.turned else blocks)
        return np.ascontiguousarray(plain.T if self.turned else plain)


@dataclass(frozen=True)
class ParameterBlock:
    """One block of a target's parameter, and what it is in the reference. Map files hold these fields by these names.

    Attributes:
        parameter: The target's parameter.
        name: The reference's parameter.
        block: The number of the block in the plain form, from 0.
        of: The number of blocks that the plain form has.
        side: ``x`` or ``h`` where input and recurrent weights stand side by side, else empty.
        flipped: Whether the block itself is transposed; of a vector, whether it is subtracted.
    """

    parameter: str
    name: str
    block: int
    of: int
    side: str = ""
    flipped: bool = False


@dataclass(frozen=True)
class BlockMap:
    """A target's parameter map.

    Attributes:
        blocks: The blocks of all parameters.
        forms: The storage form of each parameter, by its name.
        recurrent_first: Whether weights that stand side by side multiply [h, x], and not [x, h].
    """

    blocks: tuple[ParameterBlock, ...]
    forms: tuple[tuple[str, StorageForm], ...]
    recurrent_first: bool = False

    def _place(self, block: ParameterBlock, height: int, n: int, d: int) -> tuple[slice, ...]:
        """The place of a block in the plain form. `n`, `d`: the columns of the inputs and of the states."""
        rows = slice(block.block * height, (block.block + 1) * height)
        if not block.side:
            return (rows,)
        first = d if self.recurrent_first else n
        start, size = (0, first) if (block.side == "h") == self.recurrent_first else (first, n + d - first)
        return rows, slice(start, start + size)

    @property
    def most_parts(self) -> int:
        """The largest number of blocks of one reference parameter."""
        return max(Counter(block.name for block in self.blocks).values(), default=1)

    def pack(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Write the reference's parameters as the target's.

        Args:
            parameters: Arrays by the reference's names. One that has several blocks is divided into as many summands.

        Returns:
            Arrays by the target's names, in their storage forms.
        """
        forms = dict(self.forms)
        n, d = _columns({name: np.shape(value) for name, value in parameters.items()})
        counts = Counter(block.name for block in self.blocks)
        summands = {name: iter(exact_parts(np.asarray(parameters[name]), count)) for name, count in counts.items()}
        plain: dict[str, Array] = {}
        for block in self.blocks:
            value = next(summands[block.name])
            if value.ndim == 0:  # a single number has no rows
                plain[block.parameter] = value
                continue
            if block.parameter not in plain:
                rows = (block.of * len(value),)
                columns = () if value.ndim == 1 else (n + d if block.side else value.shape[1],)
                plain[block.parameter] = np.zeros(rows + columns, value.dtype)
            place = self._place(block, len(value), n, d)
            plain[block.parameter][place] = value.T if block.flipped else value
        return {name: forms[name].stored(value) if value.ndim else value for name, value in plain.items()}

    def gradients(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, list[Array]]:
        """Read the target's gradients as the reference's.

        Args:
            packed: Gradients by the target's names.
            shapes: The shapes of the reference's parameters, by name.

        Returns:
            By the reference's names, one gradient for every block.
        """
        forms, (n, d) = dict(self.forms), _columns(shapes)
        gradients: dict[str, list[Array]] = {}
        for block in self.blocks:
            plain = forms[block.parameter].plain(packed[block.parameter])
            shape = shapes[block.name]
            part = plain[self._place(block, shape[0], n, d)] if shape else plain.reshape(())
            gradients.setdefault(block.name, []).append(part.T if block.flipped else part)
        return gradients

    def unpack(self, packed: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """Read the target's parameters as the reference's: blocks of one parameter are added.

        Args:
            packed: Arrays by the target's names.
            shapes: The shapes of the reference's parameters, by name.
        """
        return {name: sum(parts[1:], parts[0]) for name, parts in self.gradients(packed, shapes).items()}


def _columns(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, int]:
    """(n, d) of the reference's parameters; 0 where no weight shows it."""

    def columns(kind: ParameterKind) -> int:
        return next((shape[1] for name, shape in shapes.items() if is_kind(name, kind)), 0)

    return columns(ParameterKind.INPUT), columns(ParameterKind.RECURRENT)
