"""The decay of a candidate's gradient with the weights that its constructor draws, over some seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN
from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.candidate_steps import CandidateSteps
from rnn_harness.benchmarks.decay.decay import decay_curve
from rnn_harness.benchmarks.decay.equation_steps import EquationSteps
from rnn_harness.benchmarks.decay.jacobian_product import CHECKED_STEPS
from rnn_harness.benchmarks.decay.measure import INPUT_SIZE, MeasuredSeed, decay_measurement
from rnn_harness.benchmarks.decay.step_jacobian import CellSteps
from rnn_harness.comparison.apply_rules import parameter_shapes
from rnn_harness.comparison.describe_cell import unpacked
from rnn_harness.comparison.own_decay import candidate_driver, widest_dtype
from rnn_harness.comparison.tied_cell import TiedCell, load_compared, tie
from rnn_harness.errors import NotRun, UsageError, named_error
from rnn_harness.kernels.driver_protocol import Driver
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.records.measurement import BY_CONSTRUCTOR, DecayMeasurement
from rnn_harness.runtime.torch_seed import seed_torch
from rnn_harness.specs import Spec
from rnn_harness.validation.request import ValidationRequest


@dataclass(frozen=True)
class _CandidateCode:
    """What runs a candidate.

    Attributes:
        driver: Runs it, from given states.
        widths: The size of every state by its name, that of the output first.
        dtype: The dtype in which it runs.
    """

    driver: Driver
    widths: Mapping[str, int]
    dtype: str


def measure_decay_of_candidate(
    request: ValidationRequest,
    steps: int,
    hidden_size: int,
    seeds: int,
    check_interrupt: Callable[[], None] = lambda: None,
) -> DecayMeasurement:
    """Measure the decay of a candidate in this process, which is a worker.

    The Jacobians are its own vector-Jacobian products where it has them, else those of its equations; which of the two
    the measurement says. An unknown cell has its own alone.

    Args:
        request: Names it.
        steps: The number T of time steps.
        hidden_size: The number d of units, where it can have any.
        seeds: How many seeds, from 0 on, for the weights of its constructor and for the inputs.
        check_interrupt: Called after every seed.

    Raises:
        UsageError: It cannot be loaded or driven.
        NotRun: It has neither gradients nor equations, or its gradient reaches no state.
    """
    tied = tie(load_compared(request), request)
    n, d = tied.target.capabilities.fixed_sizes or (INPUT_SIZE, hidden_size)
    code, reason = _candidate_code(tied, n, d)
    spec = tied.equations()
    measured, count, is_alike = [], 0, True
    for seed in range(seeds):
        seed_torch(seed)
        drawn = _drawn(tied, n, d)
        count = sum(value.size for value in drawn.values())
        by_equations = None if spec is None else _equation_steps(tied, spec, drawn, n, d)
        own_steps = None if code is None else _own_steps(code, drawn)
        used = own_steps or by_equations
        if used is None:
            raise NotRun(reason)
        curve = decay_curve(used, n, steps, seed)
        if tied.match is None or tied.match.model.family != "lstm":
            curve = replace(curve, cell_norms=None)  # what the state holds beside the output differs from cell to cell
        measured.append(MeasuredSeed(curve, True, None))
        if own_steps is not None and by_equations is not None and _is_exact(tied, code):
            is_alike = is_alike and _pull_back_alike(own_steps, by_equations, n, seed)
        check_interrupt()
    measurement = decay_measurement(
        request.target, tied.spec_name, BY_CONSTRUCTOR, {"n": n, "d": d, "T": steps}, count, measured
    )
    if code is None:
        return measurement.model_copy(update={"jacobians": "equations", "jacobians_note": reason})
    note = "" if is_alike else f"they are not those of its equations: rnn-harness validate {request.target} judges them"
    details = {"jacobians": "candidate", "jacobians_note": note, "dtype": code.dtype}
    return measurement.model_copy(update=details)


def _candidate_code(tied: TiedCell, n: int, d: int) -> tuple[_CandidateCode | None, str]:
    """Return what runs a candidate with gradients; where it cannot be, None and why."""
    try:
        driver, widths = candidate_driver(tied, n, d)
        code = _CandidateCode(driver, widths, widest_dtype(tied))
        steps = _own_steps(code, _drawn(tied, n, d))
        steps.run(np.zeros((1, n)), np.zeros(steps.state_size))
        steps.pull_back(0, np.eye(2, steps.state_size))
    except NotRun as reason:
        return None, str(reason)
    except (UsageError, RuntimeError, ValueError, TypeError) as error:
        return None, named_error(error)
    return code, ""


def _drawn(tied: TiedCell, n: int, d: int) -> dict[str, Array]:
    """Return weights as the constructor draws them, by the candidate's own names."""
    module = tied.target.make_module(n, d)
    return {name: to_numpy(value.detach()).astype(np.float64) for name, value in module.named_parameters()}


def _own_steps(code: _CandidateCode, drawn: Mapping[str, Array]) -> CandidateSteps:
    """Return the steps of a candidate's own code."""
    import torch

    leaves = {name: torch.tensor(value, dtype=torch_dtype(code.dtype)) for name, value in drawn.items()}
    return CandidateSteps(code.driver, leaves, code.widths, code.dtype)


def _equation_steps(tied: TiedCell, spec: Spec, drawn: Mapping[str, Array], n: int, d: int) -> EquationSteps:
    """Return the steps of a candidate's equations, with its weights."""
    sizes = {"n": n, "d": d}
    weights = unpacked(tied, dict(drawn), n, d)
    shapes = parameter_shapes(spec.program(), sizes)
    return EquationSteps(spec, {name: weights.get(name, np.zeros(shape)) for name, shape in shapes.items()}, sizes)


def _is_exact(tied: TiedCell, code: _CandidateCode | None) -> bool:
    """Say whether a candidate computes in float64 throughout, so that its Jacobians can be held against others."""
    assert tied.kernel is not None, "what is unknown has no equations"
    rounds_more = tied.kernel.absolute_function_error or tied.kernel.is_single_inside
    return code is not None and code.dtype == "float64" and not rounds_more


def _pull_back_alike(first: CellSteps, second: CellSteps, n: int, seed: int) -> bool:
    """Decide whether two pull random adjoints back alike, over a few steps from a state of zero."""
    rng = np.random.default_rng([seed, 7])
    inputs = rng.standard_normal((CHECKED_STEPS, n))
    for steps in (first, second):
        steps.run(inputs, np.zeros(steps.state_size))
    for t in range(CHECKED_STEPS):
        adjoints = rng.standard_normal((2, first.state_size))
        expected = second.pull_back(t, adjoints)
        if np.abs(first.pull_back(t, adjoints) - expected).max() > SCREEN * np.abs(expected).max():
            return False
    return True
