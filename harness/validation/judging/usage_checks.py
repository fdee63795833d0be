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
from rnn_harness.checks.check import Finding, always, merge, within
from rnn_harness.errors import NotRun, Refused, first_line
from rnn_harness.evaluation.evaluation import Trial, flat
from rnn_harness.kernels.evaluation import KernelTrial
from rnn_harness.kernels.objective import kernel_of
from rnn_harness.validation.judging.torch_mode_checks import MODES, driver_of, said

HUGE = 2.0**14
_DTYPES = ("float64", "float32")


def _memory(trial: Trial) -> Iterator[Finding]:
    """The same call before and after a call with other numbers."""
    d = trial.drawn
    first = trial.subject.forward(d.parameters, d.inputs, d.states)
    other = {name: value + 1 for name, value in d.states.items() if f"states.{name}" not in trial.absent}
    trial.subject.forward(d.parameters, d.inputs - 1, {**d.states, **other})
    again = trial.subject.forward(d.parameters, d.inputs, d.states)
    right = np.array_equal(first.outputs, again.outputs)
    yield said(trial, right, "another call in between changes the outputs: a state is kept between calls")


def _state_dict(trial: Trial) -> Iterator[Finding]:
    """A second module with the first one's state_dict gives the same, bit for bit."""
    import torch

    driver, how = driver_of(trial), driver_of(trial).convention
    if driver.foreign:
        raise NotRun(f"{driver.foreign} has no state_dict")
    dtype = getattr(torch, trial.case.dtype)
    one, two = (driver.make(trial.case.n, trial.case.d).to(dtype).eval() for _ in range(2))
    if one is two:
        raise NotRun("it exists once, and is not made anew")
    try:
        two.load_state_dict(one.state_dict())
    except RuntimeError as error:
        yield said(trial, False, f"its own state_dict cannot be loaded: {first_line(error)}")
        return
    x = torch.tensor(trial.drawn.inputs, dtype=dtype)
    states = [torch.tensor(trial.drawn.states[name], dtype=dtype) for name in driver.states[: how.states]]
    shown = []
    for module in (one, two):
        with torch.no_grad():
            outputs, last = how.call(module, x if how.sequence else x[0], states)
        shown.append([*last, *([outputs] if outputs is not None else [])])
    right = all(torch.equal(a, b) for a, b in zip(*shown, strict=True))
    yield said(trial, right, "a module with the same state_dict gives other outputs: something is not in it")


def _format(trial: Trial) -> Iterator[Finding]:
    """What comes out has the dtype and the device of what went in."""
    import torch

    driver, how, d = driver_of(trial), driver_of(trial).convention, trial.drawn
    cell = kernel_of(trial)
    x = cell.tensor(d.inputs, leaf=False)
    states = [cell.tensor(d.states[name], leaf=False) for name in driver.states[: how.states]]
    module = driver.make(trial.case.n, trial.case.d).to(x.dtype).eval()
    leaves = {name: cell.tensor(value, leaf=False) for name, value in driver.table.pack(d.parameters).items()}
    with torch.no_grad():
        outputs, last = how.call(
            lambda *given: torch.func.functional_call(module, leaves, given), x if how.sequence else x[0], states
        )
    found = [*last, *([outputs] if outputs is not None else [])]
    wrong = {f"{one.dtype} on {one.device}" for one in found if one.dtype != x.dtype or one.device != x.device}
    yield said(trial, not wrong, f"{x.dtype} on {x.device} goes in, {', '.join(sorted(wrong))} comes out")


def _bounded(trial: Trial) -> bool:
    """Whether no state can grow without a limit: of the functions of its equations, none is a rectifier."""
    text = " ".join(one.printed for one in trial.subject.spec.equations)
    return "relu" not in text


def _large(trial: Trial) -> Iterator[Finding]:
    """Inputs of 16,384 times the usual size, of both signs."""
    if not _bounded(trial):
        raise NotRun("its activations have no bound, so large inputs may give what is not finite")
    d = trial.drawn
    run = trial.subject.forward(d.parameters, d.inputs * HUGE, d.states)
    yield said(trial, bool(np.isfinite(run.outputs).all()), f"inputs of {HUGE:g} times the usual size: not finite")
    with contextlib.suppress(NotRun):  # what has no gradients is judged by its outputs
        found = flat(trial.subject.backward(run, d.d_outputs, d.d_finals))
        lost = [name for name, value in found.items() if not np.isfinite(value).all()]
        told = f"inputs of {HUGE:g} times the usual size: the gradients of {', '.join(lost)} are not finite"
        yield said(trial, not lost, told)


def _contained(trial: Trial) -> Iterator[Finding]:
    """NaN, and infinity, in the first row of the batch: the other rows are what they were."""
    d = trial.drawn
    if trial.case.B < 2:
        raise NotRun("there is one row alone")
    for what, value in (("NaN", np.nan), ("infinity", np.inf)):
        inputs = d.inputs.copy()
        inputs[0, 0] = value
        with np.errstate(all="ignore"):
            outputs = trial.subject.forward(d.parameters, inputs, d.states).outputs
        right = np.allclose(outputs[:, 1:], trial.run.outputs[:, 1:], rtol=0, atol=SCREEN_SINGLE)
        yield said(trial, right, f"{what} in the first row of the batch changes other rows")


def _stepwise(trial: Trial) -> Iterator[Finding]:
    """A sequence in one call, and step by step with the states carried over: both within the bound."""
    d, how = trial.drawn, driver_of(trial).convention
    if not how.sequence:
        raise NotRun("it is called step by step in any case")
    if how.states == 0:
        raise NotRun("it takes no initial state, so steps cannot be joined")
    states, rows = dict(d.states), []
    for x in d.inputs:
        run = trial.subject.forward(d.parameters, x[None], states)
        states = run.finals
        rows.append(run.outputs[0])
    balls = np.stack([step[trial.subject.output_name] for step in trial.balls.steps])
    yield within(trial.subject.spec.id, "step by step: output", balls, np.stack(rows))


def _sizes(trial: Trial) -> Iterator[Finding]:
    """One input, one unit, one row, one step; each within the bound."""
    assert isinstance(trial, KernelTrial)
    if driver_of(trial).fixed is not None:
        raise Refused("it exists for fixed sizes alone")
    from rnn_harness.kernels.evaluation import drawn_for

    rows = []
    for change in ({"n": 1}, {"d": 1}, {"B": 1}, {"T": 1}, {"n": 1, "d": 1, "B": 1, "T": 1}):
        small = trial.on(drawn_for(trial.subject, trial.case.model_copy(update=change)))
        name = trial.subject.output_name
        balls = np.stack([step[name] for step in small.balls.steps])
        what = ", ".join(f"{key} = {value}" for key, value in change.items())
        rows.append(within(trial.subject.spec.id, f"with {what}: output", balls, small.run.outputs))
        with contextlib.suppress(NotRun):
            found = small.flat_gradients
            rows += [
                within(trial.subject.spec.id, f"with {what}: gradient {key}", value, found[key])
                for key, value in small.gradient_balls.items()
            ]
    yield merge(rows)


def _checks() -> Iterator[Check]:
    runs: dict[str, Callable[[Trial], Iterator[Finding]]] = {
        "memory": _memory,
        "state_dict": _state_dict,
        "format": _format,
        "large": _large,
        "contained": _contained,
        "stepwise": _stepwise,
        "sizes": _sizes,
    }
    for name, run in runs.items():
        yield Check(f"candidate.{name}", "kernel", always, run, dtypes=_DTYPES)


MANNERS = (*_checks(), *MODES)
FOREIGN = (
    "behaviour.autocast",
    "behaviour.gradgrad",
    "behaviour.jvp",
    "behaviour.vmap",
    "behaviour.threads",
)
"""Checks that say nothing about what is not torch's."""
SMALL = ("relation.M-36",)
"""It is about small inputs, where it needs a tanh that is exact relatively: what others promise, and what 2 s(2a) - 1
gives, is exact against 1.
"""
