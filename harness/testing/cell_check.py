"""The checks that a cell is judged by, each of which becomes a test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

FIRST_CHECK = "identification.unique"
MARKER_PREFIX = "rnn_"
GROUPS = (
    "identification",
    "kernel",
    "forward",
    "backward",
    "precision",
    "metamorphic",
    "scale",
    "behaviour",
    "consistency",
)
"""The groups of checks: what stands before the point of their names, and behind `MARKER_PREFIX` in their markers."""


@dataclass(frozen=True)
class CheckInDtype:
    """A check that a cell is judged by.

    Attributes:
        name: The check's id.
        dtype: The dtype in which it is tried; empty for one that is about no dtype.
    """

    name: str
    dtype: str = ""

    @property
    def group(self) -> str:
        """The group of the check: ``backward`` of ``backward.bound``."""
        return self.name.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.name}{f'-{self.dtype}' if self.dtype else ''}"


def candidate_checks(dtypes: tuple[str, ...]) -> Iterator[CheckInDtype]:
    """Yield every check that a candidate is judged by.

    Args:
        dtypes: Those in which it is judged.
    """
    from rnn_harness.kernels.judge import SINGLE_CASE_CHECKS, kernel_checks
    from rnn_harness.validation.consistency.identified_cell import PROPERTY_CHECKS
    from rnn_harness.validation.judging.usage_checks import USAGE_CHECKS

    yield CheckInDtype(FIRST_CHECK)
    for dtype in dtypes:
        yield CheckInDtype("kernel.dispatch", dtype)
        for check in (*kernel_checks(), *SINGLE_CASE_CHECKS, *USAGE_CHECKS):
            if dtype in check.dtypes:
                yield CheckInDtype(check.name, dtype)
        for name in PROPERTY_CHECKS:
            yield CheckInDtype(name, dtype)
