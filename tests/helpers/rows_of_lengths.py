"""A kernel on rows of several lengths, held against its own runs on the rows of each length, at any size."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.references import Gradients
from rnn_harness.subjects.case_arrays import CaseArrays, draw_arrays

ROUNDINGS = 16
"""Of the largest number: both sides round the same operations, but the products of inputs may be summed otherwise."""


def draw(kernel: Kernel, setting: Setting, n: int, d: int, rows: int, steps: int) -> CaseArrays:
    """Arrays for the cell of a kernel, without an output layer."""
    case = Case(spec=kernel.spec, dtype=setting.dtype, n=n, d=d, B=rows, T=steps, seed=1)  # type: ignore[arg-type]
    subject = kernel.subject(setting)
    arrays = draw_arrays(case, subject)
    shapes = subject.cell.parameter_shapes(n, d)
    rng = np.random.default_rng(2)
    d_outputs = (rng.integers(-8, 9, (steps, rows, d)) / 8).astype(arrays.inputs.dtype)
    return CaseArrays(
        case,
        {name: arrays.parameters[name] for name in shapes},
        arrays.inputs,
        arrays.states,
        d_outputs,
        arrays.d_finals,
        None,
    )


def assert_rows_end_at_their_lengths(kernel: Kernel, setting: Setting, n: int, d: int, rows: int, steps: int) -> None:
    """Rows of lengths 0, 1, ..., T, 0, ...: outputs, final states and all gradients are those of each length alone."""
    arrays, cell = draw(kernel, setting, n, d, rows, steps), kernel.subject(setting).cell
    lengths = np.arange(rows) % (steps + 1)
    run = cell.forward(arrays.parameters, arrays.inputs, arrays.states, lengths)
    gradients = cell.backward(run, arrays.d_outputs, arrays.d_finals)
    summed: dict[str, Array] = defaultdict(lambda: np.zeros(()))
    for length in np.unique(lengths):
        alike = np.flatnonzero(lengths == length)
        states = {name: value[alike] for name, value in arrays.states.items()}
        alone = cell.forward(arrays.parameters, arrays.inputs[:length, alike], states)
        d_finals = {name: value[alike] for name, value in arrays.d_finals.items()}
        parts = cell.backward(alone, arrays.d_outputs[:length, alike], d_finals)
        where = f"rows of length {length}"
        assert not run.outputs[length:, alike].any(), where
        assert not gradients.inputs[length:, alike].any(), where
        _assert_close(f"outputs of {where}", run.outputs[:length, alike], alone.outputs, setting.dtype)
        _assert_close(f"inputs of {where}", gradients.inputs[:length, alike], parts.inputs, setting.dtype)
        for name in states:
            _assert_close(f"final {name} of {where}", run.finals[name][alike], alone.finals[name], setting.dtype)
            _assert_close(f"state {name} of {where}", gradients.states[name][alike], parts.states[name], setting.dtype)
        for name, value in parts.parameters.items():
            summed[name] = summed[name] + value.astype(np.float64)
    for name, value in summed.items():
        _assert_close(f"gradient of {name}", gradients.parameters[name], value, setting.dtype)


def assert_no_step_changes_nothing(kernel: Kernel, setting: Setting, n: int, d: int, rows: int) -> None:
    """A sequence of no steps has no outputs, hands its states on and their gradients back, and no weight counts."""
    arrays, cell = draw(kernel, setting, n, d, rows, 1), kernel.subject(setting).cell
    run = cell.forward(arrays.parameters, arrays.inputs[:0], arrays.states)
    gradients: Gradients = cell.backward(run, arrays.d_outputs[:0], arrays.d_finals)
    assert run.outputs.shape == (0, rows, d)
    assert gradients.inputs.shape == (0, rows, n)
    for name, value in arrays.states.items():
        np.testing.assert_array_equal(run.finals[name], value)
        np.testing.assert_array_equal(gradients.states[name], arrays.d_finals[name])
    assert not any(value.any() for value in gradients.parameters.values())


def _assert_close(quantity: str, computed: Array, expected: Array, dtype: str) -> None:
    if expected.size == 0:
        assert computed.shape == expected.shape, quantity
        return
    allowed = ROUNDINGS * float(UNIT_ROUNDOFF[dtype]) * max(1.0, float(np.abs(expected).max()))
    gap = float(np.abs(computed.astype(np.float64) - expected).max())
    assert gap <= allowed, f"{quantity}: off by {gap:.2g}, allowed {allowed:.2g}"
