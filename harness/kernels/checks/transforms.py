"""What torch offers around a kernel: autocast, second derivatives, vmap, forward mode; each against its own truth."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.arithmetic import evaluate
from rnn_harness.arithmetic.assumptions import (
    ABSOLUTE_FUNCTION_ROUNDINGS,
    COMPLEX_STEP,
    COMPLEX_STEP_FLOOR,
    UNDERFLOW,
    UNIT_ROUNDOFF,
)
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.arithmetic.complex_step import StepArithmetic
from rnn_harness.arithmetic.rounding import Rounding
from rnn_harness.array_types import Array
from rnn_harness.checks.backward import complex_derivative
from rnn_harness.checks.check import Check, Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.derivatives import derive, differentiate
from rnn_harness.errors import NotRun, Refused, first_line
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels.objective import Objective, cell_parameters, input_direction, kernel_of, torch_objective
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.runtime.target_call import call_subject, call_target
from rnn_harness.runtime.target_gradients import handwritten_functions
from rnn_harness.subjects.parameter_role import OUTPUT_LAYER

if TYPE_CHECKING:
    from torch import Tensor

_LACKING_ERRORS = (NotImplementedError, RuntimeError)
"""What torch raises where it has no such transformation of a kernel."""


def _refusal(transformation: str, error: Exception) -> Refused:
    """Say that torch has no such transformation of the kernel."""
    return Refused(f"{transformation}: torch refuses it: {first_line(error)[:160]}")


def _autocast(evaluation: Evaluation) -> Iterator[Finding]:
    """Run float32 numbers under autocast to bfloat16: matrix products may be shortened, nothing worse."""
    import torch

    arrays, cell = evaluation.arrays, kernel_of(evaluation)
    try:
        with torch.autocast(cell.device, dtype=torch.bfloat16):
            run = evaluation.subject.forward(arrays.parameters, arrays.inputs, arrays.states)
    except _LACKING_ERRORS as error:
        raise _refusal("autocast", error) from None
    short = UNIT_ROUNDOFF["bfloat16"]
    parts = evaluation.options.bias_parts
    allowed = Rounding(short, UNDERFLOW["bfloat16"], UNIT_ROUNDOFF["float32"], operands=short, bias_parts=parts)
    if evaluation.options.absolute_function_error:
        # A function put together out of others is computed one operation after the other, each in bfloat16.
        allowed = replace(allowed, wide=None, absolute=ABSOLUTE_FUNCTION_ROUNDINGS * short)
    balls = BallArithmetic(allowed)
    expected = evaluate(evaluation.program, evaluation.values, balls)
    name = evaluation.subject.output_name
    outputs = np.stack([step[name] for step in expected.steps])
    yield compare_with_balls(
        evaluation.subject.spec.id, f"output {name} under autocast", outputs, run.outputs.astype(np.float64)
    )


def _second_derivatives(evaluation: Evaluation) -> dict[str, Array]:
    """Differentiate every gradient along the inputs' direction, by one complex step of the derived backward."""
    arithmetic = StepArithmetic()
    moved = dict(evaluation.flat_values)
    moved["inputs"] = moved["inputs"] + 1j * COMPLEX_STEP * input_direction(evaluation)
    parameters = dict(evaluation.arrays.parameters)
    values = evaluation.subject.values(parameters, moved["inputs"], evaluation.arrays.states, evaluation.case.sizes)
    trajectory = evaluate(evaluation.program, values, arithmetic)
    d_outputs, d_finals = evaluation.spec_cotangents
    cotangents = differentiate(derive(evaluation.program), trajectory, d_outputs, d_finals, arithmetic)
    return {name: np.imag(value) / COMPLEX_STEP for name, value in evaluation.gathered(cotangents).items()}


def _gradgrad(evaluation: Evaluation) -> Iterator[Finding]:
    """Differentiate the gradient along a direction of the inputs, through torch's double backward."""
    import torch

    objective = torch_objective(evaluation)
    cell = kernel_of(evaluation)
    v = torch.tensor(input_direction(evaluation), dtype=objective.inputs.dtype, device=objective.inputs.device)
    wanted = [objective.inputs, *objective.states.values(), *objective.leaves.values()]
    try:
        with objective.parameters_swapped_in():
            scalar = objective.scalar(objective.inputs)
            (first,) = call_target(torch.autograd.grad, scalar, objective.inputs, create_graph=True)
            gradients = call_target(torch.autograd.grad, (first * v).sum(), wanted, allow_unused=True)
    except _LACKING_ERRORS as error:
        raise _refusal("a second derivative", error) from None
    if all(gradient is None for gradient in gradients):
        # torch's way to end a graph: asked with allow_unused it gives nothing instead of an error.
        raise Refused("a second derivative: the graph ends at the first one")
    second = [to_numpy(torch.zeros_like(w) if g is None else g) for w, g in zip(wanted, gradients, strict=True)]
    names = ["inputs", *(f"states.{name}" for name in objective.states)]
    rows = dict(zip(names, second, strict=False))
    by_leaf = dict(zip(objective.leaves, second[len(names) :], strict=True))
    # Without an output layer a leaf of that name is the kernel's own.
    in_top = OUTPUT_LAYER if evaluation.subject.output is not None else ()
    top = {f"parameters.{name}": by_leaf.pop(name) for name in in_top}
    shapes = {name: np.shape(value) for name, value in cell_parameters(evaluation).items()}
    gradient_parts = cell.driver.table.gradients(by_leaf, shapes)
    rows |= {f"parameters.{name}": parts[0] for name, parts in gradient_parts.items()} | top
    expected = _second_derivatives(evaluation)
    # What cancels, as where a stabiliser changes no output, is rounded as the terms are that cancel.
    largest = max(float(np.max(np.abs(value), initial=0.0)) for value in expected.values())
    finding = worst_finding(
        [_close(evaluation, f"second derivative of {name}", rows[name], expected[name], largest) for name in expected]
    )
    if not finding.agrees and cell.driver.is_candidate and (functions := handwritten_functions(scalar)):
        raise NotRun(
            f"the backward of {', '.join(functions)} is written by hand and promises no second derivatives; "
            f"those through it are silently wrong ({finding.detail}): torch.autograd.function.once_differentiable "
            "makes torch refuse them"
        )
    yield finding


def _close(evaluation: Evaluation, quantity: str, computed: Array, expected: Array, largest: float) -> Finding:
    """Compare within the complex step's floor, relative to the largest entry of all that is compared."""
    error = float(np.max(np.abs(computed - expected), initial=0.0))
    bound = COMPLEX_STEP_FLOOR * largest
    detail = "" if error <= bound else f"{quantity} is off by {error:.3g}, allowed {bound:.3g}"
    error_over_bound = 0.0 if error == 0 else error / bound if bound else float("inf")
    return Finding(evaluation.subject.spec.id, error <= bound, detail, error_over_bound, error, bound)


@functools.cache
def _load_forward_mode() -> None:
    """Let torch load its forward-mode rules, which takes seconds, before the time of a kernel counts."""
    import torch

    one = torch.ones(1)
    torch.func.jvp(torch.sigmoid, (one,), (one,))


def _tangent(objective: Objective, v: Tensor) -> float:
    """Differentiate the objective in forward mode along a direction of the inputs.

    Everything else gets a tangent of zeros: where it has none at all, torch loads its compiler to add the two. A
    module that takes nothing but plain tensors for parameters is differentiated by its inputs alone.
    """
    import torch

    others = (objective.leaves, objective.states)
    values = tuple({name: value.detach() for name, value in table.items()} for table in others)
    zeros = tuple({name: torch.zeros_like(value) for name, value in table.items()} for table in values)
    inputs = objective.inputs.detach()
    try:
        outputs, finals = call_subject(torch.func.jvp, objective.run, (inputs, *values), (v, *zeros))[1]
    except _LACKING_ERRORS:
        return float(call_subject(torch.func.jvp, objective.scalar, (inputs,), (v,))[1].detach())
    d_outputs, d_finals = objective.cotangents
    products = [outputs.detach() * d_outputs, *(finals[name].detach() * d_finals[name] for name in d_finals)]
    return float(sum(product.sum() for product in products))


def _jvp(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare torch's forward mode along a direction of the inputs with a complex step of the equations."""
    import torch

    objective = torch_objective(evaluation)
    v = torch.tensor(input_direction(evaluation), dtype=objective.inputs.dtype, device=objective.inputs.device)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, when it loads its forward-mode rules
            _load_forward_mode()
            derivative = _tangent(objective, v)
    except _LACKING_ERRORS as refusal:
        raise _refusal("forward mode", refusal) from None
    measured = complex_derivative(evaluation, {"inputs": input_direction(evaluation)})
    mass = float(np.abs(evaluation.flat_gradients["inputs"] * input_direction(evaluation)).sum())
    bound = COMPLEX_STEP_FLOOR * max(mass, abs(measured))
    error = abs(derivative - measured)
    detail = "" if error <= bound else f"torch.func.jvp gives {derivative!r}, a complex step {measured!r}"
    error_over_bound = 0.0 if error == 0 else error / bound if bound else float("inf")
    yield Finding(evaluation.subject.spec.id, error <= bound, detail, error_over_bound, error, bound)


def _vmap(evaluation: Evaluation) -> Iterator[Finding]:
    """Run two input sequences at once under torch.func.vmap, and compare the first with its own bound."""
    import torch

    objective = torch_objective(evaluation)
    both = torch.stack([objective.inputs, objective.inputs.flip(0)]).detach()
    try:
        outputs = to_numpy(call_subject(torch.func.vmap(objective.outputs), both))
    except _LACKING_ERRORS as error:
        raise _refusal("vmap", error) from None
    balls = np.stack([step[evaluation.subject.output_name] for step in evaluation.balls.steps])
    yield compare_with_balls(evaluation.subject.spec.id, "the first of two sequences under vmap", balls, outputs[0])
    if np.array_equal(outputs[0], outputs[1]):
        raise NotRun("the sequence is its own mirror image: vmap could have mixed them up unseen")


CHECKS = (
    Check("behaviour.autocast", "kernel", applies_to_all, _autocast, dtypes=("float32",), may_be_refused=True),
    Check("behaviour.gradgrad", "kernel", applies_to_all, _gradgrad, dtypes=("float64",), may_be_refused=True),
    Check("behaviour.jvp", "kernel", applies_to_all, _jvp, dtypes=("float64",), may_be_refused=True),
    Check("behaviour.vmap", "kernel", applies_to_all, _vmap, dtypes=("float64", "float32"), may_be_refused=True),
)
