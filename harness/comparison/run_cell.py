"""A target run on numbers that were drawn elsewhere: what comes back is held against its equations there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.array_types import Array
from rnn_harness.comparison.inputs_side_by_side import input_width
from rnn_harness.comparison.padded_cell import PaddedCellOutputs, padded_cell_outputs
from rnn_harness.comparison.tied_cell import TiedCell, load_compared, tie
from rnn_harness.errors import NotRun, UsageError, named_error
from rnn_harness.kernels.setting import Setting
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.references import get_reference
from rnn_harness.runtime.plain_array import PlainArray
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
        lengths: The lengths of the rows with which it is run once more, from states of zero and with inputs that are
            zero past the end of each row; empty where that is not wanted.
    """

    dtype: str
    parameters: dict[str, PlainArray]
    inputs: PlainArray
    states: dict[str, PlainArray]
    lengths: tuple[int, ...] = ()

    def padded(self) -> DrawnRun:
        """Return the same with zeros past the end of each row."""
        return replace(self, inputs=PlainArray.of(padded_inputs(self.inputs.array(), self.lengths)))


@dataclass(frozen=True)
class OwnRun:
    """Weights of a target's own to run it with, as one layer of a stack in one direction.

    Attributes:
        dtype: The dtype in which it runs.
        weights: Arrays by the target's names.
        inputs: (T, B, n); None where it reads what other runs gave.
        hidden_size: d.
        reads: The places of these runs, all of them earlier; what they gave is put side by side.
        is_reverse: Whether it reads from the end; what it gives is put into the order of time.
    """

    dtype: str
    weights: dict[str, Array]
    inputs: Array | None
    hidden_size: int
    reads: tuple[int, ...] = ()
    is_reverse: bool = False

    def read(self, outputs: Sequence[Array]) -> Array:
        """Return what it reads, (T, B, n), in the order of time.

        Args:
            outputs: What the earlier runs gave, (T, B, d) each.
        """
        return self.inputs if self.inputs is not None else np.concatenate([outputs[place] for place in self.reads], 2)


@dataclass(frozen=True)
class RunOutputs:
    """What a target gave.

    Attributes:
        outputs: (T, B, d) in the order of time, one for each run; None where it could not be run.
        reasons: Why it could not be run, one for each run; empty where it was.
        padded: What it gave for rows of several lengths; None where that was not wanted.
    """

    outputs: tuple[PlainArray | None, ...]
    reasons: tuple[str, ...]
    padded: PaddedCellOutputs | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all arrays have as many numbers as their shape says."""
        of_rows = () if self.padded is None else (self.padded.outputs, *self.padded.finals.values())
        return all(array is None or array.is_whole for array in (*self.outputs, *of_rows))


def padded_inputs(inputs: Array, lengths: tuple[int, ...]) -> Array:
    """Return inputs with zeros past the end of each row.

    Args:
        inputs: (T, B, n).
        lengths: The lengths of the rows.
    """
    padded = np.array(inputs)
    for row, length in enumerate(lengths):
        padded[length:, row] = 0
    return padded


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
    padded: PaddedCellOutputs | None = None
    for run in runs:
        cell = tied.kernel.subject(Setting(run.dtype, "cpu")).cell
        inputs = run.inputs.array(run.dtype)
        d = next(iter(run.states.values())).shape[1]
        parameters = {
            name: run.parameters[name].array(run.dtype) if name in run.parameters else np.zeros(shape, run.dtype)
            for name, shape in cell.parameter_shapes(_input_width(tied, inputs.shape[2]), d).items()
        }
        states = {name: value.array(run.dtype) for name, value in run.states.items()}
        try:
            outputs.append(PlainArray.of(cell.forward(parameters, inputs, states).outputs.astype(np.float64)))
            reasons.append("")
        except (NotRun, UsageError) as error:
            outputs.append(None)
            reasons.append(named_error(error))
            continue
        if run.lengths:
            padded = padded_cell_outputs(tied, run.padded(), parameters)
    return RunOutputs(tuple(outputs), tuple(reasons), padded)


def _input_width(tied: TiedCell, width: int) -> int:
    """Return n of the equations of a target, whose inputs may lie side by side."""
    return width if tied.candidate is None else input_width(tied.candidate.spec.program(), width)


def run_own(
    request: ValidationRequest, runs: tuple[OwnRun, ...], known_map: str, target: Target | None = None
) -> RunOutputs:
    """Run a target with weights of its own, from states of zero, in this process.

    Args:
        request: Names it.
        runs: The weights and the inputs.
        known_map: Its parameter map as JSON.
        target: The target itself, where it is loaded already.

    Raises:
        UsageError: It cannot be loaded or driven.
        NotRun: It was identified before, and now it is not.
    """
    import torch

    tied = tie(target or load_compared(request), request, known_map)
    if tied.kernel is None:
        raise NotRun(f"it was identified, and when the same was tried again, it was not: {tied.reason}")
    outputs: list[PlainArray | None] = []
    reasons: list[str] = []
    for run in runs:
        if any(outputs[place] is None for place in run.reads):
            outputs.append(None)
            reasons.append("a layer below it could not be run")
            continue
        driver = tied.kernel.build(get_reference("rnn"))
        dtype = torch_dtype(run.dtype)
        leaves = {name: torch.tensor(value, dtype=dtype) for name, value in run.weights.items()}
        earlier = [np.zeros(0) if output is None else output.array() for output in outputs]
        inputs = torch.tensor(_in_order(run, run.read(earlier)), dtype=dtype)
        shape = (inputs.shape[1], run.hidden_size)
        names = tied.kernel.subject(Setting(run.dtype, "cpu")).cell.state_names
        states = {name: torch.zeros(shape, dtype=dtype) for name in names}
        try:
            with torch.no_grad():
                hidden, _ = driver.run(leaves, inputs, states, None)
            outputs.append(PlainArray.of(_in_order(run, to_numpy(hidden).astype(np.float64))))
            reasons.append("")
        except (NotRun, UsageError) as error:
            outputs.append(None)
            reasons.append(named_error(error))
    return RunOutputs(tuple(outputs), tuple(reasons))


def _in_order(run: OwnRun, sequence: Array) -> Array:
    """Turn a sequence (T, B, .) round for a run that reads from the end, or back."""
    return np.ascontiguousarray(sequence[::-1]) if run.is_reverse else sequence
