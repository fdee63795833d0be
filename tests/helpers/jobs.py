"""Jobs of a plan that go wrong, in a module that the processes of the tests can import."""

from __future__ import annotations

import os
from collections.abc import Iterator

from rnn_harness.benchmarks import BenchmarkJob
from rnn_harness.records.measurement import DecayMeasurement


def fine(check_interrupt: object) -> Iterator[DecayMeasurement]:
    yield DecayMeasurement(
        subject="x", spec="rnn.tanh", initialisation="torch", rate=0.5, lyapunov_exponent=-0.7, agrees=True
    )


def raising(check_interrupt: object) -> Iterator[DecayMeasurement]:
    raise ZeroDivisionError("no such luck")


def dying(check_interrupt: object) -> Iterator[DecayMeasurement]:
    os._exit(3)


def three() -> list[BenchmarkJob]:
    """Two that are right, one that raises, one that ends its process."""
    works = {"fine": fine, "raising": raising, "dying": dying, "also fine": fine}
    return [BenchmarkJob(title, 1, work, "learning") for title, work in works.items()]
