"""One cell over one sentence, gate by gate: what a lecturer would put on a slide."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from markupsafe import Markup

from rnn_harness.records.unrolled import UnrolledMeasurement, UnrolledQuantity
from rnn_harness.reports.page.chart import Chart
from rnn_harness.reports.page.heat_cells import colour_scale, drawing, share_cell, signed_cell, text_at, titled
from rnn_harness.reports.page.palette import family_colour

_WIDTH, _LEFT, _TOP = 720, 128, 46
_COLUMN, _UNIT_HEIGHT, _GAP = 44, 13, 12
"""Of a word's column its width, of a unit's row its height, and what lies between two quantities."""
_BAR_HEIGHT = 48
_PLAIN = 1e-3
"""Smaller gradients are written with a power of ten, in one digit, so that they fit below their bars."""
_LOWEST = -8.0
"""The lower end of the axis of gradients, in powers of ten."""


def gate_chart(stages: Sequence[UnrolledMeasurement]) -> Chart:
    """Draw gates, candidate, states and gradients of one cell over the sentence.

    Args:
        stages: The same cell before and after training; the last one is shown first. At least one.
    """
    shown, first = stages[-1], stages[0]
    svg = _draw(shown)
    return Chart(
        f"{shown.subject}, {shown.stage}: a column is a word, a row of each block is one of the {shown.sizes['d']} "
        f"units. After the last word the cell answers “{shown.question}”; the right answer is {shown.answer}. Below: "
        "the norm of the loss's gradient for the hidden state after each word, as bars over powers of ten: bars of one "
        "height say that nothing of the gradient is lost on the way back.",
        describe_gates(shown),
        Markup(svg),
        _as_csv(stages),
        f"unrolled-{shown.subject.lower()}",
        Markup(_draw(first)) if len(stages) > 1 else "",
        first.stage,
    )


def describe_gates(row: UnrolledMeasurement) -> str:
    """Describe the picture in words, for readers who do not see it.

    Args:
        row: A cell at one stage.
    """
    means = "; ".join(
        f"{quantity.name} {_mean(quantity.values[0]):.2f} at first, {_mean(quantity.values[-1]):.2f} at the end"
        for quantity in row.quantities
    )
    first, last = row.loss_gradients[0], row.loss_gradients[-1]
    return (
        f"{row.subject} over the sentence {' '.join(row.words)}, {row.stage}. Means over the units: {means}. "
        f"The loss's gradient is {first:.1e} at the first word and {last:.1e} at the last."
    )


def _draw(row: UnrolledMeasurement) -> str:
    """Draw one stage."""
    right = _LEFT + _COLUMN * len(row.words)
    units = f"{row.sizes['d']} units"
    heading = f"{row.subject}, {units}, {row.stage}: {row.question} P({row.answer}) = {row.probability:.3f}"
    parts = [text_at(0, 14, heading, more=' class="heading"')]
    parts += [text_at(_LEFT + _COLUMN * (step + 0.5), _TOP - 8, word, "middle") for step, word in enumerate(row.words)]
    top = float(_TOP)
    for quantity in row.quantities:
        middle = top + _UNIT_HEIGHT * len(quantity.values[0]) / 2 + 4
        parts.append(text_at(_LEFT - 8, middle, quantity.name, "end"))
        parts += [_column(row, quantity, step, top) for step in range(len(row.words))]
        top += _UNIT_HEIGHT * len(quantity.values[0]) + _GAP
    parts.append(text_at(_LEFT - 8, top + _BAR_HEIGHT / 2, "gradient of", "end"))
    parts.append(text_at(_LEFT - 8, top + _BAR_HEIGHT / 2 + 14, "the loss", "end"))
    parts += [_gradient_bar(row, step, top) for step in range(len(row.words))]
    base = top + _BAR_HEIGHT
    parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{base:.1f}" y2="{base:.1f}"/>')
    return drawing(_WIDTH, base + 50, [*parts, *_scales(row, base + 42)])


def _scales(row: UnrolledMeasurement, y: float) -> list[str]:
    """Draw the colour scales of gates, and of candidate and states."""
    steps = [number / 5 for number in range(6)]
    of_gates = [(share, family_colour(row.subject)) for share in steps]
    of_states = [(share, "var(--below)") for share in reversed(steps[1:])] + [
        (share, "var(--above)") for share in steps
    ]
    middle = _LEFT + _COLUMN * 4.5
    return [
        *colour_scale(_LEFT, y, "gates: 0", "1", of_gates),
        *colour_scale(middle, y, "candidate and states: -1", "1", of_states),
    ]


def _column(row: UnrolledMeasurement, quantity: UnrolledQuantity, step: int, top: float) -> str:
    """Draw one quantity at one word: a cell for each unit."""
    values = quantity.values[step]
    title = f"{quantity.name} at word {step + 1}, {row.words[step]}: {', '.join(f'{value:.2f}' for value in values)}"
    x, width, height = _LEFT + _COLUMN * step + 1, _COLUMN - 2, _UNIT_HEIGHT - 1
    if quantity.name.endswith("gate"):
        colour = family_colour(row.subject)
        cells = [share_cell(x, top + _UNIT_HEIGHT * i, width, height, value, colour) for i, value in enumerate(values)]
    else:
        cells = [signed_cell(x, top + _UNIT_HEIGHT * i, width, height, value) for i, value in enumerate(values)]
    return titled(title, cells)


def _gradient_bar(row: UnrolledMeasurement, step: int, top: float) -> str:
    """Draw the gradient's size at one word as a bar over powers of ten, with its number below."""
    size = row.loss_gradients[step]
    exponent = math.log10(size) if size else -math.inf
    height = _BAR_HEIGHT * min(max(1 - exponent / _LOWEST, 0.0), 1.0)
    x, base = _LEFT + _COLUMN * step, top + _BAR_HEIGHT
    place = f'x="{x + 8}" y="{base - height:.1f}" width="{_COLUMN - 16}" height="{height:.1f}"'
    bar = f'<rect class="bar" {place} style="--series: {family_colour(row.subject)}"/>'
    text = f"{size:.2g}" if size >= _PLAIN else f"{size:.0e}"
    number = text_at(x + _COLUMN / 2, base + 15, text, "middle", ' style="font-size: 10px"')
    return titled(f"norm of the loss's gradient after word {step + 1}, {row.words[step]}: {size:.2e}", [bar, number])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _as_csv(stages: Sequence[UnrolledMeasurement]) -> str:
    """Write every number of the pictures as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("cell", "stage", "step", "word", "quantity", "unit", "value"))
    for row in stages:
        for quantity in row.quantities:
            for step, values in enumerate(quantity.values):
                place = (row.subject, row.stage, step + 1, row.words[step], quantity.name)
                writer.writerows((*place, unit + 1, value) for unit, value in enumerate(values))
        for step, size in enumerate(row.loss_gradients):
            where = (row.subject, row.stage, step + 1, row.words[step], "gradient of the loss", "")
            writer.writerow((*where, f"{size:.6e}"))
    return out.getvalue()
