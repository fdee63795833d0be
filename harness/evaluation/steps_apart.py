"""A pass from states that were seen at every step: only what waits for an unseen state is walked step by step.

Where the states before a step are known, the step needs the bound of no other one: all steps are the rows of one batch.
A state that nobody sees (an LSTM's cell state) is carried from step to step; what does not read it, the gates, is
computed for all steps before, and what no later step needs, the outputs, for all steps after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rnn_harness.arithmetic.array_ball import ArrayBallArithmetic
from rnn_harness.arithmetic.array_ball_values import ArrayBall, OpenArrayBall, joined
from rnn_harness.arithmetic.compile.generate import Key, compiled_assignments
from rnn_harness.specs.expression import Role, variables
from rnn_harness.specs.program import Assignment, Pass


@dataclass(frozen=True)
class StepParts:
    """The assignments of a pass, in their order.

    Attributes:
        before: Those that read no unseen state, nor what does.
        walked: Those that an unseen state of the next step waits for.
        after: The others.
        rows: The names of what has a row for each row of the batch; what depends on parameters alone has none.
    """

    before: tuple[Assignment, ...]
    walked: tuple[Assignment, ...]
    after: tuple[Assignment, ...]
    rows: frozenset[str]


_PARTS: dict[tuple[int, frozenset[str]], tuple[Pass, StepParts]] = {}


def step_parts(pass_: Pass, unseen: frozenset[str]) -> StepParts:
    """Take a pass apart; the same pass gives the same parts, whose functions are compiled once.

    Args:
        pass_: A pass from the first step to the last; it is recognised by identity.
        unseen: The names of the carried states that are not seen.
    """
    entry = _PARTS.get((id(pass_), unseen))
    if entry is None or entry[0] is not pass_:
        entry = (pass_, _taken_apart(pass_, unseen))
        _PARTS[id(pass_), unseen] = entry
    return entry[1]


def _taken_apart(pass_: Pass, unseen: frozenset[str]) -> StepParts:
    """Take a pass apart."""
    waiting, rows = set[str](), {state.name for state in pass_.carried}
    for assignment in pass_.assignments:
        read = tuple(variables(assignment.expression))
        if any(v.name in (waiting if v.time == 0 else unseen) for v in read):
            waiting.add(assignment.target.name)
        if any(v.role is not Role.PARAMETER and (v.name in rows or v.role is Role.INPUT) for v in read):
            rows.add(assignment.target.name)
    needed = set(unseen)
    for assignment in reversed(pass_.assignments):
        if assignment.target.name in needed:
            needed.update(v.name for v in variables(assignment.expression) if v.time == 0)
    walked = tuple(a for a in pass_.assignments if a.target.name in needed & waiting)
    chosen = {a.target.name for a in walked}
    return StepParts(
        tuple(a for a in pass_.assignments if a.target.name not in waiting),
        walked,
        tuple(a for a in pass_.assignments if a.target.name in waiting - chosen),
        frozenset(rows),
    )


@dataclass(frozen=True)
class SeenPass:
    """A pass, and what of its values is known before it is computed.

    Attributes:
        pass_: From the first step to the last.
        parameters: By name.
        inputs: By name, all steps below each other, (T B, .).
        seen: By name the states that were seen, before every step, (T B, .).
        initial: By name the states that are not seen, before the first step, (B, .).
        sizes: The named sizes.
        steps: T.
    """

    pass_: Pass
    parameters: Mapping[str, ArrayBall]
    inputs: Mapping[str, ArrayBall]
    seen: Mapping[str, ArrayBall]
    initial: Mapping[str, ArrayBall]
    sizes: Mapping[str, int]
    steps: int

    def value(self, name: str, arithmetic: ArrayBallArithmetic) -> ArrayBall:
        """Compute what the pass assigns to a symbol, (T B, .).

        Args:
            name: The symbol, which has a row for each row of the batch.
            arithmetic: The arithmetic of the known values.
        """
        parts = step_parts(self.pass_, frozenset(self.initial))
        known: dict[Key, ArrayBall | OpenArrayBall] = {(key, None): value for key, value in self.parameters.items()}
        batch = known | {(key, 0): value for key, value in self.inputs.items()}
        batch |= {(key, -1): value for key, value in self.seen.items()}
        early: dict[Key, ArrayBall] = compiled_assignments(parts.before, parts.before, self.sizes)(
            arithmetic, batch, {}
        )
        batch |= early
        batch |= self._walked(parts, known, batch, arithmetic)
        late: dict[Key, ArrayBall] = compiled_assignments(parts.after, parts.after, self.sizes)(arithmetic, batch, {})
        batch |= late
        return arithmetic.settle(batch[name, 0])

    def _walked(
        self,
        parts: StepParts,
        known: Mapping[Key, ArrayBall | OpenArrayBall],
        batch: Mapping[Key, ArrayBall | OpenArrayBall],
        arithmetic: ArrayBallArithmetic,
    ) -> dict[Key, ArrayBall]:
        """Walk the unseen states; return all that is walked, and the states before each step, for all steps."""
        run = compiled_assignments(parts.walked, parts.walked, self.sizes)
        read = _read(parts.walked) | {(name, 0) for name in self.initial}
        has_rows = {*self.inputs, *self.seen, *parts.rows}
        tables: dict[Key, list[ArrayBall]] = {}
        before = dict(self.initial)
        for t in range(self.steps):
            here = dict(known)
            for key in read & batch.keys():
                here[key] = self._at(t, arithmetic.settle(batch[key])) if key[0] in has_rows else batch[key]
            here |= {(name, -1): value for name, value in before.items()}
            computed = run(arithmetic, here, {})
            for name, value in before.items():
                tables.setdefault((name, -1), []).append(value)
            for key, value in computed.items():
                tables.setdefault(key, []).append(value)
            after = here | computed
            before = {name: arithmetic.settle(after[name, 0]) for name in before}
        return {key: joined(values) for key, values in tables.items()}

    def _at(self, t: int, value: ArrayBall) -> ArrayBall:
        """Return the rows of one step."""
        rows = value.shape[0] // self.steps
        return value[t * rows : (t + 1) * rows]


def _read(assignments: Iterable[Assignment]) -> set[Key]:
    """Return the keys of what expressions read, but for parameters."""
    read = (variable for assignment in assignments for variable in variables(assignment.expression))
    return {(variable.name, variable.time) for variable in read if variable.role is not Role.PARAMETER}
