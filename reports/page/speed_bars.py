"""Times of implementations compared: a bar for forward and backward of each, at every point of the grid."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from rnn_harness.records.measurement import SpeedMeasurement
from rnn_harness.reports.page.chart import Chart
from rnn_harness.reports.page.line_chart import plain_axis
from rnn_harness.reports.page.palette import family_colour

_WIDTH, _LEFT, _LENGTH, _ROW = 720, 170, 400, 18
"""Of the drawing: its width, where bars begin, how long the longest can be, the height of a row."""


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


def speed_chart(points: Mapping[str, Sequence[SpeedMeasurement]]) -> Chart:
    """Draw milliseconds of forward and backward at every point of the grid over one axis, with relative factors.

    Args:
        points: The measurements, in seconds, by the point of the grid in words.

    Returns:
        A chart; without times its drawing is empty.
    """
    groups = {point: bars for point, rows in points.items() if (bars := time_bars(rows))}
    description = " ".join(describe_speed(point, points[point]) for point in groups)
    if not groups:
        return Chart("", description, Markup(), "", "speed")
    longest = max(bar.ci_high for bars in groups.values() for bar in bars)
    axis = plain_axis("ms", longest)
    parts, top = [], float(_ROW)
    for point, bars in groups.items():
        parts.append(f'<text class="heading" x="0" y="{top + 4:.0f}">{escape(point)}</text>')
        top += _ROW
        colour = family_colour(point.partition(",")[0])
        for bar in bars:
            parts.append(_bar(bar, top, bar.median / bars[0].median, colour, axis.highest))
            top += _ROW
        top += _ROW / 2
    grid = [_tick(tick, axis.highest, top) for tick in axis.ticks]
    height = top + 2 * _ROW
    title = f'<text x="{_LEFT + _LENGTH / 2}" y="{height - 4:.0f}" text-anchor="middle">forward and backward, ms</text>'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" class="chart bars" '
        f'aria-hidden="true">{"".join(grid)}{"".join(parts)}{title}</svg>'
    )
    caption = (
        "Forward and backward: medians with 95 % intervals, and how many times the fastest of the same sizes. n "
        "inputs, d units, B rows, T steps. reference: NumPy, its backward written by hand, without autograd; "
        "nn.GRU/native: torch's layer by its own kernels; nn.LSTM/onednn: by the library oneDNN; nn.GRUCell: torch's "
        "cell in a loop over the steps."
    )
    machines = {row.machine for rows in points.values() for row in rows if row.machine}
    if machines:
        caption += f" Measured on {'; '.join(sorted(machines))}.".replace(" 1 threads", " 1 thread")
    return Chart(caption, description, Markup(svg), _as_csv(groups), "speed")


def _place(milliseconds: float, highest: float) -> float:
    """Return where a time stands on the axis."""
    return _LEFT + _LENGTH * milliseconds / highest


def _tick(milliseconds: float, highest: float, bottom: float) -> str:
    """Draw a mark of the axis."""
    x = _place(milliseconds, highest)
    line = f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_ROW}" y2="{bottom:.0f}"/>'
    return f'{line}<text x="{x:.1f}" y="{bottom + 15:.0f}" text-anchor="middle">{milliseconds:g}</text>'


def _bar(bar: TimeBar, top: float, factor: float, colour: str, highest: float) -> str:
    """Draw a bar with its name, its interval, its time and how many times the fastest it takes."""
    end, low, high = (_place(value, highest) for value in (bar.median, bar.ci_low, bar.ci_high))
    title = escape(f"{bar.subject}: {bar.median:.3g} ms, 95 % {bar.ci_low:.3g} to {bar.ci_high:.3g}")
    return (
        f'<g style="--series: {colour}"><title>{title}</title>'
        f'<text x="{_LEFT - 6}" y="{top + 4:.0f}" text-anchor="end">{escape(bar.subject)}</text>'
        f'<rect class="bar" x="{_LEFT}" y="{top - 6:.0f}" width="{end - _LEFT:.1f}" height="12"/>'
        f'<line class="interval" x1="{low:.1f}" x2="{high:.1f}" y1="{top:.0f}" y2="{top:.0f}"/>'
        f'<text x="{high + 6:.1f}" y="{top + 4:.0f}">{bar.median:.3g} ms · {factor:.1f}×</text></g>'
    )


def _as_csv(groups: Mapping[str, Sequence[TimeBar]]) -> str:
    """Write the bars as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("point", "implementation", "ms", "ci_low", "ci_high"))
    for point, bars in groups.items():
        writer.writerows(
            (point, bar.subject, f"{bar.median:.6g}", f"{bar.ci_low:.6g}", f"{bar.ci_high:.6g}") for bar in bars
        )
    return out.getvalue()


def describe_speed(point: str, rows: Sequence[SpeedMeasurement]) -> str:
    """Describe the plot in words, for readers who do not see it.

    Args:
        point: The sizes, the dtype and the device, as the reader sees them.
        rows: The measurements in the plot, in seconds.
    """
    times = "; ".join(f"{bar.subject} {bar.median:.3g} ms" for bar in time_bars(rows))
    return f"Forward and backward, {point}: {times}."
