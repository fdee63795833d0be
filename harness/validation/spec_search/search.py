"""Is a target what a spec says, whatever its parameters are called and however they are stored?"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from rnn_harness.specs import Spec
from rnn_harness.specs.dimensions import Dimension
from rnn_harness.specs.expression import Variable
from rnn_harness.specs.program import Program
from rnn_harness.validation.identification.probe import Probe, Response
from rnn_harness.validation.spec_search.complements import complement_of, complemented_specs
from rnn_harness.validation.spec_search.constants import (
    OFFSETS,
    OpenProgram,
    constants_sentence,
    open_program,
    openings,
    usual_constants,
    with_constants,
)
from rnn_harness.validation.spec_search.matching import (
    Matcher,
    SearchGivenUp,
    TargetRuns,
    as_slot_map,
    search_steps,
    state_orders,
)
from rnn_harness.validation.spec_search.program_runs import ProgramRuns, Roles
from rnn_harness.validation.spec_search.signature import Signature, read_signature, specs_of_lengths
from rnn_harness.validation.spec_search.slot_map import SlotMap
from rnn_harness.validation.spec_search.slots import Layout, spec_layouts
from rnn_harness.validation.spec_search.spec_pieces import (
    SpecPiece,
    added_vectors,
    empty_parameters,
    spec_pieces,
)

MOST_VISIBLE = 3
"""Slots beside which constants are looked for that do not show where all parameters are zero."""
SECONDS = 10.0
"""What the search through all known cells may take; where it is not enough, the target is none that is known."""


@dataclass(frozen=True)
class SpecMatch:
    """A spec that a target equals.

    Attributes:
        spec: What the target equals.
        table: Which slot of the target's parameters is which piece of the spec's.
        states: The names of the target's states, in its order.
        usual: The constants that the spec itself has where those of `spec` are the target's; empty where not known.
    """

    spec: Spec
    table: SlotMap
    states: tuple[str, ...]
    usual: Mapping[str, Fraction] = field(default_factory=dict)

    def sentence(self) -> str:
        """Say what the target is."""
        absent = self.table.absent
        without = f"without {', '.join(absent)}" if absent else ""
        complement = complement_of(self.spec)
        turned = "" if complement is None else complement.sentence()
        constants = constants_sentence(self.spec, self.usual)
        parts = (self.spec.title, constants, _offset_sentence(self.spec), turned, without)
        return "; ".join(part for part in (*parts, self.table.sentence()) if part)


def _offset_sentence(spec: Spec) -> str:
    """Show the equations to which a constant was added; empty where none was."""
    changed = (entry.reading for entry in spec.model.equations if entry.reading is not None)
    return ", ".join(text for text in changed if any(letter in text for letter in OFFSETS.values()))


Hints = Mapping[tuple[Layout, tuple[str, ...]], Roles]
"""Roles of slots, by the layout of the parameters and the order of the states."""


@dataclass(frozen=True)
class Trial:
    """What came of holding a program against a target.

    Attributes:
        match: The parameter map and the order of the states; None where the target does not equal the program.
        reached: The most roles with which the program gave what the target gave.
    """

    match: tuple[SlotMap, tuple[str, ...]] | None
    reached: Hints


class _Beginnings(NamedTuple):
    """In which layouts and orders of the states a program gives what a target does with all parameters zero.

    Attributes:
        program: The program; while it is kept, no other has its identity.
        beginnings: The layouts and orders.
    """

    program: Program
    beginnings: list[tuple[Layout, tuple[str, ...]]]


class TargetSearch:
    """Searches specs, and rewrites of them, for one target; its runs are made once for all of them.

    Attributes:
        probe: The target.
        deadline: When the search is given up, in seconds of CPU time of this process; whoever searches sets it.
    """

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.deadline = math.inf
        self._runs: dict[tuple[Layout, tuple[tuple[str, int], ...]], TargetRuns] = {}
        self._responses: dict[tuple[str, frozenset[str], int], Response] = {}
        self._known_layouts: dict[tuple[SpecPiece, ...], list[Layout]] = {}
        self._signatures: dict[tuple[tuple[Variable, ...], ...], Signature] = {}
        self._begun: dict[str, bool] = {}
        self._known_beginnings: dict[int, _Beginnings] = {}

    def fits_signature(self, program: Program) -> bool:
        """Say whether a program can be the target's by its states, its inputs and its sizes alone.

        Args:
            program: The program of a spec; nothing of it is run.
        """
        return read_signature(program, self.probe) is not None

    def shapes(self, program: Program) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the target's parameters that have an influence, by name.

        Args:
            program: A program that has single numbers as parameters reads those of the target; else they stay as they
                are.
        """
        has_scalars = any(parameter.shape in ((), (Dimension(constant=1),)) for parameter in program.parameters)
        spare = {*self.probe.ignored, *(() if has_scalars else self.probe.constant)}
        return {name: value.shape for name, value in self.probe.parameters.items() if name not in spare}

    def sizes(self, program: Program) -> dict[str, int]:
        """Return n and d of a program whose signature fits.

        Args:
            program: The program of a spec.
        """
        return dict(self._signature(program).sizes)

    def runs(self, layout: Layout, sizes: Mapping[str, int]) -> TargetRuns:
        """Return the runs of the target with its parameters cut in one way.

        Args:
            layout: One way to cut the target's parameters; the same one gives the same runs.
            sizes: n and d of the program for which they are cut.
        """
        key = layout, tuple(sizes.items())
        if key not in self._runs:
            self._runs[key] = TargetRuns(self.probe, layout, sizes, self._responses)
        return self._runs[key]

    def empty_response(self, program: Program) -> Response | None:
        """Run the target with all parameters zero that a program knows; None where no layout fits the program.

        Args:
            program: The program of a spec.
        """
        sizes = self.sizes(program)
        layouts = self._layouts(program, spec_pieces(program))
        steps = search_steps(self.probe, len(program.states))
        return self.runs(layouts[0], sizes).masked(frozenset(), steps) if layouts else None

    def match_program(self, program: Program) -> tuple[SlotMap, tuple[str, ...]] | None:
        """Find the parameter map and the order of states with which a target equals a program; None if none does.

        Args:
            program: The program; its signature fits.

        Raises:
            SearchGivenUp: It took too many runs, or too long.
        """
        return self._trial(program, {}, beside_hints=False, is_mistaken=False).match

    def try_mistake(self, program: Program, hints: Hints, beside_hints: bool) -> Trial:
        """Find the parameter map and the order of states with which a target equals a wrong program, or in how much.

        Args:
            program: A rewrite; its signature fits.
            hints: Roles that slots are likely to have, in the layouts and orders that are tried; empty to try all.
            beside_hints: Whether these are taken for true: that is much faster, and misses where it is not so.

        Raises:
            SearchGivenUp: It took too many runs, or too long.
        """
        return self._trial(program, hints, beside_hints, is_mistaken=True)

    def _trial(self, program: Program, hints: Hints, beside_hints: bool, is_mistaken: bool) -> Trial:
        """Hold a program against the target, in every layout and every order of the states."""
        pieces, sizes = spec_pieces(program), self.sizes(program)
        steps = search_steps(self.probe, len(program.states))
        reached: dict[tuple[Layout, tuple[str, ...]], Roles] = {}
        for layout, order in hints or self._beginnings(program, pieces, steps):
            known = hints.get((layout, order), {})
            runs = ProgramRuns(program, self.probe, order, pieces, self._signature(program))
            matcher = Matcher(self.runs(layout, sizes), runs, steps, self.deadline, known, is_mistaken)
            roles = matcher.match_beside(known) if beside_hints else matcher.match()
            reached[layout, order] = matcher.reached
            if roles is None:
                continue
            table = as_slot_map(layout, roles, program)
            # Only a bias may be left out: without its peepholes a cell is another one.
            if set(table.absent) <= added_vectors(program):
                return Trial((table, order), reached)
        return Trial(None, reached)

    def _beginnings(
        self, program: Program, pieces: tuple[SpecPiece, ...], steps: int
    ) -> list[tuple[Layout, tuple[str, ...]]]:
        """Return the layouts and orders in which a program gives what the target does with all parameters zero."""
        known = self._known_beginnings.get(id(program))
        if known is not None and known.program is program:
            return known.beginnings
        sizes, orders = self.sizes(program), state_orders(program, self.probe)
        runs_of_program = ProgramRuns(program, self.probe, orders[0], pieces, self._signature(program))
        every = [runs_of_program.in_order(order) for order in orders]
        alike: dict[frozenset[str], list[tuple[str, ...]]] = {}
        beginnings: list[tuple[Layout, tuple[str, ...]]] = []
        for layout in self._layouts(program, pieces):
            cut = frozenset(slot.parameter for slot in layout)
            if cut not in alike:
                fitting = every
                if len(every) > 1:
                    fitting = every[0].beginning_alike(
                        every, self.runs(layout, sizes).masked(frozenset(), steps), steps
                    )
                alike[cut] = [runs.order for runs in fitting]
            beginnings += [(layout, order) for order in alike[cut]]
        self._known_beginnings[id(program)] = _Beginnings(program, beginnings)
        return beginnings

    def roles_in_part(self, program: Program) -> Hints:
        """Return the roles that a target's slots have in a program as far as it equals that, by layout and order.

        Args:
            program: The program; its signature fits.

        Raises:
            SearchGivenUp: It took too many runs, or too long.
        """
        pieces, sizes = spec_pieces(program), self.sizes(program)
        steps = search_steps(self.probe, len(program.states))
        roles: dict[tuple[Layout, tuple[str, ...]], Roles] = {}
        for layout, order in self._beginnings(program, pieces, steps):
            runs = ProgramRuns(program, self.probe, order, pieces, self._signature(program))
            roles[layout, order] = Matcher(self.runs(layout, sizes), runs, steps, self.deadline).match_in_part()
        return roles

    def _layouts(self, program: Program, pieces: tuple[SpecPiece, ...]) -> list[Layout]:
        """Return the ways to cut the target's parameters into the pieces of a program; remembered."""
        if pieces not in self._known_layouts:
            shapes, sizes = self.shapes(program), self.sizes(program)
            layouts = spec_layouts(shapes, pieces, sizes)
            if self.probe.ignored:  # what a target does not use may be what it should
                ignored = {name: self.probe.parameters[name].shape for name in self.probe.ignored}
                layouts += spec_layouts({**shapes, **ignored}, pieces, sizes)
            self._known_layouts[pieces] = layouts
        return self._known_layouts[pieces]

    def _signature(self, program: Program) -> Signature:
        """Return how the states and inputs of a program lie in those of the target; remembered."""
        key = program.states, program.inputs, program.outputs, program.parameters
        if key not in self._signatures:
            signature = read_signature(program, self.probe)
            assert signature is not None, "the signature of a program is looked at first"
            self._signatures[key] = signature
        return self._signatures[key]

    def match_spec(self, spec: Spec) -> SpecMatch | None:
        """Find how a target equals a spec; None if it does not, or where the search took too long.

        A constant that the spec leaves open may have any value that somebody would write down, and such a number may be
        added to one of the biases.

        Args:
            spec: The spec of a cell.
        """
        with contextlib.suppress(SearchGivenUp):
            for sized in specs_of_lengths(spec, self.probe):
                for candidate in self.with_its_constants(sized):
                    found = self.match_program(candidate.program())
                    if found is not None:
                        return SpecMatch(candidate, *found, usual_constants(spec))
        return None

    def is_begun(self, spec: Spec) -> bool:
        """Say whether the target gives what a spec gives where all parameters are zero.

        Args:
            spec: The spec of a cell; what `match_spec` saw of it is not looked at again.
        """
        if spec.id not in self._begun:
            with contextlib.suppress(SearchGivenUp):
                for sized in specs_of_lengths(spec, self.probe):
                    list(self.with_its_constants(sized))
        return self._begun.get(spec.id, False)

    def with_its_constants(self, spec: Spec) -> Iterator[Spec]:
        """Yield a spec with the constants that the target has where all parameters are zero, and a constant added.

        Args:
            spec: The spec of a cell; where no layout of the target fits it, nothing is yielded.
        """
        program = spec.program()
        target = self.empty_response(program) if self.fits_signature(program) else None
        if target is None:
            return
        if not spec.model.constants:
            yield spec
        fits: dict[Spec, None] = {}
        steps = search_steps(self.probe, len(program.states))
        are_hidden = is_begun = False
        for order in state_orders(program, self.probe):
            runs = ProgramRuns(program, self.probe, order)
            # Whatever agrees where all parameters are zero has no constant beside its equations.
            is_plain = not spec.model.constants and runs.agree(
                target, runs.respond(empty_parameters(program, runs.sizes), steps)
            )
            for opening in () if is_plain else openings(spec):
                if fits and len(opening.usual) > 1 and opening.is_offset:  # one constant is enough
                    break
                opened = OpenProgram(opening.program, opening.usual, runs)
                fitted = opened.fitted(target, steps)
                if fitted is None:
                    continue
                # With nothing but zeros the terms of the constants are gone: that is another cell.
                if any(fitted.values()) or not any(opening.usual.values()):
                    fits.setdefault(with_constants(opening.spec(spec), fitted))
                are_hidden |= not opened.shows_all(fitted, target, steps)
            is_begun |= is_plain
        self._begun[spec.id] = self._begun.get(spec.id, False) or is_begun or bool(fits) or are_hidden
        yield from fits
        if are_hidden and spec.model.constants:
            yield from self._with_constants_beside_a_slot(spec, program, fits)

    def _with_constants_beside_a_slot(self, spec: Spec, program: Program, known: Mapping[Spec, None]) -> Iterator[Spec]:
        """Yield a spec with the constants that the target has where one slot alone is not zero."""
        steps, layouts = search_steps(self.probe, len(program.states)), self._layouts(program, spec_pieces(program))
        runs_of_target = self.runs(layouts[0], self.sizes(program))
        fits: dict[Spec, None] = {}
        for order in state_orders(program, self.probe):
            runs = ProgramRuns(program, self.probe, order)
            matcher = Matcher(runs_of_target, runs, steps, self.deadline)
            for number in list(matcher.visible())[:MOST_VISIBLE]:
                for role in matcher.free_roles(number):
                    parameters = runs.parameters(runs_of_target.values, {number: role})
                    opened = OpenProgram(open_program(spec), usual_constants(spec), runs, parameters)
                    fitted = opened.fitted(runs_of_target.masked(frozenset({number}), steps), steps)
                    if fitted is not None and any(fitted.values()):
                        fits.setdefault(with_constants(spec, fitted))
        yield from (fit for fit in fits if fit not in known)


def first_complement(search: TargetSearch, specs: Iterable[Spec]) -> SpecMatch | None:
    """Return the first of some specs that a target equals with the complement of a gate; None if it equals none.

    Args:
        search: The target, which equals none of the specs themselves; its deadline holds.
        specs: Cells, the simplest first.
    """
    for spec in itertools.takewhile(lambda _: time.process_time() <= search.deadline, specs):
        # Where all parameters are zero a gate is its own complement: what differs there differs from both.
        if not search.is_begun(spec):
            continue
        for candidate in complemented_specs(spec):
            match = search.match_spec(candidate)
            if match is not None:
                return match
    return None


def first_match(search: TargetSearch, specs: Iterable[Spec]) -> SpecMatch | None:
    """Return the first of some specs that a target equals; None if it equals none.

    Args:
        search: The target; its deadline holds.
        specs: Cells, the simplest first.
    """
    in_time = itertools.takewhile(lambda _: time.process_time() <= search.deadline, specs)
    return next((match for spec in in_time if (match := search.match_spec(spec)) is not None), None)
