"""Jobs of a plan that go wrong, in a module that the processes of the tests can import."""

from __future__ import annotations

import os
from collections.abc import Iterator

from rnn_harness.benchmarks import Job, Measurement


def fine(tick: object) -> Iterator[Measurement]:
    yield Measurement(kind="decay", subject="x", spec="rnn.tanh", what="torch", agrees=True)


def raising(tick: object) -> Iterator[Measurement]:
    raise ZeroDivisionError("no such luck")


def dying(tick: object) -> Iterator[Measurement]:
    os._exit(3)


def three() -> list[Job]:
    """Two that are right, one that raises, one that ends its process."""
    return [Job("fine", 1, fine), Job("raising", 1, raising), Job("dying", 1, dying), Job("also fine", 1, fine)]
