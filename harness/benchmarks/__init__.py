"""How fast, how large, and how far back the gradient reaches: cells measured and compared."""

from __future__ import annotations

from rnn_harness.benchmarks.job import FULL, QUICK, USUAL, BenchmarkJob, BenchmarkSize
from rnn_harness.benchmarks.plan import plan_jobs
from rnn_harness.benchmarks.run import run_jobs

__all__ = ["FULL", "QUICK", "USUAL", "BenchmarkJob", "BenchmarkSize", "plan_jobs", "run_jobs"]
