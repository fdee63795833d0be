"""Intervals in words: a number that a reader takes away stands with its interval, and says whom it overlaps with."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_harness.records.measurement import DecayMeasurement, SampledMeasurement


def interval_text(low: float | None, high: float | None, digits: int) -> str:
    """Write an interval as it stands behind its number: `` [0.982, 0.997]``.

    Args:
        low: The lower end; None where there is none.
        high: The upper end.
        digits: Digits behind the point.

    Returns:
        The interval with a space in front; that there is none where an end is missing.
    """
    if low is None or high is None:
        return " (no interval)"
    return f" [{low:.{digits}f}, {high:.{digits}f}]"


def rate_text(row: DecayMeasurement) -> str:
    """Write a factor per step with its interval.

    Args:
        row: A measurement of decay.
    """
    return f"{row.rate:.3f}{interval_text(row.ci_low, row.ci_high, 3)}"


def reach_text(row: DecayMeasurement) -> str:
    """Write how far float32 sees a gradient, with the interval of the horizon; none is needed beyond what was measured.

    Args:
        row: A measurement of decay.
    """
    if row.float32_horizon is None:
        return row.float32_reach
    return f"{row.float32_horizon:.0f}{interval_text(row.float32_horizon_low, row.float32_horizon_high, 0)} steps"


def intervals_meet(first: SampledMeasurement, second: SampledMeasurement) -> bool:
    """Whether the intervals of two measurements meet, so that neither is surely the larger; so they do without one.

    Args:
        first: A measurement.
        second: Another one, in the same unit.
    """
    ends = (first.ci_low, first.ci_high, second.ci_low, second.ci_high)
    if any(end is None for end in ends):
        return True
    first_low, first_high, second_low, second_high = (end for end in ends if end is not None)
    return first_low <= second_high and second_low <= first_high


def meeting(row: SampledMeasurement, rows: Sequence[SampledMeasurement]) -> list[SampledMeasurement]:
    """Return the other measurements whose intervals meet that of one.

    Args:
        row: The one.
        rows: In any order; itself is passed over.
    """
    return [second for second in rows if second is not row and intervals_meet(row, second)]
