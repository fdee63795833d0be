"""What is asked of somebody's cell beyond its numbers: memory between calls, formats, extreme inputs.

The policy for extreme inputs: finite inputs of any size give finite states where the activations are bounded; NaN and
infinity in one row of the batch reach no other row; what they do to their own is not judged.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.checks import Check
from rnn_harness.checks.check import Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.errors import NotRun, Refused, first_line
from rnn_harness.evaluation.evaluation import Evaluation, flat
from rnn_harness.kernels.objective import kernel_of
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.validation.judging.torch_mode_checks import MODES, driver_of, said

HUGE = 2.0**14
_DTYPES = ("float64", "float32")


def _memory(evaluation: Evaluation) -> Iterator[Finding]:
    """The same call before and after a call with other numbers."""
    d = evaluation.arrays
    first = evaluation.subject.forward(d.parameters, d.inputs, d.states)
    other = {name: value + 1 for name, value in d.states.items() if f"states.{name}" not in evaluation.absent}
    evaluation.subject.forward(d.parameters, d.inputs - 1, {**d.states, **other})
    again = evaluation.subject.forward(d.parameters, d.inputs, d.states)
    right = np.array_equal(first.outputs, again.outputs)
    yield said(evaluation, right, "another call in between changes the outputs: a state is kept between calls")


def _state_dict(evaluation: Evaluation) -> Iterator[Finding]:
    """A second module with the first one's state_dict gives the same, bit for bit."""
    import torch

    driver, how = driver_of(evaluation), driver_of(evaluation).convention
    if driver.capabilities.library:
        raise NotRun(f"{driver.capabilities.library} has no state_dict")
    dtype = getattr(torch, evaluation.case.dtype)
    one, two = (driver.make_module(evaluation.case.n, evaluation.case.d).to(dtype).eval() for _ in range(2))
    if one is two:
        raise NotRun("it exists once, and is not made anew")
    try:
        two.load_state_dict(one.state_dict())
    except RuntimeError as error:
        yield said(evaluation, False, f"its own state_dict cannot be loaded: {first_line(error)}")
        return
    x = torch.tensor(evaluation.arrays.inputs, dtype=dtype)
    states = [torch.tensor(evaluation.arrays.states[name], dtype=dtype) for name in driver.state_names[: how.states]]
    shown = []
    for module in (one, two):
        with torch.no_grad():
            outputs, last = how.call(module, x if how.sequence else x[0], states)
        shown.append([*last, *([outputs] if outputs is not None else [])])
    right = all(torch.equal(a, b) for a, b in zip(*shown, strict=True))
    yield said(evaluation, right, "a module with the same state_dict gives other outputs: something is not in it")


def _format(evaluation: Evaluation) -> Iterator[Finding]:
    """What comes out has the dtype and the device of what went in."""
    import torch

    driver, how, d = driver_of(evaluation), driver_of(evaluation).convention, evaluation.arrays
    cell = kernel_of(evaluation)
    x = cell.tensor(d.inputs, leaf=False)
    states = [cell.tensor(d.states[name], leaf=False) for name in driver.state_names[: how.states]]
    module = driver.make_module(evaluation.case.n, evaluation.case.d).to(x.dtype).eval()
    leaves = {name: cell.tensor(value, leaf=False) for name, value in driver.table.pack(d.parameters).items()}
    with torch.no_grad():
        outputs, last = how.call(
            lambda *given: torch.func.functional_call(module, leaves, given), x if how.sequence else x[0], states
        )
    found = [*last, *([outputs] if outputs is not None else [])]
    wrong = {f"{one.dtype} on {one.device}" for one in found if one.dtype != x.dtype or one.device != x.device}
    yield said(evaluation, not wrong, f"{x.dtype} on {x.device} goes in, {', '.join(sorted(wrong))} comes out")


def _bounded(evaluation: Evaluation) -> bool:
    """Whether no state can grow without a limit: of the functions of its equations, none is a rectifier."""
    text = " ".join(one.printed for one in evaluation.subject.spec.equations)
    return "relu" not in text


def _large(evaluation: Evaluation) -> Iterator[Finding]:
    """Inputs of 16,384 times the usual size, of both signs."""
    if not _bounded(evaluation):
        raise NotRun("its activations have no bound, so large inputs may give what is not finite")
    d = evaluation.arrays
    run = evaluation.subject.forward(d.parameters, d.inputs * HUGE, d.states)
    yield said(evaluation, bool(np.isfinite(run.outputs).all()), f"inputs of {HUGE:g} times the usual size: not finite")
    with contextlib.suppress(NotRun):  # what has no gradients is judged by its outputs
        found = flat(evaluation.subject.backward(run, d.d_outputs, d.d_finals))
        lost = [name for name, value in found.items() if not np.isfinite(value).all()]
        told = f"inputs of {HUGE:g} times the usual size: the gradients of {', '.join(lost)} are not finite"
        yield said(evaluation, not lost, told)


def _contained(evaluation: Evaluation) -> Iterator[Finding]:
    """NaN, and infinity, in the first row of the batch: the other rows are what they were."""
    d = evaluation.arrays
    if evaluation.case.B < 2:
        raise NotRun("there is one row alone")
    for what, value in (("NaN", np.nan), ("infinity", np.inf)):
        inputs = d.inputs.copy()
        inputs[0, 0] = value
        with np.errstate(all="ignore"):
            outputs = evaluation.subject.forward(d.parameters, inputs, d.states).outputs
        right = np.allclose(outputs[:, 1:], evaluation.run.outputs[:, 1:], rtol=0, atol=SCREEN_SINGLE)
        yield said(evaluation, right, f"{what} in the first row of the batch changes other rows")


def _stepwise(evaluation: Evaluation) -> Iterator[Finding]:
    """A sequence in one call, and step by step with the states carried over: both within the bound."""
    d, how = evaluation.arrays, driver_of(evaluation).convention
    if not how.sequence:
        raise NotRun("it is called step by step in any case")
    if how.states == 0:
        raise NotRun("it takes no initial state, so steps cannot be joined")
    states, rows = dict(d.states), []
    for x in d.inputs:
        run = evaluation.subject.forward(d.parameters, x[None], states)
        states = run.finals
        rows.append(run.outputs[0])
    balls = np.stack([step[evaluation.subject.output_name] for step in evaluation.balls.steps])
    yield compare_with_balls(evaluation.subject.spec.id, "step by step: output", balls, np.stack(rows))


def _sizes(evaluation: Evaluation) -> Iterator[Finding]:
    """One input, one unit, one row, one step; each within the bound."""
    if driver_of(evaluation).capabilities.fixed_sizes is not None:
        raise Refused("it exists for fixed sizes alone")

    rows = []
    for change in ({"n": 1}, {"d": 1}, {"B": 1}, {"T": 1}, {"n": 1, "d": 1, "B": 1, "T": 1}):
        small = evaluation.on(draw_arrays(evaluation.case.model_copy(update=change), evaluation.subject))
        name = evaluation.subject.output_name
        balls = np.stack([step[name] for step in small.balls.steps])
        what = ", ".join(f"{key} = {value}" for key, value in change.items())
        rows.append(compare_with_balls(evaluation.subject.spec.id, f"with {what}: output", balls, small.run.outputs))
        with contextlib.suppress(NotRun):
            found = small.flat_gradients
            rows += [
                compare_with_balls(evaluation.subject.spec.id, f"with {what}: gradient {key}", value, found[key])
                for key, value in small.gradient_balls.items()
            ]
    yield worst_finding(rows)


def _checks() -> Iterator[Check]:
    runs: dict[str, Callable[[Evaluation], Iterator[Finding]]] = {
        "state-between-calls": _memory,
        "state-dict": _state_dict,
        "formats": _format,
        "large-inputs": _large,
        "non-finite-rows": _contained,
        "step-by-step": _stepwise,
        "smallest-sizes": _sizes,
    }
    for name, run in runs.items():
        yield Check(f"behaviour.{name}", "kernel", applies_to_all, run, dtypes=_DTYPES)


MANNERS = (*_checks(), *MODES)
FOREIGN = (
    "behaviour.autocast",
    "behaviour.gradgrad",
    "behaviour.jvp",
    "behaviour.vmap",
    "behaviour.threads",
)
"""Checks that say nothing about what is not torch's."""
SMALL = ("metamorphic.small-signal-linearity",)
"""It is about small inputs, where it needs a tanh that is exact relatively: what others promise, and what 2 s(2a) - 1
gives, is exact against 1.
"""
