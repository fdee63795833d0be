"""One expression, many arithmetics: NumPy, Arb balls, SymPy, torch.

`BallArithmetic` and `TorchArithmetic` are imported from their modules, because python-flint and torch are slow to load.
"""

from __future__ import annotations

from rnn_harness.arithmetic.evaluate import evaluate
from rnn_harness.arithmetic.numpy_arithmetic import NumpyArithmetic
from rnn_harness.arithmetic.protocol import Arithmetic, Trajectory, Values

__all__ = ["Arithmetic", "NumpyArithmetic", "Trajectory", "Values", "evaluate"]
