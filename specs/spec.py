"""A loaded spec: its data, and the programs made from it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from rnn_harness.specs.assemble import Statement, base_context, order_assignments, statements
from rnn_harness.specs.context import Context, ElaborationError
from rnn_harness.specs.expression import Role, Variable, variables
from rnn_harness.specs.notation import NotationError, names, parse
from rnn_harness.specs.passes import group_passes
from rnn_harness.specs.program import Assignment, Program
from rnn_harness.specs.schema import Entry, Equation, ReferenceLink, SpecModel


def _unread_result(model: SpecModel, assignments: list[Assignment]) -> tuple[str, ...]:
    """Name the only result that no equation reads, if it is no state: it is what the step is for."""
    if model.layers or not set(model.states) <= {assignment.target.name for assignment in assignments}:
        return ()
    read = {variable.name for assignment in assignments for variable in variables(assignment.expression)}
    results = [assignment.target.name for assignment in assignments]
    unread = tuple(name for name in results if name not in read and name not in model.states)
    return unread if len(unread) == 1 else ()


class SpecError(ValueError):
    """A spec file that cannot be used: says the file, the line where it is known, and what was expected.

    Attributes:
        path: the file.
        line: the line at fault, from 1; None where it is not known.
        message: the fault, without its place.
    """

    def __init__(self, path: Path | str, line: int | None, message: str) -> None:
        where = f"{path}:{line}" if line else str(path)
        super().__init__(f"{where}: {message}")
        self.path, self.line, self.message = path, line, message


@dataclass(frozen=True)
class Spec:
    """The equations that define one step (or a document's other entries), with their file.

    Attributes:
        model: the content of the file.
        path: the file.
        lines: the line in the file of every entry, by id, and of ``uses``.
        used: the equations that the file takes from other specs through ``uses``.
    """

    model: SpecModel
    path: Path
    lines: dict[str, int]
    used: tuple[Equation, ...] = ()

    @property
    def id(self) -> str:
        """The permanent id."""
        return self.model.id

    @property
    def title(self) -> str:
        """The title, for the reader."""
        return self.model.title

    @property
    def is_cell(self) -> bool:
        """Whether the spec defines a step that can be run."""
        return self.model.kind == "cell"

    @property
    def reference(self) -> ReferenceLink | None:
        """The reference that computes the spec, if there is one."""
        return self.model.reference

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry of the file, equations first."""
        return self.model.entries

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The equations of the file and the used ones, alternatives included."""
        return (*self.model.equations, *self.used)

    def error(self, entry: str, error: Exception) -> SpecError:
        """Add the place in the file and in the document to an error in an equation.

        Args:
            entry: the id of the equation.
            error: the error without a place.
        """
        equation = next((equation for equation in self.equations if equation.id == entry), None)
        if equation is None:
            return SpecError(self.path, None, f"{self.id}: {error}")
        cited = f" (document {equation.document}, line {equation.line})" if equation.document else ""
        return SpecError(self.path, self.lines.get(entry), f"{entry}{cited}: {error}")

    @functools.cache  # noqa: B019 - specs live as long as the process
    def program(self, layers: int = 2) -> Program:
        """Put the step's equations into a program.

        Args:
            layers: the number of layers; it matters only for a spec written with a layer superscript.

        Raises:
            SpecError: that names the equation at fault.
        """
        if not self.is_cell:
            raise SpecError(self.path, None, f"{self.id} holds a document's other entries, not a step")
        levels = range(1, layers + 1) if self.model.layers else (None,)
        assignments: list[Assignment] = []
        try:
            for level in levels:
                context, unordered = self._statements(level)
                assignments.extend(order_assignments(unordered, context))
            grouped = group_passes(tuple(assignments))
        except ElaborationError as error:
            raise self.error(error.equation, error) from None
        targets = {assignment.target.name: assignment.target for assignment in assignments}
        last = f"@{layers}" if self.model.layers else ""
        wanted = self.model.outputs or _unread_result(self.model, assignments) or tuple(self.model.states)[:1]
        self._check_complete(tuple(assignments), [name + last for name in wanted])
        printed = {v.name: v.latex for assignment in assignments for v in variables(assignment.expression)}
        declared = [self._declared_variables(level, printed) for level in levels]
        return Program(
            self.id,
            declared[0][Role.INPUT],
            tuple(targets[v.name] for by_role in declared for v in by_role[Role.STATE]),
            tuple(v for by_role in declared for v in by_role[Role.PARAMETER]),
            tuple(targets[name + last] for name in wanted),
            grouped,
        )

    def _check_complete(self, assignments: tuple[Assignment, ...], outputs: list[str]) -> None:
        """Check that outputs and states are computed, states carried, and all symbols used. Raises SpecError."""
        targets = {assignment.target.name for assignment in assignments}
        if not outputs:
            raise SpecError(self.path, None, "no output: declare outputs or states")
        missing = [name for name in outputs if name not in targets]
        if missing:
            raise SpecError(self.path, None, f"output {', '.join(missing)} is computed by no equation")
        read = [v for assignment in assignments for v in variables(assignment.expression)]
        carried = {v.name.partition("@")[0] for v in read if v.time}
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
        for name in (*self.model.inputs, *self.model.parameters, *self.model.constants):
            if name not in used and not (self.model.layers and name in self.model.inputs):
                raise SpecError(self.path, None, f"{name} is declared, but no equation uses it")

    @functools.cache  # noqa: B019 - specs live as long as the process
    def assignment(self, equation: str) -> tuple[Assignment, ...]:
        """Elaborate one equation, which may be an alternative; in a layered spec, for the bottom layer.

        Args:
            equation: the id of the equation.

        Returns:
            The assignments it makes: two for ``y = h = ...``.

        Raises:
            SpecError: for an unknown id, or an equation that cannot be computed.
        """
        level = 1 if self.model.layers else None
        wanted = next((entry for entry in self.equations if entry.id == equation), None)
        if wanted is None:
            raise SpecError(self.path, None, f"{equation} is not an equation of {self.id}")
        context = self.context(level)
        try:
            return order_assignments(statements(wanted, context), context)
        except (ElaborationError, NotationError) as error:
            raise self.error(equation, error) from None

    def context(self, layer: int | None = None) -> Context:
        """Make a context of every symbol of the spec, intermediates included.

        Args:
            layer: the layer, from 1, in a spec with layers; the bottom one where None.

        Raises:
            SpecError: where the spec cannot be computed.
        """
        context, unordered = self._statements(1 if self.model.layers and layer is None else layer)
        try:
            order_assignments(unordered, context)
        except ElaborationError as error:
            raise self.error(error.equation, error) from None
        return context

    def _statements(self, level: int | None) -> tuple[Context, tuple[Statement, ...]]:
        """Return the declared symbols and the statements of a layer, alternatives left out. Raises SpecError."""
        context = base_context(self.model, level)
        unordered: list[Statement] = []
        for equation in self.equations:
            if equation.alternative:
                continue
            try:
                unordered.extend(statements(equation, context))
            except (NotationError, ElaborationError) as error:
                raise self.error(equation.id, error) from None
        return context, tuple(unordered)

    def _declared_variables(self, level: int | None, printed: dict[str, str]) -> dict[Role, tuple[Variable, ...]]:
        """Return inputs, states and parameters by role; `printed` is the LaTeX that the equations have for a name."""
        context = base_context(self.model, level)
        suffix = "" if level is None else f"@{level}"
        declared: dict[Role, tuple[Variable, ...]] = {}
        for role, table in (
            (Role.INPUT, self.model.inputs),
            (Role.STATE, self.model.states),
            (Role.PARAMETER, self.model.parameters),
        ):
            names = [name if role is Role.INPUT else name + suffix for name in table]
            time = None if role is Role.PARAMETER else 0
            declared[role] = tuple(Variable(n, context.shapes[n], time, role, printed.get(n, "")) for n in names)
        return declared

    def __hash__(self) -> int:
        return hash((self.model.id, self.path))
