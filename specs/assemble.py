"""Turn a spec's equations into assignments: find targets, shift to time t, order by what each needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from rnn_harness.specs.context import Context, ElaborationError
from rnn_harness.specs.dimensions import Dimension, Shape, show_shape
from rnn_harness.specs.elaborate import elaborate
from rnn_harness.specs.expression import Function, Role, Variable
from rnn_harness.specs.notation import Chain, Name, Tree, names, parse
from rnn_harness.specs.program import Assignment
from rnn_harness.specs.rewrite import shifted
from rnn_harness.specs.schema import Equation, SpecModel

_DEFINING = ("=", ":=", "\\leftarrow", "\\gets")


@dataclass(frozen=True, slots=True)
class Statement:
    """One ``target = tree`` of an equation.

    Attributes:
        equation: the id of the equation.
        target: the symbol on the left side, as printed.
        tree: the right side, as printed.
        shift: what is added to every time so that the target stands at t.
    """

    equation: str
    target: Name
    tree: Tree
    shift: int


def statements(equation: Equation, context: Context, text: str | None = None) -> tuple[Statement, ...]:
    """Split an equation into its statements: ``y = h = f`` makes two.

    Args:
        equation: the equation.
        context: the symbols it may use.
        text: LaTeX to read in place of the equation's own.

    Returns:
        The statements, in the order in which they can be computed.

    Raises:
        NotationError: for a text that cannot be read.
        ElaborationError: for a text that is no equation of a symbol.
    """
    chains = parse(equation.text if text is None else text)
    return tuple(statement for chain in chains for statement in _chain_statements(equation.id, chain, context))


def _chain_statements(equation: str, chain: Chain, context: Context) -> Iterable[Statement]:
    """Split one chain of equalities into its statements, the last equality first."""
    if len(chain.sides) < 2:
        raise ElaborationError("syntax", "not an equation: no '='", chain.column)
    for sign in chain.relations:
        if sign not in _DEFINING:
            raise ElaborationError("syntax", f"{sign} defines nothing; expected '='", chain.column)
    for target, tree in zip(chain.sides[-2::-1], chain.sides[:0:-1], strict=True):
        if not isinstance(target, Name):
            raise ElaborationError("syntax", "the left side is not a single symbol", target.column)
        symbol = context.denote(target)
        if symbol.step is not None or symbol.component is not None or symbol.transposed:
            part = "one step" if symbol.step is not None else "one entry" if symbol.component else "the transpose"
            message = f"the left side is {part} of {symbol.name}; an equation gives the whole of it, at every step"
            raise ElaborationError("syntax", message, target.column)
        yield Statement(equation, target, tree, -(symbol.time or 0))


def base_context(model: SpecModel, layer: int | None = None) -> Context:
    """Make a context of a spec's inputs, states and parameters.

    Args:
        model: the spec file.
        layer: the layer, from 1, whose symbols are declared; None for a spec without layers.
    """
    shapes: dict[str, Shape] = {}
    roles: dict[str, Role] = {}
    for role, table in (
        (Role.INPUT, model.inputs),
        (Role.STATE, model.states),
        (Role.PARAMETER, model.parameters),
    ):
        for name, text in table.items():
            if layer is None or role is Role.INPUT:
                shapes[name], roles[name] = model.shape(text), role
                continue
            below = Dimension.parse("n" if layer == 1 else "d")
            shape = tuple(below if str(size) == "m" else size for size in model.shape(text))
            for level in {layer, layer - 1} if role is Role.STATE and layer > 1 else {layer}:
                shapes[f"{name}@{level}"], roles[f"{name}@{level}"] = shape, role
    bottom = None
    if layer == 1:
        name, text = next(iter(model.inputs.items()))
        bottom = Variable(name, model.shape(text), 0, Role.INPUT, name)
    functions = {name: Function(value) for name, value in model.functions.items()}
    constants = {name: Fraction(text) for name, text in model.constants.items()}
    indices, aliases = frozenset(model.indices), dict(model.aliases)
    return Context(model.time, shapes, roles, functions, indices, aliases, layer, bottom, constants)


def _label(statement: Statement, context: Context) -> str:
    """Return the target's plain name, with its layer in a spec that has layers."""
    symbol = context.denote(statement.target)
    return symbol.name if context.layer is None else f"{symbol.name}@{context.layer}"


def order_assignments(unordered: tuple[Statement, ...], context: Context) -> tuple[Assignment, ...]:
    """Elaborate statements in the order of their dependencies, adding targets to the context as they come.

    Args:
        unordered: the statements of a spec, in any order.
        context: the symbols they may use; the targets are added to it.

    Returns:
        The assignments, each after those whose values it needs.

    Raises:
        ElaborationError: on a cycle, a symbol defined twice, a wrong shape or a look into the future.
    """
    waiting: dict[str, Statement] = {}
    for statement in unordered:
        label = _label(statement, context)
        if label in waiting:
            message = f"{label} is defined twice, by {waiting[label].equation} and {statement.equation}"
            raise ElaborationError("defined twice", message, statement.target.column, statement.equation)
        waiting[label] = statement
    needed = {label: _needs(statement, context) for label, statement in waiting.items()}
    done: list[Assignment] = []
    while waiting:
        ready = [label for label in waiting if needed[label].isdisjoint(waiting)]
        if not ready:
            raise _cycle(waiting, context)
        label = ready[0]
        statement = waiting.pop(label)
        try:
            done.append(_assignment(label, statement, context))
        except ElaborationError as error:
            error.equation = statement.equation
            raise
    return tuple(done)


def _cycle(waiting: dict[str, Statement], context: Context) -> ElaborationError:
    """Return an error that names the equations of one cycle, not those that merely wait for it."""
    path = [next(iter(waiting))]
    while path[-1] not in path[:-1]:
        path.append(min(_needs(waiting[path[-1]], context) & set(waiting)))
    circle = path[path.index(path[-1]) : -1]
    names = sorted({waiting[label].equation for label in circle})
    message = f"circular dependency of {' and '.join(names)}: each needs the others at the same time step"
    if len(circle) == 1:
        message = f"{names[0]} needs its own result, {circle[0]}, at the same time step"
    return ElaborationError("cycle", message, waiting[circle[0]].target.column, names[0])


def _needs(statement: Statement, context: Context) -> set[str]:
    """Return the labels whose value at the target's time the right side uses."""
    needed = set()
    for name in names(statement.tree):
        symbol = context.denote(name)
        if (symbol.time or 0) + statement.shift == 0:
            level = None if context.layer is None else context.layer + (symbol.layer or 0)
            needed.add(symbol.name if level is None else f"{symbol.name}@{level}")
    return needed


def _assignment(label: str, statement: Statement, context: Context) -> Assignment:
    """Elaborate one statement whose needs are met, and declare its target. Raises ElaborationError."""
    expression = shifted(elaborate(statement.tree, context), statement.shift)
    declared = context.shapes.get(label)
    if declared is not None and expression.shape != declared:
        message = f"{label} is declared {show_shape(declared)}, its equation gives {show_shape(expression.shape)}"
        raise ElaborationError("shape", message, statement.target.column)
    context.shapes.setdefault(label, expression.shape)
    role = context.roles.setdefault(label, Role.INTERMEDIATE)
    if role in (Role.INPUT, Role.PARAMETER):
        message = f"{label} is declared under {role.value}s, it cannot be computed"
        raise ElaborationError("syntax", message, statement.target.column)
    latex = context.denote(statement.target).latex
    if context.layer is not None:
        latex += f"^{{({context.layer})}}"
    target = Variable(label, context.shapes[label], 0, role, latex)
    return Assignment(target, expression, statement.equation)
