"""The arrays of a case, drawn from its seed in the names and shapes of a subject."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.cases.case import Case
from rnn_harness.subjects.subject import Subject

GRAIN_BITS = 20
"""Bits of the numbers on a common grain."""


@dataclass(frozen=True)
class CaseArrays:
    """The arrays of a case, in the reference's names and in the case's dtype.

    Attributes:
        case: what they were drawn from.
        parameters: by name, as shaped by the reference.
        inputs: (T, B, n).
        states: initial states by name, each (B, d) or as wide as the state.
        d_outputs: cotangent of the outputs, (T, B, d) or (T, B, k).
        d_finals: cotangents of the final states by name, shaped as the states.
        lengths: number of steps of every batch row (B,), or None.
    """

    case: Case
    parameters: dict[str, Array]
    inputs: Array
    states: dict[str, Array]
    d_outputs: Array
    d_finals: dict[str, Array]
    lengths: IndexArray | None

    def copied(self) -> CaseArrays:
        """Return the same numbers in arrays of their own."""

        def table(arrays: dict[str, Array]) -> dict[str, Array]:
            return {name: array.copy() for name, array in arrays.items()}

        return CaseArrays(
            self.case,
            table(self.parameters),
            self.inputs.copy(),
            table(self.states),
            self.d_outputs.copy(),
            table(self.d_finals),
            None if self.lengths is None else self.lengths.copy(),
        )

    def on_common_grain(self) -> CaseArrays:
        """The same numbers rounded to 20 bits of the largest of their array, as those in float32 are drawn.

        Then float32 holds them, and sums of a few of them and products with small whole numbers are exact in float64:
        what is changed in two places so that it cancels, cancels exactly.
        """

        def table(arrays: dict[str, Array]) -> dict[str, Array]:
            return {name: _on_grain(array) for name, array in arrays.items()}

        return CaseArrays(
            self.case,
            table(self.parameters),
            _on_grain(self.inputs),
            table(self.states),
            _on_grain(self.d_outputs),
            table(self.d_finals),
            self.lengths,
        )


def _on_grain(array: Array) -> Array:
    largest = float(np.max(np.abs(array), initial=0.0))
    if array.dtype != np.float64 or largest == 0 or not np.isfinite(largest):
        return array
    grain = 2.0 ** (np.frexp(largest)[1] - GRAIN_BITS)
    rounded: Array = np.rint(array / grain) * grain
    return rounded


def representable(values: Array, dtype: str) -> Array:
    """Round `values` to numbers that `dtype` holds, in the array's own format (NumPy has no bfloat16).

    Args:
        values: float32 or float64 numbers; not changed.
        dtype: the name of a dtype; all but float16 and bfloat16 leave the values as they are.
    """
    if dtype == "float16":
        return values.astype(np.float16).astype(values.dtype)
    if dtype != "bfloat16":
        return values
    bits = values.astype(np.float32).view(np.uint32)
    even = (bits >> 16) & 1  # round half to even
    return ((bits + 0x7FFF + even) & 0xFFFF0000).view(np.float32).astype(values.dtype)


def draw_arrays(case: Case, subject: Subject) -> CaseArrays:
    """Draw the arrays of `case`: the same ones for the same case, on every machine.

    Args:
        case: sizes, seed and special positions.
        subject: whose names and shapes they get; what is absent from it is zero.

    Returns:
        Arrays in the case's dtype; for a format narrower than float32, float32 arrays whose numbers it holds.
    """
    rng = np.random.default_rng(case.seed)
    dtype = np.dtype("float64" if case.dtype == "float64" else "float32")

    def normal(*shape: int) -> Array:
        drawn = rng.standard_normal(shape)
        if dtype == np.float64:
            return drawn  # all bits are random: what casts them to a narrower format shows
        # Rounded to 20 bits, so that sums of two of them stay exact.
        return representable((np.rint(drawn * 2.0**16) / 2.0**16).astype(dtype), case.dtype)

    parameters = {}
    for name, shape in sorted(subject.parameter_shapes(case.sizes).items()):
        fan_in = shape[-1] if len(shape) == 2 else 1
        factor = 2.0 ** round(np.log2(case.scale / np.sqrt(fan_in)))
        if len(shape) == 1 and "saturated" in case.features:
            factor *= 8
        parameters[name] = normal(*shape) * dtype.type(factor)
    inputs = normal(case.T, case.B, subject.input_size(case.sizes))
    if "large" in case.features and inputs.size:
        inputs[rng.random(inputs.shape) < 0.5] *= 16
        inputs.flat[0] = 12.0
    if "zeros" in case.features and inputs.size:
        inputs[rng.random(inputs.shape) < 0.3] = 0
        inputs.flat[0] = 0
    if "equal rows" in case.features and case.B > 1:
        inputs[:, 1] = inputs[:, 0]
    widths = subject.state_sizes(case.sizes)
    states = {name: normal(case.B, widths[name]) / 2 for name in subject.cell.state_names}
    width = case.k if subject.output else subject.width * case.d
    d_finals = {name: normal(case.B, widths[name]) for name in subject.cell.state_names}
    tables = {"states": states, "finals": d_finals}
    for name in subject.absent:
        table, _, state = name.partition(".")
        (tables[table][state] if table in tables else parameters[name])[...] = 0
    lengths = None if case.lengths is None else np.array(case.lengths, dtype=np.intp)
    return CaseArrays(case, parameters, inputs, states, normal(case.T, case.B, width), d_finals, lengths)
