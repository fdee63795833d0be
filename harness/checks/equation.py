"""One equation by itself, without any subject: its derivative by numbers, by SymPy and by torch; its print by audit."""

from __future__ import annotations

import numpy as np
from flint import arb

from rnn_harness.arithmetic import NumpyArithmetic, Values, evaluate
from rnn_harness.arithmetic.assumptions import (
    COMPLEX_STEP,
    COMPLEX_STEP_FLOOR,
    QUOTIENT_BITS,
    QUOTIENT_FLOOR,
)
from rnn_harness.arithmetic.ball import BallArithmetic, exact
from rnn_harness.arithmetic.symbolic import NoSymbolicForm
from rnn_harness.array_types import Array
from rnn_harness.checks.check import Finding, compare_with_balls, worst_finding
from rnn_harness.derivatives import Cotangents, derive, differentiate
from rnn_harness.derivatives.proof import prove_backward
from rnn_harness.derivatives.single_equation import local_program
from rnn_harness.errors import NotRun
from rnn_harness.specs import Entry, Spec, audit_entry
from rnn_harness.specs.expression import Apply, Component, Function, Variable, walk
from rnn_harness.specs.program import Assignment, Program

SIZES = {"n": 3, "d": 4, "k": 2, "m": 3}


def _values(program: Program, seed: int) -> tuple[Values, Array]:
    """Random operands (positive where a logarithm is taken), T = 1, B = 2; and an output cotangent."""
    rng = np.random.default_rng([seed, 2])
    nodes = [node for a in program.assignments for node in walk(a.expression)]
    positive = any(isinstance(node, Apply) and node.function is Function.LOG for node in nodes)
    letters = {node.index for node in nodes if isinstance(node, Component)}

    def normal(*shape: int) -> Array:
        arrays: Array = np.asarray(rng.standard_normal(shape))
        return np.exp(arrays) if positive else arrays

    def lengths(variable: Variable) -> tuple[int, ...]:
        return tuple(size.size(SIZES) for size in variable.shape)

    # A number of a row has an axis of length one; a parameter that is one number has none.
    values = Values(
        {v.name: normal(*lengths(v)) for v in program.parameters},
        {v.name: normal(1, 2, *(lengths(v) or (1,))) for v in program.inputs},
        {},
        SIZES,
        {letter: rng.integers(0, SIZES["k"], (1, 2)) for letter in letters},
    )
    output = program.outputs[0]
    shape = tuple(size.size(SIZES) for size in output.shape) or (1,)
    return values, rng.standard_normal((1, 2, *shape))


def _flat(cotangents: Cotangents[Array]) -> dict[str, Array]:
    """Cotangents of one step by flat name."""
    rows = {f"parameter {name}": value for name, value in cotangents.parameters.items()}
    return rows | {f"operand {name}": steps[0] for name, steps in cotangents.inputs.items()}


def _parts(values: Values) -> dict[str, Array]:
    """Operands of one step by the same names."""
    rows = {f"parameter {name}": value for name, value in values.parameters.items()}
    return rows | {f"operand {name}": value[0] for name, value in values.inputs.items()}


def _moved(values: Values, parts: dict[str, Array]) -> Values:
    """The values with these operands in place of their own."""
    return Values(
        {name: parts[f"parameter {name}"] for name in values.parameters},
        {name: parts[f"operand {name}"][None] for name in values.inputs},
        {},
        values.sizes,
        values.indices,
    )


def numeric(assignment: Assignment, seed: int) -> Finding:
    """Decide the derived derivative of one equation against numbers.

    It is compared with complex steps in float64, entry by entry, and with a difference quotient of 200-bit values
    along one random direction.

    Args:
        assignment: one equation.
        seed: what the operands are drawn from.
    """
    program = local_program(assignment)
    values, cotangent = _values(program, seed)
    target = program.outputs[0].name
    plain, complex_ = NumpyArithmetic(), NumpyArithmetic(np.complex128)
    derived = _flat(differentiate(derive(program), evaluate(program, values, plain), {target: cotangent}, {}, plain))
    rows = []
    for name, value in _parts(values).items():
        for index in np.ndindex(*value.shape):
            step = np.zeros(value.shape, dtype=complex)
            step[index] = 1j * COMPLEX_STEP
            moved = _moved(values, {**_parts(values), name: value + step})
            out = evaluate(program, moved, complex_).steps[0][target]
            measured = float(np.imag((out * cotangent[0]).sum()) / COMPLEX_STEP)
            error = abs(measured - float(derived[name][index]))
            mass = float(np.abs(cotangent).sum()) * (1 + abs(measured))
            error_over_bound = error / (COMPLEX_STEP_FLOOR * mass)
            detail = f"{name}{list(index)}: derived {float(derived[name][index])!r}, complex step {measured!r}"
            agrees = error_over_bound <= 1
            rows.append(Finding(assignment.equation, agrees, "" if agrees else detail, error_over_bound, error))
    rows.append(_quotient(assignment, program, values, cotangent, seed))
    return worst_finding(rows)


def _quotient(assignment: Assignment, program: Program, values: Values, cotangent: Array, seed: int) -> Finding:
    arithmetic = BallArithmetic()
    target = program.outputs[0].name
    trajectory = evaluate(program, values, arithmetic)
    derived = _flat(differentiate(derive(program), trajectory, {target: cotangent}, {}, arithmetic))
    rng = np.random.default_rng([seed, 3])
    with arithmetic.scope():
        h = arb(2) ** -QUOTIENT_BITS
        start = {name: arithmetic.array(value) for name, value in _parts(values).items()}
        along = {name: arithmetic.array(rng.standard_normal(np.shape(value))) for name, value in start.items()}
        ends = []
        for sign in (1, -1):
            moved = _moved(values, {name: start[name] + sign * h * along[name] for name in start})
            ends.append((evaluate(program, moved, arithmetic).steps[0][target] * cotangent[0]).sum())
        quotient = (ends[0] - ends[1]) / (2 * h)
        claimed = sum((np.asarray(derived[name] * along[name]).sum() for name in start), arb(0))
        limit = exact(QUOTIENT_FLOOR) * (1 + abs(quotient))
        error_over_bound = float((abs(claimed - quotient) / limit).abs_upper())
    detail = f"derived {float(claimed.mid())!r}, difference quotient {float(quotient.mid())!r}"
    return Finding(
        assignment.equation, error_over_bound <= 1, "" if error_over_bound <= 1 else detail, error_over_bound
    )


def symbolic(assignment: Assignment) -> Finding:
    """Decide whether SymPy's Jacobian of one equation is the derived one, as polynomials, at sizes 1 and 2.

    Args:
        assignment: the equation, as one assignment of a program.

    Raises:
        NotRun: a function of the equation has no symbolic form.
    """
    count = 0
    for size in (1, 2):
        try:
            proof = prove_backward(local_program(assignment), size)
        except NoSymbolicForm as reason:
            raise NotRun(f"nothing is proved: {reason}") from None
        count += proof.identities
        if not proof.is_proved:
            return Finding(assignment.equation, False, f"at size {size}: {proof.failed} is another polynomial")
    return Finding(assignment.equation, True, f"{count} identities proved")


def torch_agrees(assignment: Assignment, seed: int) -> Finding:
    """Decide whether torch's value and autograd of one equation, in float64, lie in the balls of the derived ones.

    Args:
        assignment: the equation, as one assignment of a program.
        seed: of the values and of the cotangent.
    """
    from rnn_harness.arithmetic.torch_arithmetic import TorchArithmetic

    program = local_program(assignment)
    values, cotangent = _values(program, seed)
    target = program.outputs[0].name
    balls = BallArithmetic.of("float64")
    exact_run = evaluate(program, values, balls)
    derived = _flat(differentiate(derive(program), exact_run, {target: cotangent}, {}, balls))
    arithmetic = TorchArithmetic()
    run = evaluate(program, values, arithmetic)
    (run.steps[0][target] * arithmetic.torch.tensor(cotangent[0])).sum().backward()
    rows = [
        compare_with_balls(
            assignment.equation, target, exact_run.steps[0][target], run.steps[0][target].detach().numpy()
        )
    ]
    for name in derived:
        group, symbol = name.split(" ", 1)
        leaf = run.parameters[symbol] if group == "parameter" else run.inputs[0][symbol]
        rows.append(
            compare_with_balls(
                assignment.equation, f"torch's gradient for {name}", derived[name], arithmetic.gradient(leaf)
            )
        )
    return worst_finding(rows)


def text(spec: Spec, entry: Entry, specs: tuple[Spec, ...]) -> Finding:
    """Decide whether what the audit finds in the print is what the errata declare: no more and no less.

    Args:
        spec: the spec that the entry stands in.
        entry: what is audited.
        specs: all specs, with which the print must be consistent.
    """
    mistakes = list(audit_entry(spec, entry, specs))
    audited = {mistake.category for mistake in mistakes}
    declared = {category for erratum in entry.errata for category in erratum.finding}
    undeclared = [mistake for mistake in mistakes if mistake.category not in declared]
    unconfirmed = [erratum for erratum in entry.errata if not set(erratum.finding) & audited]
    if undeclared:
        return Finding(entry.id, False, f"no erratum declares what the audit finds: {undeclared[0].message}")
    if unconfirmed:
        return Finding(entry.id, False, f"erratum {unconfirmed[0].id} is declared, but the audit does not find it")
    return Finding(entry.id, True, "; ".join(_sentence(mistake.message, mistake.correction) for mistake in mistakes))


def _sentence(message: str, correction: str) -> str:
    return message if not correction or correction in message else f"{message}; correct: {correction}"
