"""Group assignments into walks over time: forward for a state that reads its past, backward for its future."""

from __future__ import annotations

from collections.abc import Iterable

from rnn_harness.specs.context import ElaborationError
from rnn_harness.specs.expression import Role, Variable, variables
from rnn_harness.specs.program import Assignment, Pass

_FORWARD, _BACKWARD = 1, -1


def group_passes(assignments: tuple[Assignment, ...]) -> tuple[Pass, ...]:
    """Group assignments into as few passes as possible, each after those whose values it reads.

    Args:
        assignments: the assignments, in an order in which they can be computed at one step. A state that they read
            and do not compute binds nothing.

    Raises:
        ElaborationError: (category ``future``) for a value of another step that is no state's, or a group of states
            that would have to walk both ways.
    """
    lagged = [_lagged(assignment) for assignment in assignments]
    computed = {assignment.target.name: place for place, assignment in enumerate(assignments)}
    needs = [
        {computed[v.name] for v in variables(assignment.expression) if v.time == 0 and v.name in computed}
        for assignment in assignments
    ]
    bound = [{computed[v.name] for v in reads if v.name in computed} for reads in lagged]
    groups = _together(needs, bound)
    directions = [_direction([v for place in group for v in lagged[place]], assignments[group[0]]) for group in groups]
    return tuple(
        _build_pass(direction, [assignments[place] for place in sorted(places)], [lagged[place] for place in places])
        for direction, places in _walks(groups, directions, needs)
    )


def _lagged(assignment: Assignment) -> list[Variable]:
    """Return the states of the step before, or after, that an assignment reads. Raises ElaborationError."""
    states = []
    for variable in variables(assignment.expression):
        if variable.time in (None, 0):
            continue
        if variable.time not in (-1, 1):
            where = "the future" if (variable.time or 0) > 0 else "more than one step back"
            message = f"{assignment.equation} uses {variable}, a value from {where}"
            raise ElaborationError("future", message, equation=assignment.equation)
        if variable.role is not Role.STATE:
            value = "an input" if variable.role is Role.INPUT else "a value"
            where = "the step before" if variable.time < 0 else "the future"
            equation = assignment.equation
            message = f"{equation} uses {variable}, {value} from {where}; only what is declared a state is carried"
            raise ElaborationError("future", message, equation=equation)
        states.append(variable)
    return states


def _together(needs: list[set[int]], bound: list[set[int]]) -> list[list[int]]:
    """Return groups of places that must share a pass: each cycle of needs, and a state with its readers."""
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
    """Return the direction in which states are carried, 0 without states. Raises ElaborationError on both."""
    directions = {-(variable.time or 0) for variable in reads}
    if len(directions) > 1:
        names = ", ".join(sorted({variable.name for variable in reads}))
        message = f"{first.equation}: states {names} would need both their past and their future"
        raise ElaborationError("future", message, equation=first.equation)
    return directions.pop() if directions else 0


def _walks(groups: list[list[int]], directions: list[int], needs: list[set[int]]) -> Iterable[tuple[int, list[int]]]:
    """Put groups into passes; a group that reads both directions and walks in none gets a pass without direction."""
    home = {place: number for number, group in enumerate(groups) for place in group}
    below = [{home[n] for place in group for n in needs[place]} - {number} for number, group in enumerate(groups)]
    reach: dict[int, frozenset[int]] = {}

    def reached(number: int) -> frozenset[int]:
        """Return the directions of a group and of all groups it needs."""
        if number not in reach:
            direction = frozenset({directions[number]} - {0})
            reach[number] = direction.union(*(reached(needed) for needed in below[number]))
        return reach[number]

    remaining = list(range(len(groups)))
    done: set[int] = set()
    while remaining:
        direction, walked, taken = 0, frozenset[int](), set[int]()
        grown = True
        while grown:
            grown = False
            for number in remaining:
                if number in taken or below[number] - done - taken:
                    continue
                heading = directions[number]
                joins = heading in (0, direction) or (direction == 0 and not walked)
                if not taken or (joins and (reached(number) <= walked or (heading != 0 and direction == 0))):
                    taken.add(number)
                    direction = direction or heading
                    walked |= reached(number)
                    grown = True
        done |= taken
        remaining = [number for number in remaining if number not in taken]
        yield direction, [place for number in sorted(taken) for place in groups[number]]


def _build_pass(direction: int, members: list[Assignment], reads: list[list[Variable]]) -> Pass:
    """Build a pass of its assignments; those are carried whose value a neighbouring step reads."""
    read = {variable.name for states in reads for variable in states}
    carried = tuple(member.target for member in members if member.target.name in read)
    return Pass(direction, carried, tuple(members))
