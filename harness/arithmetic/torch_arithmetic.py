"""Torch arithmetic: the same expression in eager torch, so that autograd differentiates it.

torch is imported when an arithmetic is constructed, not before.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np

from rnn_harness.arithmetic.assumptions import LAYER_NORM_EPSILON
from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function

if TYPE_CHECKING:
    from torch import Tensor


class TorchArithmetic:
    """Eager torch; leaves require gradients.

    Attributes:
        torch: The module.
        dtype: The format of every value, given by its name: ``"float64"``, ``"float32"``, ...
        device: Where values are.
        fused: False: sums keep their order.
    """

    def __init__(self, dtype: str = "float64", device: str = "cpu") -> None:
        import torch

        self.torch = torch
        self.dtype: torch.dtype = torch_dtype(dtype)
        self.device = device
        self.fused = False
        self._functions: dict[Function, Callable[[Tensor], Tensor]] = {
            Function.SIGMOID: torch.sigmoid,
            Function.TANH: torch.tanh,
            Function.LOG: torch.log,
            Function.RELU: torch.relu,
            Function.STEP: lambda x: (x > 0).to(x.dtype),
            Function.SOFTMAX: lambda x: torch.softmax(x, dim=-1),
            Function.IDENTITY: lambda x: x,
            Function.EXP: torch.exp,
            Function.SOFTPLUS: lambda x: torch.logaddexp(x, torch.zeros_like(x)),
            Function.SOFTPLUS_SLOPE: torch.sigmoid,
            Function.SQRT: torch.sqrt,
            Function.MEAN: lambda x: x.mean(-1, keepdim=True).expand_as(x),
            Function.INVERSE_DEVIATION: lambda x: (
                (x.var(-1, keepdim=True, unbiased=False) + float(LAYER_NORM_EPSILON)).rsqrt().expand_as(x)
            ),
        }

    def scope(self) -> AbstractContextManager[None]:
        return nullcontext()

    def number(self, value: Fraction) -> Tensor:
        """Return a Python float: next to a tensor it has no dtype and no device of its own."""
        return cast("Tensor", float(value))

    def array(self, value: Array) -> Tensor:
        leaf = self.torch.tensor(np.asarray(value, order="C"), dtype=self.dtype, device=self.device)
        return leaf.requires_grad_()

    def gradient(self, leaf: Tensor) -> Array:
        """Return the gradient that autograd computed for a leaf.

        Args:
            leaf: A tensor of `array`, after a backward.

        Raises:
            ValueError: Nothing that was differentiated depends on the leaf.
        """
        if leaf.grad is None:
            raise ValueError("nothing that was differentiated depends on this leaf")
        gradient: Array = leaf.grad.numpy()
        return gradient

    def settle(self, value: Tensor) -> Tensor:
        return value

    def add(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 + x2

    def subtract(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 - x2

    def multiply(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 * x2

    def divide(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 / x2

    def matrix_vector(self, matrix: Tensor, vector: Tensor) -> Tensor:
        return vector @ matrix.T

    def vector_matrix(self, vector: Tensor, matrix: Tensor) -> Tensor:
        return vector @ matrix

    def transpose(self, matrix: Tensor) -> Tensor:
        return matrix.T

    def concatenate(self, *parts: Tensor) -> Tensor:
        return self.torch.cat(parts, dim=-1)

    def slice(self, vector: Tensor, start: int, stop: int) -> Tensor:
        return vector[..., start:stop]

    def apply(self, function: Function, argument: Tensor) -> Tensor:
        # A constant is a number until it meets a tensor (`number`): torch's functions take tensors alone.
        whole = argument if self.torch.is_tensor(argument) else self.torch.tensor(argument, dtype=self.dtype)
        return self._functions[function](whole)

    def _index(self, index: IndexArray) -> Tensor:
        return self.torch.as_tensor(index, device=self.device).unsqueeze(-1)

    def component(self, vector: Tensor, index: IndexArray) -> Tensor:
        return vector.gather(-1, self._index(index))

    def place(self, scalar: Tensor, index: IndexArray, size: int) -> Tensor:
        zero = self.torch.zeros((len(index), size), dtype=self.dtype, device=self.device)
        return zero.scatter(-1, self._index(index), scalar)

    def outer(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1.T @ x2

    def dot(self, x1: Tensor, x2: Tensor) -> Tensor:
        return (x1 * x2).sum(-1, keepdim=True)

    def batch_sum(self, value: Tensor) -> Tensor:
        return value.sum(0)

    def only_entry(self, value: Tensor) -> Tensor:
        entry: Tensor = value[0, ...]
        return entry
