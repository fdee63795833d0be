"""How fast, how large, and how far back the gradient reaches: measured side by side."""

from __future__ import annotations

from rnn_harness.benchmarks.plan import FULL, QUICK, USUAL, BenchmarkSize, Job, decayed, plan
from rnn_harness.records.measurement import Measurement, read_measurements, write_measurements

__all__ = [
    "FULL",
    "QUICK",
    "USUAL",
    "BenchmarkSize",
    "Job",
    "Measurement",
    "decayed",
    "plan",
    "read_measurements",
    "write_measurements",
]
