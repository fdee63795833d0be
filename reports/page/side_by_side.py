"""RNN, GRU and LSTM side by side, with equally many units and with equally many parameters."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from markupsafe import Markup, escape

from rnn_harness.families import FAMILIES
from rnn_harness.records.measurement import (
    DecayMeasurement,
    LearningMeasurement,
    Measurement,
    SampledMeasurement,
    SpeedMeasurement,
)
from rnn_harness.reports.page.chart import Chart
from rnn_harness.reports.page.heat_cells import drawing, text_at
from rnn_harness.reports.page.palette import family_colour

_WIDTH, _LEFT, _COLUMN, _BAR, _ROW = 880, 44, 430, 120, 17
"""Of the drawing: its width, where bars begin, how far its two columns and the longest bar reach, a bar's height."""
_Row = TypeVar("_Row", DecayMeasurement, LearningMeasurement)
FASTEST = "forward and backward, fastest implementation"
"""The title of the quantity that is the time."""
_HEADINGS = ("equal hidden size", "equal number of parameters")


@dataclass(frozen=True)
class ComparedValue:
    """What was measured of a family under one of the two conditions.

    Attributes:
        family: RNN, GRU or LSTM.
        value: The number that its bar shows.
        low: The lower end of its interval; the value itself where there is none.
        high: The upper end.
        text: The number with its unit and the number of units.
    """

    family: str
    value: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class ComparedQuantity:
    """One quantity under both conditions.

    Attributes:
        title: What it is, with the conditions that both share.
        equal_size: The families with the same number of units.
        equal_count: The families with the same number of parameters, as nearly as units allow.
        conditions: The sizes and the format that all of its values share, where they do.
    """

    title: str
    equal_size: tuple[ComparedValue, ...]
    equal_count: tuple[ComparedValue, ...]
    conditions: str = ""


def compare_families(measurements: Sequence[Measurement]) -> list[ComparedQuantity]:
    """Return parameters, speed, decay and learning of the families; a quantity that was not measured is left out.

    Args:
        measurements: Of any kinds; those that are not right are passed over.
    """
    right = [row for row in measurements if row.agrees is not False]
    decays = [row for row in right if isinstance(row, DecayMeasurement) and row.initialisation == "torch"]
    speeds = [row for row in right if isinstance(row, SpeedMeasurement) and row.device == "cpu" and row.phase == "both"]
    learning = [row for row in right if isinstance(row, LearningMeasurement) and row.task == "adding"]
    quantities = [
        _of_rows("parameters, of the cells whose gradient is measured", decays, _parameters),
        _fastest(FASTEST, [row for row in speeds if row.median is not None and row.ci_low is not None]),
        _of_rows("gradient horizon in float32, torch's initialisation", decays, _horizon),
        replace(
            _of_rows("loss after training, adding two marked numbers", learning, _loss),
            conditions=_steps_of_training(learning),
        ),
    ]
    return [quantity for quantity in quantities if quantity.equal_size or quantity.equal_count]


def _steps_of_training(rows: Sequence[LearningMeasurement]) -> str:
    """Say how many steps the rows were trained; empty where they differ."""
    steps = {row.training_steps for row in rows}
    return f"{steps.pop():,} steps of training" if len(steps) == 1 else ""


def _parameters(family: str, row: DecayMeasurement) -> ComparedValue | None:
    if not row.parameters:
        return None
    count = float(row.parameters)
    return ComparedValue(family, count, count, count, f"{row.parameters:,} (d = {row.sizes['d']})")


def _horizon(family: str, row: DecayMeasurement) -> ComparedValue | None:
    if row.float32_horizon is None or "d" not in row.sizes:
        return None
    low = row.float32_horizon if row.float32_horizon_low is None else row.float32_horizon_low
    high = row.float32_horizon if row.float32_horizon_high is None else row.float32_horizon_high
    text = f"{row.float32_horizon:.0f} steps (d = {row.sizes['d']})"
    return ComparedValue(family, row.float32_horizon, low, high, text)


def _loss(family: str, row: LearningMeasurement) -> ComparedValue | None:
    low, high = (min(row.samples), max(row.samples)) if row.samples else (row.median, row.median)
    solved = f"{row.seeds_solved} of {row.seeds} seeds solve it" if row.seeds_solved else "no seed solves it"
    return ComparedValue(family, row.median, low, high, f"{row.median:.4f}, {solved} (d = {row.sizes.get('d', 0)})")


def _of_rows(
    title: str, rows: Sequence[_Row], value_of: Callable[[str, _Row], ComparedValue | None]
) -> ComparedQuantity:
    """Compare rows whose subject is a family, or a family with another number of units behind its name."""
    under_both: list[list[ComparedValue]] = [[], []]
    lstm = next((row for row in rows if row.subject == "LSTM"), None)
    for family in (known.torch_class for known in FAMILIES.values()):
        for row in rows:
            is_resized = row.subject.startswith(f"{family}, d = ")
            if lstm is None or (row.subject != family and not is_resized):
                continue
            value = value_of(family, row)
            is_equal_size = row.sizes.get("d") == lstm.sizes.get("d")
            if value is not None:
                for place in {0, 1} if family == "LSTM" else {0 if is_equal_size else 1}:
                    under_both[place].append(value)
    return ComparedQuantity(title, tuple(under_both[0]), tuple(under_both[1]))


def _fastest(title: str, rows: Sequence[SpeedMeasurement]) -> ComparedQuantity:
    """Compare the fastest time of every family at the point that was timed with as many parameters, too."""
    resized = [row.sizes["n"] for row in rows if row.sizes["n"] != row.sizes["d"]]
    width = max(resized) if resized else min((row.sizes["d"] for row in rows), default=0)
    under_both: list[list[ComparedValue]] = [[], []]
    for family in FAMILIES.values():
        of_family = [row for row in rows if row.spec == family.spec and row.agrees and row.sizes["n"] == width]
        equal_size = [row for row in of_family if row.sizes["d"] == width]
        equal_count = equal_size if family.name == "lstm" else [row for row in of_family if row.sizes["d"] != width]
        for place, timed in enumerate((equal_size, equal_count)):
            if timed:
                under_both[place].append(_time(family.torch_class, min(timed, key=_seconds)))
    return ComparedQuantity(title, tuple(under_both[0]), tuple(under_both[1]), _conditions(rows, width))


def _conditions(rows: Sequence[SpeedMeasurement], width: int) -> str:
    """Say which sizes and which format the timed rows share; empty where they do not."""
    timed = [row for row in rows if row.sizes["n"] == width]
    sizes = ("n", "B", "T")
    texts = {
        ", ".join([*(f"{name} = {row.sizes[name]}" for name in sizes if name in row.sizes), *filter(None, [row.dtype])])
        for row in timed
    }
    return texts.pop() if len(texts) == 1 else ""


def _seconds(row: SampledMeasurement) -> float:
    return row.estimate if row.estimate is not None else float("inf")


def _time(family: str, row: SpeedMeasurement) -> ComparedValue:
    """Return a time in milliseconds with its interval."""
    value, low, high = (
        1e3 * (end if end is not None else _seconds(row)) for end in (row.median, row.ci_low, row.ci_high)
    )
    return ComparedValue(family, value, low, high, f"{value:.2f} ms, {row.subject} (d = {row.sizes['d']})")


def comparison_chart(quantities: Sequence[ComparedQuantity]) -> Chart:
    """Draw a row of bars for each quantity: at equal size on the left, at an equal number of parameters on the right.

    Args:
        quantities: Those of `compare_families`; without any, the drawing is empty.
    """
    description = " ".join(
        f"{quantity.title}, {heading}: {'; '.join(f'{value.family} {value.text}' for value in values)}."
        for quantity in quantities
        for heading, values in zip(_HEADINGS, (quantity.equal_size, quantity.equal_count), strict=True)
        if values
    )
    if not quantities:
        return Chart("", description, Markup(), "", "side-by-side")
    parts = [
        text_at(_LEFT + _COLUMN * place, 14, f"with {heading}", more=' class="heading"')
        for place, heading in enumerate(_HEADINGS)
    ]
    families = [family.torch_class for family in FAMILIES.values()]
    top = 40.0
    for quantity in quantities:
        title = f"{quantity.title} ({quantity.conditions})" if quantity.conditions else quantity.title
        parts.append(text_at(0, top, title, more=' class="heading"'))
        both = (quantity.equal_size, quantity.equal_count)
        longest = max(value.high for values in both for value in values) or 1.0
        for place, values in enumerate(both):
            left = _LEFT + _COLUMN * place
            by_family = {value.family: value for value in values}
            for i, family in enumerate(families):
                middle = top + 18 + _ROW * i
                value = by_family.get(family)
                parts.append(_bar(value, left, middle, longest) if value else _missing(family, left, middle))
        top += 18 + _ROW * len(families) + 16
    title = "RNN, GRU and LSTM with equally many units or parameters. Lines: 95 % intervals, or all seeds."
    return Chart(title, description, Markup(drawing(_WIDTH, top - 8, parts)), _as_csv(quantities), "side-by-side")


def _bar(value: ComparedValue, left: float, middle: float, longest: float) -> str:
    """Draw one bar with its family before it, its interval on it and its number behind it."""
    low, end, high = (_BAR * number / longest for number in (value.low, value.value, value.high))
    y = f'y1="{middle:.0f}" y2="{middle:.0f}"'
    name = escape(f"{value.family}: {value.text}")
    return (
        f'<g style="--series: {family_colour(value.family)}"><title>{name}</title>'
        f"{text_at(left - 5, middle + 4, value.family, 'end')}"
        f'<rect class="bar" x="{left}" y="{middle - 6:.0f}" width="{end:.1f}" height="12"/>'
        f'<line class="interval" x1="{left + low:.1f}" x2="{left + high:.1f}" {y}/>'
        f"{text_at(left + max(end, high) + 5, middle + 4, value.text)}</g>"
    )


def _missing(family: str, left: float, middle: float) -> str:
    """Draw the row of a family that was not measured."""
    name, text = text_at(left - 5, middle + 4, family, "end"), text_at(left, middle + 4, "not measured")
    return f'<g class="missing">{name}{text}</g>'


def _as_csv(quantities: Sequence[ComparedQuantity]) -> str:
    """Write the numbers as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("quantity", "condition", "family", "value", "low", "high", "text"))
    for quantity in quantities:
        for heading, values in zip(_HEADINGS, (quantity.equal_size, quantity.equal_count), strict=True):
            writer.writerows(
                (quantity.title, heading, row.family, f"{row.value:.6g}", f"{row.low:.6g}", f"{row.high:.6g}", row.text)
                for row in values
            )
    return out.getvalue()
