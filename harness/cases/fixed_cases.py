"""The cases that every subject is tried on before any is drawn."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.cases.case import Case


def fixed_cases(spec: str) -> Iterator[Case]:
    """Yield the cases every run begins with: n = d, one row, d = 1, n = 1, large inputs, exact zeros, five steps.

    Args:
        spec: the id of the spec whose cell the cases are for.
    """
    yield Case(spec=spec, seed=1, T=3, B=2)
    yield Case(spec=spec, seed=2, T=3, B=2, dtype="float32")
    yield Case(spec=spec, seed=3, T=3, B=3, n=3, d=3)
    yield Case(spec=spec, seed=4, T=5, B=1)
    yield Case(spec=spec, seed=5, T=3, B=2, n=2, d=1, dtype="float32")
    yield Case(spec=spec, seed=6, T=3, B=2, n=1, d=2)
    yield Case(spec=spec, seed=7, T=3, B=2, scale=0.5, features=("large",))
    yield Case(spec=spec, seed=8, T=3, B=2, features=("zeros",))
    yield Case(spec=spec, seed=9, T=3, B=4, features=("equal rows",))
