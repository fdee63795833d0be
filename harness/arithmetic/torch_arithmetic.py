"""Torch arithmetic: the same expression in eager torch, so that autograd differentiates it.

Dimension legend: B batch rows. torch is imported when an arithmetic is made, not before.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from typing import Any

import numpy as np

from rnn_harness.array_types import Array, IndexArray
from rnn_harness.specs.expression import Function


class TorchArithmetic:
    """Eager torch in `dtype` (``"float64"``, ``"float32"``, ...) on `device`; leaves require gradients."""

    def __init__(self, dtype: str = "float64", device: str = "cpu") -> None:
        import torch

        self.torch = torch
        self.dtype = getattr(torch, dtype)
        self.device = device
        self.key = f"torch-{dtype}-{device}"
        self.fused = False
        self._functions: dict[Function, Any] = {
            Function.SIGMOID: torch.sigmoid,
            Function.TANH: torch.tanh,
            Function.LOG: torch.log,
            Function.RELU: torch.relu,
            Function.STEP: lambda x: (x > 0).to(x.dtype),
            Function.SOFTMAX: lambda x: torch.softmax(x, dim=-1),
            Function.IDENTITY: lambda x: x,
        }

    def scope(self) -> AbstractContextManager[None]:
        return nullcontext()

    def number(self, value: Fraction) -> float:
        return float(value)

    def array(self, value: Array) -> Any:
        leaf: Any = self.torch.tensor(np.ascontiguousarray(value), dtype=self.dtype, device=self.device)
        return leaf.requires_grad_()

    def settle(self, value: Any) -> Any:
        return value

    def add(self, left: Any, right: Any) -> Any:
        return left + right

    def subtract(self, left: Any, right: Any) -> Any:
        return left - right

    def multiply(self, left: Any, right: Any) -> Any:
        return left * right

    def divide(self, left: Any, right: Any) -> Any:
        return left / right

    def matrix_vector(self, matrix: Any, vector: Any) -> Any:
        return vector @ matrix.T

    def vector_matrix(self, vector: Any, matrix: Any) -> Any:
        return vector @ matrix

    def transpose(self, matrix: Any) -> Any:
        return matrix.T

    def concatenate(self, *parts: Any) -> Any:
        return self.torch.cat(parts, dim=-1)

    def slice(self, vector: Any, start: int, stop: int) -> Any:
        return vector[..., start:stop]

    def apply(self, function: Function, argument: Any) -> Any:
        return self._functions[function](argument)

    def _index(self, index: IndexArray) -> Any:
        return self.torch.as_tensor(index, device=self.device).unsqueeze(-1)

    def component(self, vector: Any, index: IndexArray) -> Any:
        return vector.gather(-1, self._index(index))

    def place(self, scalar: Any, index: IndexArray, size: int) -> Any:
        zero = self.torch.zeros((len(index), size), dtype=self.dtype, device=self.device)
        return zero.scatter(-1, self._index(index), scalar)

    def outer(self, left: Any, right: Any) -> Any:
        return left.T @ right

    def dot(self, left: Any, right: Any) -> Any:
        return (left * right).sum(-1, keepdim=True)

    def batch_sum(self, value: Any) -> Any:
        return value.sum(0)
