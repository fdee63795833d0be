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


def candidate_checks(dtypes: tuple[str, ...], left_out: tuple[str, ...] = ()) -> Iterator[CheckInDtype]:
    """Yield every check that a candidate is judged by; torch is not loaded for it.

    Args:
        dtypes: Those in which it is judged.
        left_out: Names of checks that it is not asked.
    """
    from rnn_harness.kernels.judge import SINGLE_CASE_CHECKS, kernel_checks
    from rnn_harness.validation.check_names import PROPERTY_CHECK_NAMES, USAGE_CHECK_NAMES

    yield CheckInDtype(FIRST_CHECK)
    for dtype in dtypes:
        yield CheckInDtype("kernel.dispatch", dtype)
        for check in (*kernel_checks(), *SINGLE_CASE_CHECKS):
            if dtype in check.dtypes and check.name not in left_out:
                yield CheckInDtype(check.name, dtype)
        for name in (*USAGE_CHECK_NAMES, *PROPERTY_CHECK_NAMES):
            yield CheckInDtype(name, dtype)
