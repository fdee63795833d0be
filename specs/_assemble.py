"""From a spec's equations to a program: targets found, shifted to time t, ordered, grouped into passes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rnn_harness.specs._elaborate import Context, ElaborationError, elaborate
from rnn_harness.specs._model import Equation, SpecModel
from rnn_harness.specs.dimensions import Dimension, Shape, parse_shape, show_shape
from rnn_harness.specs.expression import Function, Role, Variable, variables
from rnn_harness.specs.notation import Chain, Name, Tree, names, parse
from rnn_harness.specs.program import Assignment, Pass
from rnn_harness.specs.rewrite import shifted


@dataclass(frozen=True, slots=True)
class Statement:
    """``target = tree`` of one equation; `shift` is added to every time so that the target stands at t."""

    equation: str
    target: Name
    tree: Tree
    shift: int


def statements(equation: Equation, context: Context, text: str | None = None) -> tuple[Statement, ...]:
    """The assignments an equation makes: ``y = h = f`` makes two. Raises NotationError, ElaborationError."""
    found: list[Statement] = []
    for chain in parse(equation.text if text is None else text):
        found.extend(_of_chain(equation.id, chain, context))
    return tuple(found)


def _of_chain(equation: str, chain: Chain, context: Context) -> Iterable[Statement]:
    if len(chain.sides) < 2:
        raise ElaborationError("syntax", "not an equation: no '='", chain.column)
    for left, right in zip(chain.sides[-2::-1], chain.sides[:0:-1], strict=True):
        if not isinstance(left, Name):
            raise ElaborationError("syntax", "the left side is not a single symbol", chain.column)
        yield Statement(equation, left, right, -(context.denote(left).time or 0))


def base_context(model: SpecModel, layer: int | None = None) -> Context:
    """Inputs, states and parameters of a spec as a context; `layer` counts from 1."""
    shapes: dict[str, Shape] = {}
    roles: dict[str, Role] = {}
    for role, table in (
        (Role.INPUT, model.inputs),
        (Role.STATE, model.states),
        (Role.PARAMETER, model.parameters),
    ):
        for name, text in table.items():
            if layer is None or role is Role.INPUT:
                shapes[name], roles[name] = parse_shape(text), role
                continue
            below = Dimension.parse("n" if layer == 1 else "d")
            shape = tuple(below if str(size) == "m" else size for size in parse_shape(text))
            for level in {layer, layer - 1} if role is Role.STATE and layer > 1 else {layer}:
                shapes[f"{name}@{level}"], roles[f"{name}@{level}"] = shape, role
    bottom = None
    if layer == 1:
        name, text = next(iter(model.inputs.items()))
        bottom = Variable(name, parse_shape(text), 0, Role.INPUT, name)
    functions = {name: Function(value) for name, value in model.functions.items()}
    return Context(model.time, shapes, roles, functions, frozenset(model.indices), dict(model.aliases), layer, bottom)


def _label(statement: Statement, context: Context) -> str:
    what = context.denote(statement.target)
    return what.name if context.layer is None else f"{what.name}@{context.layer}"


def assign(found: tuple[Statement, ...], context: Context) -> tuple[Assignment, ...]:
    """Elaborate statements in the order of their dependencies, adding targets to the context as they come.

    Raises ElaborationError on a cycle, a symbol defined twice, a wrong shape or a look into the future.
    """
    waiting: dict[str, Statement] = {}
    for statement in found:
        label = _label(statement, context)
        if label in waiting:
            message = f"{label} is defined twice, by {waiting[label].equation} and {statement.equation}"
            raise ElaborationError("defined twice", message)
        waiting[label] = statement
    done: list[Assignment] = []
    while waiting:
        ready = [label for label, one in waiting.items() if not _needs(one, context) & (set(waiting) - {label})]
        if not ready:
            chain = ", ".join(sorted({one.equation for one in waiting.values()}))
            raise ElaborationError("cycle", f"equations {chain} need each other at the same time step")
        label = ready[0]
        done.append(_assignment(label, waiting.pop(label), context))
    return tuple(done)


def _needs(statement: Statement, context: Context) -> set[str]:
    """Labels whose value at the target's own time the right side uses."""
    needed = set()
    for name in names(statement.tree):
        what = context.denote(name)
        if (what.time or 0) + statement.shift == 0:
            level = None if context.layer is None else context.layer + (what.layer or 0)
            needed.add(what.name if level is None else f"{what.name}@{level}")
    return needed


def _assignment(label: str, statement: Statement, context: Context) -> Assignment:
    expression = shifted(elaborate(statement.tree, context), statement.shift)
    declared = context.shapes.get(label)
    if declared is not None and expression.shape and expression.shape != declared:
        message = f"{label} is declared {show_shape(declared)}, its equation gives {show_shape(expression.shape)}"
        raise ElaborationError("shape", message, statement.target.column)
    context.shapes.setdefault(label, expression.shape)
    role = context.roles.setdefault(label, Role.INTERMEDIATE)
    if role in (Role.INPUT, Role.PARAMETER):
        raise ElaborationError("syntax", f"{label} is an {role.value}, it cannot be computed")
    latex = context.denote(statement.target).latex
    if context.layer is not None:
        latex += f"^{{({context.layer})}}"
    target = Variable(label, context.shapes[label], 0, role, latex)
    return Assignment(target, expression, statement.equation)


def passes(assignments: tuple[Assignment, ...]) -> tuple[Pass, ...]:
    """Group assignments by the direction of time their recurrence takes. Raises ElaborationError ("future")."""
    directions: dict[str, int] = {}
    for one in assignments:
        for variable in variables(one.expression):
            if variable.time in (None, 0):
                continue
            if variable.role is not Role.STATE or variable.time not in (-1, 1):
                where = "the future" if (variable.time or 0) > 0 else "more than one step back"
                raise ElaborationError("future", f"{one.equation} uses {variable}, a value from {where}")
            direction = -variable.time
            if directions.setdefault(variable.name, direction) != direction:
                message = f"{one.equation}: state {variable.name} would need both its past and its future"
                raise ElaborationError("future", message)
    reach: dict[str, frozenset[int]] = {}
    for one in assignments:
        uses = [
            frozenset({directions[v.name]}) if v.time else reach.get(v.name, frozenset())
            for v in variables(one.expression)
            if v.time is not None
        ]
        reach[one.target.name] = frozenset().union(*uses)
    groups: dict[int | str, list[Assignment]] = {"first": [], 1: [], -1: [], "last": []}
    for one in assignments:
        seen = reach[one.target.name]
        key: int | str = "last" if len(seen) > 1 else next(iter(seen), "first")
        groups[key].append(one)
    recurrent = [key for key in (1, -1) if groups[key]]
    if len(recurrent) == 1 and not groups["last"]:
        groups[recurrent[0]] = list(assignments)
        groups["first"] = []
    return tuple(
        Pass(key if isinstance(key, int) else 0, _carried(group, directions, key), tuple(group))
        for key, group in groups.items()
        if group
    )


def _carried(group: list[Assignment], directions: dict[str, int], key: int | str) -> tuple[Variable, ...]:
    return tuple(one.target for one in group if directions.get(one.target.name) == key)
