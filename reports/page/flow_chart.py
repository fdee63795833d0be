"""How the gradient flows through the unrolled cell: the norm of d h_s / d (state after step t), for all s and t."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from markupsafe import Markup

from rnn_harness.records.unrolled import TrainingStage, UnrolledMeasurement
from rnn_harness.reports.page.chart import Chart
from rnn_harness.reports.page.heat_cells import drawing, share_cell, text_at, titled
from rnn_harness.reports.page.line_chart import power_text
from rnn_harness.reports.page.palette import family_colour

_PANEL, _LEFT, _TOP, _CELL = 240, 40, 40, 15
"""Of a panel its width, where its cells begin, and the size of one of them."""
LOWEST = -6.0
"""The power of ten that is drawn as faint as zero."""


def flow_chart(rows: Sequence[UnrolledMeasurement]) -> Chart:
    """Draw a panel for each cell, all with one scale of colours.

    Args:
        rows: The cells at all stages; those after training are shown first. At least one.
    """
    stages: tuple[TrainingStage, TrainingStage] = ("after training", "before training")
    shown, other = ([row for row in rows if row.stage == stage] for stage in stages)
    title = (
        "The unrolled gradient: row s, column t show the norm of ∂h_s / ∂(state after step t), over the root of d; "
        f"full is 10⁰, faint is {power_text(LOWEST)} and less. The last row is what the loss after the last word sees."
    )
    drawn = shown or other
    return Chart(
        title,
        describe_flow(drawn),
        Markup(_draw(drawn)),
        _as_csv(rows),
        "gradient-flow",
        Markup(_draw(other)) if shown and other else "",
        stages[1],
    )


def describe_flow(rows: Sequence[UnrolledMeasurement]) -> str:
    """Describe the picture in words, for readers who do not see it.

    Args:
        rows: The cells that are drawn, at one stage.
    """
    ends = "; ".join(f"{row.subject} {power_text(row.log10_flow[-1][0])}" for row in rows)
    return f"Gradient flow, {rows[0].stage}: norm of the last hidden state's gradient for the first state: {ends}."


def _draw(rows: Sequence[UnrolledMeasurement]) -> str:
    """Draw the panels of one stage side by side."""
    parts = [part for number, row in enumerate(rows) for part in _panel(row, number * _PANEL)]
    steps = max(len(row.words) for row in rows)
    return drawing(_PANEL * len(rows), _TOP + _CELL * steps + 64, parts)


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
                titled(f"h after step {s + 1} ({row.words[s]}), state after {earlier}: {power_text(exponent)}", [cell])
            )
    for t in range(steps):
        x, y = start + _CELL * t + 11, bottom + 5
        turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"'
        parts.append(text_at(x, y, row.words[t - 1] if t else "start", "end", turned))
    reach = power_text(row.log10_flow[-1][0])
    parts.append(text_at(start, bottom + 52, f"from the end to the start: {reach}"))
    return parts


def _as_csv(rows: Sequence[UnrolledMeasurement]) -> str:
    """Write every number of the panels as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("cell", "stage", "s", "t", "norm"))
    for row in rows:
        for s, flow in enumerate(row.log10_flow):
            writer.writerows((row.subject, row.stage, s + 1, t, f"{10**value:.6e}") for t, value in enumerate(flow))
    return out.getvalue()
