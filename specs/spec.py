"""A loaded spec: its data, and the programs made from it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from rnn_harness.specs.assemble import Statement, assign, base_context, statements
from rnn_harness.specs.context import Context, ElaborationError
from rnn_harness.specs.expression import Role, Variable, variables
from rnn_harness.specs.notation import NotationError, names, parse
from rnn_harness.specs.passes import passes
from rnn_harness.specs.program import Assignment, Program
from rnn_harness.specs.schema import Entry, Equation, ReferenceLink, SpecModel


class SpecError(ValueError):
    """A spec file that cannot be used: says the file, the line where it is known, and what was expected."""

    def __init__(self, path: Path | str, line: int | None, message: str) -> None:
        where = f"{path}:{line}" if line else str(path)
        super().__init__(f"{where}: {message}")
        self.path, self.line, self.message = path, line, message


@dataclass(frozen=True)
class Spec:
    """The equations that define one step (or a document's other entries), with their file."""

    model: SpecModel
    path: Path
    lines: dict[str, int]
    used: tuple[Equation, ...] = ()

    @property
    def id(self) -> str:
        return self.model.id

    @property
    def title(self) -> str:
        return self.model.title

    @property
    def is_cell(self) -> bool:
        """Whether the spec defines a step that can be run."""
        return self.model.kind == "cell"

    @property
    def reference(self) -> ReferenceLink | None:
        return self.model.reference

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.model.entries

    @property
    def equations(self) -> tuple[Equation, ...]:
        """Its own equations and the used ones, alternatives included."""
        return (*self.model.equations, *self.used)

    def error(self, entry: str, error: Exception) -> SpecError:
        """`error` in the equation `entry`, with its place in the file and in the document."""
        found = next((one for one in self.equations if one.id == entry), None)
        if found is None:
            return SpecError(self.path, None, f"{self.id}: {error}")
        cited = f" (document {found.document}, line {found.line})" if found.document else ""
        return SpecError(self.path, self.lines.get(entry), f"{entry}{cited}: {error}")

    @functools.cache  # noqa: B019 - specs live as long as the process
    def program(self, layers: int = 2) -> Program:
        """The step as a program; `layers` matters only for a spec written with a layer superscript.

        Raises SpecError that names the equation at fault.
        """
        if not self.is_cell:
            raise SpecError(self.path, None, f"{self.id} holds a document's other entries, not a step")
        levels = range(1, layers + 1) if self.model.layers else (None,)
        assignments: list[Assignment] = []
        try:
            for level in levels:
                context, found = self._statements(level)
                assignments.extend(assign(found, context))
            grouped = passes(tuple(assignments))
        except ElaborationError as error:
            raise self.error(error.equation, error) from None
        targets = {one.target.name: one.target for one in assignments}
        last = f"@{layers}" if self.model.layers else ""
        wanted = self.model.outputs or tuple(self.model.states)[:1]
        self._check_complete(tuple(assignments), [name + last for name in wanted])
        shown = {v.name: v.latex for one in assignments for v in variables(one.expression)}
        declared = [self._variables(level, shown) for level in levels]
        return Program(
            self.id,
            declared[0][0],
            tuple(targets[v.name] for group in declared for v in group[1]),
            tuple(v for group in declared for v in group[2]),
            tuple(targets[name + last] for name in wanted),
            grouped,
        )

    def _check_complete(self, assignments: tuple[Assignment, ...], outputs: list[str]) -> None:
        """Outputs and states are computed, states carried, everything declared used. Raises SpecError."""
        targets = {one.target.name for one in assignments}
        if not outputs:
            raise SpecError(self.path, None, "no output: declare outputs or states")
        missing = [name for name in outputs if name not in targets]
        if missing:
            raise SpecError(self.path, None, f"output {', '.join(missing)} is computed by no equation")
        carried = {v.name.partition("@")[0] for one in assignments for v in variables(one.expression) if v.time}
        computed = {name.partition("@")[0] for name in targets}
        context = base_context(self.model)
        parsed = [chain for equation in self.equations for chain in parse(equation.text)]
        used = {context.denote(name).name for chain in parsed for side in chain.sides for name in names(side)}
        for name in self.model.states:
            if name not in computed:
                raise SpecError(self.path, None, f"state {name} is computed by no equation")
            if name not in carried:
                message = f"state {name}: no equation reads it from another step, so it is no state; leave it out"
                raise SpecError(self.path, None, message)
        for name in (*self.model.inputs, *self.model.parameters):
            if name not in used and not (self.model.layers and name in self.model.inputs):
                raise SpecError(self.path, None, f"{name} is declared, but no equation uses it")

    @functools.cache  # noqa: B019 - specs live as long as the process
    def assignment(self, equation: str) -> tuple[Assignment, ...]:
        """That one equation elaborated, alternatives too (two assignments for ``y = h = ...``).

        In a layered spec, for the bottom layer. Raises SpecError.
        """
        level = 1 if self.model.layers else None
        wanted = next((one for one in self.equations if one.id == equation), None)
        if wanted is None:
            raise SpecError(self.path, None, f"{equation} is not an equation of {self.id}")
        context = self.context(level)
        try:
            return assign(statements(wanted, context), context)
        except (ElaborationError, NotationError) as error:
            raise self.error(equation, error) from None

    def context(self, layer: int | None = None) -> Context:
        """Every symbol of the spec, intermediates included. Raises SpecError."""
        context, found = self._statements(1 if self.model.layers and layer is None else layer)
        try:
            assign(found, context)
        except ElaborationError as error:
            raise self.error(error.equation, error) from None
        return context

    def _statements(self, level: int | None) -> tuple[Context, tuple[Statement, ...]]:
        context = base_context(self.model, level)
        found: list[Statement] = []
        for equation in self.equations:
            if equation.alternative:
                continue
            try:
                found.extend(statements(equation, context))
            except (NotationError, ElaborationError) as error:
                raise self.error(equation.id, error) from None
        return context, tuple(found)

    def _variables(self, level: int | None, shown: dict[str, str]) -> tuple[tuple[Variable, ...], ...]:
        """Inputs, states and parameters as declared; `shown`: how the equations print them."""
        context = base_context(self.model, level)
        suffix = "" if level is None else f"@{level}"
        rows = []
        for role, table in (
            (Role.INPUT, self.model.inputs),
            (Role.STATE, self.model.states),
            (Role.PARAMETER, self.model.parameters),
        ):
            names = [name if role is Role.INPUT else name + suffix for name in table]
            time = None if role is Role.PARAMETER else 0
            rows.append(tuple(Variable(n, context.shapes[n], time, role, shown.get(n, "")) for n in names))
        return tuple(rows)

    def __hash__(self) -> int:
        return hash((self.model.id, self.path))
