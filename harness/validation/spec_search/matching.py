"""Which slot is which piece of a spec: by elimination, each slot alone or beside those known, the others zero."""

from __future__ import annotations

import functools
import itertools
import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rnn_harness.specs.program import Program
from rnn_harness.validation.identification.probe import Probe, Response
from rnn_harness.validation.spec_search.program_runs import ProgramRuns, Roles
from rnn_harness.validation.spec_search.signature import are_joined, read_signature
from rnn_harness.validation.spec_search.slot_map import SlotMap, SlotRole
from rnn_harness.validation.spec_search.slots import MOST_SUMMED, Layout, Slot

MOST_RUNS, MOST_AT_ONCE = 6000, 256
"""Runs of a program in one search: one that needs more is given up, which decides nothing; choices that are one run."""


class SearchGivenUp(Exception):
    """A search took more runs than it may."""


@dataclass
class TargetRuns:
    """Runs of a target with some of its slots alone, remembered for all programs that are tried on it.

    Attributes:
        probe: The target.
        layout: How its parameters are cut.
        sizes: The named sizes.
        responses: The runs that were made; layouts that cut the living slots alike have them in common.
    """

    probe: Probe
    layout: Layout
    sizes: Mapping[str, int]
    responses: dict[tuple[str, frozenset[str], int], Response] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parameters = self.probe.parameters
        self.plain = {slot.parameter: np.array(slot.plain(parameters[slot.parameter])) for slot in self.layout}
        self._cut = " ".join(sorted(self.plain))
        self._names = [repr(slot.in_numbers(self.sizes)) for slot in self.layout]
        self.values = [slot.view(self.plain[slot.parameter], self.sizes) for slot in self.layout]

    @functools.cached_property
    def complete(self) -> Response:
        """What the target gives with all its parameters over all steps."""
        return self.probe.complete()

    def masked(self, alive: frozenset[int], steps: int) -> Response:
        """Run with some slots alone.

        Args:
            alive: The numbers of the slots that are not zero.
            steps: Time steps.
        """
        key = self._cut, frozenset(self._names[number] for number in alive), steps
        if key not in self.responses:
            plain = {name: np.zeros_like(value) for name, value in self.plain.items()}
            first: dict[str, Slot] = {}
            for number, slot in enumerate(self.layout):
                first.setdefault(slot.parameter, slot)
                if number in alive:
                    slot.view(plain[slot.parameter], self.sizes)[...] = self.values[number]
            unmasked = {name: value for name, value in self.probe.parameters.items() if name not in plain}
            stored = {name: first[name].stored(value) for name, value in plain.items()}
            self.responses[key] = self.probe.respond({**unmasked, **stored}, steps)
        return self.responses[key]


@dataclass
class Matcher:
    """Finds the roles of a target's slots in one program, with its states in one order.

    Attributes:
        target: Runs of the target.
        program: Runs of the program.
        steps: Time steps of a run with some slots alone.
        deadline: When the search is given up, in seconds of CPU time of this process.
        hints: Roles that slots are likely to have: where one of them agrees, no further role is tried for its slot.
        is_mistaken: Whether the program is one with a mistake: then a slot without an influence may be left out, and a
            bias may stand in two places.
        reached: The most roles with which the program gave what the target gave.
    """

    target: TargetRuns
    program: ProgramRuns
    steps: int
    deadline: float = math.inf
    hints: Roles = field(default_factory=dict)
    is_mistaken: bool = False
    reached: Roles = field(default_factory=dict)

    def match(self) -> dict[int, SlotRole] | None:
        """Find roles with which the program gives what the target gives; None if there are none.

        Raises:
            SearchGivenUp: It took too many runs, or too long.
        """
        return self._completed({}) if self._agrees({}) else None

    def match_beside(self, known: Roles) -> dict[int, SlotRole] | None:
        """Find roles for all slots beside known ones; None where the program does not agree with these already.

        Args:
            known: Roles of some slots.

        Raises:
            SearchGivenUp: It took too many runs, or too long.
        """
        return self._completed(dict(known)) if self._agrees({}) and self._agrees(known) else None

    def _completed(self, known: dict[int, SlotRole]) -> dict[int, SlotRole] | None:
        """Return roles of all slots with which everything agrees; None where there are none."""
        steps = len(self.target.probe.inputs)
        for roles in itertools.islice(self._extended(known), 8):
            parameters = self.program.parameters(self.target.values, roles)
            if self.program.agree(self.target.complete, self.program.respond(parameters, steps)):
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
            if not is_growing:
                pair = self._only_pair(roles)
                roles, is_growing = {**roles, **pair}, bool(pair)
        return roles

    def _only_pair(self, roles: Roles) -> Roles:
        """Return the roles of two slots that show together alone, and can be one pair only; empty where none do."""
        alive = frozenset(roles)
        hidden = [n for n in range(len(self.target.layout)) if n not in roles and not self._shows(roles, n)]
        for group in itertools.combinations(hidden, 2):
            if not self.target.probe.equal(self._masked(alive), self._masked(alive | set(group))):
                fitting = self._agreeing(roles, list(self._roles_of(group, roles, {})))
                if len(fitting) == 1:
                    return fitting[0]
        return {}

    def visible(self) -> Iterator[int]:
        """Yield the numbers of the slots that show where all others are zero."""
        return (number for number in range(len(self.target.layout)) if self._shows({}, number))

    def free_roles(self, number: int) -> Iterator[SlotRole]:
        """Yield the roles that a slot may have where no other slot has one.

        Args:
            number: Its number in the layout.
        """
        return self._free(number, {})

    def _fitting(self, number: int, roles: Roles) -> list[SlotRole]:
        """List the roles of a slot with which the program gives what the target gives: the hint alone if it does."""
        hint = self.hints.get(number)
        if hint is not None and hint.piece in self.program.pieces and self._agrees({**roles, number: hint}):
            return [hint]
        fitting = self._agreeing(roles, [{number: role} for role in self._free(number, roles)])
        if self.is_mistaken and not fitting:
            fitting = self._agreeing(roles, [{number: role} for role in self._shared(number)])
        return [choice[number] for choice in fitting]

    def _shared(self, number: int) -> Iterator[SlotRole]:
        """Yield the pairs of biases that one slot may be at once."""
        slot, sizes = self.target.layout[number], self.program.sizes
        shape = tuple(axis.size(sizes) for axis in slot.shape)
        vectors = [piece for piece, size in self.program.sized_pieces if size == shape and len(size) == 1]
        return (SlotRole(first, shared_with=second) for first, second in itertools.combinations(vectors, 2))

    def _masked(self, numbers: frozenset[int]) -> Response:
        return self.target.masked(numbers, self.steps)

    def _agrees(self, roles: Roles) -> bool:
        return bool(self._agreeing(roles, [{}]))

    def _agreeing(self, known: Roles, choices: Sequence[Roles]) -> list[Roles]:
        """Return the choices of roles for the same slots with which the program gives what the target gives."""
        fitting: list[Roles] = []
        for start in range(0, len(choices), MOST_AT_ONCE):
            if self.program.count > MOST_RUNS or time.process_time() > self.deadline:
                raise SearchGivenUp
            part = choices[start : start + MOST_AT_ONCE]
            target = self._masked(frozenset(known) | frozenset(part[0]))
            fitting += self.program.fitting(target, self.target.values, known, part, self.steps)
        if fitting and len(known) + len(fitting[0]) > len(self.reached):
            self.reached = {**known, **fitting[0]}
        return fitting

    def _free(self, number: int, roles: Roles) -> Iterator[SlotRole]:
        """Yield the roles that a slot may have beside others: first pieces that nothing else is."""
        slot, sizes = self.target.layout[number], self.program.sizes
        shape = tuple(axis.size(sizes) for axis in slot.shape)
        taken = Counter(role.piece for role in roles.values())
        fitting = [
            (_likeness(slot.parameter, piece.parameter), place)
            for place, (piece, size) in enumerate(self.program.sized_pieces)
            if size in (shape, shape[::-1])
        ]
        for count in range(MOST_SUMMED if len(shape) == 1 else 1):
            for _, place in sorted(fitting):
                piece, size = self.program.sized_pieces[place]
                if taken[piece] != count:
                    continue
                if size == shape:
                    yield SlotRole(piece)
                if len(shape) == 2 and size == shape[::-1]:
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
                for together in self._agreeing(roles, list(self._roles_of(group, roles, {}))):
                    yield from self._extended({**roles, **together})
                return
        # Nothing tells them apart, alone or in pairs: by their names, and the run with everything decides.
        for number in silent:
            role = next(iter(self._fitting(number, roles)), None)
            if role is not None:
                roles = {**roles, number: role}
            elif not self.is_mistaken:
                return
        yield roles

    def _roles_of(self, group: tuple[int, ...], known: Roles, chosen: Roles) -> Iterator[Roles]:
        """Yield every choice of roles for some slots beside those known, after those that are chosen already."""
        if not group:
            yield chosen
            return
        for role in self._free(group[0], {**known, **chosen}):
            yield from self._roles_of(group[1:], known, {**chosen, group[0]: role})


def _likeness(name: str, wanted: str) -> int:
    """Order pieces for a slot: those of its name first, then those whose name ends alike."""
    plain, sought = name.lower().rpartition(".")[2].replace("_", ""), wanted.lower().replace("_", "")
    return 0 if plain == sought else 1 if plain[-1:] == sought[-1:] else 2


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
