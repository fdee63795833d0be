"""What is asked of a torch cell in the other ways in which it is called: in training, without gradients, with some of
its arguments frozen, without a state.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.checks import Check
from rnn_harness.checks.check import Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.errors import NotRun, first_line
from rnn_harness.evaluation.evaluation import Evaluation, flat
from rnn_harness.kernels.objective import cell_parameters, kernel_of
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.validation.loading.driver import TargetDriver

_DTYPES = ("float64", "float32")


def driver_of(evaluation: Evaluation) -> TargetDriver:
    """The candidate's driver."""
    driver = kernel_of(evaluation).driver
    assert isinstance(driver, TargetDriver), "these checks are for candidates"
    return driver


def said(evaluation: Evaluation, right: bool, detail: str) -> Finding:
    """A finding that is right, or tells `detail`."""
    return Finding(evaluation.subject.spec.id, right, "" if right else detail, 0.0)


def _of_torch(evaluation: Evaluation) -> TargetDriver:
    driver = driver_of(evaluation)
    if driver.capabilities.library:
        raise NotRun(f"{driver.capabilities.library} has no such mode that the adapter sets")
    return driver


class _Fixed:
    """Gives a module that stays in training."""

    def __init__(self, module: Any) -> None:
        self.module = module
        module.eval = lambda: module

    def __call__(self, n: int, d: int) -> Any:
        return self.module


def _training(evaluation: Evaluation) -> Iterator[Finding]:
    """In training mode as in evaluation, gradients too."""
    import torch

    driver, d = _of_torch(evaluation), evaluation.arrays
    module = driver.make_module(evaluation.case.n, evaluation.case.d)
    given = getattr(module, "dropout", 0)
    layers = [one for one in module.modules() if isinstance(one, torch.nn.modules.dropout._DropoutNd)]
    if any(one.p > 0 for one in layers) or (isinstance(given, int | float) and given > 0):
        raise NotRun("it has dropout, which is random in training")
    module = module.to(getattr(torch, evaluation.case.dtype)).train()
    found = replace(driver, make_module=_Fixed(module))
    own = replace(
        evaluation.subject,
        cell=type(kernel_of(evaluation))(found, kernel_of(evaluation).reference, evaluation.case.dtype),
    )
    run = own.forward(d.parameters, d.inputs, d.states)
    outputs = np.array_equal(run.outputs, evaluation.run.outputs)
    yield said(evaluation, outputs, "in training mode the outputs are others than in evaluation")
    if driver.capabilities.no_gradients_reason:
        return
    gradients = flat(own.backward(run, d.d_outputs, d.d_finals))
    differing = [
        name for name, value in evaluation.flat_gradients.items() if not np.array_equal(value, gradients[name])
    ]
    told = f"in training mode the gradients of {', '.join(differing)} are others than in evaluation"
    yield said(evaluation, not differing, told)


def _without_gradients(evaluation: Evaluation) -> Iterator[Finding]:
    """Under torch.no_grad: bit for bit what comes with gradients, or else in the bound as well."""
    import torch

    _of_torch(evaluation)
    d = evaluation.arrays
    with torch.no_grad():
        outputs = evaluation.subject.forward(d.parameters, d.inputs, d.states).outputs
    if np.array_equal(outputs, evaluation.run.outputs):
        yield said(evaluation, True, "")
        return
    balls = np.stack([step[evaluation.subject.output_name] for step in evaluation.balls.steps])
    yield compare_with_balls(evaluation.subject.spec.id, "under torch.no_grad: output", balls, outputs)


def _frozen(evaluation: Evaluation) -> Iterator[Finding]:
    """Where only the parameters, only the inputs or only the states want gradients, these are what they were."""
    import torch

    driver, d, cell = _of_torch(evaluation), evaluation.arrays, kernel_of(evaluation)
    if driver.capabilities.no_gradients_reason:
        raise NotRun(driver.capabilities.no_gradients_reason)
    rows = []
    for free in ("parameters", "inputs", "states"):
        leaves = {
            k: cell.tensor(v, free == "parameters") for k, v in driver.table.pack(cell_parameters(evaluation)).items()
        }
        x = cell.tensor(d.inputs, free == "inputs")
        states = {
            k: cell.tensor(v, free == "states" and f"states.{k}" not in evaluation.absent) for k, v in d.states.items()
        }
        wanted = [one for one in (*leaves.values(), x, *states.values()) if one.requires_grad]
        if not wanted:
            continue
        outputs, finals = driver.run(leaves, x, states, None)
        pairs = [(outputs, d.d_outputs), *((finals[name], d.d_finals[name]) for name in finals)]
        live = [(end, cell.tensor(start, leaf=False)) for end, start in pairs if end.requires_grad]
        given: tuple[Any, ...] = (None,) * len(wanted)
        if live:
            with driver.parameters_swapped_in(leaves, x, states):
                given = torch.autograd.grad([a for a, _ in live], wanted, [b for _, b in live], allow_unused=True)
        found = {id(one): torch.zeros_like(one) if g is None else g for one, g in zip(wanted, given, strict=True)}
        own = {"inputs": to_numpy(found[id(x)])} if free == "inputs" else {}
        own |= {f"states.{k}": to_numpy(found[id(v)]) for k, v in states.items() if id(v) in found}
        if free == "parameters":
            shapes = {name: np.shape(value) for name, value in cell_parameters(evaluation).items()}
            gradient_parts = driver.table.gradients(
                {name: to_numpy(found[id(one)]) for name, one in leaves.items()}, shapes
            )
            own |= {f"parameters.{name}": parts[0] for name, parts in gradient_parts.items()}
        balls = evaluation.gradient_balls
        told = f"where the {free} alone want gradients: gradient"
        rows += [
            compare_with_balls(evaluation.subject.spec.id, f"{told} {k}", balls[k], v)
            for k, v in own.items()
            if k in balls
        ]
    yield worst_finding(rows)


def _default_state(evaluation: Evaluation) -> Iterator[Finding]:
    """Called without a state, twice: as from a state of zeros, if it can be called so."""
    import torch

    driver, how = _of_torch(evaluation), driver_of(evaluation).convention
    if how.states == 0 or how.arrangement != "rows":
        raise NotRun("it is never given a state by rows")
    cell = kernel_of(evaluation)
    x = cell.tensor(evaluation.arrays.inputs, leaf=False)
    module = driver.make_module(evaluation.case.n, evaluation.case.d).to(x.dtype).eval()
    leaves = {
        name: cell.tensor(value, leaf=False) for name, value in driver.table.pack(cell_parameters(evaluation)).items()
    }
    zeros = [torch.zeros_like(cell.tensor(evaluation.arrays.states[name], leaf=False)) for name in driver.state_names]

    def called(*given: Any) -> Any:
        return torch.func.functional_call(module, leaves, given)

    def shown(way: Any, states: list[Any]) -> list[Any]:
        outputs, last = way.call(called, x if how.sequence else x[0], states)
        return [*last, *([outputs] if outputs is not None else [])]

    with torch.no_grad():
        expected = shown(how, zeros[: how.states])
        try:
            found = [shown(replace(how, states=0), []) for _ in range(2)]
        except Exception as error:  # it wants its state: that is how most cells are
            raise NotRun(f"it is not called without a state: {first_line(error)[:100]}") from None
    right = all(
        a.shape == b.shape and torch.allclose(a, b, rtol=0, atol=SCREEN_SINGLE)
        for one in found
        for a, b in zip(expected, one, strict=True)
    )
    yield said(evaluation, right, "called without a state it does not start from zeros, as torch's own cells do")


MODES = (
    Check("behaviour.training", "kernel", applies_to_all, _training, dtypes=_DTYPES),
    Check("behaviour.no-grad", "kernel", applies_to_all, _without_gradients, dtypes=_DTYPES),
    Check("behaviour.frozen-parameters", "kernel", applies_to_all, _frozen, dtypes=_DTYPES),
    Check("behaviour.default-state", "kernel", applies_to_all, _default_state, dtypes=_DTYPES),
)
