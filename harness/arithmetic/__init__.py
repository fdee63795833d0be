"""One expression, many arithmetics: NumPy, Arb balls, SymPy, torch.

`BallArithmetic` and `TorchArithmetic` are imported from their modules, because python-flint and torch are slow to load.
"""

from __future__ import annotations

from rnn_harness.arithmetic._evaluate import evaluate
from rnn_harness.arithmetic._numpy import NumpyArithmetic
from rnn_harness.arithmetic._values import Arithmetic, Trajectory, Values

__all__ = ["Arithmetic", "NumpyArithmetic", "Trajectory", "Values", "evaluate"]
