"""The derived backward of a program: size-free equations, walked against the order of time.

Names: ``bar_v`` is the cotangent of v, ``delta_v`` that of the argument of the function that gave v.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnn_harness.derivatives.reverse_mode import Contributions, argument_cotangent, contributions, propagate, total
from rnn_harness.specs.expression import Apply, Node, Role, Variable
from rnn_harness.specs.latex import decorated, to_latex
from rnn_harness.specs.program import Assignment, Pass, Program
from rnn_harness.specs.rewrite import replace_children


@dataclass(frozen=True)
class BackwardPass:
    """The derivative of one pass, at one step.

    The statements read ``seed_v`` (the cotangent of v from outside or from later passes) and ``carry_v`` (from the
    step walked before).

    Attributes:
        forward: The pass.
        seeded: Targets that receive a cotangent from outside.
        named: The values of inner functions, recomputed.
        statements: The cotangents, in order.
        carried: What goes to each carried state at the next step of the walk.
        into: What goes to inputs and to values of earlier passes, at the same step.
        parameters: What is added to each parameter's gradient.
    """

    forward: Pass
    seeded: tuple[str, ...]
    named: tuple[Assignment, ...]
    statements: tuple[Assignment, ...]
    carried: tuple[tuple[Variable, Node], ...]
    into: tuple[tuple[Variable, Node], ...]
    parameters: tuple[tuple[Variable, tuple[Node, ...]], ...]


@dataclass(frozen=True)
class Backward:
    """The backward of a program.

    Attributes:
        program: The forward that it is derived from.
        passes: In the order of the backward walk, the last forward pass first.
    """

    program: Program
    passes: tuple[BackwardPass, ...]

    def latex(self) -> list[str]:
        """Return the backward equations as LaTeX, one formula each."""
        lines: list[str] = []
        for pass_ in self.passes:
            lines += [f"{to_latex(s.target)} = {to_latex(s.expression)}" for s in pass_.named]
            lines += [f"{to_latex(s.target)} = {to_latex(s.expression)}" for s in pass_.statements]
            for state, node in pass_.carried:
                before = cotangent(state.at(-pass_.forward.direction))
                lines.append(f"{to_latex(before)} \\mathrel{{+}}= {to_latex(node)}")
            for variable, node in pass_.into:
                lines.append(f"{to_latex(cotangent(variable))} \\mathrel{{+}}= {to_latex(node)}")
            for parameter, nodes in pass_.parameters:
                body = " + ".join(to_latex(node) for node in nodes)
                lines.append(f"{to_latex(cotangent(parameter))} = \\sum_t {body}")
        return lines


def cotangent(variable: Variable, prefix: str = "bar") -> Variable:
    """Return the cotangent of a variable, at the same time.

    Args:
        variable: A state, input, parameter or computed symbol of a program.
        prefix: ``bar``; ``delta`` for that of the argument of the function that gave it; ``seed`` and ``carry`` for
            what comes from outside and from the step walked before.

    Returns:
        A variable of the same shape.
    """
    latex = variable.latex or variable.name
    if prefix == "delta":
        decorated_latex = decorated("\\delta", below=latex)
    else:
        decorated_latex = decorated(
            latex, "\\bar", above={"seed": "\\mathrm{out}", "carry": "\\mathrm{rec}"}.get(prefix, "")
        )
    return Variable(f"{prefix}_{variable.name}", variable.shape, variable.time, Role.COTANGENT, decorated_latex)


class _Namer:
    """Gives every inner function application a name, so that its value is computed once."""

    def __init__(self) -> None:
        self.named: list[Assignment] = []

    def __call__(self, node: Node, equation: str) -> Node:
        node = replace_children(node, lambda child: self(child, equation))
        if not isinstance(node, Apply):
            return node
        number = len(self.named) + 1
        name = f"{node.function.value}#{number}"
        target = Variable(name, node.shape, 0, Role.INTERMEDIATE, f"q^{{({number})}}")
        self.named.append(Assignment(target, node, equation))
        return target


def _flatten(pass_: Pass, namer: _Namer) -> list[Assignment]:
    """List a pass's assignments, each preceded by those that name its inner function applications."""
    flat: list[Assignment] = []
    for assignment in pass_.assignments:
        before = len(namer.named)
        if isinstance(assignment.expression, Apply):
            inner = replace_children(assignment.expression, lambda child: namer(child, assignment.equation))  # noqa: B023
        else:
            inner = namer(assignment.expression, assignment.equation)
        flat.extend(namer.named[before:])
        flat.append(Assignment(assignment.target, inner, assignment.equation))
    return flat


def _derive_pass(pass_: Pass, seeded: set[str]) -> BackwardPass:
    """Differentiate a pass; `seeded` names the values that receive a cotangent from outside."""
    namer = _Namer()
    flat = _flatten(pass_, namer)
    carried = {state.name for state in pass_.carried}
    seeded_targets = tuple(a.target.name for a in pass_.assignments if a.target.name in seeded)
    collected: Contributions = contributions()
    statements: list[Assignment] = []
    for assignment in reversed(flat):
        target = assignment.target
        parts = collected.pop(target, [])
        if target.name in seeded:
            parts = [cotangent(target, "seed"), *parts]
        if target.name in carried:
            parts = [cotangent(target, "carry"), *parts]
        if not parts:
            continue
        bar = cotangent(target)
        statements.append(Assignment(bar, total(parts), assignment.equation))
        expression = assignment.expression
        if isinstance(expression, Apply):
            delta = cotangent(target, "delta")
            seed = argument_cotangent(expression.function, bar, target, expression.argument)
            statements.append(Assignment(delta, seed, assignment.equation))
            propagate(expression.argument, delta, collected)
        else:
            propagate(expression, bar, collected)
    pasts = [state.at(-pass_.direction) for state in pass_.carried]
    states = tuple(
        (state, total(collected.pop(past)))
        for state, past in zip(pass_.carried, pasts, strict=True)
        if past in collected
    )
    parameters = tuple((v, tuple(parts)) for v, parts in collected.items() if v.role is Role.PARAMETER)
    into = tuple((v, total(parts)) for v, parts in collected.items() if v.role is not Role.PARAMETER)
    return BackwardPass(pass_, seeded_targets, tuple(namer.named), tuple(statements), states, into, parameters)


_DERIVED: dict[int, tuple[Program, Backward]] = {}


def derive(program: Program) -> Backward:
    """Derive the backward of a program; the same program gives the same object.

    Args:
        program: The forward: one step, or one after the other.

    Returns:
        The backward equations, free of sizes.

    Raises:
        ValueError: The derivative of a function is not an expression.
    """
    entry = _DERIVED.get(id(program))
    if entry is None or entry[0] is not program:
        seeded = {output.name for output in program.outputs}
        passes = []
        for pass_ in reversed(program.passes):
            passes.append(_derive_pass(pass_, seeded))
            seeded |= {variable.name for variable, _ in passes[-1].into}
        entry = (program, Backward(program, tuple(passes)))
        _DERIVED[id(program)] = entry
    return entry[1]
