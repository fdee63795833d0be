"""What an evaluation takes, what it gives, and the operations it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic, Protocol, TypeVar

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function

StoredT = TypeVar("StoredT")
"""A value as an arithmetic stores it: an array, a tensor, an object array of balls."""
OpenT = TypeVar("OpenT")
"""A value on its way into a sum, not yet rounded. Only balls have a type of its own for it."""


@dataclass(frozen=True)
class Values:
    """Numbers for a program's symbols, by plain name.

    Attributes:
        parameters: By name, as shaped in the spec.
        inputs: By name, (T, B, n).
        states: The initial states by name, (B, d).
        sizes: The named sizes.
        indices: Class indices by letter, (T, B).
    """

    parameters: Mapping[str, Array]
    inputs: Mapping[str, Array]
    states: Mapping[str, Array]
    sizes: Mapping[str, int]
    indices: Mapping[str, IndexArray] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """The number of time steps, T."""
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True)
class Trajectory(Generic[StoredT]):
    """All values of a program over time, as an arithmetic stores them.

    Attributes:
        steps: T dictionaries: the value of every computed symbol at that step, (B, d).
        initial: The initial states by name, (B, d).
        parameters: The converted parameters by name; the derivative needs them.
        inputs: T dictionaries of converted inputs, (B, n).
        indices: T dictionaries of class indices, (B,).
        sizes: The named sizes.
    """

    steps: Sequence[Mapping[str, StoredT]]
    initial: Mapping[str, StoredT]
    parameters: Mapping[str, StoredT]
    inputs: Sequence[Mapping[str, StoredT]]
    indices: Sequence[Mapping[str, IndexArray]]
    sizes: Mapping[str, int]


class Arithmetic(Protocol[StoredT, OpenT]):
    """Operations on values: a batched value has a leading axis B, a parameter has none.

    Operations take stored and open values and may leave their result open; `settle` stores it. An arithmetic
    that keeps nothing open is an ``Arithmetic[A, A]``.

    Attributes:
        fused: Whether values are NumPy arrays whose sums may be taken in another order, for speed.
    """

    fused: bool

    def scope(self) -> AbstractContextManager[None]:
        """Return what must be entered while values are computed."""

    def number(self, value: Fraction, /) -> StoredT:
        """Convert a constant of an equation.

        Args:
            value: The constant, exactly, as the equation prints it.

        Returns:
            A value of shape (1, 1), or of no axes, which every batch (B, d) takes entry by entry.
        """

    def array(self, value: Array, /) -> StoredT:
        """Convert an array of given numbers; they are taken as exact.

        Args:
            value: A parameter, (m, n) or (m,), or a batch (B, d), of any real or complex dtype.
        """

    def settle(self, value: StoredT | OpenT, /) -> StoredT:
        """Store a value: what was open is rounded.

        Args:
            value: The result of an operation, or a stored value, which stays as it is.
        """

    def add(self, x1: StoredT | OpenT, x2: StoredT | OpenT, /) -> StoredT | OpenT:
        """Add entry by entry.

        Args:
            x1: The first summand, a batch (B, d) or a parameter (d,).
            x2: The second, of a shape that NumPy broadcasts with the first.
        """

    def subtract(self, x1: StoredT | OpenT, x2: StoredT | OpenT, /) -> StoredT | OpenT:
        """Subtract entry by entry.

        Args:
            x1: What is subtracted from, a batch (B, d) or a parameter (d,).
            x2: What is subtracted, of a shape that NumPy broadcasts with the first.
        """

    def multiply(self, x1: StoredT | OpenT, x2: StoredT | OpenT, /) -> StoredT | OpenT:
        """Multiply entry by entry.

        Args:
            x1: The first factor, a batch (B, d) or a parameter (d,).
            x2: The second, of a shape that NumPy broadcasts with the first.
        """

    def divide(self, x1: StoredT | OpenT, x2: StoredT | OpenT, /) -> StoredT | OpenT:
        """Divide entry by entry.

        Args:
            x1: The numerator, a batch (B, d) or a parameter (d,).
            x2: The denominator, of a shape that NumPy broadcasts with the numerator. Division by zero follows the
                arithmetic: it is infinite in floating point, and a ball without bounds in balls.
        """

    def matrix_vector(self, matrix: StoredT, vector: StoredT | OpenT, /) -> StoredT | OpenT:
        """Multiply a matrix (m, n) with every row of a batch (B, n): (B, m).

        Args:
            matrix: A parameter (m, n).
            vector: A batch (B, n).
        """

    def vector_matrix(self, vector: StoredT | OpenT, matrix: StoredT, /) -> StoredT | OpenT:
        """Multiply every row of a batch (B, m) with a matrix (m, n): (B, n).

        Args:
            vector: A batch (B, m).
            matrix: A parameter (m, n).
        """

    def transpose(self, matrix: StoredT, /) -> StoredT:
        """Transpose a matrix (m, n): (n, m).

        Args:
            matrix: A parameter (m, n), which has no batch axis.
        """

    def concatenate(self, *parts: StoredT | OpenT) -> StoredT | OpenT:
        """Join batches (B, d_i) along their last axis: (B, sum of d_i).

        Args:
            parts: Batches (B, d_i), at least one, in the order in which their columns stand.
        """

    def slice(self, vector: StoredT | OpenT, start: int, stop: int, /) -> StoredT | OpenT:
        """Take the columns from `start` to `stop` of a batch (B, d).

        Args:
            vector: A batch (B, d), or a parameter (d,).
            start: The first column, from 0.
            stop: The column after the last, at most d.
        """

    def apply(self, function: Function, argument: StoredT | OpenT, /) -> StoredT | OpenT:
        """Apply a function: softmax along the last axis, every other one entry by entry.

        Args:
            function: The function; an arithmetic may lack some of them.
            argument: A batch (B, d) or a parameter (d,); softmax needs the batch.

        Raises:
            ValueError: The arithmetic has no form of the function.
        """

    def component(self, vector: StoredT | OpenT, index: IndexArray, /) -> StoredT | OpenT:
        """Take one entry of every row: (B, d) and (B,) give (B, 1).

        Args:
            vector: A batch (B, d).
            index: The column to take of each row, (B,), from 0.
        """

    def place(self, scalar: StoredT | OpenT, index: IndexArray, size: int, /) -> StoredT | OpenT:
        """Put one number into every row of zeros: (B, 1) and (B,) give (B, size).

        Args:
            scalar: The number of each row, (B, 1).
            index: The column that takes it, (B,), from 0.
            size: The number of columns of the result.
        """

    def outer(self, x1: StoredT | OpenT, x2: StoredT | OpenT, /) -> StoredT | OpenT:
        """Sum the outer products over the batch: (B, m) and (B, n) give (m, n).

        Args:
            x1: A batch (B, m): the rows of the products.
            x2: A batch (B, n): their columns.
        """

    def dot(self, x1: StoredT | OpenT, x2: StoredT | OpenT, /) -> StoredT | OpenT:
        """Multiply row by row: two (B, d) give (B, 1).

        Args:
            x1: A batch (B, d).
            x2: A batch of the same shape.
        """

    def batch_sum(self, value: StoredT | OpenT, /) -> StoredT | OpenT:
        """Sum over the batch: (B, d) gives (d,).

        Args:
            value: A batch (B, d).
        """

    def only_entry(self, value: StoredT, /) -> StoredT:
        """Take the entry of a vector of one entry: (1,) gives ().

        Args:
            value: A sum over the batch of one number a row.
        """
