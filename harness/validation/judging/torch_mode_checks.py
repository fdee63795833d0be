"""A torch cell in the other ways in which it is called.

It is tried in training, without gradients, with some of its arguments frozen, and without a state.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.array_types import Array
from rnn_harness.attributes import attribute
from rnn_harness.checks import Check
from rnn_harness.checks.check import Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.errors import NotRun, first_line
from rnn_harness.evaluation.evaluation import Evaluation, flat
from rnn_harness.kernels.objective import cell_parameters, kernel_of, torch_objective
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.runtime.target_call import call_subject
from rnn_harness.runtime.target_gradients import holds_reentrant_checkpoint, target_gradients
from rnn_harness.runtime.torch_seed import seed_torch
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.loading.driver import TargetDriver
from rnn_harness.validation.loading.parameter_exchange import in_evaluation, with_leaves

_DTYPES = ("float64", "float32")


def candidate_driver(evaluation: Evaluation) -> TargetDriver:
    """Return the driver of the candidate that is evaluated.

    Args:
        evaluation: The evaluation of a candidate, never of a reference or a kernel.
    """
    driver = kernel_of(evaluation).driver
    assert isinstance(driver, TargetDriver), "these checks are for candidates"
    return driver


def finding(evaluation: Evaluation, agrees: bool, detail: str) -> Finding:
    """Make a finding that is not about a bound.

    Args:
        evaluation: What was looked at.
        agrees: Whether the candidate does as it should.
        detail: What is wrong if it does not.
    """
    return Finding(evaluation.subject.spec.id, agrees, "" if agrees else detail, 0.0)


def call_results(
    convention: CallingConvention, module: Callable[..., Any], x: Tensor, states: list[Tensor]
) -> list[Tensor]:
    """Call a module on a sequence, or on its first step if it takes single steps.

    Args:
        convention: How it is called.
        module: What is called.
        x: The inputs (T, B, n).
        states: The states (B, d) that go in.

    Returns:
        The states that come back (B, d), and the outputs (T, B, d) of a sequence.
    """
    outputs, states_after = convention.call(module, x if convention.sequence else x[0], states)
    return [*states_after, *([outputs] if outputs is not None else [])]


def _torch_driver(evaluation: Evaluation) -> TargetDriver:
    """Return the driver of a torch candidate. Raises NotRun for another library."""
    driver = candidate_driver(evaluation)
    if driver.capabilities.library:
        raise NotRun(f"{driver.capabilities.library} has no such mode that the adapter sets")
    return driver


class _InTraining:
    """Gives one module, whatever the sizes, that stays in training mode."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        module.eval = lambda: module  # type: ignore[method-assign]  # it is to stay in training mode

    def __call__(self, n: int, d: int) -> nn.Module:
        return self.module


def _has_dropout(module: nn.Module) -> bool:
    """Say whether a module draws random numbers in training."""
    probability = attribute(module, "dropout", object)
    dropout = nn.modules.dropout._DropoutNd  # noqa: SLF001  # the base of all dropout layers
    layers = [layer for layer in module.modules() if isinstance(layer, dropout)]
    return any(layer.p > 0 for layer in layers) or (isinstance(probability, int | float) and probability > 0)


def _normalises_batches(module: nn.Module) -> bool:
    """Say whether a module has batch normalisation, which takes the mean of the batch in training alone."""
    base = nn.modules.batchnorm._NormBase  # noqa: SLF001  # the base of all batch normalisation
    return any(isinstance(layer, base) and layer.track_running_stats for layer in module.modules())


def _training(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare outputs and gradients in training mode with those in evaluation mode."""
    driver, arrays, cell = _torch_driver(evaluation), evaluation.arrays, kernel_of(evaluation)
    module = driver.make_module(evaluation.case.n, evaluation.case.d)
    if _has_dropout(module):
        raise NotRun("it has dropout, which is random in training")
    if _normalises_batches(module):
        raise NotRun("it has batch normalisation, which computes something else in training")
    try:
        module = module.to(torch_dtype(evaluation.case.dtype)).train()
    except Exception as error:  # exported modules, for example, have no training mode
        raise NotRun(f"it has no training mode: {first_line(error)}") from None
    with torch.random.fork_rng(devices=[]):
        runs = []
        for seed in (2, 1, 1):
            # Every run has a module that was not called: a mask may be drawn once and kept for a whole sequence.
            making = replace(driver, make_module=_InTraining(copied_module(module)))
            subject = replace(evaluation.subject, cell=type(cell)(making, cell.reference, evaluation.case.dtype))
            seed_torch(seed)
            runs.append(subject.forward(arrays.parameters, arrays.inputs, arrays.states))
    other_numbers, same_numbers, run = runs
    is_random = not np.array_equal(run.outputs, other_numbers.outputs, equal_nan=True)
    if is_random and np.array_equal(run.outputs, same_numbers.outputs, equal_nan=True):
        raise NotRun("it is random in training; consistency.training asks it with the same random numbers")
    is_equal = np.array_equal(run.outputs, evaluation.run.outputs, equal_nan=True)
    yield finding(evaluation, is_equal, "in training mode the outputs are others than in evaluation")
    if driver.no_gradients_reason:
        return
    gradients = flat(subject.backward(run, arrays.d_outputs, arrays.d_finals))
    differing = [
        name for name, value in evaluation.flat_gradients.items() if not np.array_equal(value, gradients[name])
    ]
    detail = f"in training mode the gradients of {', '.join(differing)} are others than in evaluation"
    yield finding(evaluation, not differing, detail)


def _no_grad(evaluation: Evaluation) -> Iterator[Finding]:
    """Run it under torch.no_grad: bit for bit the same, or else within the bound as well."""
    _torch_driver(evaluation)
    arrays = evaluation.arrays
    with torch.no_grad():
        outputs = evaluation.subject.forward(arrays.parameters, arrays.inputs, arrays.states).outputs
    if np.array_equal(outputs, evaluation.run.outputs):
        yield finding(evaluation, True, "")
        return
    balls = np.stack([step[evaluation.subject.output_name] for step in evaluation.balls.steps])
    yield compare_with_balls(evaluation.subject.spec.id, "under torch.no_grad: output", balls, outputs)


def _frozen_parameters(evaluation: Evaluation) -> Iterator[Finding]:
    """Ask for the gradients of the parameters, the inputs or the states alone: each must be right without others."""
    driver = _torch_driver(evaluation)
    if driver.no_gradients_reason:
        raise NotRun(driver.no_gradients_reason)
    balls, findings = evaluation.gradient_balls, []
    for part in ("parameters", "inputs", "states"):
        where = f"where the {part} alone want gradients: gradient"
        findings += [
            compare_with_balls(evaluation.subject.spec.id, f"{where} {name}", balls[name], gradient)
            for name, gradient in _gradients_of(part, evaluation, driver).items()
            if name in balls
        ]
    worst = worst_finding(findings)
    objective = torch_objective(evaluation)
    if not worst.agrees and holds_reentrant_checkpoint([objective.outputs(objective.inputs)]):
        raise NotRun(
            "it uses torch.utils.checkpoint with use_reentrant=True, which gives its parameters no gradient unless its "
            f"input or its state wants one, as torch documents ({worst.detail}); use_reentrant=False has no such limit"
        )
    yield worst


def _gradients_of(part: str, evaluation: Evaluation, driver: TargetDriver) -> dict[str, Array]:
    """Return the gradients of one part alone, by flat name; empty if nothing of it can have one."""
    arrays, cell = evaluation.arrays, kernel_of(evaluation)
    packed = driver.table.pack(cell_parameters(evaluation))
    leaves = {name: cell.tensor(value, part == "parameters") for name, value in packed.items()}
    x = cell.tensor(arrays.inputs, part == "inputs")
    states = {
        name: cell.tensor(value, part == "states" and f"states.{name}" not in evaluation.absent)
        for name, value in arrays.states.items()
    }
    variables = [variable for variable in (*leaves.values(), x, *states.values()) if variable.requires_grad]
    if not variables:
        return {}
    outputs, finals = call_subject(driver.run, leaves, x, states, None)
    ends = [(outputs, arrays.d_outputs), *((finals[name], arrays.d_finals[name]) for name in finals)]
    pairs = [(end, cell.tensor(cotangent, leaf=False)) for end, cotangent in ends if end.requires_grad]
    computed: tuple[Tensor | None, ...] = (None,) * len(variables)
    if pairs:
        values, cotangents = [end for end, _ in pairs], [cotangent for _, cotangent in pairs]
        with driver.parameters_swapped_in(leaves, x, states):
            computed = target_gradients(values, variables, cotangents)
    gradients = {
        id(variable): to_numpy(torch.zeros_like(variable) if gradient is None else gradient)
        for variable, gradient in zip(variables, computed, strict=True)
    }
    if part == "inputs":
        return {"inputs": gradients[id(x)]}
    if part == "states":
        return {f"states.{name}": gradients[id(state)] for name, state in states.items() if id(state) in gradients}
    shapes = {name: np.shape(value) for name, value in cell_parameters(evaluation).items()}
    parts = driver.table.gradients({name: gradients[id(leaf)] for name, leaf in leaves.items()}, shapes)
    return {f"parameters.{name}": shares[0] for name, shares in parts.items()}


def _default_state(evaluation: Evaluation) -> Iterator[Finding]:
    """Call it without a state, twice: as from a state of zeros, if it can be called so."""
    driver, convention = _torch_driver(evaluation), candidate_driver(evaluation).convention
    if convention.states == 0 or not convention.takes_rows or convention.state_axes == "dB":
        raise NotRun("it is never given a state by rows")
    cell = kernel_of(evaluation)
    x = cell.tensor(evaluation.arrays.inputs, leaf=False)
    module = in_evaluation(driver.make_module(evaluation.case.n, evaluation.case.d).to(x.dtype))
    leaves = {
        name: cell.tensor(value, leaf=False) for name, value in driver.table.pack(cell_parameters(evaluation)).items()
    }
    zeros = {name: np.zeros_like(value) for name, value in evaluation.arrays.states.items()}
    from_zeros = evaluation.on(replace(evaluation.arrays, states=zeros))
    with torch.no_grad():
        try:
            without = _results_without_state(convention, with_leaves(module, leaves), x)
        except Exception as error:  # it wants its state: that is how most cells are
            raise NotRun(f"it is not called without a state: {first_line(error)[:100]}") from None
        worst = _compared_with_zeros(from_zeros, driver, without)
        if worst.agrees:
            yield worst
            return
        further = _further_numbers(module, leaves)
        learned = _results_without_state(convention, with_leaves(module, leaves | further), x) if further else []
    if further and _compared_with_zeros(from_zeros, driver, learned).agrees:
        reason = f"called without a state it starts from one that it holds: {', '.join(further)}"
        yield Finding(evaluation.subject.spec.id, True, reason, 0.0)
        return
    if further and not _are_equal(without, learned):
        names = ", ".join(further)
        raise NotRun(f"called without a state it computes with more parameters than where one is given: {names}"[:300])
    detail = f"called without a state it does not start from zeros, as torch's own cells do: {worst.detail}"
    yield replace(worst, detail=detail)


def _results_without_state(convention: CallingConvention, call: Callable[..., Any], x: Tensor) -> list[list[Tensor]]:
    """Call it without a state, twice."""
    return [call_results(replace(convention, states=0), call, x, []) for _ in range(2)]


def _are_equal(first_results: list[list[Tensor]], results: list[list[Tensor]]) -> bool:
    """Whether two pairs of calls gave the same numbers."""
    tensors = zip(itertools.chain(*first_results), itertools.chain(*results), strict=True)
    return all(torch.equal(before, after) for before, after in tensors)


def _compared_with_zeros(evaluation: Evaluation, driver: TargetDriver, results: list[list[Tensor]]) -> Finding:
    """Compare the results of every call with what the equations give from states of zeros, within the bound."""
    spec, output, steps = evaluation.subject.spec.id, evaluation.subject.output_name, evaluation.balls.steps
    convention = driver.convention
    symbols = {name: symbol for symbol, name in evaluation.subject.states.items()}
    findings = []
    for result in results:
        count = len(result) - (convention.sequence or convention.output_place is not None)
        names = driver.state_names[:count]
        expected = [(name, steps[-1 if convention.sequence else 0][symbols[name]]) for name in names]
        if count < len(result):
            outputs = [step[output] for step in steps]
            expected.append(("output", np.stack(outputs) if convention.sequence else outputs[0]))
        findings += [
            compare_with_balls(spec, f"called without a state: {name}", balls, to_numpy(value))
            for (name, balls), value in zip(expected, result, strict=True)
        ]
    return worst_finding(findings)


def _further_numbers(module: nn.Module, leaves: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give zeros for the parameters and buffers that are no part of the cell, as a learned initial state is none."""
    registered = (*module.named_parameters(), *module.named_buffers())
    return {
        name: torch.zeros_like(value) for name, value in registered if name not in leaves and value.is_floating_point()
    }


TORCH_MODE_CHECKS = (
    Check("behaviour.training", "kernel", applies_to_all, _training, dtypes=_DTYPES),
    Check("behaviour.no-grad", "kernel", applies_to_all, _no_grad, dtypes=_DTYPES),
    Check("behaviour.frozen-parameters", "kernel", applies_to_all, _frozen_parameters, dtypes=_DTYPES),
    Check("behaviour.default-state", "kernel", applies_to_all, _default_state, dtypes=_DTYPES, may_be_refused=True),
)
