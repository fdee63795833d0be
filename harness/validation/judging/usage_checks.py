"""What a candidate is asked beyond its numbers: does it keep a state between calls, which formats, which extremes?

The policy for extreme inputs: finite inputs of any size give finite states where the activations are bounded and the
equations, computed as printed, stay finite; NaN and infinity in one row of the batch reach no other row; what they do
to their own is not judged.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.arithmetic.evaluate import evaluate
from rnn_harness.arithmetic.numpy_arithmetic import NumpyArithmetic
from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.checks import Check
from rnn_harness.checks.check import Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.derivatives.backward import derive
from rnn_harness.derivatives.run_backward import differentiate
from rnn_harness.errors import NotRun, Refused, first_line
from rnn_harness.evaluation.evaluation import Evaluation, flat
from rnn_harness.kernels.objective import kernel_of
from rnn_harness.specs.expression import Apply, Function, walk
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.validation.judging.torch_mode_checks import (
    TORCH_MODE_CHECKS,
    call_results,
    candidate_driver,
    finding,
)
from rnn_harness.validation.loading.parameter_exchange import in_evaluation, own_call, with_leaves

if TYPE_CHECKING:
    from torch import Tensor

HUGE = 2.0**14
"""By how much inputs are enlarged to see whether outputs and gradients stay finite."""
_DTYPES = ("float64", "float32")


def _state_between_calls(evaluation: Evaluation) -> Iterator[Finding]:
    """Make the same call before and after a call with other numbers."""
    arrays, subject = evaluation.arrays, evaluation.subject
    first = subject.forward(arrays.parameters, arrays.inputs, arrays.states)
    changed = {name: value + 1 for name, value in arrays.states.items() if f"states.{name}" not in evaluation.absent}
    subject.forward(arrays.parameters, arrays.inputs - 1, {**arrays.states, **changed})
    last = subject.forward(arrays.parameters, arrays.inputs, arrays.states)
    is_equal = np.array_equal(first.outputs, last.outputs)
    yield finding(evaluation, is_equal, "another call in between changes the outputs: a state is kept between calls")


def _state_dict(evaluation: Evaluation) -> Iterator[Finding]:
    """Give a second module the first one's state_dict: their outputs must be equal bit for bit."""
    import torch

    driver = candidate_driver(evaluation)
    if driver.capabilities.library:
        raise NotRun(f"{driver.capabilities.library} has no state_dict")
    dtype = torch_dtype(evaluation.case.dtype)
    first, second = (
        in_evaluation(driver.make_module(evaluation.case.n, evaluation.case.d).to(dtype)) for _ in range(2)
    )
    if first is second:
        raise NotRun("it exists once, and cannot be made a second time")
    try:
        second.load_state_dict(first.state_dict())
    except RuntimeError as error:
        yield finding(evaluation, False, f"its own state_dict cannot be loaded: {first_line(error)}")
        return
    x = torch.tensor(evaluation.arrays.inputs, dtype=dtype)
    states = driver.given_states({k: torch.tensor(v, dtype=dtype) for k, v in evaluation.arrays.states.items()})
    with torch.no_grad():
        results = [call_results(driver.convention, own_call(module), x, states) for module in (first, second)]
    is_equal = all(same_numbers(a, b) for a, b in zip(*results, strict=True))
    detail = "a module with the same state_dict gives other outputs: something is not in it"
    yield finding(evaluation, is_equal, detail)


def same_numbers(first: Tensor, second: Tensor) -> bool:
    """Say whether two results are equal bit for bit, what is no number included.

    Args:
        first: A result of any shape.
        second: What it is compared with.
    """
    import torch

    return first.shape == second.shape and torch.allclose(first, second, rtol=0, atol=0, equal_nan=True)


def _formats(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare the dtype and the device of what comes out with those of what goes in."""
    import torch

    driver, arrays, cell = candidate_driver(evaluation), evaluation.arrays, kernel_of(evaluation)
    x = cell.tensor(arrays.inputs, leaf=False)
    states = driver.given_states({name: cell.tensor(value, leaf=False) for name, value in arrays.states.items()})
    module = in_evaluation(driver.make_module(evaluation.case.n, evaluation.case.d).to(x.dtype))
    leaves = {name: cell.tensor(value, leaf=False) for name, value in driver.table.pack(arrays.parameters).items()}
    with torch.no_grad():
        results = call_results(driver.convention, with_leaves(module, leaves), x, states)
    wrong = {f"{y.dtype} on {y.device}" for y in results if y.dtype != x.dtype or y.device != x.device}
    detail = f"{x.dtype} on {x.device} goes in, {', '.join(sorted(wrong))} comes out"
    yield finding(evaluation, not wrong, detail)


def _is_bounded(evaluation: Evaluation) -> bool:
    """Say whether no state can grow without a limit: none of the functions of its equations is a rectifier."""
    nodes = (node for assignment in evaluation.program.assignments for node in walk(assignment.expression))
    return not any(isinstance(node, Apply) and node.function is Function.RELU for node in nodes)


def _large_inputs(evaluation: Evaluation) -> Iterator[Finding]:
    """Enlarge the inputs, of both signs: outputs and gradients must stay finite."""
    if not _is_bounded(evaluation):
        raise NotRun("its activations have no bound, so large inputs may give what is not finite")
    arrays, where = evaluation.arrays, f"inputs of {HUGE:g} times the usual size"
    run = evaluation.subject.forward(arrays.parameters, arrays.inputs * HUGE, arrays.states)
    is_finite = bool(np.isfinite(run.outputs).all())
    if not is_finite:
        _assert_finite_as_printed(evaluation, with_gradients=False)
    yield finding(evaluation, is_finite, f"{where}: not finite")
    with contextlib.suppress(NotRun):  # a candidate without gradients is judged by its outputs
        gradients = flat(evaluation.subject.backward(run, arrays.d_outputs, arrays.d_finals))
        infinite = [name for name, value in gradients.items() if not np.isfinite(value).all()]
        if infinite:
            _assert_finite_as_printed(evaluation, with_gradients=True)
        detail = f"{where}: the gradients of {', '.join(infinite)} are not finite"
        yield finding(evaluation, not infinite, detail)


def _assert_finite_as_printed(evaluation: Evaluation, with_gradients: bool) -> None:
    """Require that the equations themselves stay finite in this dtype, computed as they are printed.

    A quotient of two gates is 0 / 0 where both vanish: whoever computes what is printed computes that.

    Raises:
        NotRun: They do not.
    """
    arrays, program = evaluation.arrays, evaluation.program
    arithmetic = NumpyArithmetic(evaluation.case.dtype)
    values = evaluation.subject.values(arrays.parameters, arrays.inputs * HUGE, arrays.states, evaluation.case.sizes)
    with np.errstate(all="ignore"):
        trajectory = evaluate(program, values, arithmetic)
        computed = [value for step in trajectory.steps for value in step.values()]
        if with_gradients:
            gradients = differentiate(derive(program), trajectory, *evaluation.spec_cotangents, arithmetic)
            computed += [*gradients.states.values(), *gradients.parameters.values()]
            computed += [value for steps in gradients.inputs.values() for value in steps]
    if not all(np.isfinite(value).all() for value in computed):
        values_in_words = "gradients" if with_gradients else "values"
        raise NotRun(
            f"the equations, computed in {evaluation.case.dtype} as they are printed, have no finite {values_in_words} "
            f"for inputs of {HUGE:g} times the usual size, either"
        )


def _non_finite_rows(evaluation: Evaluation) -> Iterator[Finding]:
    """Put NaN, then infinity, into the first row of the batch: the other rows must not change."""
    arrays = evaluation.arrays
    if evaluation.case.B < 2:
        raise NotRun("there is one row alone")
    balls = np.stack([step[evaluation.subject.output_name] for step in evaluation.balls.steps])
    for name, value in (("NaN", np.nan), ("infinity", np.inf)):
        inputs = arrays.inputs.copy()
        inputs[0, 0] = value
        with np.errstate(all="ignore"):
            outputs = evaluation.subject.forward(arrays.parameters, inputs, arrays.states).outputs
        yield compare_with_balls(
            evaluation.subject.spec.id,
            f"with {name} in the first row of the batch: output",
            balls[:, 1:],
            outputs[:, 1:],
        )


def _step_by_step(evaluation: Evaluation) -> Iterator[Finding]:
    """Run a sequence step by step, with the states carried over: it must lie within the bound as in one call."""
    arrays, convention = evaluation.arrays, candidate_driver(evaluation).convention
    if not convention.sequence:
        raise NotRun("it is called step by step in any case")
    if convention.states == 0:
        raise NotRun("it takes no initial state, so steps cannot be joined")
    if any("." in name for name in evaluation.absent):
        raise NotRun("a state cannot be given, or does not come back, so steps cannot be joined")
    states, outputs = dict(arrays.states), []
    for x in arrays.inputs:
        run = evaluation.subject.forward(arrays.parameters, x[None], states)
        states = run.finals
        outputs.append(run.outputs[0])
    balls = np.stack([step[evaluation.subject.output_name] for step in evaluation.balls.steps])
    yield compare_with_balls(evaluation.subject.spec.id, "step by step: output", balls, np.stack(outputs))


def _smallest_sizes(evaluation: Evaluation) -> Iterator[Finding]:
    """Try one input, one unit, one row, one step, and all of them at once; each must lie within the bound."""
    if evaluation.options.fixed_sizes or candidate_driver(evaluation).capabilities.fixed_sizes is not None:
        raise Refused("it exists for fixed sizes alone")
    spec, output_name = evaluation.subject.spec.id, evaluation.subject.output_name
    findings = []
    for change in ({"n": 1}, {"d": 1}, {"B": 1}, {"T": 1}, {"n": 1, "d": 1, "B": 1, "T": 1}):
        small = evaluation.on(draw_arrays(evaluation.case.model_copy(update=change), evaluation.subject))
        balls = np.stack([step[output_name] for step in small.balls.steps])
        sizes = ", ".join(f"{name} = {size}" for name, size in change.items())
        findings.append(compare_with_balls(spec, f"with {sizes}: output", balls, small.run.outputs))
        with contextlib.suppress(NotRun):
            gradients = small.flat_gradients
            findings += [
                compare_with_balls(spec, f"with {sizes}: gradient {name}", ball, gradients[name])
                for name, ball in small.gradient_balls.items()
            ]
    yield worst_finding(findings)


_RUNS: dict[str, Callable[[Evaluation], Iterator[Finding]]] = {
    "behaviour.state-between-calls": _state_between_calls,
    "behaviour.state-dict": _state_dict,
    "behaviour.formats": _formats,
    "behaviour.large-inputs": _large_inputs,
    "behaviour.non-finite-rows": _non_finite_rows,
    "behaviour.step-by-step": _step_by_step,
    "behaviour.smallest-sizes": _smallest_sizes,
}
_MAY_BE_REFUSED = ("behaviour.large-inputs", "behaviour.non-finite-rows")
"""Checks in which a candidate may refuse its inputs with an error, as one does that asks for finite numbers."""
USAGE_CHECKS = (
    *(
        Check(name, "kernel", applies_to_all, run, dtypes=_DTYPES, may_be_refused=name in _MAY_BE_REFUSED)
        for name, run in _RUNS.items()
    ),
    *TORCH_MODE_CHECKS,
)
_TORCH_ONLY_CHECKS = (
    "behaviour.autocast",
    "behaviour.gradgrad",
    "behaviour.jvp",
    "behaviour.vmap",
    "behaviour.threads",
)
# It is about small inputs, where it needs a tanh that is exact relative to its own value; what other libraries promise,
# and what 2 s(2a) - 1 gives, is exact relative to 1.
_NOT_FOR_CANDIDATES = ("metamorphic.small-signal-linearity", "precision.accumulation")
"""A candidate may add up in a narrow format: that is imprecise, and not wrong."""


def skipped_checks(library: str | None) -> tuple[str, ...]:
    """Return the kernel checks that say nothing about a candidate.

    Args:
        library: The library that it is made with; None for torch.
    """
    return (*_NOT_FOR_CANDIDATES, *(_TORCH_ONLY_CHECKS if library else ()))
