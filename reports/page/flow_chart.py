"""How the gradient flows through the unrolled cell: the norm of d h_s / d (state after step t), for all s and t."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from markupsafe import Markup

from rnn_harness.records.unrolled import TrainingStage, UnrolledMeasurement
from rnn_harness.reports.page.chart import Chart
from rnn_harness.reports.page.heat_cells import colour_scale, drawing, share_cell, text_at, titled
from rnn_harness.reports.page.line_chart import number_text, power_text
from rnn_harness.reports.page.palette import family_colour

_PANEL, _LEFT, _TOP, _CELL = 240, 40, 46, 15
"""Of a panel its width, where its cells begin, and the size of one of them."""
_SCALE_CELLS = 6
"""How many steps the colour scale has: one for each power of ten."""
LOWEST = -6.0
"""The power of ten that is drawn as faint as zero."""


def flow_chart(rows: Sequence[UnrolledMeasurement]) -> Chart:
    """Draw a panel for each cell, all with one scale of colours.

    Args:
        rows: The cells at all stages; those after training are shown first. At least one.
    """
    stages: tuple[TrainingStage, TrainingStage] = ("after training", "before training")
    shown, first = ([row for row in rows if row.stage == stage] for stage in stages)
    title = (
        "The gradient through the unrolled cells: a row is a hidden state h after the word beside it, a column the "
        "state after the word below it, and their cell the norm of ∂h_row / ∂h_column over the root of d. All panels "
        f"have one scale: full is 1, faint is {power_text(LOWEST)} and less. The last row is what the loss after the "
        "last word sees."
    )
    drawn = shown or first
    return Chart(
        title,
        describe_flow(drawn),
        Markup(_draw(drawn)),
        _as_csv(rows),
        "gradient-flow",
        Markup(_draw(first)) if shown and first else "",
        stages[1],
    )


def describe_flow(rows: Sequence[UnrolledMeasurement]) -> str:
    """Describe the picture in words, for readers who do not see it.

    Args:
        rows: The cells that are drawn, at one stage.
    """
    ends = "; ".join(f"{row.subject} {number_text(row.log10_flow[-1][0])}" for row in rows)
    return f"Gradient flow, {rows[0].stage}: norm of the last hidden state's gradient for the first state: {ends}."


def _draw(rows: Sequence[UnrolledMeasurement]) -> str:
    """Draw the panels of one stage side by side."""
    parts = [part for number, row in enumerate(rows) for part in _panel(row, number * _PANEL)]
    steps = max(len(row.words) for row in rows)
    return drawing(_PANEL * len(rows), _TOP + _CELL * steps + 84, parts)


def _panel(row: UnrolledMeasurement, left: float) -> list[str]:
    """Draw the cells of one panel with its words, and the number of its lower left corner."""
    steps, colour = len(row.words), family_colour(row.subject)
    start, bottom = left + _LEFT, _TOP + _CELL * steps
    parts = [text_at(left + 4, 14, f"{row.subject}, {row.stage}", more=' class="heading"')]
    for s, flow in enumerate(row.log10_flow):
        y = _TOP + _CELL * s
        parts.append(text_at(start - 5, y + 12, row.words[s], "end"))
        for t, exponent in enumerate(flow):
            x = start + _CELL * t
            cell = share_cell(x, y, _CELL - 1, _CELL - 1, 1 - exponent / LOWEST, colour)
            earlier = f"step {t} ({row.words[t - 1]})" if t else "the start"
            parts.append(
                titled(f"h after step {s + 1} ({row.words[s]}), state after {earlier}: {number_text(exponent)}", [cell])
            )
    for t in range(steps):
        x, y = start + _CELL * t + 11, bottom + 5
        turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"'
        parts.append(text_at(x, y, row.words[t - 1] if t else "start", "end", turned))
    reach = number_text(row.log10_flow[-1][0])
    parts.append(text_at(start, _TOP - 9, f"∂h_row / ∂h_column, {row.sizes['d']} units"))
    parts.append(text_at(start, bottom + 54, f"from the end to the start: {reach}"))
    shares = [(number / _SCALE_CELLS, colour) for number in range(_SCALE_CELLS + 1)]
    return [*parts, *colour_scale(start, bottom + 74, f"≤ {power_text(LOWEST)}", "1", shares)]


def _as_csv(rows: Sequence[UnrolledMeasurement]) -> str:
    """Write every number of the panels as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("cell", "stage", "s", "t", "norm"))
    for row in rows:
        for s, flow in enumerate(row.log10_flow):
            writer.writerows((row.subject, row.stage, s + 1, t, f"{10**value:.6e}") for t, value in enumerate(flow))
    return out.getvalue()
