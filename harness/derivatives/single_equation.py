"""One equation on its own: everything on its right side becomes an input, so that it can be judged where it stands."""

from __future__ import annotations

from rnn_harness.specs.expression import Role, Variable, variables
from rnn_harness.specs.latex import variable_latex
from rnn_harness.specs.program import Assignment, Pass, Program
from rnn_harness.specs.rewrite import substitute


def local_name(variable: Variable) -> str:
    """Return a variable's name as an input of a local program: name and time, ``h[-1]``.

    Args:
        variable: A variable that the equation reads.
    """
    return f"{variable.name}[{variable.time:+d}]" if variable.time else variable.name


_KNOWN: dict[int, tuple[Assignment, Program]] = {}


def local_program(assignment: Assignment) -> Program:
    """Build a program of one pointwise pass that computes only one assignment.

    Args:
        assignment: The equation.

    Returns:
        The program; its inputs are named by `local_name`. The same assignment gives the same object, so that what is
        compiled and derived from it is remembered.
    """
    entry = _KNOWN.get(id(assignment))
    if entry is None or entry[0] is not assignment:
        entry = (assignment, _alone(assignment))
        _KNOWN[id(assignment)] = entry
    return entry[1]


def _alone(assignment: Assignment) -> Program:
    """Turn every operand that is no parameter into an input; where there is none, the parameters themselves."""
    operands = dict.fromkeys(variables(assignment.expression))
    is_constant = all(v.role is Role.PARAMETER for v in operands)  # a gate of its bias alone: no rows would be known
    parameters = () if is_constant else tuple(v for v in operands if v.role is Role.PARAMETER)
    inputs = {
        v: Variable(local_name(v), v.shape, 0, Role.INPUT, variable_latex(v)) for v in operands if v not in parameters
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
