"""The few operations of arrays that balls are made of: in NumPy, and in torch on a device.

`array_ball.py` and its neighbours have one text and one proof, in terms of these operations. The proof needs this of
every one of them, and torch keeps to it on a processor and on a CUDA device:

* `+`, `-`, `*`, `/` and `sqrt` of float64 round once, to nearest (IEEE 754). Each is a kernel of its own in torch, so
  that no compiler joins two of them; it would only round less often.
* A product of matrices and a sum add their k terms in some order, fused or not. BLAS, MKL and cuBLAS do that for
  float64, in its tensor cores as well. TF32 does not touch it: that is how cuBLAS may shorten operands of *float32*
  (``allow_tf32``, ``set_float32_matmul_precision``), and a product of float64 has no such mode; nor has it autocast,
  which leaves float64 as it is. What does touch it is cuBLAS's emulation of float64 by integers, which bounds its
  error by the largest entries and not term by term. It is off unless somebody asks for it; `emulates_float64` says so,
  and then nothing is computed there. A mean may multiply by 1/k, a rounding more, which the bounds of means count.
* `exp`, `log`, `tanh`, `log1p` are within `FUNCTION_ROUNDINGS` of their value, as is assumed of every implementation:
  a test measures torch's on this processor, and NVIDIA promises 2 ulp or less (CUDA C++ Programming Guide, float64
  functions).
* Subnormal numbers are kept: a GPU keeps those of float64 always, a processor unless `torch.set_flush_denormal` is on.
* `maximum`, `minimum`, sums and comparisons never lose a NaN: a radius that is none stays none (`ArrayBall.is_finite`).

No GPU has run it yet: tests hold torch's balls on the processor against Arb's, as they do NumPy's.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from rnn_harness.array_types import Array, BoolArray, IndexArray

if TYPE_CHECKING:
    from torch import Tensor


class ArrayOperations(Protocol):
    """What is done with float64 arrays besides `+`, `-`, `*`, `/`, `@`, `abs`, comparisons, slices, sums and means.

    A torch tensor passes for an `Array` here: it has the same operators.
    """

    def scope(self) -> AbstractContextManager[None]:
        """Return what must be entered so that nothing warns of what overflows or underflows."""

    def converted(self, value: Array) -> Array:
        """Return numbers as float64, where this computes.

        Args:
            value: An array, or a tensor on any device.
        """

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Return zeros.

        Args:
            shape: The length of every axis.
        """

    def exp(self, x: Array, /) -> Array:
        """Compute the exponential, entry by entry.

        Args:
            x: Numbers of any shape.
        """

    def log(self, x: Array, /) -> Array:
        """Compute the logarithm, entry by entry.

        Args:
            x: Numbers of any shape.
        """

    def tanh(self, x: Array, /) -> Array:
        """Compute the hyperbolic tangent, entry by entry.

        Args:
            x: Numbers of any shape.
        """

    def sqrt(self, x: Array, /) -> Array:
        """Compute the square root, entry by entry.

        Args:
            x: Numbers of any shape.
        """

    def softplus(self, x: Array, /) -> Array:
        """Compute log(1 + exp(x)), entry by entry.

        Args:
            x: Numbers of any shape.
        """

    def maximum(self, x: Array, y: Array | float, /) -> Array:
        """Take the larger one, entry by entry; NaN where one is NaN.

        Args:
            x: Numbers of any shape.
            y: Numbers of a shape that NumPy broadcasts with it.
        """

    def minimum(self, x: Array, y: Array | float, /) -> Array:
        """Take the smaller one, entry by entry; NaN where one is NaN.

        Args:
            x: Numbers of any shape.
            y: Numbers of a shape that NumPy broadcasts with it.
        """

    def where(self, condition: BoolArray, x: Array | float, y: Array | float, /) -> Array:
        """Take `x` where a condition holds, else `y`.

        Args:
            condition: Truth values.
            x: Numbers of a shape that NumPy broadcasts with it.
            y: The same.
        """

    def isfinite(self, x: Array, /) -> BoolArray:
        """Say which entries are numbers, and no infinity.

        Args:
            x: Numbers of any shape.
        """

    def concatenate(self, parts: Sequence[Array], axis: int = 0) -> Array:
        """Join arrays along an axis.

        Args:
            parts: At least one.
            axis: Which axis, from 0; -1 for the last one.
        """

    def stack(self, parts: Sequence[Array]) -> Array:
        """Join arrays of one shape along a new first axis.

        Args:
            parts: At least one.
        """

    def broadcast(self, x: Array, shape: tuple[int, ...]) -> Array:
        """Repeat an array to a shape, in memory of its own.

        Args:
            x: What NumPy broadcasts to that shape.
            shape: The length of every axis afterwards.
        """

    def largest(self, x: Array, axis: int) -> Array:
        """Take the largest entry along an axis, which stays with length one.

        Args:
            x: Numbers, at least one along the axis.
            axis: Which axis, from 0; -1 for the last one.
        """

    def mantissas(self, x: Array, /) -> Array:
        """Return x / 2^e, of a size of at least 1/2 and less than 1, e a whole number; zero of zero.

        Args:
            x: Numbers of any shape.
        """

    def component(self, x: Array, index: IndexArray) -> Array:
        """Take one entry of every row: (B, d) and (B,) give (B, 1).

        Args:
            x: (B, d).
            index: (B,).
        """

    def place(self, x: Array, index: IndexArray, size: int) -> Array:
        """Put one number into every row of zeros: (B, 1) and (B,) give (B, size).

        Args:
            x: (B, 1).
            index: (B,).
            size: The number of columns.
        """


class NumpyOperations:
    """The operations in NumPy."""

    def __init__(self) -> None:
        # NumPy's own functions: a method around each would cost a call an operation.
        self.exp, self.log, self.tanh, self.sqrt = np.exp, np.log, np.tanh, np.sqrt
        self.maximum, self.minimum, self.where, self.isfinite = np.maximum, np.minimum, np.where, np.isfinite
        self.zeros, self.stack, self.concatenate = np.zeros, np.stack, np.concatenate

    def scope(self) -> AbstractContextManager[None]:
        return np.errstate(all="ignore")

    def converted(self, value: Array) -> Array:
        return np.asarray(value, dtype=np.float64)

    def softplus(self, x: Array, /) -> Array:
        return np.logaddexp(x, 0.0)

    def broadcast(self, x: Array, shape: tuple[int, ...]) -> Array:
        return np.broadcast_to(x, shape).copy()

    def largest(self, x: Array, axis: int) -> Array:
        largest: Array = x.max(axis=axis, keepdims=True)
        return largest

    def mantissas(self, x: Array, /) -> Array:
        return np.frexp(x)[0]

    def component(self, x: Array, index: IndexArray) -> Array:
        return np.take_along_axis(x, index[:, None], axis=-1)

    def place(self, x: Array, index: IndexArray, size: int) -> Array:
        placed = np.zeros((len(index), size))
        np.put_along_axis(placed, index[:, None], x, axis=-1)
        return placed


class TorchOperations:
    """The operations in torch: tensors of float64 on one device.

    torch is imported when one is made, not before.

    Attributes:
        device: Where tensors are.

    Args:
        device: The name of a device that has float64: ``cpu``, ``cuda``, ``cuda:1``.
    """

    def __init__(self, device: str) -> None:
        import torch

        self._torch, self.device = torch, device

    def _tensor(self, value: Array | float) -> Tensor:
        """Return numbers as a tensor; a single one beside none would have torch's default format."""
        if self._is_tensor(value):
            return cast("Tensor", value)
        return self._torch.tensor(value, dtype=self._torch.float64, device=self.device)

    def _is_tensor(self, value: object) -> bool:
        return bool(self._torch.is_tensor(value))

    def scope(self) -> AbstractContextManager[None]:
        return nullcontext()

    def converted(self, value: Array) -> Array:
        if self._is_tensor(value):
            moved: Any = cast("Tensor", value).detach().to(device=self.device, dtype=self._torch.float64)
            return cast("Array", moved)
        # A copy: what a subject overwrites later must not change a bound.
        copy = np.array(value, dtype=np.float64, order="C")
        return cast("Array", self._torch.from_numpy(copy).to(self.device))

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return cast("Array", self._torch.zeros(shape, dtype=self._torch.float64, device=self.device))

    def exp(self, x: Array, /) -> Array:
        return cast("Array", self._torch.exp(self._tensor(x)))

    def log(self, x: Array, /) -> Array:
        return cast("Array", self._torch.log(self._tensor(x)))

    def tanh(self, x: Array, /) -> Array:
        return cast("Array", self._torch.tanh(self._tensor(x)))

    def sqrt(self, x: Array, /) -> Array:
        return cast("Array", self._torch.sqrt(self._tensor(x)))

    def softplus(self, x: Array, /) -> Array:
        tensor = self._tensor(x)
        return cast("Array", self._torch.logaddexp(tensor, self._torch.zeros_like(tensor)))

    def maximum(self, x: Array, y: Array | float, /) -> Array:
        return cast("Array", self._torch.maximum(self._tensor(x), self._tensor(y)))

    def minimum(self, x: Array, y: Array | float, /) -> Array:
        return cast("Array", self._torch.minimum(self._tensor(x), self._tensor(y)))

    def where(self, condition: BoolArray, x: Array | float, y: Array | float, /) -> Array:
        return cast("Array", self._torch.where(cast("Tensor", condition), self._tensor(x), self._tensor(y)))

    def isfinite(self, x: Array, /) -> BoolArray:
        return cast("BoolArray", self._torch.isfinite(self._tensor(x)))

    def concatenate(self, parts: Sequence[Array], axis: int = 0) -> Array:
        return cast("Array", self._torch.cat(cast("list[Tensor]", list(parts)), dim=axis))

    def stack(self, parts: Sequence[Array]) -> Array:
        return cast("Array", self._torch.stack(cast("list[Tensor]", list(parts))))

    def broadcast(self, x: Array, shape: tuple[int, ...]) -> Array:
        return cast("Array", self._tensor(x).expand(shape).clone())

    def largest(self, x: Array, axis: int) -> Array:
        return cast("Array", self._tensor(x).amax(dim=axis, keepdim=True))

    def mantissas(self, x: Array, /) -> Array:
        return cast("Array", self._torch.frexp(self._tensor(x)).mantissa)

    def _index(self, index: IndexArray) -> Tensor:
        return self._torch.as_tensor(index, dtype=self._torch.int64, device=self.device).unsqueeze(-1)

    def component(self, x: Array, index: IndexArray) -> Array:
        return cast("Array", self._tensor(x).gather(-1, self._index(index)))

    def place(self, x: Array, index: IndexArray, size: int) -> Array:
        zeros = cast("Tensor", self.zeros((len(index), size)))
        return cast("Array", zeros.scatter(-1, self._index(index), self._tensor(x)))


NUMPY: ArrayOperations = NumpyOperations()
"""The operations in NumPy."""


def operations_of(value: Array) -> ArrayOperations:
    """Return the operations of the kind of array that a value is.

    Args:
        value: A NumPy array, or a tensor: those of its device.
    """
    return NUMPY if isinstance(value, np.ndarray | np.generic) else torch_operations(str(cast("Tensor", value).device))


@functools.lru_cache(maxsize=64)
def torch_operations(device: str) -> ArrayOperations:
    """Return the operations in torch on a device.

    Args:
        device: As for `TorchOperations`.
    """
    return TorchOperations(device)


def emulates_float64() -> bool:
    """Say whether cuBLAS was asked to emulate products of float64, for which no bound is proved here."""
    return os.environ.get("CUBLAS_EMULATE_DOUBLE_PRECISION", "0").strip() not in ("", "0")
