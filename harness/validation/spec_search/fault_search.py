"""Which mistake makes what a target computes of a spec: its rewrites are held against the target, likely ones first."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeGuard

from rnn_harness.records.validation import Diagnosis
from rnn_harness.specs.expression import Concatenate, MatrixVector, Multiply, Node, Variable, VectorMatrix, walk
from rnn_harness.specs.program import Program
from rnn_harness.specs.spec import Spec
from rnn_harness.specs.traversal import variables
from rnn_harness.validation.spec_search.added_terms import EXTRA, added_biases
from rnn_harness.validation.spec_search.change import ZERO
from rnn_harness.validation.spec_search.constants import (
    OpenProgram,
    closed_program,
    openings,
    with_constants,
)
from rnn_harness.validation.spec_search.diagnose import rewrite_diagnosis
from rnn_harness.validation.spec_search.matching import SearchGivenUp, search_steps, state_orders
from rnn_harness.validation.spec_search.program_rewrites import holds_a_series
from rnn_harness.validation.spec_search.program_runs import ProgramRuns
from rnn_harness.validation.spec_search.rewrites import Rewrite, rewrites
from rnn_harness.validation.spec_search.search import Hints, TargetSearch
from rnn_harness.validation.spec_search.signature import specs_of_lengths
from rnn_harness.validation.spec_search.slot_map import SlotMap

SECONDS = 20.0
"""What the search for mistakes may take; where it is not enough, no mistake is named."""
FIRST, SINGLE, WITH_CONSTANTS = 0.2, 0.6, 0.7
"""The shares of that time after which the parts of the search end: the start, one mistake, one beside constants."""
MOST_HINTS, MOST_LAYOUTS, MOST_FIRST_MISTAKES = 8, 4, 10
"""Wrong programs that are asked which slot is which piece; layouts of the parameters in which the most slots are known;
single mistakes to which a second one is added."""


@dataclass(frozen=True)
class FaultyMatch:
    """A spec that a target equals but for mistakes.

    Attributes:
        spec: The spec, with the target's constants.
        rewrite: The program that it computes.
        table: The parameter map.
        states: The names of the target's states, in its order.
    """

    spec: Spec
    rewrite: Rewrite
    table: SlotMap
    states: tuple[str, ...]

    def diagnosis(self) -> Diagnosis:
        """Say what is wrong."""
        return rewrite_diagnosis(self.spec, _with_both_places(self.spec.program(), self.rewrite))


def _with_both_places(right: Program, rewrite: Rewrite) -> Rewrite:
    """Name both equations where one parameter stands for two: which has the wrong one, only names could tell."""
    missing = _read_symbols(right) - _read_symbols(rewrite.program)
    divided = {node.matrix for a in rewrite.program.assignments for node in walk(a.expression) if _is_of_one_part(node)}
    if len(divided) == 2 and len(rewrite.equations) == 1:
        equations = tuple(a.equation for a in right.assignments if divided & set(variables(a.expression)))
        words = f"{rewrite.sentences[0]}, or the other way round"
        return replace(rewrite, equations=equations, sentences=(words,) * len(equations))
    if len(missing) != 1 or len(rewrite.equations) != 1:
        return rewrite
    (unread,) = missing
    before, after = _readers(right), _readers(rewrite.program)
    for shared in (symbol for symbol in right.parameters if symbol.shape == unread.shape and symbol != unread):
        if len(before[unread]) == len(before[shared]) == 1 and after[shared] == before[unread] + before[shared]:
            words = f"{shared.name} stands where {unread.name} should, or {unread.name} where {shared.name} should"
            equations = tuple(dict.fromkeys((*before[unread], *before[shared])))
            return replace(rewrite, equations=equations, sentences=(words,) * len(equations))
    return rewrite


def _is_of_one_part(node: Node) -> TypeGuard[MatrixVector | VectorMatrix]:
    """Say whether a matrix multiplies one of two joined operands alone, as if the other were zero."""
    if not isinstance(node, MatrixVector | VectorMatrix) or not isinstance(node.vector, Concatenate):
        return False
    return any(isinstance(part, Multiply) and part.left == ZERO for part in node.vector.parts)


def _with_one_parameter_less(search: TargetSearch, spec: Spec) -> Iterator[tuple[_Base, Rewrite]]:
    """Yield the mistakes by which one parameter stands for two, of a target that has not enough for the spec."""
    for sized in specs_of_lengths(spec, search.probe):
        program = sized.program()
        if not search.fits_signature(program):
            continue
        before = _readers(program)
        for rewrite in rewrites(program):
            missing = _read_symbols(program) - _read_symbols(rewrite.program)
            after = _readers(rewrite.program)
            if len(missing) == 1 and any(after[symbol].total() > before[symbol].total() for symbol in before):
                parameters = tuple(symbol for symbol in rewrite.program.parameters if symbol not in missing)
                smaller = replace(rewrite.program, parameters=parameters)
                yield _Base(sized, program, {}), replace(rewrite, program=smaller)


def _with_one_bias_more(search: TargetSearch, spec: Spec) -> Iterator[tuple[_Base, Rewrite]]:
    """Yield the mistakes by which a bias is added, of a target that has one where the spec has none of its shape."""
    for sized in specs_of_lengths(spec, search.probe):
        program = sized.program()
        if search.fits_signature(program):
            for added in added_biases(program):
                rewrite = Rewrite(added.program, added.equations, added.sentences, added.cost)
                yield _Base(sized, program, {}), rewrite


def _readers(program: Program) -> dict[Variable, Counter[str]]:
    """Return how often each equation reads each parameter."""
    return {
        symbol: Counter(a.equation for a in program.assignments for read in variables(a.expression) if read == symbol)
        for symbol in program.parameters
    }


@dataclass(frozen=True)
class _Base:
    """A spec of fixed lengths and constants, and which slots of the target are which of its pieces, as far as it shows.

    Attributes:
        spec: The spec.
        program: Its program, which is rewritten.
        hints: Roles of slots.
    """

    spec: Spec
    program: Program
    hints: Hints

    @property
    def reach(self) -> int:
        """The number of slots whose role is known."""
        return max(map(len, self.hints.values()), default=0)


@dataclass(frozen=True)
class _Attempt:
    """A rewrite that a target does not equal.

    Attributes:
        base: What was rewritten.
        rewrite: The rewrite.
        reached: The roles with which it gave what the target gave.
    """

    base: _Base
    rewrite: Rewrite
    reached: Hints

    @property
    def gain(self) -> int:
        """How many more slots it explains than the spec does."""
        return max(map(len, self.reached.values()), default=0) - self.base.reach


def faulty_match(search: TargetSearch, spec: Spec, seconds: float = SECONDS) -> FaultyMatch | None:
    """Find the mistakes of a target whose parameters are not known: one, one beside other constants, then two.

    Args:
        search: The target.
        spec: The spec that it should be.
        seconds: What the search may take of the processor.
    """
    start = time.process_time()
    attempts: list[_Attempt] = []
    bases = _likely_bases(search, spec, seconds)
    search.deadline = start + SINGLE * seconds
    if not bases:
        otherwise = itertools.chain(_with_one_parameter_less(search, spec), _with_one_bias_more(search, spec))
        return _first_match(search, otherwise, False, [])
    found = _single_mistake(search, bases, attempts)
    if found is not None:
        return found
    search.deadline = start + WITH_CONSTANTS * seconds
    found = _first_match(search, _with_fitted_constants(search, bases), False, [])
    if found is not None:
        return found
    search.deadline = start + seconds
    return _first_match(search, _with_second_mistakes(attempts), True, [])


def match_without_a_parameter(search: TargetSearch, spec: Spec, seconds: float) -> FaultyMatch | None:
    """Find the mistake of a target that uses one piece of a spec nowhere; None where no single mistake leaves it so.

    Args:
        search: The target.
        spec: The spec that it may be.
        seconds: What the search may take of the processor.
    """
    start = time.process_time()
    bases = _likely_bases(search, spec, seconds)
    search.deadline = start + seconds
    return _single_mistake(search, bases, [], _leaves_a_parameter_unread)


def _leaves_a_parameter_unread(program: Program, rewrite: Rewrite) -> bool:
    return not _read_symbols(program) <= _read_symbols(rewrite.program)


def _read_symbols(program: Program) -> set[Variable]:
    """Return the parameters that a program reads."""
    read = {symbol for assignment in program.assignments for symbol in variables(assignment.expression)}
    return read & set(program.parameters)


def _likely_bases(search: TargetSearch, spec: Spec, seconds: float) -> list[_Base]:
    """Return what is rewritten: the spec with the lengths and constants that the target is likely to have."""
    search.deadline = time.process_time() + FIRST * seconds
    return _of_likely_lengths(list(_bases(search, spec)))


def _single_mistake(
    search: TargetSearch,
    bases: list[_Base],
    attempts: list[_Attempt],
    is_tried: Callable[[Program, Rewrite], bool] = lambda _program, _rewrite: True,
) -> FaultyMatch | None:
    """Return the first rewrite that a target equals, first beside what is known of its slots, then without."""
    for beside_hints in (True, False):
        # Where nothing is known of the slots, both are one.
        tried = [base for base in bases if beside_hints or base.hints]
        singles = (
            (base, rewrite) for base in tried for rewrite in rewrites(base.program) if is_tried(base.program, rewrite)
        )
        found = _first_match(search, singles, beside_hints, attempts)
        if found is not None:
            return found
    return None


def _bases(search: TargetSearch, spec: Spec) -> Iterator[_Base]:
    """Yield the spec with the lengths and the constants that the target may have."""
    for sized in specs_of_lengths(spec, search.probe):
        program = sized.program()
        if not search.fits_signature(program) or search.empty_response(program) is None:
            continue
        sized = _in_terms_of_d(sized, search.sizes(program)["d"])
        candidates = list(search.with_its_constants(sized))
        # A mistake may show where all parameters are zero, so that no constants seem to fit.
        for candidate in candidates if sized in candidates else [*candidates, sized]:
            right = candidate.program()
            yield _Base(candidate, right, _hints(search, right))


def _of_likely_lengths(bases: list[_Base]) -> list[_Base]:
    """Return those of the lengths with which the most slots are known, with all their constants, likely ones first."""
    most = max((base.reach for base in bases), default=0)
    lengths = [base.spec.model.sizes for base in bases if base.reach == most]
    return sorted((base for base in bases if base.spec.model.sizes in lengths), key=lambda base: -base.reach)


def _in_terms_of_d(spec: Spec, d: int) -> Spec:
    """Return a spec whose lengths that are d are written so: what has them can be taken for one another by mistake."""
    lengths = {name: "d" if text == str(d) else text for name, text in spec.model.sizes.items()}
    return replace(spec, model=spec.model.model_copy(update={"sizes": lengths}))


def _hints(search: TargetSearch, program: Program) -> Hints:
    """Find out which slots are which pieces: of the program, else of rewrites of it that begin as the target does."""
    best: Hints = {}
    count = 0
    with contextlib.suppress(SearchGivenUp):
        best = search.roles_in_part(program)
        for rewrite in [] if any(best.values()) else rewrites(program):
            with contextlib.suppress(KeyError, ValueError):  # what is not computed yet, or of another shape
                hints = search.roles_in_part(rewrite.program)
                count += any(hints.values())
                best = max(best, hints, key=lambda roles: max(map(len, roles.values()), default=0))
            if count == MOST_HINTS:
                break
    return _longest(best)


def _longest(hints: Hints) -> Hints:
    """Return the layouts in which the most slots are known, of every order of the states in which nearly as many are.

    Of two states that enter alike a mistake may make the wrong order the one in which more slots seem to be known.
    """
    most = max(map(len, hints.values()), default=0)
    of_orders = {order: max(len(hints[key]) for key in hints if key[1] == order) for _, order in hints}
    orders = sorted((order for order, reach in of_orders.items() if 0 < most <= 2 * reach), key=lambda o: -of_orders[o])
    kept = [
        [key for key, roles in hints.items() if key[1] == order and len(roles) == of_orders[order]] for order in orders
    ]
    return {key: hints[key] for keys in kept for key in keys[:MOST_LAYOUTS]}


def _first_match(
    search: TargetSearch,
    candidates: Iterable[tuple[_Base, Rewrite]],
    beside_hints: bool,
    attempts: list[_Attempt],
) -> FaultyMatch | None:
    """Return the first rewrite that a target equals; None where none is, or the time is over.

    With `beside_hints` what is known of the slots is taken for true, which is fast. What the others reached is
    appended to `attempts`.
    """
    for base, rewrite in candidates:
        if time.process_time() > search.deadline:
            return None
        with contextlib.suppress(SearchGivenUp, KeyError, ValueError):  # what is not computed yet, or of another shape
            # A bias that the spec lacks may stand in a parameter that is cut in no layout for the spec.
            hints = base.hints if len(rewrite.program.parameters) <= len(base.program.parameters) else {}
            trial = search.try_mistake(rewrite.program, hints, beside_hints)
            # A bias that only a wrong cell has stands somewhere, or it is right.
            if trial.match is not None and EXTRA not in trial.match[0].absent:
                table, order = trial.match
                shapes = tuple((parameter.name, parameter.shape) for parameter in base.program.parameters)
                return FaultyMatch(base.spec, rewrite, replace(table, shapes=shapes), order)
            attempts.append(_Attempt(base, rewrite, trial.reached))
    return None


def _with_fitted_constants(search: TargetSearch, bases: list[_Base]) -> Iterator[tuple[_Base, Rewrite]]:
    """Yield rewrites with the constants that the target has beside the mistake."""
    for base in bases:
        spec = base.spec
        program = spec.program()
        target, steps = search.empty_response(program), search_steps(search.probe, len(program.states))
        if target is None:
            continue
        for opening in openings(spec):
            for rewrite in rewrites(opening.program):
                if time.process_time() > search.deadline:
                    return
                for order in state_orders(program, search.probe):
                    runs = ProgramRuns(program, search.probe, order)
                    values = OpenProgram(rewrite.program, opening.usual, runs).fitted(target, steps)
                    # With the usual ones the rewrites were tried already.
                    if values is not None and values != opening.usual:
                        closed = replace(rewrite, program=closed_program(rewrite.program, values))
                        yield replace(base, spec=with_constants(opening.spec(spec), values)), closed


def _with_second_mistakes(attempts: list[_Attempt]) -> Iterator[tuple[_Base, Rewrite]]:
    """Yield programs with two mistakes: first those whose first mistake explains more slots than the spec does."""
    plain = (attempt for attempt in attempts if not holds_a_series(attempt.rewrite.program))
    likely = sorted(plain, key=lambda attempt: (-attempt.gain, attempt.rewrite.cost))
    for attempt in likely[:MOST_FIRST_MISTAKES]:
        first, base = attempt.rewrite, replace(attempt.base, hints=_longest(attempt.reached))
        for second in rewrites(first.program):
            if second.program != attempt.base.program:
                yield (
                    base,
                    replace(
                        second,
                        equations=(*first.equations, *second.equations),
                        sentences=(*first.sentences, *second.sentences),
                    ),
                )
