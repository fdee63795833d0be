"""The array types of the references: every module that takes or returns arrays imports them from here.

Shapes stand in the annotations (jaxtyping), for example ``Inexact[Array, "T B n"]``. The letters mean the same
everywhere: T time steps, B batch rows, n input size, d hidden size, m size of an output, k classes. The tests check
them at run time: ``pytest tests/references --jaxtyping-packages=rnn_harness.references,beartype.beartype``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A NumPy array of numbers: float32, float64, longdouble or complex128."""

IndexArray: TypeAlias = NDArray[np.intp]
"""A NumPy array of indices or lengths."""

LengthsArray: TypeAlias = NDArray[np.integer[Any]]
"""A NumPy array of lengths: whole numbers of any width."""

MaskArray: TypeAlias = NDArray[np.bool_]
"""A NumPy array of truth values."""

DType: TypeAlias = np.dtype[Any]
"""The dtype of an array of numbers."""
