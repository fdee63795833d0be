"""Which slot is which piece of a spec: by elimination, each slot alone or beside those known, the others zero."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rnn_harness.arithmetic.numpy_arithmetic import NumpyArithmetic
from rnn_harness.array_types import Array
from rnn_harness.specs.program import Program
from rnn_harness.validation.identification.probe import Probe, Response, close
from rnn_harness.validation.spec_search.interpret import Interpreter
from rnn_harness.validation.spec_search.signature import are_joined, read_signature
from rnn_harness.validation.spec_search.slot_map import SlotMap, SlotRole
from rnn_harness.validation.spec_search.slots import MOST_SUMMED, Layout, Slot
from rnn_harness.validation.spec_search.spec_pieces import SpecPiece, empty_parameters, spec_pieces

MOST_RUNS = 6000
"""Runs of a program in one search; a search that needs more is given up, which decides nothing."""
Roles = Mapping[int, SlotRole]
"""The roles of slots by their numbers in the layout."""


class SearchGivenUp(Exception):
    """A search took more runs than it may."""


@dataclass
class TargetRuns:
    """Runs of a target with some of its slots alone, remembered for all programs that are tried on it.

    Attributes:
        probe: The target.
        layout: How its parameters are cut.
        sizes: The named sizes.
    """

    probe: Probe
    layout: Layout
    sizes: Mapping[str, int]
    _responses: dict[tuple[frozenset[int], int], Response] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parameters = self.probe.parameters
        self.plain = {slot.parameter: np.array(slot.plain(parameters[slot.parameter])) for slot in self.layout}
        self.values = [slot.view(self.plain[slot.parameter], self.sizes) for slot in self.layout]

    def masked(self, alive: frozenset[int], steps: int) -> Response:
        """Run with some slots alone.

        Args:
            alive: The numbers of the slots that are not zero.
            steps: Time steps.
        """
        key = (alive, steps)
        if key not in self._responses:
            plain = {name: np.zeros_like(value) for name, value in self.plain.items()}
            first: dict[str, Slot] = {}
            for number, slot in enumerate(self.layout):
                first.setdefault(slot.parameter, slot)
                if number in alive:
                    slot.view(plain[slot.parameter], self.sizes)[...] = self.values[number]
            unmasked = {name: value for name, value in self.probe.parameters.items() if name not in plain}
            stored = {name: first[name].stored(value) for name, value in plain.items()}
            self._responses[key] = self.probe.respond({**unmasked, **stored}, steps)
        return self._responses[key]


class ProgramRuns:
    """Runs of a program on the numbers of a probe.

    Attributes:
        program: The program of a spec, or a rewrite of it.
        pieces: The pieces of its parameters.
        order: The names of its states in the target's order.
        sizes: The named sizes.
        count: Runs so far.

    Args:
        program: The program of a spec, or a rewrite of it.
        probe: The target's runs, whose numbers are taken.
        order: The names of its states in the target's order.
        pieces: The pieces of its parameters; they are cut anew where there are none.
    """

    def __init__(
        self, program: Program, probe: Probe, order: tuple[str, ...], pieces: tuple[SpecPiece, ...] = ()
    ) -> None:
        self.program, self.probe, self.order = program, probe, order
        signature = read_signature(program, probe)
        assert signature is not None, "a program is run whose states and inputs are the target's"
        self.sizes, self._are_joined = dict(signature.sizes), signature.are_states_joined
        self.pieces = pieces or spec_pieces(program)
        self.count = 0
        self._interpreter = Interpreter(NumpyArithmetic())
        self._input_ends = _ends([signature.width(variable) for variable in program.inputs])
        rows, widths = len(probe.states[0]), {state.name: signature.width(state) for state in program.states}
        self._shapes = {name: (rows, width) for name, width in widths.items()}
        self._shapes |= {variable.name: (rows, signature.width(variable)) for variable in program.outputs}
        given = probe.states[: probe.convention.states]
        if self._are_joined:
            given = tuple(np.split(probe.states[0], _ends([widths[name] for name in order]), axis=1))
        self._states = {name: np.zeros(self._shapes[name]) for name in order} | dict(zip(order, given, strict=False))

    def parameters(self, values: list[Array], roles: Roles) -> dict[str, Array]:
        """Put the slots of these roles in the place of the spec's parameters, the others zero.

        Args:
            values: The numbers of every slot of the target, by the slot's number.
            roles: The slots that are used, with the piece that each of them is.
        """
        parameters = empty_parameters(self.program, self.sizes)
        for number, role in roles.items():
            value = values[number]
            view = role.piece.view(parameters[role.piece.parameter], self.sizes)
            view += value.T if role.flipped else value
        return parameters

    def respond(self, parameters: Mapping[str, Array], steps: int) -> Response:
        """Run the program.

        Args:
            parameters: By the spec's names.
            steps: Time steps.
        """
        self.count += 1
        names = [variable.name for variable in self.program.inputs]
        inputs = [
            dict(zip(names, np.split(x, self._input_ends, axis=1), strict=True)) for x in self.probe.inputs[:steps]
        ]
        with np.errstate(all="ignore"):
            values = self._interpreter.run(self.program, parameters, inputs, self._states)
        if self._are_joined:
            joined = np.stack([self._side_by_side(step) for step in values.steps])
            return Response((joined,), (joined[-1],))
        output = self.program.outputs[0].name
        return Response(
            (np.stack([np.broadcast_to(step[output], self._shapes[output]) for step in values.steps]),),
            tuple(np.broadcast_to(values.finals[name], self._shapes[name]) for name in self.order),
        )

    def _side_by_side(self, step: Mapping[str, Array]) -> Array:
        """Put the new states of a step beside one another, as the target has them."""
        return np.concatenate([np.broadcast_to(step[name], self._shapes[name]) for name in self.order], axis=1)

    def agree(self, target: Response, predicted: Response) -> bool:
        """Say whether a target gives what the program gives; what the target does not show is not compared.

        Args:
            target: What the target gave.
            predicted: What the program gave, over as many steps.
        """
        pairs, tolerance = self.pairs(target, predicted), self.probe.tolerance
        return bool(pairs) and all(a.shape == b.shape and close(a, b, tolerance) for a, b in pairs)

    def pairs(self, target: Response, predicted: Response) -> list[tuple[Array, Array]]:
        """List what a target gives with what the program gives in its place.

        Args:
            target: What the target gave.
            predicted: What the program gave, over as many steps.
        """
        shown = self.shown(target)
        pairs = [] if shown is None else [(shown, predicted.outputs[0])]
        return [*pairs, *zip(target.finals, predicted.finals, strict=False)]

    def shown(self, target: Response) -> Array | None:
        """Return the outputs of a target; None if it does not give back what the program's output is.

        Args:
            target: What the target gave.
        """
        if self.probe.convention.sequence or self._are_joined:
            return target.outputs[0]
        output = self.program.outputs[0].name
        return target.outputs[self.order.index(output)] if output in self.order else target.shown


@dataclass
class Matcher:
    """Finds the roles of a target's slots in one program, with its states in one order.

    Attributes:
        target: Runs of the target.
        program: Runs of the program.
        steps: Time steps of a run with some slots alone.
        deadline: When the search is given up, in seconds of CPU time of this process.
        hints: Roles that slots are likely to have: where one of them agrees, no further role is tried for its slot.
    """

    target: TargetRuns
    program: ProgramRuns
    steps: int
    deadline: float = math.inf
    hints: Roles = field(default_factory=dict)

    def match(self) -> dict[int, SlotRole] | None:
        """Find roles with which the program gives what the target gives; None if there are none.

        Raises:
            SearchGivenUp: It took too many runs, or too long.
        """
        if not self._agrees({}):
            return None
        whole = self.target.probe.complete()
        steps = len(self.target.probe.inputs)
        for roles in itertools.islice(self._extended({}), 8):
            parameters = self.program.parameters(self.target.values, roles)
            if self.program.agree(whole, self.program.respond(parameters, steps)):
                return roles
        return None

    def match_in_part(self) -> dict[int, SlotRole]:
        """Find roles for as many slots as have a single one in the program; those that have none stay out.

        Raises:
            SearchGivenUp: It took too many runs, or too long.
        """
        roles: dict[int, SlotRole] = {}
        is_growing = self._agrees({})
        while is_growing:
            is_growing = False
            for number in set(range(len(self.target.layout))) - set(roles):
                fitting = self._fitting(number, roles) if self._shows(roles, number) else []
                if len(fitting) == 1:
                    roles, is_growing = {**roles, number: fitting[0]}, True
        return roles

    def _fitting(self, number: int, roles: Roles) -> list[SlotRole]:
        """List the roles of a slot with which the program gives what the target gives: the hint alone if it does."""
        hint = self.hints.get(number)
        if hint is not None and hint.piece in self.program.pieces and self._agrees({**roles, number: hint}):
            return [hint]
        return [role for role in self._free(number, roles) if self._agrees({**roles, number: role})]

    def _masked(self, numbers: frozenset[int]) -> Response:
        return self.target.masked(numbers, self.steps)

    def _agrees(self, roles: Roles) -> bool:
        if self.program.count > MOST_RUNS or time.process_time() > self.deadline:
            raise SearchGivenUp
        parameters = self.program.parameters(self.target.values, roles)
        predicted = self.program.respond(parameters, self.steps)
        return self.program.agree(self._masked(frozenset(roles)), predicted)

    def _free(self, number: int, roles: Roles) -> Iterator[SlotRole]:
        """Yield the roles that a slot may have beside others: first pieces that nothing else is."""
        slot, sizes = self.target.layout[number], self.program.sizes
        shape = tuple(axis.size(sizes) for axis in slot.shape)
        taken = [role.piece for role in roles.values()]
        fitting = [piece for piece in self.program.pieces if piece.size(sizes) in (shape, shape[::-1])]
        for count in range(MOST_SUMMED if len(shape) == 1 else 1):
            for piece in sorted(fitting, key=lambda piece: _likeness(slot.parameter, piece.parameter)):
                if taken.count(piece) != count:
                    continue
                if piece.size(sizes) == shape:
                    yield SlotRole(piece)
                if len(shape) == 2 and piece.size(sizes) == shape[::-1]:
                    yield SlotRole(piece, flipped=True)

    def _shows(self, roles: Roles, number: int) -> bool:
        alive = frozenset(roles)
        return not self.target.probe.equal(self._masked(alive), self._masked(alive | {number}))

    def _extended(self, roles: dict[int, SlotRole]) -> Iterator[dict[int, SlotRole]]:
        """Yield the roles of all slots, beside which those known have theirs."""
        ties: list[tuple[int, list[SlotRole]]] = []
        progress, silent = False, []
        for number in range(len(self.target.layout)):
            if number in roles:
                continue
            if not self._shows(roles, number):
                silent.append(number)
                continue
            fitting = self._fitting(number, roles)
            if not fitting:
                return
            if len(fitting) == 1:
                roles, progress = {**roles, number: fitting[0]}, True
            else:
                ties.append((number, fitting))
        if progress:
            yield from self._extended(roles)
        elif ties:
            number, fitting = min(ties, key=lambda tie: len(tie[1]))
            for role in fitting:
                yield from self._extended({**roles, number: role})
        elif silent:
            yield from self._with_products(roles, silent)
        else:
            yield roles

    def _with_products(self, roles: dict[int, SlotRole], silent: list[int]) -> Iterator[dict[int, SlotRole]]:
        """Yield the roles where two or three slots show together alone: factors of one product."""
        alive = frozenset(roles)
        for count in (2, 3):
            for group in itertools.combinations(silent, count):
                if self.target.probe.equal(self._masked(alive), self._masked(alive | set(group))):
                    continue
                for together in self._roles_of(group, roles):
                    if self._agrees(together):
                        yield from self._extended(together)
                return
        # Nothing tells them apart, alone or in pairs: by their names, and the run with everything decides.
        for number in silent:
            role = next(self._free(number, roles), None)
            if role is None:
                return
            roles = {**roles, number: role}
        yield roles

    def _roles_of(self, group: tuple[int, ...], roles: dict[int, SlotRole]) -> Iterator[dict[int, SlotRole]]:
        """Yield every choice of roles for some slots beside those known."""
        if not group:
            yield roles
            return
        for role in self._free(group[0], roles):
            yield from self._roles_of(group[1:], {**roles, group[0]: role})


def _likeness(name: str, wanted: str) -> int:
    """Order pieces for a slot: those of its name first, then those whose name ends alike."""
    plain, sought = name.lower().rpartition(".")[2].replace("_", ""), wanted.lower().replace("_", "")
    return 0 if plain == sought else 1 if plain[-1:] == sought[-1:] else 2


def _ends(widths: Sequence[int]) -> list[int]:
    """Return where vectors side by side end, without the last of them."""
    return list(itertools.accumulate(widths))[:-1]


def as_slot_map(layout: Layout, roles: Roles, program: Program) -> SlotMap:
    """Make the parameter map of roles.

    Args:
        layout: How the target's parameters are cut.
        roles: The role of every slot.
        program: The program whose parameters the roles are of.
    """
    pairs = tuple((layout[number], role) for number, role in sorted(roles.items()))
    return SlotMap(pairs, tuple((v.name, v.shape) for v in program.parameters))


def search_steps(probe: Probe, states: int) -> int:
    """Return the time steps of a run with some slots alone: one where every state can be given.

    Args:
        probe: The target.
        states: The number of states of the program.
    """
    every_state_is_given = probe.convention.states == states or are_joined(probe.convention, states)
    return 1 if every_state_is_given else len(probe.inputs)


def state_orders(program: Program, probe: Probe) -> list[tuple[str, ...]]:
    """List the orders that the states of a target may have, that of the spec first.

    Args:
        program: The program, which declares the states.
        probe: The target.
    """
    names = tuple(state.name for state in program.states)
    signature = read_signature(program, probe)
    if not probe.convention.states or signature is None:
        return [names]
    orders = list(itertools.permutations(names))
    if signature.are_states_joined:
        return orders
    # A state that is given has the width of the target's.
    narrow = {state.name for state in program.states if signature.width(state) != probe.sizes[1]}
    return [order for order in orders if not narrow & set(order[: probe.convention.states])]
