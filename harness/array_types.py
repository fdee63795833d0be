"""The array types of the harness: what every module that takes or gives arrays names them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A NumPy array of numbers in any format, or an object array of Arb balls or SymPy polynomials."""

IndexArray: TypeAlias = NDArray[np.intp]
"""A NumPy array of indices or lengths."""

BoolArray: TypeAlias = NDArray[np.bool_]
"""A NumPy array of truth values."""
