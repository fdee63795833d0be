"""Times of competitors compared: a bar for forward and backward of each at one point of the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnn_harness.records.measurement import SpeedMeasurement
from rnn_harness.reports.page.plots import as_svg, new_figure


@dataclass(frozen=True)
class TimeBar:
    """One bar.

    Attributes:
        subject: The competitor.
        median: Milliseconds of forward and backward together.
        ci_low: The lower end of the 95 % interval, in milliseconds.
        ci_high: The upper end.
    """

    subject: str
    median: float
    ci_low: float
    ci_high: float


def time_bars(rows: Sequence[SpeedMeasurement]) -> list[TimeBar]:
    """Return the bars of forward and backward together, the fastest first; a time lost in noise has none.

    Args:
        rows: Measurements at one point, in seconds; other phases than both are passed over.

    Returns:
        Bars in milliseconds.
    """
    bars = [
        TimeBar(row.subject, row.median * 1e3, row.ci_low * 1e3, row.ci_high * 1e3)
        for row in rows
        if row.phase == "both" and row.median is not None and row.ci_low is not None and row.ci_high is not None
    ]
    return sorted(bars, key=lambda bar: bar.median)


def speed_plot(rows: Sequence[SpeedMeasurement]) -> str:
    """Draw milliseconds of forward and backward with their intervals, as an SVG element; empty if there are none.

    Args:
        rows: Measurements at one point, in seconds.
    """
    bars = time_bars(rows)
    if not bars:
        return ""
    with new_figure(6, 0.9 + 0.45 * len(bars)) as (figure, axes):
        spread = [[bar.median - bar.ci_low for bar in bars], [bar.ci_high - bar.median for bar in bars]]
        # Colour adds nothing here to the text next to the bar.
        names, medians = [bar.subject for bar in bars], [bar.median for bar in bars]
        axes.barh(names, medians, xerr=spread, color="#0072B2", height=0.6, error_kw={"capsize": 3})
        for position, bar in enumerate(bars):
            end = (bar.ci_high, position)
            axes.annotate(f"{bar.median:.3g}", end, (6, 0), textcoords="offset points", va="center", fontsize=9)
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set_xlabel("forward and backward, ms")
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
        return as_svg(figure)


def describe_speed(point: str, rows: Sequence[SpeedMeasurement]) -> str:
    """Describe the plot in words, for readers who do not see it.

    Args:
        point: The sizes, the dtype and the device, as the reader sees them.
        rows: The measurements in the plot, in seconds.
    """
    times = "; ".join(f"{bar.subject} {bar.median:.3g} ms" for bar in time_bars(rows))
    return f"Forward and backward, {point}: {times}."
