"""Weights of cells of one spec that is of no family: a minimal gated unit in one layout, and in another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.comparison.apply_rules import parameter_shapes
from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.errors import NotRun, named_error
from rnn_harness.records.parameter_map_file import SpecMapFile
from rnn_harness.specs import Spec
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.spec_search.complements import weights_of_other_sign
from rnn_harness.validation.spec_search.saved_spec_map import from_spec_map_file
from rnn_harness.validation.spec_search.search import SpecMatch
from rnn_harness.validation.spec_search.slots import Slot
from rnn_harness.validation.spec_search.spec_pieces import SpecPiece


@dataclass(frozen=True)
class SpecWeights:
    """Where a cell of a spec keeps its weights.

    Attributes:
        match: The spec, and which part of the cell's parameters is which of the spec's.
    """

    match: SpecMatch

    @property
    def spec(self) -> Spec:
        """The spec, with the constants of the cell."""
        return self.match.spec

    @property
    def parameters(self) -> tuple[str, ...]:
        """The cell's parameters, in its order."""
        return tuple(dict.fromkeys(slot.parameter for slot, _ in self.match.table.roles))

    def sizes(self, weights: Mapping[str, Array]) -> CellSizes:
        """Read the sizes off the shapes of weights.

        Args:
            weights: Arrays by the cell's names.

        Raises:
            ValueError: They do not say how many inputs and units there are.
        """
        known: dict[str, int] = {}
        for _ in range(2):  # d is known from one parameter, and then n from another that has both
            for slot, _role in self.match.table.roles:
                _solve(slot, slot.plain(weights[slot.parameter]).shape, known)
        if "d" not in known or "n" not in known:
            raise ValueError("the shapes of the weights do not say how many inputs and units there are")
        return CellSizes(known["n"], known["d"])

    def named(self, weights: Mapping[str, Array]) -> dict[str, Array]:
        """Read weights as those of the spec, in float64; what stands in several places is added.

        Args:
            weights: Arrays by the cell's names.
        """
        exact = {name: np.asarray(value, np.float64) for name, value in weights.items()}
        shapes = self.shapes(self.sizes(exact))
        known = self.match.table.unpack(exact, shapes)
        return {name: known.get(name, np.zeros(shape)) for name, shape in shapes.items()}

    def stored(self, named: Mapping[str, Array], dtype: np.dtype[np.generic]) -> dict[str, Array]:
        """Write weights of the spec as the cell stores them: of a sum, the first place takes all.

        Args:
            named: Arrays by the spec's names.
            dtype: The format in which they are stored.
        """
        table, first = self.match.table, dict[SpecPiece, Slot]()
        for slot, role in table.roles:
            first.setdefault(role.piece, slot)
        roles = tuple((slot, role) for slot, role in table.roles if first[role.piece] is slot)
        packed = replace(table, roles=roles).pack(named)
        sizes = table.sizes({name: value.shape for name, value in named.items()})
        for slot, _ in table.roles:
            if slot.parameter not in packed:  # every slot of it has its sum in another place
                packed[slot.parameter] = slot.stored(np.zeros(slot.plain_shape(sizes)))
        return {name: np.asarray(packed[name], dtype, order="C") for name in self.parameters}

    def shapes(self, sizes: CellSizes) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the spec's parameters.

        Args:
            sizes: n and d.
        """
        return parameter_shapes(self.spec.program(), {"n": sizes.input_size, "d": sizes.hidden_size})

    def summands(self, name: str) -> int:
        """Count the places whose numbers are added to a parameter of the spec.

        Args:
            name: The parameter.
        """
        roles = [role for _, role in self.match.table.roles if role.piece.parameter == name]
        return max((roles.count(role) for role in roles), default=1)


def _solve(slot: Slot, plain: tuple[int, ...], known: dict[str, int]) -> None:
    """Read sizes off the plain shape of the parameter that a slot stands in."""
    if not slot.shape:
        return
    axes = [(slot.shape[0], plain[0] / slot.of)]
    if len(plain) > 1:
        axes.append((slot.width, plain[1]))
    for axis, length in axes:
        unknown = [(symbol, factor) for symbol, factor in axis.terms if symbol not in known]
        if len(unknown) == 1:
            ((symbol, factor),) = unknown
            rest = length - axis.constant - sum(f * known[s] for s, f in axis.terms if s in known)
            known[symbol] = round(rest / factor)


def spec_weights(description: CellDescription) -> SpecWeights:
    """Return where a cell of a spec keeps its weights.

    Args:
        description: What its process said of it.

    Raises:
        NotRun: That is no map.
    """
    try:
        file = SpecMapFile.model_validate_json(description.map)
        return SpecWeights(from_spec_map_file(file, Path(description.spec)))
    except (ValueError, TypeError, KeyError) as error:
        raise NotRun(f"{description.target}: its process sent no parameter map ({named_error(error)})") from None


def reason_against_specs(left_side: CellDescription, right_side: CellDescription) -> str:
    """Say why the weights of two cells, one of which is of a spec, do not carry over; empty if they do.

    Args:
        left_side: The cell that has the weights.
        right_side: The cell that is to have them.
    """
    if left_side.kind != right_side.kind:
        other, family = (left_side, right_side) if left_side.kind == "spec" else (right_side, left_side)
        return (
            f"{other.target} is {other.sentence}, and {family.target} is {family.sentence}: weights are converted "
            "between cells of one spec, or of one of the three families"
        )
    first, second = spec_weights(left_side).spec, spec_weights(right_side).spec
    if first.id != second.id:
        return (
            f"{left_side.target} is {first.id} and {right_side.target} is {second.id}: weights are converted between "
            "cells of one spec"
        )
    if first.program().assignments != second.program().assignments and not weights_of_other_sign(first, second):
        return (
            f"{left_side.target} ({left_side.sentence}) and {right_side.target} ({right_side.sentence}) are {first.id} "
            "with two sets of constants, which no weights make equal"
        )
    return ""


@dataclass(frozen=True)
class SpecTransfer:
    """How weights go over between two cells of one spec: by name, unless the second lacks a parameter.

    Attributes:
        lacking: The parameters that the second cell does not have.
    """

    lacking: frozenset[str]

    def losses(self, named: Mapping[str, Array]) -> tuple[str, ...]:
        """List what the second cell cannot represent of given weights, with the size of it.

        Args:
            named: The weights by the spec's names.
        """
        sizes = {name: float(np.max(np.abs(named[name]))) for name in sorted(self.lacking)}
        return tuple(f"{name} is zero: broken by up to {size:.3g}" for name, size in sizes.items() if size)

    def nearest(self, named: Mapping[str, Array]) -> dict[str, Array]:
        """Return the nearest weights that the second cell can represent.

        Args:
            named: The weights by the spec's names.
        """
        return {name: np.zeros_like(value) if name in self.lacking else value for name, value in named.items()}


def spec_transfer(left_side: CellDescription, right_side: CellDescription) -> SpecTransfer:
    """Say how weights go over between two cells of one spec.

    Args:
        left_side: The cell that has the weights.
        right_side: The cell that is to have them.
    """
    return SpecTransfer(frozenset(left_side.names) - frozenset(right_side.names))
