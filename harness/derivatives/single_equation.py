"""One equation on its own: everything on its right side becomes an input, so that it can be judged where it stands."""

from __future__ import annotations

from rnn_harness.specs.expression import Role, Variable, variables
from rnn_harness.specs.latex import variable_latex
from rnn_harness.specs.program import Assignment, Pass, Program
from rnn_harness.specs.rewrite import substitute


def local_name(variable: Variable) -> str:
    """The input's name in a local program: name and time."""
    return f"{variable.name}[{variable.time:+d}]" if variable.time else variable.name


_KNOWN: dict[int, tuple[Assignment, Program]] = {}


def local_program(assignment: Assignment) -> Program:
    """A program of one pointwise pass that computes only `assignment`; inputs are named by `local_name`.

    The same object for the same assignment, so that what is compiled and derived from it is remembered.
    """
    found = _KNOWN.get(id(assignment))
    if found is None or found[0] is not assignment:
        found = (assignment, _alone(assignment))
        _KNOWN[id(assignment)] = found
    return found[1]


def _alone(assignment: Assignment) -> Program:
    operands = dict.fromkeys(variables(assignment.expression))
    parameters = tuple(v for v in operands if v.role is Role.PARAMETER)
    inputs = {
        v: Variable(local_name(v), v.shape, 0, Role.INPUT, variable_latex(v))
        for v in operands
        if v.role is not Role.PARAMETER
    }
    target = Variable(assignment.target.name, assignment.target.shape, 0, Role.INTERMEDIATE, assignment.target.latex)
    alone = Assignment(target, substitute(assignment.expression, inputs), assignment.equation)
    return Program(
        f"{assignment.equation}:{target.name}",
        tuple(inputs.values()),
        (),
        parameters,
        (target,),
        (Pass(0, (), (alone,)),),
    )
