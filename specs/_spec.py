"""A loaded spec: its data, and the programs made from it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from rnn_harness.specs._assemble import Statement, assign, base_context, passes, statements
from rnn_harness.specs._elaborate import Context, ElaborationError
from rnn_harness.specs._model import Entry, Equation, ReferenceLink, SpecModel
from rnn_harness.specs.expression import Role, Variable
from rnn_harness.specs.notation import NotationError
from rnn_harness.specs.program import Assignment, Program


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
        cited = f" (document {found.document}, line {found.line})" if found and found.document else ""
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
        for level in levels:
            context, found = self._statements(level)
            try:
                assignments.extend(assign(found, context))
            except ElaborationError as error:
                raise self._blame(found, error) from None
        try:
            grouped = passes(tuple(assignments))
        except ElaborationError as error:
            raise SpecError(self.path, None, f"{self.id}: {error}") from None
        targets = {one.target.name: one.target for one in assignments}
        declared = [self._variables(level) for level in levels]
        states = tuple(targets[v.name] for group in declared for v in group[1] if v.name in targets)
        last = f"@{layers}" if self.model.layers else ""
        wanted = self.model.outputs or tuple(self.model.states)[:1]
        missing = [name for name in wanted if name + last not in targets]
        if missing:
            raise SpecError(self.path, None, f"output {', '.join(missing)} is computed by no equation")
        return Program(
            self.id,
            declared[0][0],
            states,
            tuple(v for group in declared for v in group[2]),
            tuple(targets[name + last] for name in wanted),
            grouped,
        )

    @functools.cache  # noqa: B019 - specs live as long as the process
    def assignment(self, equation: str) -> tuple[Assignment, ...]:
        """That one equation elaborated, alternatives too (two assignments for ``y = h = ...``).

        In a layered spec, for the bottom layer. Raises SpecError.
        """
        level = 1 if self.model.layers else None
        context, found = self._statements(level)
        try:
            assign(found, context)
            wanted = next((one for one in self.equations if one.id == equation), None)
            if wanted is None:
                raise SpecError(self.path, None, f"{equation} is not an equation of {self.id}")
            own = statements(wanted, context)
            return assign(own, context)
        except (ElaborationError, NotationError) as error:
            raise self.error(equation, error) from None

    def context(self, layer: int | None = None) -> Context:
        """Every symbol of the spec, intermediates included. Raises SpecError."""
        context, found = self._statements(1 if self.model.layers and layer is None else layer)
        try:
            assign(found, context)
        except ElaborationError as error:
            raise self._blame(found, error) from None
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

    def _blame(self, found: tuple[Statement, ...], error: ElaborationError) -> SpecError:
        """Find the equation an elaboration error belongs to by elaborating one more at a time."""
        context = base_context(self.model, 1 if self.model.layers else None)
        for size in range(1, len(found) + 1):
            try:
                assign(found[:size], base_context(self.model, context.layer))
            except ElaborationError as one:
                if str(one) == str(error):
                    return self.error(found[size - 1].equation, error)
        return SpecError(self.path, None, str(error))

    def _variables(self, level: int | None) -> tuple[tuple[Variable, ...], ...]:
        context = base_context(self.model, level)
        suffix = "" if level is None else f"@{level}"
        rows = []
        for role, table in (
            (Role.INPUT, self.model.inputs),
            (Role.STATE, self.model.states),
            (Role.PARAMETER, self.model.parameters),
        ):
            end = "" if role is Role.INPUT else suffix
            time = None if role is Role.PARAMETER else 0
            rows.append(tuple(Variable(f"{n}{end}", context.shapes[f"{n}{end}"], time, role, n) for n in table))
        return tuple(rows)

    def __hash__(self) -> int:
        return hash((self.model.id, self.path))
