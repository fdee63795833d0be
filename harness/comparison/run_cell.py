"""A target run on numbers that were drawn elsewhere: what comes back is held against its equations there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_harness.comparison.cell_description import PlainArray
from rnn_harness.comparison.tied_cell import load_compared, tie
from rnn_harness.errors import NotRun, UsageError, named_error
from rnn_harness.kernels.setting import Setting
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.request import ValidationRequest


@dataclass(frozen=True)
class DrawnRun:
    """Numbers to run a target on, by the names of its equations.

    Attributes:
        dtype: The dtype in which it runs.
        parameters: Arrays by the names of its weights; one that is left out is zero.
        inputs: (T, B, n).
        states: The initial states (B, d).
    """

    dtype: str
    parameters: dict[str, PlainArray]
    inputs: PlainArray
    states: dict[str, PlainArray]


@dataclass(frozen=True)
class RunOutputs:
    """What a target gave.

    Attributes:
        outputs: (T, B, d), one for each run; None where it could not be run.
        reasons: Why it could not be run, one for each run; empty where it was.
    """

    outputs: tuple[PlainArray | None, ...]
    reasons: tuple[str, ...]


def run_drawn(
    request: ValidationRequest, runs: tuple[DrawnRun, ...], known_map: str = "", target: Target | None = None
) -> RunOutputs:
    """Run a target in this process.

    Args:
        request: Names it.
        runs: The numbers.
        known_map: Its parameter map as JSON, where that is known.
        target: The target itself, where it is loaded already.

    Raises:
        UsageError: It cannot be loaded or driven.
        NotRun: It was identified before, and now it is not.
    """
    tied = tie(target or load_compared(request), request, known_map)
    if tied.kernel is None:
        raise NotRun(f"it was identified, and when the same was tried again, it was not: {tied.reason}")
    outputs: list[PlainArray | None] = []
    reasons: list[str] = []
    for run in runs:
        cell = tied.kernel.subject(Setting(run.dtype, "cpu")).cell
        inputs = run.inputs.array(run.dtype)
        d = next(iter(run.states.values())).shape[1]
        parameters = {
            name: run.parameters[name].array(run.dtype) if name in run.parameters else np.zeros(shape, run.dtype)
            for name, shape in cell.parameter_shapes(inputs.shape[2], d).items()
        }
        states = {name: value.array(run.dtype) for name, value in run.states.items()}
        try:
            outputs.append(PlainArray.of(cell.forward(parameters, inputs, states).outputs.astype(np.float64)))
            reasons.append("")
        except (NotRun, UsageError) as error:
            outputs.append(None)
            reasons.append(named_error(error))
    return RunOutputs(tuple(outputs), tuple(reasons))
