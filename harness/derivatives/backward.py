"""The derived backward of a program: size-free equations, walked against the order of time.

Names: ``bar_v`` is the cotangent of v, ``delta_v`` that of the argument of the function that gave v.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnn_harness.derivatives.reverse_mode import Contributions, contributions, propagate, through, total
from rnn_harness.specs.expression import Apply, Node, Role, Variable
from rnn_harness.specs.latex import decorated, to_latex
from rnn_harness.specs.program import Assignment, Pass, Program
from rnn_harness.specs.rewrite import replace_children


@dataclass(frozen=True)
class BackwardPass:
    """The derivative of one pass, at one step.

    `forward`: the pass. `seeded`: targets that receive a cotangent from outside. `named`: values of inner
    functions, recomputed. `statements`: the cotangents, in order; they read ``seed_v`` (what comes from outside or
    from later passes) and ``carry_v`` (from the step walked before). `carried`: what goes to the carried state at the
    next step of the walk; `into`: what goes to inputs and to values of earlier passes, at the same step;
    `parameters`: what is added to each parameter's gradient.
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
    """All passes, in the order of the backward walk (the last forward pass first)."""

    program: Program
    passes: tuple[BackwardPass, ...]

    def latex(self) -> list[str]:
        """The backward equations, one formula each."""
        lines: list[str] = []
        for one in self.passes:
            lines += [f"{to_latex(s.target)} = {to_latex(s.expression)}" for s in one.named]
            lines += [f"{to_latex(s.target)} = {to_latex(s.expression)}" for s in one.statements]
            for state, node in one.carried:
                before = cotangent(state.at(-one.forward.direction))
                lines.append(f"{to_latex(before)} \\mathrel{{+}}= {to_latex(node)}")
            for variable, node in one.into:
                lines.append(f"{to_latex(cotangent(variable))} \\mathrel{{+}}= {to_latex(node)}")
            for parameter, nodes in one.parameters:
                body = " + ".join(to_latex(node) for node in nodes)
                lines.append(f"{to_latex(cotangent(parameter))} = \\sum_t {body}")
        return lines


def cotangent(variable: Variable, prefix: str = "bar") -> Variable:
    """The cotangent of a variable, at the same time."""
    latex = variable.latex or variable.name
    if prefix == "delta":
        shown = decorated("\\delta", below=latex)
    else:
        shown = decorated(latex, "\\bar", above={"seed": "\\mathrm{out}", "carry": "\\mathrm{rec}"}.get(prefix, ""))
    return Variable(f"{prefix}_{variable.name}", variable.shape, variable.time, Role.COTANGENT, shown)


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


def _derive_pass(one: Pass, seeded: set[str]) -> BackwardPass:
    namer = _Namer()
    flat: list[Assignment] = []
    for assignment in one.assignments:
        before = len(namer.named)
        if isinstance(assignment.expression, Apply):
            inner = replace_children(assignment.expression, lambda child: namer(child, assignment.equation))  # noqa: B023
        else:
            inner = namer(assignment.expression, assignment.equation)
        flat.extend(namer.named[before:])
        flat.append(Assignment(assignment.target, inner, assignment.equation))
    carried = {state.name for state in one.carried}
    own = tuple(a.target.name for a in one.assignments if a.target.name in seeded)
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
            seed = through(expression.function, bar, target, expression.argument)
            statements.append(Assignment(delta, seed, assignment.equation))
            propagate(expression.argument, delta, collected)
        else:
            propagate(expression, bar, collected)
    pasts = [state.at(-one.direction) for state in one.carried]
    states = tuple(
        (state, total(collected.pop(past))) for state, past in zip(one.carried, pasts, strict=True) if past in collected
    )
    parameters = tuple((v, tuple(parts)) for v, parts in collected.items() if v.role is Role.PARAMETER)
    into = tuple((v, total(parts)) for v, parts in collected.items() if v.role is not Role.PARAMETER)
    return BackwardPass(one, own, tuple(namer.named), tuple(statements), states, into, parameters)


_DERIVED: dict[int, tuple[Program, Backward]] = {}


def derive(program: Program) -> Backward:
    """The backward of a program; the same object for the same program.

    Raises ValueError for a function whose derivative is not an expression (ReLU).
    """
    found = _DERIVED.get(id(program))
    if found is None or found[0] is not program:
        seeded = {output.name for output in program.outputs}
        passes = []
        for one in reversed(program.passes):
            passes.append(_derive_pass(one, seeded))
            seeded |= {variable.name for variable, _ in passes[-1].into}
        found = (program, Backward(program, tuple(passes)))
        _DERIVED[id(program)] = found
    return found[1]
