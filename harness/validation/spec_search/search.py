"""Is a target what a spec says, whatever its parameters are called and however they are stored?"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rnn_harness.specs import Spec
from rnn_harness.specs.program import Program
from rnn_harness.validation.identification.probe import Probe, Response
from rnn_harness.validation.spec_search.constants import (
    OFFSETS,
    OpenProgram,
    constants_sentence,
    offset_specs,
    open_program,
    usual_constants,
    with_constants,
)
from rnn_harness.validation.spec_search.matching import (
    Matcher,
    ProgramRuns,
    Roles,
    SearchGivenUp,
    TargetRuns,
    as_slot_map,
    search_steps,
    state_orders,
)
from rnn_harness.validation.spec_search.signature import read_signature, specs_of_lengths
from rnn_harness.validation.spec_search.slot_map import SlotMap
from rnn_harness.validation.spec_search.slots import Layout, spec_layouts
from rnn_harness.validation.spec_search.spec_pieces import added_vectors, empty_parameters, spec_pieces

SECONDS = 10.0
"""What the search through all known cells may take; where it is not enough, the target is none that is known."""


@dataclass(frozen=True)
class SpecMatch:
    """A spec that a target equals.

    Attributes:
        spec: What the target equals.
        table: Which slot of the target's parameters is which piece of the spec's.
        states: The names of the target's states, in its order.
    """

    spec: Spec
    table: SlotMap
    states: tuple[str, ...]

    def sentence(self) -> str:
        """Say what the target is."""
        absent = self.table.absent
        without = f"without {', '.join(absent)}" if absent else ""
        parts = (self.spec.title, constants_sentence(self.spec), _offset_sentence(self.spec), without)
        return "; ".join(part for part in (*parts, self.table.sentence()) if part)


def _offset_sentence(spec: Spec) -> str:
    """Show the equations to which a constant was added; empty where none was."""
    changed = (entry.reading for entry in spec.model.equations if entry.reading is not None)
    return ", ".join(text for text in changed if any(letter in text for letter in OFFSETS.values()))


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
        self._roles: dict[tuple[int, Layout, tuple[str, ...]], tuple[Program, Roles]] = {}

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
        has_scalars = any(not parameter.shape for parameter in program.parameters)
        spare = {*self.probe.ignored, *(() if has_scalars else self.probe.constant)}
        return {name: value.shape for name, value in self.probe.parameters.items() if name not in spare}

    def sizes(self, program: Program) -> dict[str, int]:
        """Return n and d of a program whose signature fits.

        Args:
            program: The program of a spec.
        """
        signature = read_signature(program, self.probe)
        assert signature is not None, "the signature of a program is looked at first"
        return dict(signature.sizes)

    def runs(self, layout: Layout, sizes: Mapping[str, int]) -> TargetRuns:
        """Return the runs of the target with its parameters cut in one way.

        Args:
            layout: One way to cut the target's parameters; the same one gives the same runs.
            sizes: n and d of the program for which they are cut.
        """
        key = layout, tuple(sizes.items())
        if key not in self._runs:
            self._runs[key] = TargetRuns(self.probe, layout, sizes)
        return self._runs[key]

    def empty_response(self, program: Program) -> Response | None:
        """Run the target with all parameters zero that a program knows; None where no layout fits the program.

        Args:
            program: The program of a spec.
        """
        sizes = self.sizes(program)
        layouts = spec_layouts(self.shapes(program), spec_pieces(program), sizes)
        steps = search_steps(self.probe, len(program.states))
        return self.runs(layouts[0], sizes).masked(frozenset(), steps) if layouts else None

    def match_program(self, program: Program, right: Program | None = None) -> tuple[SlotMap, tuple[str, ...]] | None:
        """Find the parameter map and the order of states with which a target equals a program; None if none does.

        Args:
            program: The program; its signature fits.
            right: The program of which it is a rewrite. What the slots are in this, as far as the target equals it, is
                taken for what they are in the rewrite, and only where most of them are something in it: that is much
                faster, and misses where it is not so.

        Raises:
            SearchGivenUp: It took too many runs, or too long.
        """
        pieces, sizes = spec_pieces(program), self.sizes(program)
        steps = search_steps(self.probe, len(program.states))
        layouts = spec_layouts(self.shapes(program), pieces, sizes)
        pairs = list(itertools.product(layouts, state_orders(program, self.probe)))
        hints = [{} if right is None else self._roles_in_part(right, layout, order) for layout, order in pairs]
        most = max(map(len, hints), default=0)
        for (layout, order), known in zip(pairs, hints, strict=True):
            if len(known) < most:
                continue
            runs = ProgramRuns(program, self.probe, order, pieces)
            roles = Matcher(self.runs(layout, sizes), runs, steps, self.deadline, known).match()
            if roles is None:
                continue
            table = as_slot_map(layout, roles, program)
            # Only a bias may be left out: without its peepholes a cell is another one.
            if set(table.absent) <= added_vectors(program):
                return table, order
        return None

    def _roles_in_part(self, right: Program, layout: Layout, order: tuple[str, ...]) -> Roles:
        """Return the roles that a target's slots have in a program as far as it equals that; remembered."""
        key = id(right), layout, order
        if key not in self._roles:
            runs = ProgramRuns(right, self.probe, order)
            matcher = Matcher(self.runs(layout, runs.sizes), runs, search_steps(self.probe, len(order)), self.deadline)
            self._roles[key] = right, matcher.match_in_part()
        return self._roles[key][1]

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
                        return SpecMatch(candidate, *found)
        return None

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
        for order in state_orders(program, self.probe):
            runs = ProgramRuns(program, self.probe, order)
            # Whatever agrees where all parameters are zero has no constant beside its equations.
            is_plain = not spec.model.constants and runs.agree(
                target, runs.respond(empty_parameters(program, runs.sizes), steps)
            )
            for candidate in () if is_plain else ([spec] if spec.model.constants else offset_specs(spec)):
                opened = OpenProgram(open_program(candidate), usual_constants(candidate), runs)
                fitted = opened.fitted(target, steps)
                # With nothing but zeros the terms of the constants are gone: that is another cell.
                if fitted is not None and (any(fitted.values()) or not any(usual_constants(candidate).values())):
                    fits.setdefault(with_constants(candidate, fitted))
        yield from fits


def first_match(search: TargetSearch, specs: Iterable[Spec]) -> SpecMatch | None:
    """Return the first of some specs that a target equals; None if it equals none.

    Args:
        search: The target.
        specs: Cells, the simplest first.
    """
    search.deadline = time.process_time() + SECONDS
    return next((match for spec in specs if (match := search.match_spec(spec)) is not None), None)
