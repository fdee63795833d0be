"""Assignments grouped into walks over time: forward for a state that reads its past, backward for its future."""

from __future__ import annotations

from collections.abc import Iterable

from rnn_harness.specs.context import ElaborationError
from rnn_harness.specs.expression import Role, Variable, variables
from rnn_harness.specs.program import Assignment, Pass

_FORWARD, _BACKWARD = 1, -1


def passes(assignments: tuple[Assignment, ...]) -> tuple[Pass, ...]:
    """As few passes as possible, in an order in which each finds what it reads.

    `assignments` are in an order in which they can be computed at one step. Raises ElaborationError ("future") for a
    value of another step that is no state's, or a group of states that would have to walk both ways. A state that is
    read but computed by none of `assignments` binds nothing.
    """
    lagged = [_lagged(one) for one in assignments]
    computed = {one.target.name: place for place, one in enumerate(assignments)}
    needs = [
        {computed[v.name] for v in variables(one.expression) if v.time == 0 and v.name in computed}
        for one in assignments
    ]
    bound = [{computed[v.name] for v in reads if v.name in computed} for reads in lagged]
    groups = _together(needs, bound)
    directions = [_direction([v for place in group for v in lagged[place]], assignments[group[0]]) for group in groups]
    return tuple(
        _make(direction, [assignments[place] for place in sorted(places)], [lagged[place] for place in places])
        for direction, places in _walks(groups, directions, needs)
    )


def _lagged(one: Assignment) -> list[Variable]:
    """The states of the step before, or after, that an assignment reads."""
    found = []
    for variable in variables(one.expression):
        if variable.time in (None, 0):
            continue
        if variable.time not in (-1, 1):
            where = "the future" if (variable.time or 0) > 0 else "more than one step back"
            message = f"{one.equation} uses {variable}, a value from {where}"
            raise ElaborationError("future", message, equation=one.equation)
        if variable.role is not Role.STATE:
            what = "an input" if variable.role is Role.INPUT else "a value"
            where = "the step before" if variable.time < 0 else "the future"
            message = f"{one.equation} uses {variable}, {what} from {where}; only what is declared a state is carried"
            raise ElaborationError("future", message, equation=one.equation)
        found.append(variable)
    return found


def _together(needs: list[set[int]], bound: list[set[int]]) -> list[list[int]]:
    """Assignments that must share a pass, by place: each cycle of needs, and the readers of a state with the state."""
    count = len(needs)
    reach = [set(needs[i] | bound[i]) for i in range(count)]
    for reader, states in enumerate(bound):
        for state in states:
            reach[state].add(reader)
    for middle in range(count):
        for start in range(count):
            if middle in reach[start]:
                reach[start] |= reach[middle]
    groups: list[list[int]] = []
    for place in range(count):
        mates = next((group for group in groups if place in reach[group[0]] and group[0] in reach[place]), None)
        if mates is None:
            groups.append([place])
        else:
            mates.append(place)
    return groups


def _direction(reads: list[Variable], first: Assignment) -> int:
    found = {-(variable.time or 0) for variable in reads}
    if len(found) > 1:
        names = ", ".join(sorted({variable.name for variable in reads}))
        message = f"{first.equation}: states {names} would need both their past and their future"
        raise ElaborationError("future", message, equation=first.equation)
    return found.pop() if found else 0


def _walks(groups: list[list[int]], directions: list[int], needs: list[set[int]]) -> Iterable[tuple[int, list[int]]]:
    """Groups put into passes; what reads both directions and walks in none gets a pass of its own, without any."""
    home = {place: number for number, group in enumerate(groups) for place in group}
    below = [{home[n] for place in group for n in needs[place]} - {number} for number, group in enumerate(groups)]
    reach: dict[int, frozenset[int]] = {}

    def reached(number: int) -> frozenset[int]:
        """The directions of everything a group rests on, its own included."""
        if number not in reach:
            own = frozenset({directions[number]} - {0})
            reach[number] = own.union(*(reached(other) for other in below[number]))
        return reach[number]

    left = list(range(len(groups)))
    done: set[int] = set()
    while left:
        direction, walked, taken = 0, frozenset[int](), set[int]()
        grown = True
        while grown:
            grown = False
            for number in left:
                if number in taken or below[number] - done - taken:
                    continue
                own = directions[number]
                joins = own in (0, direction) or (direction == 0 and not walked)
                if not taken or (joins and (reached(number) <= walked or (own != 0 and direction == 0))):
                    taken.add(number)
                    direction = direction or own
                    walked |= reached(number)
                    grown = True
        done |= taken
        left = [number for number in left if number not in taken]
        yield direction, [place for number in sorted(taken) for place in groups[number]]


def _make(direction: int, members: list[Assignment], reads: list[list[Variable]]) -> Pass:
    carried = {variable.name for one in reads for variable in one}
    return Pass(direction, tuple(one.target for one in members if one.target.name in carried), tuple(members))
