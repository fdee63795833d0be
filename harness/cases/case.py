"""What a check is run on: a case is a few numbers from which all arrays are drawn again.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, k output size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.subjects.subject import Subject

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Dtype = Literal["float64", "float32", "bfloat16", "float16"]
CaseFeature = Literal["large", "zeros", "equal rows", "saturated"]
FEATURES: tuple[CaseFeature, ...] = ("large", "zeros", "equal rows", "saturated")


class Case(BaseModel):
    """Sizes, dtype, seed, scale and special positions; replayable from its JSON alone.

    `scale`: standard deviation of a pre-activation's recurrent part, roughly. `features`: ``large`` puts inputs
    beyond 8 at some places, ``zeros`` exact zeros, ``equal rows`` makes two batch rows the same, ``saturated``
    multiplies the biases. `lengths`: per-row lengths, or None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: str
    n: int = Field(default=3, ge=1)
    d: int = Field(default=4, ge=1)
    k: int = Field(default=2, ge=1)
    T: int = Field(default=3, ge=0)
    B: int = Field(default=2, ge=0)
    dtype: Dtype = "float64"
    seed: int = Field(default=0, ge=0)
    scale: float = Field(default=1.0, gt=0)
    features: tuple[CaseFeature, ...] = ()
    lengths: tuple[int, ...] | None = None

    @property
    def sizes(self) -> dict[str, int]:
        """The named sizes of a spec."""
        return {"n": self.n, "d": self.d, "k": self.k}


@dataclass(frozen=True)
class CaseArrays:
    """The arrays of a case, in the reference's names and in the case's dtype."""

    case: Case
    parameters: dict[str, Array]
    inputs: Array
    states: dict[str, Array]
    d_outputs: Array
    d_finals: dict[str, Array]
    lengths: IndexArray | None

    def copied(self) -> CaseArrays:
        """The same numbers in arrays of their own."""

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


def representable(values: Array, dtype: str) -> Array:
    """`values` rounded to numbers that `dtype` holds, in the array's own format (NumPy has no bfloat16)."""
    if dtype == "float16":
        return values.astype(np.float16).astype(values.dtype)
    if dtype != "bfloat16":
        return values
    bits = values.astype(np.float32).view(np.uint32)
    even = (bits >> 16) & 1  # round half to even
    return ((bits + 0x7FFF + even) & 0xFFFF0000).view(np.float32).astype(values.dtype)


def draw_arrays(case: Case, subject: Subject) -> CaseArrays:
    """The arrays of `case`; the same ones for the same case, on every machine.

    Of a format narrower than float32 they are float32 arrays whose numbers that format holds.
    """
    rng = np.random.default_rng(case.seed)
    dtype = np.dtype("float64" if case.dtype == "float64" else "float32")

    def normal(*shape: int) -> Array:
        # Rounded to 20 bits, so that float32 holds the very same numbers and sums of two of them stay exact.
        rounded = np.rint(rng.standard_normal(shape) * 2.0**16) / 2.0**16
        return representable(rounded.astype(dtype), case.dtype)

    parameters = {}
    for name, shape in sorted(subject.parameter_shapes(case.sizes).items()):
        fan_in = shape[-1] if len(shape) == 2 else 1
        factor = 2.0 ** round(np.log2(case.scale / np.sqrt(fan_in)))
        if len(shape) == 1 and "saturated" in case.features:
            factor *= 8
        parameters[name] = normal(*shape) * dtype.type(factor)
    inputs = normal(case.T, case.B, case.n)
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
    for name in subject.absent:
        state = name.removeprefix("states.")
        (parameters[name] if state == name else states[state])[...] = 0
    lengths = None if case.lengths is None else np.array(case.lengths, dtype=np.intp)
    return CaseArrays(case, parameters, inputs, states, normal(case.T, case.B, width), d_finals, lengths)


def cases(spec: str, dtype: Dtype | None = None, lengths: bool = False) -> SearchStrategy[Case]:
    """Hypothesis's cases of a spec: small sizes first, special positions, both dtypes unless one is given."""
    from hypothesis import strategies as st

    small = st.sampled_from([2, 3, 1, 4])
    steps = st.sampled_from([2, 3, 1, 5])
    dtypes: tuple[Dtype, ...] = (dtype,) if dtype else ("float64", "float32")

    @st.composite
    def build(pick: Any) -> Case:
        rows, length = pick(small), pick(steps)
        return Case(
            spec=spec,
            n=pick(small),
            d=pick(small),
            k=pick(st.sampled_from([2, 3])),
            T=length,
            B=rows,
            dtype=pick(st.sampled_from(dtypes)),
            seed=pick(st.integers(0, 2**20)),
            scale=pick(st.sampled_from([1.0, 0.5, 2.0, 4.0])),
            features=tuple(sorted(pick(st.sets(st.sampled_from(FEATURES), max_size=2)))),
            lengths=tuple(pick(st.lists(st.integers(0, length), min_size=rows, max_size=rows))) if lengths else None,
        )

    return build()
