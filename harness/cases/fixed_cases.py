"""The cases that every subject is tried on before any is drawn."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.cases.case import Case


def fixed_cases(spec: str) -> Iterator[Case]:
    """Yield the cases every run begins with: n = d, one row, d = 1, n = 1, large inputs, exact zeros, five steps.

    Args:
        spec: the id of the spec whose cell the cases are for.
    """
    base = Case(spec=spec, T=3, B=2)
    changes: tuple[dict[str, object], ...] = (
        {"seed": 1},
        {"seed": 2, "dtype": "float32"},
        {"seed": 3, "n": 3, "d": 3, "B": 3},
        {"seed": 4, "B": 1, "T": 5},
        {"seed": 5, "n": 2, "d": 1, "dtype": "float32"},
        {"seed": 6, "n": 1, "d": 2},
        {"seed": 7, "scale": 0.5, "features": ("large",)},
        {"seed": 8, "features": ("zeros",)},
        {"seed": 9, "B": 4, "features": ("equal rows",)},
    )
    for change in changes:
        yield base.model_copy(update=change)
