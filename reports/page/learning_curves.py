"""Learning curves: the loss of fresh sequences over the steps of training, one chart a task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from rnn_harness.records.measurement import LearningMeasurement
from rnn_harness.reports.page.chart import Chart, LegendEntry
from rnn_harness.reports.page.line_chart import Line, line_chart, plain_axis, power_axis, table_of_lines
from rnn_harness.reports.page.palette import dashes_of, family_colour

_SMALLEST = 1e-3
"""Losses are drawn as if they were at least this: a solved task may have none at all."""


def learning_chart(title: str, rows: Sequence[LearningMeasurement]) -> Chart:
    """Draw the losses of one task over the steps of training, with the best guess without a memory and the least loss.

    Args:
        title: The task and its conditions.
        rows: The measurements of one task, each with a curve; at least one.
    """
    lines = [_line(row) for row in rows]
    end = max(x for line in lines for x, _ in line.points)
    marks = [
        Line("without a memory", "var(--dim)", "1 3", ((0.0, rows[0].chance), (end, rows[0].chance)), is_thin=True)
    ]
    if rows[0].best:
        marks.append(
            Line("least possible", "var(--dim)", "6 3", ((0.0, rows[0].best), (end, rows[0].best)), is_thin=True)
        )
    drawn = [*lines, *marks]
    in_powers = [_in_powers(line) for line in drawn]
    exponents = [y for line in in_powers for y in (*(y for _, y in line.points), *line.low, *line.high)]
    axis = power_axis("loss", math.floor(min(exponents)), math.ceil(max(exponents) + 1 / len(exponents)), step=1)
    highest = max(y for line in drawn for y in (*(y for _, y in line.points), *line.high))
    return Chart(
        title,
        describe_learning(title, rows),
        line_chart(in_powers, axis, "steps of training"),
        table_of_lines(lines, "step", in_powers=False),
        f"learning-{rows[0].task}",
        line_chart(drawn, plain_axis("loss", highest), "steps of training"),
        legend=tuple(LegendEntry(number, line.name, line.colour) for number, line in enumerate(drawn)),
    )


def _line(row: LearningMeasurement) -> Line:
    """Return the line of a learner: its family's colour, its variant's dashes."""
    variant = row.subject.partition(", ")[2]
    points = tuple((float(point.step), point.value) for point in row.loss_curve)
    bands = {band.step: band for band in row.loss_bands}
    is_banded = all(point.step in bands for point in row.loss_curve)
    low = tuple(bands[point.step].low for point in row.loss_curve) if is_banded else ()
    high = tuple(bands[point.step].high for point in row.loss_curve) if is_banded else ()
    return Line(row.subject, family_colour(row.subject), dashes_of(variant), points, low, high)


def _in_powers(line: Line) -> Line:
    """Return a line whose numbers are exponents of ten."""
    low, high = (tuple(math.log10(max(y, _SMALLEST)) for y in end) for end in (line.low, line.high))
    points = tuple((x, math.log10(max(y, _SMALLEST))) for x, y in line.points)
    return replace(line, points=points, low=low, high=high)


def describe_learning(title: str, rows: Sequence[LearningMeasurement]) -> str:
    """Describe the chart in words, for readers who do not see it.

    Args:
        title: The task and its conditions.
        rows: The measurements in the chart, at least one.
    """
    shaded = " Shaded: from the best to the worst seed." if any(row.loss_bands for row in rows) else ""
    ends = "; ".join(f"{row.subject} {row.median:.4f}" for row in rows)
    return f"Learning curves, {title}. Loss at the end: {ends}. Without memory {rows[0].chance:.4f}.{shaded}"
