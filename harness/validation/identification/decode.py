"""Which parameter is which: each block of parameters is tried by itself, then together with those that are known.

A block that shows nothing by itself (an input gate while the candidate is zero) shows it together with others. What is
decoded is confirmed by one run with all parameters.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.subjects.parameter_role import ParameterKind, ParameterRole, find_role, is_kind
from rnn_harness.validation.cells.cell_model import BlockKind, CellModel
from rnn_harness.validation.cells.parameter_blocks import BlockMap
from rnn_harness.validation.cells.visible_faults import FaultVisibility
from rnn_harness.validation.identification.agreements import Agreements
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe, Response, close

MAX_BIASES, MAX_ASSIGNMENTS = 2, 4


class BlockRole(NamedTuple):
    """What a block of parameters is.

    Attributes:
        name: The reference's name of it.
        flipped: Whether the block is transposed; of a vector, whether it is subtracted.
    """

    name: str
    flipped: bool = False


@dataclass(frozen=True)
class ParameterAssignment:
    """The roles of the blocks of a layout.

    Attributes:
        layout: How the target's parameters are cut into blocks.
        roles: The number of each block with its role.
        matched: The number of blocks whose role a run shows; the remaining ones have the names that no other took.
    """

    layout: Layout
    roles: tuple[tuple[int, BlockRole], ...]
    matched: int

    @property
    def names(self) -> tuple[str, ...]:
        """The reference's names, in the order of the blocks."""
        return tuple(role.name for _, role in self.roles)

    @property
    def table(self) -> BlockMap:
        """The assignment as a parameter map."""
        blocks = tuple(self.layout.gate_blocks[index].with_role(role.name, role.flipped) for index, role in self.roles)
        return BlockMap(blocks, self.layout.forms, self.layout.recurrent_first)

    def gate_order(self, kind: BlockKind) -> str:
        """Return the letters of the gates in the order of their blocks.

        Args:
            kind: ``x`` for the blocks of input weights, ``h`` for those of recurrent weights.
        """
        wanted = ParameterKind.INPUT if kind == "x" else ParameterKind.RECURRENT
        roles = (find_role(role.name) for index, role in self.roles if self.layout.gate_blocks[index].kind == kind)
        return "".join(role.gate for role in roles if role is not None and role.kind is wanted)


def weights_left_out(model: CellModel) -> tuple[str, ...]:
    """Name the matrices that a cell does not use because of its faults.

    Args:
        model: The cell, with its faults.
    """
    kinds = {"input dropped": ParameterKind.INPUT, "recurrent dropped": ParameterKind.RECURRENT}
    return tuple(
        ParameterRole(kinds[fault.change], fault.where).name for fault in model.faults if fault.change in kinds
    )


def _most_blocks(name: str) -> int:
    """How many blocks may have one role: biases are added."""
    return MAX_BIASES if is_kind(name, ParameterKind.BIAS, ParameterKind.RECURRENT_BIAS) else 1


class Decoder:
    """Finds the roles of a target's blocks, if the target is one cell model with its states in one order.

    Args:
        probe: The target's runs on generic numbers.
        layout: How its parameters are cut into blocks.
        model: The cell model that it is tried as.
        states: The model's states in the order in which the target has them.
        agreements: What is known of this target already, by other models, faults and layouts.
    """

    def __init__(
        self,
        probe: Probe,
        layout: Layout,
        model: CellModel,
        states: tuple[str, ...],
        agreements: Agreements | None = None,
    ) -> None:
        self.probe, self.layout, self.model, self.states = probe, layout, model, states
        self.steps = probe.steps
        self._agreements = Agreements() if agreements is None else agreements
        self._base, self._visibility = replace(model, faults=()), FaultVisibility(model, probe.steps)

    def predict(self, roles: Mapping[int, BlockRole], steps: int | None = None) -> Response:
        """Run the model with those blocks alone.

        Args:
            roles: The role of each block, by its number; the remaining blocks count as zero.
            steps: The number of steps; None for that of the probe.
        """
        return self.run_model(self.parameters(roles), steps or self.steps)

    def parameters(self, roles: Mapping[int, BlockRole]) -> dict[str, Array]:
        """Return the model's parameters, by the reference's names: blocks of one name are added.

        Args:
            roles: The role of each block, by its number; a flipped one is transposed, or negated if it is a vector.
        """
        parameters: dict[str, Array] = {}
        for index, role in roles.items():
            value = self.probe.value(self.layout, index)
            value = (value.T if value.ndim == 2 else -value) if role.flipped else value
            parameters[role.name] = parameters[role.name] + value if role.name in parameters else value
        return parameters

    def run_model(self, parameters: Mapping[str, Array], steps: int) -> Response:
        """Run the model, and return what comes out in the order of the target's states.

        Args:
            parameters: Those of the model, by the reference's names.
            steps: The number of steps of the probe's inputs.

        Returns:
            A response with the states of the target; those that it is not given start from zero.
        """
        names = self.model.state_names
        states = dict(zip(self.states, self.probe.states, strict=False))
        given = self.states[: self.probe.convention.states]
        first = tuple(states[name] if name in given else np.zeros_like(states[name]) for name in names)
        outputs, finals = self.model.run(parameters, self.probe.inputs[:steps], first)
        last = dict(zip(names, finals, strict=True))
        return Response((outputs,), tuple(last[name] for name in self.states))

    def agree(self, target: Response, predicted: Response) -> bool:
        """Say whether the target gives what the model gives; states that it does not return are not compared.

        Args:
            target: What the target gave.
            predicted: What the model gave, of the same number of steps.
        """
        pairs = [
            (target.hidden(self.states), predicted.outputs[0]),
            *zip(target.finals, predicted.finals, strict=False),
        ]
        return all(a.shape == b.shape and close(a, b, self.probe.tolerance) for a, b in pairs)

    def agrees_at_zero(self) -> bool:
        """Say whether target and model agree when every parameter is zero."""
        return self._agrees_with({})

    def explains(self, index: int) -> bool:
        """Say whether some role of a block explains what the target gives with that block alone.

        Args:
            index: The block's number in the layout.
        """
        square = self.layout.gate_blocks[index].square or self.layout.gate_blocks[index].kind == "b"
        names = self.model.parameter_names(self.layout.gate_blocks[index].kind)
        roles = (BlockRole(name, flipped) for name in names for flipped in ((False, True) if square else (False,)))
        return any(self._agrees_with({index: role}) for role in roles)

    def has_room(self) -> bool:
        """Say whether the model has roles for all blocks that have an influence beside all others."""
        everything = range(len(self.layout.gate_blocks))
        counts = Counter(
            self.layout.gate_blocks[index].kind
            for index in everything
            if self._differs([block for block in everything if block != index], everything)
        )
        return all(count <= sum(map(_most_blocks, self.model.parameter_names(kind))) for kind, count in counts.items())

    def blocks_with_influence_alone(self) -> list[int]:
        """List the numbers of the blocks that change what the target gives where all others are zero."""
        return [index for index in range(len(self.layout.gate_blocks)) if self._changes_output({}, index)]

    def _agrees_with(self, roles: Mapping[int, BlockRole]) -> bool:
        """Say whether target and model agree with these blocks alone; a run that was made before is not made again."""
        names = {role.name for role in roles.values()}
        blocks = frozenset((self.layout.block_names[index], *role) for index, role in roles.items())
        run = self._base, self._visibility.visible(names), self.states, self.steps, self.layout.parameters, blocks
        target = functools.partial(self.probe.masked, self.layout, frozenset(roles))
        return self._agreements.agree(run, lambda: self.agree(target(), self.predict(roles)))

    def _differs(self, fewer: Collection[int], more: Collection[int]) -> bool:
        """Say whether the target gives something else with more blocks."""
        fewer_blocks, more_blocks = (
            frozenset(self.layout.block_names[index] for index in blocks) for blocks in (fewer, more)
        )
        change = fewer_blocks, more_blocks, self.steps, self.layout.parameters
        runs = (self.probe.masked(self.layout, frozenset(blocks)) for blocks in (fewer, more))
        return self._agreements.differ(change, lambda: not self.probe.equal(*runs))

    def assignments(self, partial: bool = False) -> list[ParameterAssignment]:
        """Find the roles of all blocks.

        Args:
            partial: Return also what a run with all parameters does not confirm, as far as it could be decoded.

        Returns:
            At most `MAX_ASSIGNMENTS` assignments; several where the blocks cannot be told apart.
        """
        decoded = list(self._decoded({}, partial))
        if not partial:
            decoded = [assignment for assignment in decoded if not self._lacks_reset_bias(assignment)]
            decoded = [assignment for assignment in decoded if self._has_all_weights(assignment)]
        if decoded and not partial:
            complete, steps = self._agreements.complete(self.probe.complete), len(self.probe.inputs)
            decoded = [row for row in decoded if self.agree(complete, self.predict(dict(row.roles), steps))]
        return decoded[:MAX_ASSIGNMENTS]

    def _changes_output(self, alive: Mapping[int, BlockRole], index: int) -> bool:
        return self._differs(alive.keys(), (*alive, index))

    def _free_roles(self, index: int, roles: Mapping[int, BlockRole]) -> Iterator[BlockRole]:
        """The roles that a block may have next to those of the other blocks."""
        block = self.layout.gate_blocks[index]
        taken = [role.name for role in roles.values()]
        for name in self.model.parameter_names(block.kind):
            if taken.count(name) < _most_blocks(name):
                yield BlockRole(name)
                if block.square or (block.kind == "b" and self._negates(name)):
                    yield BlockRole(name, flipped=True)

    def _negates(self, name: str) -> bool:
        """Whether a term of that bias's gate is subtracted: the bias may be subtracted with it."""
        role = find_role(name)
        if role is None or role.kind is not ParameterKind.BIAS:
            return False
        return any(fault.where == role.gate and fault.change.endswith(" negated") for fault in self.model.faults)

    def _fitting_roles(self, index: int, roles: Mapping[int, BlockRole]) -> list[BlockRole]:
        return [role for role in self._free_roles(index, roles) if self._agrees_with({**roles, index: role})]

    def _lacks_reset_bias(self, assignment: ParameterAssignment) -> bool:
        """Whether both biases of the candidate stand outside the reset gate, where one of them belongs inside."""
        names = assignment.names
        return self.model.reset == "after" and names.count("b_g") > 1 and "b_hg" not in names

    def _has_all_weights(self, assignment: ParameterAssignment) -> bool:
        """Whether no matrix is missing but those that faults of the model leave out: a cell without one is another."""
        wanted = (*self.model.parameter_names("x"), *self.model.parameter_names("h"))
        left_out = weights_left_out(self.model)
        return all(name in assignment.names or name in left_out for name in wanted)

    def _decoded(self, roles: dict[int, BlockRole], partial: bool) -> Iterator[ParameterAssignment]:
        unassigned = [index for index in range(len(self.layout.gate_blocks)) if index not in roles]
        ties: list[tuple[int, list[BlockRole]]] = []
        progress = False
        for index in unassigned:
            if not self._changes_output(roles, index):
                continue
            fitting = self._fitting_roles(index, roles)
            if not fitting:
                if not partial:
                    return  # the block changes the output in a way that no role explains
                continue
            if len(fitting) == 1:
                roles = {**roles, index: fitting[0]}
                progress = True
            else:
                ties.append((index, fitting))
        if progress:
            yield from self._decoded(roles, partial)
        elif ties:
            index, fitting = ties[0]
            for role in fitting[:MAX_ASSIGNMENTS]:
                yield from self._decoded({**roles, index: role}, partial)
        elif pairs := self._pairs(
            roles, [index for index in unassigned if not self._changes_output(roles, index)], partial
        ):
            for pair in pairs[:MAX_ASSIGNMENTS]:
                yield from self._decoded({**roles, **pair}, partial)
        else:
            yield self._completed(roles, unassigned)

    def _pairs(self, roles: Mapping[int, BlockRole], silent: list[int], partial: bool) -> list[dict[int, BlockRole]]:
        """Roles for the first two blocks that change the output together only: factors of one product.

        Where no roles explain these two, the model is not the target's: others are tried only if `partial`.
        """
        if not self._differs(roles.keys(), (*roles, *silent)):
            return []
        for first, second in itertools.combinations(silent, 2):
            if not self._differs(roles.keys(), (*roles, first, second)):
                continue
            pairs: list[dict[int, BlockRole]] = []
            for first_role in self._free_roles(first, roles):
                for second_role in self._free_roles(second, {**roles, first: first_role}):
                    pair = {first: first_role, second: second_role}
                    if self._agrees_with({**roles, **pair}):
                        pairs.append(pair)
            if pairs or not partial:
                return pairs
        return []

    def _completed(self, roles: dict[int, BlockRole], silent: list[int]) -> ParameterAssignment:
        """Give the blocks that no run tells apart the remaining names, in their order."""
        matched = len(roles)
        for index in silent:
            free = list(self._free_roles(index, roles))
            taken = {role.name for role in roles.values()}
            role = next((role for role in free if role.name not in taken), free[0] if free else None)
            if role is None:
                continue  # the block has no influence, and every name is taken
            roles = {**roles, index: role}
        return ParameterAssignment(self.layout, tuple(sorted(roles.items(), key=lambda item: item[0])), matched)
