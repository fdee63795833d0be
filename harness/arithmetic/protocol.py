"""What an evaluation gets and what it gives.

Dimension legend: T time steps, B batch rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function


@dataclass(frozen=True)
class Values:
    """Numbers for a program's symbols, by plain name.

    `parameters` as shaped in the spec; `inputs` (T, B, .); `states` (B, .), the initial ones; `indices` (T, B),
    class indices; `sizes`: the named sizes.
    """

    parameters: Mapping[str, Array]
    inputs: Mapping[str, Array]
    states: Mapping[str, Array]
    sizes: Mapping[str, int]
    indices: Mapping[str, IndexArray] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """T."""
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True)
class Trajectory:
    """All values of a program over time: `steps[t][name]` for t = 0..T-1, `initial[name]` for the states.

    `environment` holds the converted parameters, inputs and indices, for the derivative.
    """

    steps: Sequence[Mapping[str, Any]]
    initial: Mapping[str, Any]
    parameters: Mapping[str, Any]
    inputs: Sequence[Mapping[str, Any]]
    indices: Sequence[Mapping[str, IndexArray]]
    sizes: Mapping[str, int]


class Arithmetic(Protocol):
    """Operations on values: a batched value has a leading axis B, a parameter has none.

    `fused`: whether values are NumPy arrays whose sums may be taken in another order, for speed.
    """

    key: str
    fused: bool

    def scope(self) -> AbstractContextManager[None]: ...
    def number(self, value: Any) -> Any: ...
    def array(self, value: Array) -> Any: ...
    def settle(self, value: Any) -> Any: ...
    def add(self, left: Any, right: Any) -> Any: ...
    def subtract(self, left: Any, right: Any) -> Any: ...
    def multiply(self, left: Any, right: Any) -> Any: ...
    def divide(self, left: Any, right: Any) -> Any: ...
    def matrix_vector(self, matrix: Any, vector: Any) -> Any: ...
    def vector_matrix(self, vector: Any, matrix: Any) -> Any: ...
    def transpose(self, matrix: Any) -> Any: ...
    def concatenate(self, *parts: Any) -> Any: ...
    def slice(self, vector: Any, start: int, stop: int) -> Any: ...
    def apply(self, function: Function, argument: Any) -> Any: ...
    def component(self, vector: Any, index: IndexArray) -> Any: ...
    def place(self, scalar: Any, index: IndexArray, size: int) -> Any: ...
    def outer(self, left: Any, right: Any) -> Any: ...
    def dot(self, left: Any, right: Any) -> Any: ...
    def batch_sum(self, value: Any) -> Any: ...
