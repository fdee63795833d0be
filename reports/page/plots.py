"""The decay of gradients as a chart: readable without colour, with a description, the same for the same numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from markupsafe import Markup

from rnn_harness.records.gradient_visibility import FAR_LAG, FLOAT32_LIMIT
from rnn_harness.records.measurement import DecayMeasurement
from rnn_harness.reports.page.chart import Chart, LegendEntry
from rnn_harness.reports.page.glossary import shown_initialisation
from rnn_harness.reports.page.line_chart import Line, line_chart, plain_axis, power_axis, table_of_lines
from rnn_harness.reports.page.palette import dashes_of, family_colour

LOWEST = -14.0
"""The lower end of the axis, in powers of ten."""
PLOTTED_DECAYS = {
    "RNN": ("torch", "orthogonal"),
    "sigmoid RNN": ("torch",),
    "GRU": ("torch", "keep"),
    "LSTM": ("torch", "forget-1", "chrono"),
    "LSTM without forget gate": ("torch",),
}
"""The initialisations that are drawn, by cell; the table has them all."""
HORIZON = "gradient horizon, 2⁻²³"
"""The mark that a curve crosses at its horizon in float32."""
_AXIS_TITLE = "norm of the gradient, relative to lag 0"
_USUAL_CELLS = ("RNN", "GRU", "LSTM")
"""Cells whose points are full; those of their variants are hollow."""


def interval_wedge(
    measurement: DecayMeasurement, lags: Sequence[int], norms: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return where the curve would lie at the lower and the upper end of the 95 % interval of its rate per step.

    Args:
        measurement: Its rate and the interval of it; without an interval, the curve itself is returned twice.
        lags: The lags of the curve, in steps.
        norms: log10 of the gradient's norm at each lag.

    Returns:
        log10 of the norm at each lag at the lower end, and at the upper end.
    """
    if not measurement.ci_low or not measurement.ci_high:
        return list(norms), list(norms)
    ends = [math.log10(end / measurement.rate) for end in (measurement.ci_low, measurement.ci_high)]
    low, high = ([y + slope * lag for lag, y in zip(lags, norms, strict=True)] for slope in ends)
    return low, high


def seed_band(
    measurement: DecayMeasurement, lags: Sequence[int], norms: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return the lowest and the highest seed at every lag; where seeds were not kept, the wedge of the interval.

    Args:
        measurement: Its seeds' curves, or its rate with the interval.
        lags: The lags of the curve, in steps; at lag 0 all seeds meet.
        norms: log10 of the gradient's norm at each lag.

    Returns:
        log10 of the norm at each lag of the lowest seed, and of the highest.
    """
    bands = {band.step: band for band in measurement.norm_bands}
    if not bands:
        return interval_wedge(measurement, lags, norms)
    low = [bands[lag].low if lag in bands else norm for lag, norm in zip(lags, norms, strict=True)]
    high = [bands[lag].high if lag in bands else norm for lag, norm in zip(lags, norms, strict=True)]
    return low, high


def decay_chart(rows: Sequence[DecayMeasurement], furthest: int = FAR_LAG) -> Chart:
    """Draw the gradient's norm over the lag; what the seeds differ by is a band.

    Args:
        rows: The measurements.
        furthest: The largest lag that is drawn.

    Returns:
        A chart; without measurements its drawing is empty.
    """
    description = describe_decay(rows)
    if not rows:
        return Chart("", description, Markup(), "", "decay")
    lines = [_line(row, furthest) for row in rows]
    end = max(x for line in lines for x, _ in line.points)
    marks = [Line(HORIZON, "var(--dim)", "1 3", ((0, FLOAT32_LIMIT), (end, FLOAT32_LIMIT)), is_thin=True)]
    lines_and_marks = [*lines, *marks]
    axis = power_axis(_AXIS_TITLE, LOWEST, 1.0)
    plain = [_in_plain_numbers(line) for line in lines]
    return Chart(
        f"Norm of the last state's derivative by the state k steps earlier, over the root of d. {_shading(rows)}",
        description,
        line_chart(lines_and_marks, axis, "lag k (steps)"),
        table_of_lines(lines, "lag", in_powers=True),
        "gradient-decay",
        line_chart(plain, plain_axis(_AXIS_TITLE, 1.0), "lag k (steps)"),
        legend=tuple(LegendEntry(number, line.name, line.colour) for number, line in enumerate(lines_and_marks)),
    )


def _line(row: DecayMeasurement, furthest: int) -> Line:
    """Return the line of a measurement, in powers of ten, with its band."""
    points = [(0.0, 0.0), *((float(point.step), point.value) for point in row.log10_norms if point.step <= furthest)]
    lags, norms = [int(x) for x, _ in points], [y for _, y in points]
    low, high = seed_band(row, lags, norms)
    initialisation = shown_initialisation(row.initialisation)
    name = f"{row.subject}, {initialisation}"
    label = row.subject if row.initialisation == "torch" else name
    colour = family_colour(row.subject)
    is_variant = row.subject not in _USUAL_CELLS
    dashes = dashes_of(row.initialisation)
    return Line(name, colour, dashes, tuple(points), tuple(low), tuple(high), is_hollow=is_variant, label=label)


def _in_plain_numbers(line: Line) -> Line:
    """Return a line whose numbers are no exponents, cut at 1."""
    points = tuple((x, min(10**y, 1.0)) for x, y in line.points)
    low, high = (tuple(min(10**y, 1.0) for y in end) for end in (line.low, line.high))
    return replace(line, points=points, low=low, high=high)


def describe_decay(rows: Sequence[DecayMeasurement]) -> str:
    """Describe the plot of decay in words, for readers who do not see it.

    Args:
        rows: The measurements in the plot.
    """
    parts = [f"{row.subject} ({shown_initialisation(row.initialisation)}) {row.rate:.3f}" for row in rows]
    return f"Factor per step of the gradient's norm: {'; '.join(parts)}. {_shading(rows)}"


def _shading(rows: Sequence[DecayMeasurement]) -> str:
    """Say what is shaded and what is dotted."""
    has_seeds = any(row.norm_bands for row in rows)
    band = "from the lowest to the highest seed" if has_seeds else "the 95 % interval of the rate"
    return (
        f"A cell without a further name has torch's default initialisation. Shaded: {band}; dotted, the gradient "
        "horizon: where float32 keeps nothing of it beside a one."
    )
